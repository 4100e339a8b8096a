/** What a board does with each command, through its front door: sealed messages in, sealed messages out. */
import { describe, expect, test } from "vitest";
import { decodeCbor, decodeSamples } from "../../protocol/index.ts";
import {
  EVENT_CONFIGURATION,
  EVENT_FAULT,
  MDC_HEART_RATE,
  OP_SELF_TEST,
  OP_SEND_BIRTH,
  OP_SET_FILTER,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  OP_START,
  OP_STOP,
  OP_TIME_PING,
  qualFlags,
  STATUS_DONE,
  STATUS_FAILED,
} from "../../protocol/messages.ts";
import { channelOf, createCommanded, ECG, INFRARED, MODES, RED, TEMPERATURE, waves } from "./commanded.ts";

const LED_CHANGED = 256;

describe.each(Object.entries(MODES))("in mode %s", (_name, seal) => {
  test("the worked example, set-LED-current {1: 24}, is done, answered by name and number, and marks the samples around it", () => {
    const board = createCommanded({ seal });
    board.start(3);
    const n = board.command(OP_SET_LED_CURRENT, [[1, 24]]);
    board.run(3);
    expect(board.results()).toEqual([{ gateway: board.name, n, status: STATUS_DONE, tick: expect.any(Number) }]);
    const marked = waves(board, RED).filter(({ qual }) => (qualFlags(qual) & LED_CHANGED) !== 0);
    expect(marked).toHaveLength(1);
    const [event] = board.eventsOf(EVENT_CONFIGURATION);
    const [cfg, op, parameters] = event!.small as [number, number, Uint8Array];
    expect([cfg, op, decodeCbor(parameters)]).toMatchObject([1, OP_SET_LED_CURRENT, { entries: [[1, 24]] }]);
    expect(board.births()).toHaveLength(1);
  });
});

test("the light itself is brighter, of the LED that the channel names alone", () => {
  const board = createCommanded({ noise: false });
  // reflected light, nA per mA of LED current
  for (const light of ["red", "infrared"]) board.node.emulators.ppg.set(light, 10);
  board.start(3);
  board.command(OP_SET_LED_CURRENT, [
    [1, 12],
    [2, INFRARED],
  ]);
  board.run(3);
  const codes = (id: number) => {
    const own = waves(board, id);
    return [own[0]!, own.at(-1)!].map(({ codec, bytes, n }) => decodeSamples(codec, bytes, n).at(-1)!);
  };
  const [redBefore, redAfter] = codes(RED);
  const [before, after] = codes(INFRARED);
  expect(redAfter).toBe(redBefore);
  // 6.2 mA at first
  expect(after! / before!).toBeCloseTo(12 / 6.2, 3);
});

test("a rate that needs another record gets a birth of its own: old data before it, new data behind it, a new segment", () => {
  const board = createCommanded();
  board.start(4);
  const n = board.command(OP_SET_RATE, [
    [1, 50_000],
    [2, RED],
  ]);
  board.run(4);
  expect(board.statusOf(n)).toBe(STATUS_DONE);
  const [first, second] = board.births();
  expect(board.births()).toHaveLength(2);
  expect([first!.cfg, second!.cfg]).toEqual([1, 2]);
  expect(second!.channels.find(({ id }) => id === RED)!.rateMilliHz).toBe(50_000);
  expect(second!.channels.map(({ id, mdc }) => [id, mdc])).toEqual(first!.channels.map(({ id, mdc }) => [id, mdc]));
  // event 6 names the new cfg, between the last data of the old one and the birth
  const change = board.eventsOf(EVENT_CONFIGURATION)[0]!;
  expect((change.small as unknown[])[0]).toBe(2);
  expect(change.seq).toBe(second!.seq - 1);
  for (const message of board.data()) expect(message.cfg).toBe(message.seq < second!.seq ? 1 : 2);
  const red = waves(board, RED);
  expect(red.filter(({ cfg }) => cfg === 1).map(({ seg }) => seg)).not.toContain(1);
  const later = red.filter(({ cfg }) => cfg === 2);
  expect(later[0]).toMatchObject({ seg: 1, idx: 0 });
  const samples = later.reduce((sum, wave) => sum + wave.n, 0);
  expect(samples).toBeGreaterThan(3 * 50);
  expect(samples).toBeLessThan(4 * 50);
  // the other chips went on: not one sample is missing, and no segment began
  const ecg = waves(board, ECG);
  let next = 0;
  for (const wave of ecg) {
    expect([wave.seg, wave.idx]).toEqual([0, next]);
    next += wave.n;
  }
});

