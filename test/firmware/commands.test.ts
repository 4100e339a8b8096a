/** What a board does with each command, through its front door: sealed messages in, sealed messages out. */
import { describe, expect, test } from "vitest";
import { decodeCbor, decodeSamples, encodeCbor } from "../../protocol/index.ts";
import {
  type BirthMessage,
  EVENT_CONFIGURATION,
  EVENT_FAULT,
  MDC_ECG,
  MDC_HEART_RATE,
  MDC_SPO2,
  OP_ACKNOWLEDGE_ALARM,
  OP_CONSOLE,
  OP_FIRMWARE_ANNOUNCE,
  OP_PAUSE_ALARM,
  OP_REBOOT,
  OP_REKEY,
  OP_SELF_TEST,
  OP_SEND_BIRTH,
  OP_SET_ALARM_LIMITS,
  OP_SET_FILTER,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
  OP_START,
  OP_STOP,
  OP_TIME_PING,
  qualFlags,
  STATUS_BAD_PARAMETER,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_FAILED,
  STATUS_NOT_POSSIBLE,
  STATUS_REFUSED,
  STATUS_UNKNOWN_OP,
  type Wave,
} from "../../protocol/messages.ts";
import { createCommanded, MODES } from "./commanded.ts";

const LED_CHANGED = 256;
const RED = 0;
const INFRARED = 1;
const ECG = 2;
const TEMPERATURE = 3;

const channelOf = (birth: BirthMessage, mdc: number) => birth.channels.find((one) => one.mdc === mdc)!.id;
type Board = ReturnType<typeof createCommanded>;
const waves = (board: Board, id: number) =>
  board
    .data()
    .flatMap(({ seq, cfg, channels }) =>
      channels.flatMap((one) => (one.kind === "wave" && one.id === id ? [{ ...(one as Wave), seq, cfg }] : [])),
    );

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

describe("alarms", () => {
  const watching = () => {
    const board = createCommanded({ alarms: { spo2: { low: 90, delay: 0 }, heartRate: { low: 40, delay: 0 } } });
    board.start(15);
    const birth = board.births()[0]!;
    return { board, spo2: channelOf(birth, MDC_SPO2), heartRate: channelOf(birth, MDC_HEART_RATE) };
  };

  test("other limits hold from then on, in raw values of the vital, and the change is told in event 6", () => {
    const { board, heartRate } = watching();
    expect(board.node.runtime.alarms!.active()).toEqual([]);
    const n = board.command(OP_SET_ALARM_LIMITS, [
      [2, heartRate],
      [3, 1400],
      [4, 2000],
      [5, 0],
      [6, 1],
      [7, 1],
      [8, 20],
      [9, 30],
    ]);
    board.run(3);
    expect(board.statusOf(n)).toBe(STATUS_DONE);
    expect(board.node.runtime.alarms!.active()).toMatchObject([
      { channel: heartRate, priority: 1, state: 1, limit: 1400 },
    ]);
    const [cfg, op, parameters] = board.eventsOf(EVENT_CONFIGURATION)[0]!.small as [number, number, Uint8Array];
    expect([cfg, op]).toEqual([1, OP_SET_ALARM_LIMITS]);
    expect(decodeCbor(parameters)).toMatchObject({ entries: expect.arrayContaining([[3, 1400]]) });
    const acknowledged = board.command(OP_ACKNOWLEDGE_ALARM, [[1, 3]]);
    expect(board.statusOf(acknowledged)).toBe(STATUS_DONE);
    expect(board.node.runtime.alarms!.active()[0]!.state).toBe(3);
  });

  test("no command sets a limit outside the bounds of the vital, or one against the other", () => {
    const { board, spo2, heartRate } = watching();
    for (const parameters of [
      [
        [2, spo2],
        [3, 400],
      ],
      [
        [2, heartRate],
        [4, 4000],
      ],
      [
        [2, heartRate],
        [3, 1500],
        [4, 1400],
      ],
    ] as [number, number][][])
      expect(board.statusOf(board.command(OP_SET_ALARM_LIMITS, parameters))).toBe(STATUS_BEYOND_LIMIT);
    expect(board.statusOf(board.command(OP_SET_ALARM_LIMITS, [[2, spo2]]))).toBe(STATUS_BAD_PARAMETER);
    expect(
      board.statusOf(
        board.command(OP_SET_ALARM_LIMITS, [
          [2, RED],
          [3, 900],
        ]),
      ),
    ).toBe(STATUS_NOT_POSSIBLE);
    expect(board.eventsOf(EVENT_CONFIGURATION)).toEqual([]);
  });

  test("a pause ends by itself, is not made longer, and ends by 0", () => {
    const { board } = watching();
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 20]]))).toBe(STATUS_DONE);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 20]]))).toBe(STATUS_REFUSED);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 0]]))).toBe(STATUS_DONE);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 120]]))).toBe(STATUS_DONE);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 121]]))).toBe(STATUS_BAD_PARAMETER);
    expect(board.statusOf(board.command(OP_ACKNOWLEDGE_ALARM))).toBe(STATUS_DONE);
  });

  test("no command takes a vital away that alarms watch: such a rate is refused, and nothing changes", () => {
    const found = [{ heartRate: { low: 40 } }, undefined].map((alarms) => {
      const board = createCommanded(alarms && { alarms });
      board.start(2);
      // the chip can, but no heart rate is computed at 200 Hz
      const n = board.command(OP_SET_RATE, [
        [1, 200_000],
        [2, ECG],
      ]);
      board.run(2);
      const birth = board.births().at(-1)!;
      return [board.statusOf(n), birth.cfg, birth.channels.some(({ mdc }) => mdc === MDC_HEART_RATE)];
    });
    expect(found).toEqual([
      [STATUS_REFUSED, 1, true],
      [STATUS_DONE, 2, false],
    ]);
  });

  test("a board without alarms has none to set, acknowledge or pause", () => {
    const board = createCommanded();
    board.start(1);
    expect(board.statusOf(board.command(OP_PAUSE_ALARM, [[1, 5]]))).toBe(STATUS_NOT_POSSIBLE);
    expect(board.statusOf(board.command(OP_ACKNOWLEDGE_ALARM))).toBe(STATUS_NOT_POSSIBLE);
    expect(
      board.statusOf(
        board.command(OP_SET_ALARM_LIMITS, [
          [2, 5],
          [3, 900],
        ]),
      ),
    ).toBe(STATUS_NOT_POSSIBLE);
  });
});

