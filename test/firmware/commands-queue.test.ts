/** The queue of commands: one at a time, eight in all, each answered once, whatever the chips and handlers do. */
import { expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Alarms, LimitSettings } from "../../firmware/alarms.ts";
import { type CommandHandlers, createCommands, DEVICE_LIMITS } from "../../firmware/commands.ts";
import {
  type ChannelDefinition,
  type CommandMessage,
  OP_PAUSE_ALARM,
  OP_REKEY,
  OP_SEND_BIRTH,
  OP_SET_ALARM_LIMITS,
  OP_TIME_PING,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_FAILED,
} from "../../protocol/messages.ts";

const gateway = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function createQueue(handlers: CommandHandlers = {}, alarms: Alarms | null = null, limits = DEVICE_LIMITS) {
  const clock = createVirtualClock();
  const told: string[] = [];
  const commands = createCommands({
    chips: [],
    alarms,
    limits,
    handlers,
    now: () => clock.now,
    timer: (ms, callback) => clock.at(clock.now + ms * 1000, callback),
    answer: (_gateway, n, status) => told.push(`${n}: ${status}`),
    changed: () => {},
    fault: () => {},
    birth: () => told.push("birth"),
  });
  let n = 0;
  return {
    clock,
    told,
    commands,
    take(op: number, expires = Number.MAX_SAFE_INTEGER, parameters: CommandMessage["parameters"] = []) {
      const command: CommandMessage = { type: "command", kid: gateway, boot: 1, n: ++n, expires, op, parameters };
      commands.take(command, gateway);
    },
  };
}

test("commands are done in the order of their arrival, one behind the other", () => {
  const waiting: ((status: number) => void)[] = [];
  const queue = createQueue({ rekey: (_card, done) => waiting.push(done) });
  queue.take(OP_REKEY);
  queue.take(OP_SEND_BIRTH);
  queue.take(OP_REKEY);
  queue.take(OP_SEND_BIRTH);
  expect(queue.told).toEqual([]);
  waiting[0]!(STATUS_DONE);
  expect(queue.told).toEqual(["1: 0", "birth", "2: 0"]);
  waiting[1]!(STATUS_FAILED);
  expect(queue.told.slice(3)).toEqual(["3: 5", "birth", "4: 0"]);
});

test("the ninth that waits has failed at once; a time-ping needs no place", () => {
  const queue = createQueue({ rekey: () => {} });
  for (let i = 0; i < 8; i++) queue.take(OP_REKEY);
  expect(queue.told).toEqual([]);
  queue.take(OP_SEND_BIRTH);
  expect(queue.told).toEqual(["9: 5"]);
  queue.take(OP_TIME_PING);
  expect(queue.told).toEqual(["9: 5", "10: 0"]);
});

test("what is not done in 30 s has failed, and what it says later is not heard", () => {
  const waiting: ((status: number) => void)[] = [];
  const queue = createQueue({ rekey: (_card, done) => waiting.push(done) });
  queue.take(OP_REKEY);
  queue.take(OP_REKEY);
  queue.clock.runUntil(29.9e6);
  expect(queue.told).toEqual([]);
  queue.clock.runUntil(30e6);
  expect(queue.told).toEqual(["1: 5"]);
  expect(waiting).toHaveLength(2);
  waiting[0]!(STATUS_DONE);
  expect(queue.told).toEqual(["1: 5"]);
  waiting[1]!(STATUS_DONE);
  expect(queue.told).toEqual(["1: 5", "2: 0"]);
  queue.clock.runUntil(120e6);
  expect(queue.told).toEqual(["1: 5", "2: 0"]);
});

test("a handler that throws has failed, and the next command has its turn", () => {
  const queue = createQueue({
    rekey: () => {
      throw new Error("no storage");
    },
  });
  queue.take(OP_REKEY);
  queue.take(OP_SEND_BIRTH);
  expect(queue.told).toEqual(["1: 5", "birth", "2: 0"]);
});

