/**
 * One driver, one emulator, several executors: what is recorded is the same over all of them, sample for sample.
 * To add an executor: a line in `executors`.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { Executor, Target } from "../../boards/board.ts";
import {
  type Channel,
  createFrame,
  type Driver,
  type Frame,
  type Op,
  type Outcome,
  type Step,
  type Wiring,
} from "../../drivers/driver.ts";
import { createReader } from "../../firmware/reader.ts";
import { createStepRunner } from "../../firmware/steps.ts";
import { type AnyEmulator, CONVERTER, createBench, SELECT } from "../../simulator/bench.ts";
import { createSyncBoard } from "../support/sync-executor.ts";
import { inputsOf, type Subject, subjects } from "./subjects.ts";

/** A chip that can be polled, however. */
interface Running {
  readonly driver: Driver;
  readonly emulator: AnyEmulator;
  /** Runs a chain to its end. */
  run(step: Step): Frame;
  /** Until the data-ready line calls, for `ms` at most. */
  wait(ms: number): void;
}

/** Longest read or transfer of a run, bytes. */
interface Seen {
  bytes: number;
}

const bytesOf = (op: Op) => ("read" in op ? op.read : "transfer" in op ? op.transfer.length : 0);

/** Over the simulated board, its executor wrapped. */
function simulated(
  { chip, emulated }: Subject,
  wrap: (inner: Executor, bench: ReturnType<typeof createBench>) => Executor,
  maxRead?: number,
): Running {
  const bench = createBench(chip, emulated, maxRead === undefined ? {} : { maxRead });
  const { driver, attachment, board, edges, clock } = bench;
  const { select, pins } = attachment;
  const target: Target = {
    model: driver.model,
    maxHz: driver.maxHz,
    ...(driver.address !== undefined && { address: driver.address }),
    ...(driver.spiMode !== undefined && { spiMode: driver.spiMode }),
    ...(select !== undefined && { select }),
    ...(pins !== undefined && { pins }),
  };
  const runChain = createStepRunner(board, wrap(attachment.executor, bench), target, edges);
  return {
    driver: driver as Driver,
    emulator: bench.emulator,
    run(step) {
      let done = false;
      runChain(step, bench.frame, () => {
        done = true;
      });
      while (!done) if (!clock.step()) throw new Error(`${driver.model}: the chain has no end`);
      return bench.frame;
    },
    wait(ms) {
      const until = clock.now + ms * 1000;
      while (edges.count === 0 && clock.nextAt <= until) clock.step();
      if (edges.count === 0) clock.runUntil(until);
    },
  };
}

/** `done` before `run` returns: bytes straight into the emulator. */
function atOnce({ chip, emulated }: Subject): Running {
  const wired = chip.needsInterrupt ?? false;
  const wiring: Wiring = {
    interrupt: wired,
    pins: chip.pins ?? [],
    inputs: chip.inputs ?? [],
    ...(chip.bus === "analog" && { converter: CONVERTER }),
  };
  const driver = chip.create({}, wiring) as Driver;
  const emulator = emulated.create({});
  const sync = createSyncBoard(emulator, driver.dataReady);
  const target: Target = { model: driver.model, maxHz: driver.maxHz, select: SELECT };
  const runChain = createStepRunner(sync.board, sync.executor, target, sync.edges);
  const frame = driver.createFrame();
  return {
    driver,
    emulator,
    run(step) {
      let done = 0;
      runChain(step, frame, () => done++);
      expect(done, "done, once, before run returns").toBe(1);
      return frame;
    },
    wait: (ms) => sync.wait(ms * 1000, true),
  };
}

/** Every operation waits, and every outcome comes, some time later: up to a fiftieth of what a poll may. */
function later(subject: Subject, seed: number): Running {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return simulated(subject, (inner, { clock, driver }) => {
    const longest = driver.pollEvery * 20;
    const after = (callback: () => void) => clock.at(clock.now + random() * longest, callback);
    return {
      maxRead: inner.maxRead,
      run: (target, ops, done) => after(() => inner.run(target, ops, (outcome) => after(() => done(outcome)))),
    };
  });
}

