/** A board's alarms as its messages tell them: event 16 beside the values that caused it. */
import { expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { AlarmSettings } from "../../firmware/alarms.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import {
  ALARM_ACTIVE,
  ALARM_HEART_RATE_LOW,
  ALARM_INACTIVE,
  ALARM_SPO2_MISSING,
  type DataMessage,
  decodeAlarm,
  decodeMessage,
  EVENT_ALARM,
  MDC_HEART_RATE,
  type Message,
} from "../../protocol/messages.ts";
import { createVirtualNode } from "../../simulator/node.ts";

function run(
  alarms: AlarmSettings | undefined,
  seconds: number,
  during?: (node: ReturnType<typeof createVirtualNode>, second: number) => void,
) {
  const clock = createVirtualClock();
  const messages: Message[] = [];
  const node = createVirtualNode({
    clock,
    seed: 3,
    index: 0,
    noise: true,
    gateways: [],
    ...(alarms && { alarms }),
    boot: () => 1,
    link: () => ({
      presence: false,
      open: (events) => events.onUp(1),
      send: (_letter, message) => {
        const one = decodeMessage(decodeEnvelope(message).payload);
        // nobody acknowledges: everything comes again
        if ("seq" in one && one.seq === messages.length) messages.push(one);
        return true;
      },
      close: (done) => done(),
    }),
  });
  node.runtime.start();
  for (let second = 1; second <= seconds; second++) {
    clock.runUntil(second * 1e6);
    during?.(node, second);
  }
  const alarmsTold = messages.flatMap((message) => {
    if (message.type !== "event" || message.code !== EVENT_ALARM) return [];
    return [{ tick: message.tick, ...decodeAlarm(message.small)! }];
  });
  return { node, messages, alarms: alarmsTold };
}

/** Values of a vital as they were sent, by the tick of their message. */
function sent(messages: readonly Message[], mdc: number) {
  const birth = messages.find((message) => message.type === "birth")!;
  const { id } = birth.channels.find((channel) => channel.mdc === mdc)!;
  return messages
    .filter((message): message is DataMessage => message.type === "data")
    .flatMap(({ tick, channels }) =>
      channels.flatMap((one) => (one.kind === "num" && one.id === id ? [{ tick, value: one.value }] : [])),
    );
}

test("a heart rate below its limit for as long as the delay is told once, with the value that was sent and since when", () => {
  const { messages, alarms } = run({ heartRate: { low: 150, delay: 7 } }, 40);
  const rates = sent(messages, MDC_HEART_RATE);
  const first = rates.find(({ value }) => value !== null)!;
  expect(first.value!).toBeLessThan(1500);
  expect(alarms).toHaveLength(1);
  const [alarm] = alarms;
  expect(alarm).toMatchObject({ id: ALARM_HEART_RATE_LOW, state: ALARM_ACTIVE, priority: 2, limit: 1500 });
  expect(alarm!.tick - first.tick).toBe(7000);
  expect(alarm!.dt).toBe(-7_000_000);
  expect(rates.find(({ tick }) => tick === alarm!.tick)!.value).toBe(alarm!.value);
});

test("a finger that leaves ends no alarm, and is told as not measured after its blank", () => {
  const { alarms } = run({ spo2: { low: 100, delay: 0, blank: 15, latching: false } }, 60, (node, second) => {
    if (second !== 30) return;
    for (const light of ["red", "infrared"]) node.emulators.ppg.set(light, () => 2);
  });
  expect(alarms.map(({ state }) => state)).not.toContain(ALARM_INACTIVE);
  const missing = alarms.filter(({ id }) => id === ALARM_SPO2_MISSING);
  expect(missing).toHaveLength(1);
  expect(missing[0]!.tick / 1000).toBeGreaterThan(30 + 14);
  expect(missing[0]!.tick / 1000).toBeLessThan(30 + 18);
});

test("without settings nothing is told, and there is nothing to acknowledge", () => {
  const { node, alarms } = run(undefined, 30);
  expect(alarms).toEqual([]);
  expect(node.runtime.alarms).toBe(null);
});

test("an alarm acknowledged on the board is told as acknowledged", () => {
  const { alarms } = run({ heartRate: { low: 150, delay: 0 } }, 40, ({ runtime }, second) => {
    if (second === 35) expect(runtime.alarms!.acknowledgeAll(35e6)).toBe(1);
  });
  expect(alarms.map(({ state }) => state)).toEqual([1, 3]);
});