test("reboot and console are answered first and done a second later; rekey and firmware answer when they are done", () => {
  const done: string[] = [];
  let answer: ((status: number) => void) | undefined;
  const board = createCommanded({
    handlers: {
      reboot: () => done.push("reboot"),
      console: () => done.push("console"),
      rekey: (card, tell) => {
        done.push(`rekey ${card}`);
        answer = tell;
      },
      firmware: (object, tell) => {
        done.push(`firmware ${object.length}`);
        tell(STATUS_REFUSED);
      },
    },
  });
  board.start(2);
  expect(board.statusOf(board.command(OP_REBOOT))).toBe(STATUS_DONE);
  expect(board.statusOf(board.command(OP_CONSOLE))).toBe(STATUS_DONE);
  expect(board.statusOf(board.command(OP_FIRMWARE_ANNOUNCE, [[1, new Uint8Array(9)]]))).toBe(STATUS_REFUSED);
  const rekey = board.command(OP_REKEY);
  expect(done).toEqual(["firmware 9", "rekey null"]);
  board.run(1);
  expect(done.slice(2)).toEqual(["reboot", "console"]);
  expect(board.statusOf(rekey)).toBe(null);
  answer!(STATUS_DONE);
  answer!(STATUS_FAILED);
  expect(board.statusOf(rekey)).toBe(STATUS_DONE);
});

test("what a board cannot, does not know, or may not, is answered by its status and nothing happens", () => {
  const board = createCommanded();
  board.start(2);
  const status = (op: number, parameters: [number, number | string | Uint8Array][] = []) => {
    const n = board.command(op, parameters);
    board.run(0.2);
    return board.statusOf(n);
  };
  for (const op of [OP_REBOOT, OP_CONSOLE, OP_REKEY]) expect(status(op)).toBe(STATUS_NOT_POSSIBLE);
  expect(status(OP_FIRMWARE_ANNOUNCE, [[1, encodeCbor(1)]])).toBe(STATUS_NOT_POSSIBLE);
  for (const op of [16, 31]) expect(status(op)).toBe(STATUS_UNKNOWN_OP);
  const bad: [number, [number, number | string | Uint8Array][]][] = [
    [OP_SET_LED_CURRENT, []],
    [OP_SET_LED_CURRENT, [[1, "24"]]],
    [
      OP_SET_LED_CURRENT,
      [
        [1, 24],
        [9, 1],
      ],
    ],
    [
      OP_SET_LED_CURRENT,
      [
        [1, 24],
        [2, 60],
      ],
    ],
    [OP_SET_RATE, [[1, 100_000]]],
    [
      OP_SET_RATE,
      [
        [1, 101_000],
        [2, RED],
      ],
    ],
    [OP_SET_FILTER, []],
    [OP_SET_FILTER, [[1, 41]]],
    [OP_START, [[2, 50]]],
    [OP_TIME_PING, [[1, 1]]],
  ];
  for (const [op, parameters] of bad) expect([op, parameters, status(op, parameters)]).toEqual([op, parameters, 2]);
  expect(
    status(OP_SET_LED_CURRENT, [
      [1, 24],
      [2, ECG],
    ]),
  ).toBe(STATUS_NOT_POSSIBLE);
  expect(
    status(OP_SET_FILTER, [
      [1, 0],
      [2, RED],
    ]),
  ).toBe(STATUS_NOT_POSSIBLE);
  // the hard limits, whatever the chip could: 25 mA, 500 Hz
  expect(status(OP_SET_LED_CURRENT, [[1, 26]])).toBe(STATUS_BEYOND_LIMIT);
  expect(
    status(OP_SET_RATE, [
      [1, 512_000],
      [2, ECG],
    ]),
  ).toBe(STATUS_BEYOND_LIMIT);
  expect(status(OP_SET_LED_CURRENT, [[1, 25]])).toBe(STATUS_DONE);
  expect(board.births()).toHaveLength(1);
  expect(board.eventsOf(EVENT_CONFIGURATION)).toHaveLength(1);
  // a stopped chip has nothing to change or to test
  status(OP_STOP);
  expect(status(OP_SET_LED_CURRENT, [[1, 20]])).toBe(STATUS_NOT_POSSIBLE);
  expect(status(OP_SELF_TEST)).toBe(STATUS_NOT_POSSIBLE);
});

