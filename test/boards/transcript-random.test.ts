/** Boards that answer at once and clocks that never stand still: whatever firmware does, a transcript gives it the same. */
import { expect, test } from "vitest";
import type { Board, Executor } from "../../boards/board.ts";
import { createSimulatedBoard, createVirtualClock } from "../../boards/simulated.ts";
import { recordBoard, replayBoard } from "../../boards/transcript.ts";
import type { Outcome } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { createRandom, type Random } from "../../simulator/random.ts";

const PINS = { data: "D1", clock: "D2" };
const target = { model: "TEST", address: 0x48, maxHz: 400_000 };

/** A board whose clock goes on at every reading; half of what it is asked for is answered before the call returns. */
function createHastyBoard(random: Random) {
  const waiting: (() => void)[] = [];
  const files = new Map<string, Uint8Array>();
  let now = 0;
  const later = (what: () => void) => {
    if (random.uniform() < 0.5) what();
    else waiting.push(what);
  };
  const executor: Executor = {
    maxRead: 30,
    run(_target, ops, done) {
      if (ops.length === 0) throw new Error("a step without operations");
      const replies = ops.map(() => random.bytes(3));
      const error = random.uniform() < 0.2 ? ({ kind: "nack", op: 0, message: 'no "chip" \\ there' } as const) : null;
      later(() => done({ replies, error, began: now, ended: now, edges: 0, edgeAt: 0, inputs: 5 }));
    },
    recover: (done) => later(() => done(random.uniform() < 0.5)),
  };
  const board: Board = {
    model: "hasty",
    i2c: () => executor,
    spi: () => {
      throw new Error("hasty board: it has no SPI");
    },
    analog: () => {
      throw new Error("hasty board: it has no converter");
    },
    now: () => {
      if (random.uniform() < 0.7) now += Math.floor(random.uniform() * 3);
      return now;
    },
    timer: (_ms, callback) => {
      let cancelled = false;
      later(() => {
        if (!cancelled) callback();
      });
      return () => {
        cancelled = true;
      };
    },
    watch: (_pin, _edge, callback) => {
      let watching = true;
      later(() => {
        if (watching) callback(now + 0.5);
      });
      return () => {
        watching = false;
      };
    },
    storage: {
      read: (name) => files.get(name),
      write: (name, bytes) => {
        if (bytes.length > 7) throw new Error("hasty board: its storage is full");
        files.set(name, bytes);
      },
    },
  };
  return {
    board,
    /** Lets happen what waits. */
    live() {
      for (let what = waiting.shift(); what !== undefined; what = waiting.shift()) what();
    },
  };
}

/** Firmware that does anything at any time, so many times; `told` is all that it saw. */
function createRandomFirmware(board: Board, random: Random, most: number) {
  const told: string[] = [];
  const cancels: (() => void)[] = [];
  const bus = board.i2c(PINS);
  let left = most;
  const tried = (what: () => void) => {
    try {
      what();
    } catch (error) {
      told.push(`threw ${(error as Error).message}`);
    }
  };
  const act = () => {
    for (let n = Math.floor(random.uniform() * 4); n > 0 && left > 0; n--, left--) {
      const ops = Array.from({ length: Math.floor(random.uniform() * 4) }, () => ({ read: 3, at: left }));
      const saw = (what: string) => (value: unknown) => {
        told.push(`${what} ${JSON.stringify(value)}`);
        act();
      };
      const choices = [
        () => told.push(`now ${board.now()} ${board.now()} ${board.now()}`),
        () => cancels.push(board.timer(left, () => saw("timer")(left))),
        () => cancels.push(board.watch("D4", "falling", saw("edge"))),
        () => cancels[Math.floor(random.uniform() * cancels.length)]?.(),
        () => tried(() => bus.run(target, ops, ({ replies, ...rest }: Outcome) => saw("done")([replies, rest]))),
        () => bus.recover?.(saw("recovered")),
        () => told.push(`read ${board.storage.read("a")?.join()}`),
        () => tried(() => board.storage.write("a", random.bytes(Math.floor(random.uniform() * 10)))),
        () => tried(() => board.spi({ out: "D1", in: "D2", clock: "D3" })),
      ];
      choices[Math.floor(random.uniform() * choices.length)]!();
    }
  };
  return { told, act, left: () => left };
}