/** No read or transfer of more bytes than that. */
function short(subject: Subject, maxRead: number): Running {
  return simulated(
    subject,
    (inner) => ({
      maxRead,
      run(target, ops, done) {
        for (const op of ops) {
          if (bytesOf(op) > maxRead) throw new Error(`${target.model}: asked for ${bytesOf(op)} bytes of ${maxRead}`);
        }
        inner.run(target, ops, done);
      },
    }),
    maxRead,
  );
}

/** The simulated board as it is, with a note of the longest operation. */
function usual(subject: Subject, seen: Seen): Running {
  return simulated(subject, (inner) => ({
    maxRead: inner.maxRead,
    run(target, ops, done) {
      for (const op of ops) seen.bytes = Math.max(seen.bytes, bytesOf(op));
      inner.run(target, ops, done);
    },
  }));
}

const executors: readonly { readonly name: string; make(subject: Subject): Running; readonly maxRead?: number }[] = [
  { name: "that is done at once", make: atOnce },
  { name: "that is done later, after random delays", make: (subject) => later(subject, 1) },
  { name: "that is done later, after other random delays", make: (subject) => later(subject, 2) },
  { name: "that reads 8 bytes at most", make: (subject) => short(subject, 8), maxRead: 8 },
  { name: "that reads 30 bytes at most", make: (subject) => short(subject, 30), maxRead: 30 },
];

const POLLS = 24;

/** A bus that is too narrow for a rate: the driver cannot tell whether it loses samples, says so, and asks for a restart. */
const tooNarrow = (name: string, maxRead: number | undefined) =>
  maxRead === 8 && /^max3010[12], 69 us at 1600 hz$/.test(name);

/** Each conversion has its own value, whenever it comes. */
function feed(emulator: AnyEmulator) {
  const counts = new Map<string, number>();
  for (const [name, { channel = "", minimum, maximum }] of inputsOf(emulator)) {
    emulator.set(name, () => {
      const x = Math.abs(Math.sin((counts.get(channel) ?? 0) * 12.9898 + name.length) * 43758.5453);
      return minimum + (maximum - minimum) * 0.85 * (x - Math.floor(x));
    });
  }
  emulator.onConvert = (channel) => counts.set(channel, (counts.get(channel) ?? 0) + 1);
}

/** Opens, polls, closes; what came of each channel. */
function record({ driver, emulator, run, wait }: Running) {
  feed(emulator);
  const channels = driver.channels().map(() => ({ codes: [] as number[], flags: 0, lost: [] as number[] }));
  const faults: string[] = [];
  const note = (frame: Frame) => {
    for (const { message } of frame.faults) faults.push(message);
    frame.channels.forEach(({ samples, count, flags, lost }, i) => {
      channels[i].codes.push(...samples.subarray(0, count));
      channels[i].flags |= flags;
      if (lost !== 0) channels[i].lost.push(lost);
    });
  };
  note(run(driver.open()));
  for (let i = 0; i < POLLS; i++) {
    wait(driver.pollEvery);
    note(run(driver.poll()));
  }
  note(run(driver.close()));
  return { channels, faults };
}

/** Two records from where both can be held against each other. */
function aligned(a: number[], b: number[], { chip }: Subject, channel: Channel): [number[], number[]] {
  // An amplifier that was switched on settles in its own time, not in samples.
  if (chip.bus === "analog") return [a.slice(channel.rate), b.slice(channel.rate)];
  // A waveform begins with the opening; a chip that takes single values may have taken some before.
  if (channel.waveform) return [a, b];
  const at = b.indexOf(a[0]);
  return at >= 0 ? [a, b.slice(at)] : [a.slice(Math.max(0, a.indexOf(b[0]))), b];
}