test("a command is obeyed until its tick and not a millisecond longer, also where it waited for its turn", () => {
  const board = createCommanded();
  board.start(3);
  const at = board.command(OP_SEND_BIRTH, [], 3000);
  const late = board.command(OP_SEND_BIRTH, [], 2999);
  const ping = board.command(OP_TIME_PING, [], 2999);
  board.command(OP_SELF_TEST);
  const waited = board.command(OP_SEND_BIRTH, [], 3001);
  board.run(3);
  expect(board.statusOf(at)).toBe(STATUS_DONE);
  expect([late, ping, waited].map((n) => board.statusOf(n))).toEqual([STATUS_EXPIRED, STATUS_EXPIRED, STATUS_EXPIRED]);
  expect(board.births()).toHaveLength(2);
});

test("a board that stops answers what still waits, and its last message is sealed after the answers", () => {
  const board = createCommanded();
  board.start(3);
  const waiting = [OP_SELF_TEST, OP_SEND_BIRTH, OP_SELF_TEST].map((op) => board.command(op));
  board.node.runtime.stop(() => {});
  board.run(8);
  expect(waiting.map((n) => board.statusOf(n))).toEqual(expect.arrayContaining([STATUS_FAILED]));
  expect(waiting.map((n) => board.statusOf(n))).not.toContain(null);
  const produced = board.node.runtime.produced;
  board.command(OP_SEND_BIRTH);
  expect(board.node.runtime.produced).toBe(produced);
});

test("a board that must not encrypt any more obeys nothing: it could not answer", () => {
  const called: string[] = [];
  const board = createCommanded({ seal: MODES["bare E"]!, handlers: { rekey: () => called.push("rekey") } });
  board.start(2);
  board.command(OP_REKEY);
  board.command(OP_REKEY);
  expect(called).toEqual(["rekey"]);
  const produced = board.node.runtime.produced;
  // the gateway has what this boot never sent: an old storage image
  board.say({ type: "ack", ofBoot: 7, next: 5000, bitmap: new Uint8Array(0), refused: [] });
  board.command(OP_REKEY);
  board.command(OP_SEND_BIRTH);
  board.run(40);
  expect(called).toEqual(["rekey"]);
  expect(board.node.runtime.produced).toBe(produced);
});

test("a change that does not reach the chip has failed, and nothing says that it holds", () => {
  const board = createCommanded();
  board.start(2);
  board.node.board.busFault = ({ model }) => (model === "MAX30102" ? "nack" : null);
  const n = board.command(OP_SET_LED_CURRENT, [[1, 24]]);
  board.run(1);
  expect(board.statusOf(n)).toBe(STATUS_FAILED);
  expect(board.eventsOf(EVENT_CONFIGURATION)).toEqual([]);
});

test("a chip that does not come back in its new configuration is told as failed, with the new birth, and is tried again", () => {
  const board = createCommanded();
  board.start(2);
  expect(board.births()[0]!.channels.some(({ mdc }) => mdc === MDC_ECG)).toBe(true);
  board.node.board.busFault = ({ model }) => (model === "MAX30003" ? "nack" : null);
  const n = board.command(OP_SET_RATE, [
    [1, 128_000],
    [2, ECG],
  ]);
  board.run(2);
  expect(board.statusOf(n)).toBe(STATUS_FAILED);
  expect(board.births().at(-1)!.cfg).toBe(2);
  board.node.board.busFault = null;
  board.run(12);
  expect(waves(board, ECG).at(-1)!.cfg).toBe(2);
});