test.each(Array.from({ length: 60 }, (_, seed) => seed))("firmware that does anything, seed %i", (seed) => {
  const lines: string[] = [];
  const { board, live } = createHastyBoard(createRandom(`board ${seed}`));
  const recording = recordBoard(board, (line) => lines.push(line));
  const firmware = createRandomFirmware(recording, createRandom(seed), 200);
  let turns = 0;
  for (; firmware.left() > 0 && turns < 500; turns++) {
    firmware.act();
    live();
    recording.mark(`turn ${turns}`);
  }
  recording.end();
  expect(firmware.told.length).toBeGreaterThan(50);

  const replay = replayBoard(lines);
  const again = createRandomFirmware(replay, createRandom(seed), 200);
  for (let turn = 0; turn < turns; turn++) {
    again.act();
    expect(replay.run()).toBe(`turn ${turn}`);
  }
  expect(replay.run()).toBe(null);
  expect(again.told).toEqual(firmware.told);
  expect(again.told.some((one) => one.startsWith("threw hasty board"))).toBe(true);
});

test("the clock may be read more often than it was, or not at all: that alone decides nothing", () => {
  const lines: string[] = [];
  let now = 0;
  const board = { ...createHastyBoard(createRandom(1)).board, now: () => now };
  const recording = recordBoard(board, (line) => lines.push(line));
  const times: number[] = [];
  for (now of [0, 10, 10, 30]) times.push(recording.now());
  recording.storage.read("a");
  now = 40;
  times.push(recording.now());
  recording.end();
  expect(times).toEqual([0, 10, 10, 30, 40]);

  const same = replayBoard(lines);
  expect([1, 2, 3, 4].map(() => same.now())).toEqual([0, 10, 10, 30]);
  const more = replayBoard(lines);
  expect([1, 2, 3, 4, 5, 6].map(() => more.now())).toEqual([0, 10, 10, 30, 30, 30]);
  const never = replayBoard(lines);
  for (const replay of [same, more, never]) {
    expect(replay.storage.read("a")).toBe(undefined);
    expect(replay.now()).toBe(40);
    expect(replay.run()).toBe(null);
  }
});

test("firmware that takes every error for one of its board's does not hide where it differs", () => {
  const lines: string[] = [];
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const careless = (on: Board, value: number) => {
    on.timer(1, () => {
      try {
        on.storage.write("a", Uint8Array.of(value));
      } catch {}
    });
  };
  const recording = recordBoard(board, (line) => lines.push(line));
  careless(recording, 1);
  clock.runUntil(1e6);
  recording.end();
  expect(lines).toHaveLength(5);
  const replay = replayBoard(lines);
  const differs =
    /^transcript line 4: the firmware asked for .*"bytes":"01"}; now the firmware asks for .*"bytes":"02"}$/;
  expect(() => {
    careless(replay, 2);
    replay.run();
  }).toThrow(differs);
  expect(() => replay.run()).toThrow(differs);
});

test("a bus is freed in a replay as it was, and offers that where the board did", () => {
  const lines: string[] = [];
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  board.attachI2c(PINS, emulated.create({}) as I2cEmulator);
  board.holdData(PINS, 3);
  const recording = recordBoard(board, (line) => lines.push(line));
  const free = (from: Board): boolean[] => {
    const told: boolean[] = [];
    from.i2c(PINS).recover?.((is) => told.push(is));
    return told;
  };
  const told = free(recording);
  clock.runUntil(1e6);
  recording.end();
  expect(told).toEqual([true]);
  const replay = replayBoard(lines);
  const again = free(replay);
  expect(replay.run()).toBe(null);
  expect(again).toEqual([true]);

  const without: string[] = [];
  const { recover: _, ...bare } = createHastyBoard(createRandom(1)).board.i2c(PINS);
  const old = recordBoard({ ...board, i2c: () => bare }, (line) => without.push(line));
  expect(old.i2c(PINS)).not.toHaveProperty("recover");
  old.end();
  expect(replayBoard(without).i2c(PINS)).not.toHaveProperty("recover");
});

test("stored bytes that are too long for a line are written in pieces and read as they were", () => {
  const lines: string[] = [];
  const { board } = createHastyBoard(createRandom(1));
  const bytes = createRandom(2).bytes(20_000);
  const recording = recordBoard({ ...board, storage: { read: () => bytes, write() {} } }, (line) => lines.push(line));
  recording.storage.read('a "quoted" name');
  recording.end();
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(4096);
  expect(lines.length).toBeGreaterThan(10);
  expect(replayBoard(lines).storage.read('a "quoted" name')).toEqual(bytes);
  const lost = lines.filter((_, i) => i !== 4);
  expect(() => replayBoard(lost).storage.read('a "quoted" name')).toThrow("transcript line 5: a piece is missing");
});