describe.each(subjects)("$name", (subject) => {
  const seen: Seen = { bytes: 0 };
  let reference: ReturnType<typeof record>;
  beforeAll(() => {
    reference = record(usual(subject, seen));
  });

  it.each(executors)("records the same over an executor $name", ({ make, maxRead }) => {
    let running: Running;
    try {
      running = make(subject);
    } catch (error) {
      // Only where a sample does not fit.
      expect((error as Error).message).toMatch(new RegExp(`^${subject.chip.model}.*maxRead.*\\b${maxRead}\\b`));
      expect(seen.bytes).toBeGreaterThan(maxRead ?? Number.POSITIVE_INFINITY);
      return;
    }
    const { channels, faults } = record(running);
    if (tooNarrow(subject.name, maxRead)) {
      expect(faults[0]).toContain("poll it sooner");
      return;
    }
    expect(faults).toEqual([]);
    channels.forEach(({ codes, flags, lost }, i) => {
      const channel = running.driver.channels()[i];
      const [mine, usual] = aligned(codes, reference.channels[i].codes, subject, channel);
      const common = Math.min(mine.length, usual.length);
      if (channel.rate > 0) expect(common, channel.name).toBeGreaterThanOrEqual(POLLS / 3);
      expect(mine.slice(0, common), channel.name).toEqual(usual.slice(0, common));
      expect({ flags, lost }, channel.name).toEqual({
        flags: reference.channels[i].flags,
        lost: reference.channels[i].lost,
      });
    });
  });
});

it.each(subjects)("a reader of $name hands over the same where the executor is done at once", ({ chip, emulated }) => {
  const read = (wrap: (inner: Executor, step: () => boolean) => Executor) => {
    const { attachment, board, clock, driver, emulator } = createBench(chip, emulated);
    feed(emulator);
    const codes = driver.channels().map(() => [] as number[]);
    const faults: string[] = [];
    const executor = wrap(attachment.executor, () => clock.step());
    const reader = createReader(
      board,
      { ...attachment, executor },
      {
        onFrame: (frame) => {
          for (const [i, { samples, count }] of frame.channels.entries()) codes[i].push(...samples.subarray(0, count));
        },
        onFault: ({ message }) => faults.push(message),
        onRestart: () => faults.push("restart"),
      },
    );
    let opened = 0;
    reader.open(() => opened++);
    clock.runUntil(clock.now + driver.pollEvery * 10 * 1000 + 1e6);
    let closed = 0;
    reader.close(() => closed++);
    clock.runUntil(clock.now + 1e6);
    expect({ faults, opened, closed }).toEqual({ faults: [], opened: 1, closed: 1 });
    return codes;
  };
  const usual = read((inner) => inner);
  const atOnce = read((inner, step) => ({
    maxRead: inner.maxRead,
    run(target, ops, done) {
      let outcome: Outcome | null = null;
      inner.run(target, ops, (one) => {
        outcome = one;
      });
      while (outcome === null) if (!step()) throw new Error("the bus does not answer");
      done(outcome);
    },
  }));
  expect(atOnce).toEqual(usual);
  expect(Math.max(...usual.map(({ length }) => length))).toBeGreaterThan(3);
});

it("the runner is done at once where the executor is, also after 16 steps in a row and a pause", () => {
  const timer = (_: number, callback: () => void) => {
    callback();
    return () => {};
  };
  let runs = 0;
  const executor: Executor = {
    maxRead: 8,
    run(_target, _ops, done) {
      runs++;
      done({ replies: [], error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 });
    },
  };
  const runChain = createStepRunner({ timer } as never, executor, { model: "X1", maxHz: 1 }, { count: 0, at: 0 });
  const frame = createFrame([]);
  let done = 0;
  const endless: Step = { ops: [], pause: 1, next: () => endless };
  runChain(endless, frame, () => done++);
  expect([runs, done]).toEqual([16, 1]);
  expect(frame.faults).toHaveLength(1);
  runChain({ ops: [] }, frame, () => done++);
  expect([runs, done, frame.faults.length]).toEqual([17, 2, 0]);
});