test("below 1 Hz a rate is the nearest whole number of seconds, and vitals at a new rate are made anew", () => {
  const board = createCommanded();
  board.start(3);
  expect(
    board.statusOf(
      board.command(OP_SET_RATE, [
        [1, 250],
        [2, TEMPERATURE],
      ]),
    ),
  ).toBe(null);
  board.run(1);
  expect(board.results().at(-1)!.status).toBe(STATUS_DONE);
  expect(
    board
      .births()
      .at(-1)!
      .channels.find(({ id }) => id === TEMPERATURE)!.rateMilliHz,
  ).toBe(250);
  board.command(OP_SET_RATE, [
    [1, 128_000],
    [2, ECG],
  ]);
  board.run(25);
  const birth = board.births().at(-1)!;
  expect([birth.cfg, board.births().length]).toEqual([3, 3]);
  const rate = channelOf(birth, MDC_HEART_RATE);
  const told = board
    .data()
    .filter(({ cfg }) => cfg === 3)
    .flatMap(({ channels }) => channels)
    .filter((one) => one.kind === "num" && one.id === rate && one.value !== null);
  expect(told.length).toBeGreaterThan(5);
});

test("a filter of the ECG needs another record too", () => {
  const board = createCommanded();
  board.start(2);
  const n = board.command(OP_SET_FILTER, [
    [1, 40],
    [3, 1],
  ]);
  board.run(2);
  expect(board.statusOf(n)).toBe(STATUS_DONE);
  expect(board.births().at(-1)!.cfg).toBe(2);
  expect(waves(board, ECG).at(-1)).toMatchObject({ cfg: 2, seg: 1 });
});

test("a chip that is stopped gives nothing, one that is started again begins a segment, the others never notice", () => {
  const board = createCommanded();
  board.start(3);
  board.command(OP_STOP, [[2, ECG]]);
  board.run(1);
  const stoppedAt = waves(board, ECG).length;
  board.run(3);
  expect(waves(board, ECG)).toHaveLength(stoppedAt);
  expect(waves(board, RED).at(-1)!.seg).toBe(0);
  board.command(OP_START, [[2, ECG]]);
  board.run(2);
  const after = waves(board, ECG).slice(stoppedAt);
  expect(after[0]).toMatchObject({ seg: 1, idx: 0, cfg: 1 });
  // twice the same is done, and does nothing
  board.command(OP_START);
  board.command(OP_STOP);
  board.run(1);
  board.command(OP_STOP);
  board.run(1);
  expect(board.results().map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
  const all = waves(board, RED).length;
  board.run(2);
  expect(waves(board, RED)).toHaveLength(all);
});

test("a birth on request is of the same cfg, with the next seq, the channels and the nonce as before", () => {
  const board = createCommanded();
  board.start(3);
  const n = board.command(OP_SEND_BIRTH);
  const [first, second] = board.births();
  expect(second).toMatchObject({ cfg: first!.cfg, channels: first!.channels, claims: first!.claims });
  expect(board.statusOf(n)).toBe(STATUS_DONE);
  expect(board.messages().map(({ seq }) => seq)).toEqual(board.messages().map((_, i) => i));
});

test("a time-ping is answered at once, with the tick at which it came, even while another command is being done", () => {
  const board = createCommanded();
  board.start(3);
  const test = board.command(OP_SELF_TEST);
  const ping = board.command(OP_TIME_PING);
  expect(board.statusOf(ping)).toBe(STATUS_DONE);
  expect(board.results()[0]!.tick).toBe(3000);
  expect(board.statusOf(test)).toBe(null);
  board.run(3);
  expect(board.statusOf(test)).toBe(STATUS_DONE);
});

test("a self-test tells each measurement that fails as a fault of its channel, and then that it failed", () => {
  const board = createCommanded({
    wrapDriver: (driver) => ({
      ...driver,
      get configuration() {
        return driver.configuration;
      },
      selfTest: () => ({
        ops: [],
        next: (_outcome, frame) => {
          const pass = driver.model !== "MAX30003";
          frame.measurements.push({ name: "offset", value: 9, unit: "mV", minimum: -5, maximum: 5, pass });
          return null;
        },
      }),
    }),
  });
  board.start(2);
  const one = board.command(OP_SELF_TEST, [[2, RED]]);
  const all = board.command(OP_SELF_TEST);
  board.run(1);
  expect(board.statusOf(one)).toBe(STATUS_DONE);
  expect(board.statusOf(all)).toBe(STATUS_FAILED);
  const faults = board.eventsOf(EVENT_FAULT);
  expect(faults.map(({ small }) => small)).toEqual([[9, ECG, "offset 9 mV, not -5 to 5"]]);
  expect(faults[0]!.seq).toBeLessThan(board.messages().at(-1)!.seq);
});

test("the chips' own self-tests pass, and what is measured goes on", () => {
  const board = createCommanded();
  board.start(3);
  const n = board.command(OP_SELF_TEST);
  board.run(5);
  expect(board.statusOf(n)).toBe(STATUS_DONE);
  const before = [RED, ECG].map((id) => waves(board, id).length);
  board.run(2);
  expect([RED, ECG].map((id) => waves(board, id).length > before[id === RED ? 0 : 1]!)).toEqual([true, true]);
});