test("one that expires while it waits is not done", () => {
  const waiting: ((status: number) => void)[] = [];
  const queue = createQueue({ rekey: (_card, done) => waiting.push(done) });
  queue.take(OP_REKEY);
  queue.take(OP_SEND_BIRTH, 4999);
  queue.take(OP_SEND_BIRTH, 5000);
  queue.clock.runUntil(5e6);
  waiting[0]!(STATUS_DONE);
  expect(queue.told).toEqual(["1: 0", `2: ${STATUS_EXPIRED}`, "birth", "3: 0"]);
});

test("at the end all that waits has failed, once, and nothing more is done", () => {
  const waiting: ((status: number) => void)[] = [];
  const queue = createQueue({ rekey: (_card, done) => waiting.push(done) });
  queue.take(OP_REKEY);
  queue.take(OP_SEND_BIRTH);
  queue.commands.end();
  queue.take(OP_SEND_BIRTH);
  waiting[0]!(STATUS_DONE);
  queue.clock.runUntil(60e6);
  expect(queue.told).toEqual(["1: 5", "2: 5", "3: 5"]);
});

test("the name of the gateway is kept, not the message that it stood in", () => {
  const names: Uint8Array[] = [];
  let done = (_status: number): void => {};
  const commands = createCommands({
    chips: [],
    alarms: null,
    limits: DEVICE_LIMITS,
    handlers: {
      rekey: (_card, tell) => {
        done = tell;
      },
    },
    now: () => 0,
    timer: () => () => {},
    answer: (kid) => names.push(kid),
    changed: () => {},
    fault: () => {},
    birth: () => {},
  });
  const buffer = Uint8Array.from(gateway);
  commands.take({ type: "command", kid: gateway, boot: 1, n: 1, expires: 9, op: OP_REKEY, parameters: [] }, buffer);
  buffer.fill(0);
  done(STATUS_DONE);
  expect(names).toEqual([gateway]);
});

test("a device that is built for shorter pauses keeps to them", () => {
  const pauses: number[] = [];
  const alarms = { pause: (seconds: number) => pauses.push(seconds) > 0 } as unknown as Alarms;
  const queue = createQueue({}, alarms, { ...DEVICE_LIMITS, pause: 60 });
  for (const seconds of [60, 61]) queue.take(OP_PAUSE_ALARM, undefined, [[1, seconds]]);
  expect(queue.told).toEqual(["1: 0", `2: ${STATUS_BEYOND_LIMIT}`]);
  expect(pauses).toEqual([60]);
});

test("limits are set in the vital's unit, and what a command does not name stays", () => {
  const set: LimitSettings[] = [];
  const vital: Partial<ChannelDefinition> = { offset: 100, mul: 5, exp10: -2 };
  const alarms = {
    watched: (channel: number) => (channel === 9 ? vital : null),
    setLimits: (_channel: number, changes: LimitSettings) => set.push(changes),
  } as unknown as Alarms;
  const queue = createQueue({}, alarms);
  const every = [
    [2, 9],
    [3, 300],
    [4, 500],
    [5, 7],
    [6, 3],
    [7, 0],
    [8, 20],
    [9, 40],
  ] as const;
  queue.take(OP_SET_ALARM_LIMITS, undefined, every);
  for (const one of every.slice(1)) queue.take(OP_SET_ALARM_LIMITS, undefined, [[2, 9], one]);
  queue.take(OP_SET_ALARM_LIMITS, undefined, [
    [2, 9],
    [7, 1],
  ]);
  queue.take(OP_SET_ALARM_LIMITS, undefined, [
    [2, 8],
    [7, 1],
  ]);
  const whole = { low: 20, high: 30, delay: 7, priority: 3, latching: false, hysteresis: 1, blank: 40 };
  expect(set).toEqual([whole, ...Object.entries(whole).map((one) => Object.fromEntries([one])), { latching: true }]);
  expect(queue.told.at(-1)).toBe("10: 4");
});
