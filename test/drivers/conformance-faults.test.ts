/** What holds for every driver when its chip or its bus does not do what it should, at any operation of any step. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { SimulatedFailure } from "../../boards/simulated.ts";
import { type Driver, FAULT_BUS, FAULT_IDENTITY, FAULT_STEPS, type Frame, type Step } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { createReader } from "../../firmware/reader.ts";
import { type Bench, createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { followStreams } from "./streams.ts";
import { open, type Subject, sampled, shake, spoil, subjects } from "./subjects.ts";

/** Failures tried: a test goes through all operations of a chain. */
let cases = 0;
afterAll(() => console.log(`${cases} failures at single operations`));

const PHASES = ["open", "poll", "close"] as const;
type Phase = (typeof PHASES)[number];
const ALL = [...PHASES, "selfTest"] as const;

/** An open driver that waits for `phase`, or a fresh one for "open". */
function upTo(subject: Subject, phase: (typeof ALL)[number], emulated = subject.emulated) {
  const bench = createBench(subject.chip, emulated);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  if (phase === "open") return { bench, streams };
  bench.run(bench.driver.open());
  bench.wait(bench.driver.pollEvery);
  return { bench, streams };
}

/** Bytes of each operation of a chain, addresses included, in the order in which they run. */
function operations(bench: Bench<unknown>, step: Step): number[] {
  const bytes: number[] = [];
  bench.board.busFault = (_, ops, at) => {
    const op = ops[at];
    if ("write" in op) bytes.push(1 + op.write.length);
    else if ("read" in op) bytes.push((op.at === undefined ? 1 : 3) + op.read);
    else bytes.push("transfer" in op ? op.transfer.length : 0);
    return null;
  };
  bench.run(step);
  bench.board.busFault = null;
  return bytes;
}

/** Calls `act` before operation `index` of what runs next. */
function atOperation(bench: Bench<unknown>, index: number, act: () => SimulatedFailure | null) {
  let at = 0;
  cases++;
  bench.board.busFault = () => (at++ === index ? act() : null);
}

function expectBusFault(subject: Subject, frame: Frame) {
  const fault = frame.faults.find(({ code }) => code === FAULT_BUS);
  expect(fault, "a fault on the bus").toBeDefined();
  expect(fault!.message).toContain(subject.chip.model);
  expect(fault!.message).toMatch(/(read|write|transfer) of \d+ bytes.*(register|command) 0x|pin \w+/);
  expect(frame.faults.some(({ code }) => code === FAULT_STEPS)).toBe(false);
}

/** After one failure everything is as it should be again, and every sample is there or declared lost. */
function expectRecovery(bench: Bench<unknown>, streams: ReturnType<typeof followStreams>, phase: Phase) {
  const { driver } = bench;
  if (phase === "open") {
    bench.run(driver.open());
    expect(bench.frame.faults).toEqual([]);
    expect(bench.frame.identity?.verdict).not.toBe("refused");
  } else if (phase === "poll") {
    streams.follow(bench.frame);
    for (let i = 0; i < 3; i++) {
      bench.wait(driver.pollEvery);
      streams.follow(bench.run(driver.poll()));
    }
    streams.end(bench.run(driver.close()));
  } else {
    bench.run(driver.close());
    bench.run(driver.open());
    expect(bench.frame.faults).toEqual([]);
  }
}

describe.each(subjects.filter(({ chip }) => chip.bus !== "analog"))("$name", (subject) => {
  const { chip, emulated } = subject;

  it.each([
    ["another chip", (byte: number) => byte ^ 0xff],
    ["a line that is low", () => 0],
    ["a line that is high", () => 0xff],
  ])("refuses %s at open, and takes nothing it says in mid-run for data", (_, garble) => {
    let spoilt = true;
    const garbled = spoil(emulated, (emulator) => {
      if ("exchange" in emulator) {
        const exchange = emulator.exchange.bind(emulator);
        emulator.exchange = (byte) => (spoilt ? garble(exchange(byte)) : exchange(byte));
      } else if ("read" in emulator) {
        const read = emulator.read.bind(emulator);
        emulator.read = () => (spoilt ? garble(read()) : read());
      }
    });
    const bench = createBench(chip, garbled);
    bench.run(bench.driver.open());
    expect(bench.frame.identity?.verdict).toBe("refused");
    const fault = bench.frame.faults.find(({ code }) => code === FAULT_IDENTITY);
    expect(fault?.message).toContain(chip.model);
    expect(bench.run(bench.driver.poll()).channels.every(({ count }) => count === 0)).toBe(true);

    spoilt = false;
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(bench.driver.pollEvery);
    spoilt = true;
    bench.run(bench.driver.poll());
    expect(bench.frame.channels.every(({ count }) => count === 0)).toBe(true);
    expect(bench.frame.faults.length).toBeGreaterThan(0);
  });

  describe.each(PHASES)("a bus that fails in %s", (phase) => {
    const start = (driver: Driver<unknown>) => driver[phase]();

    it.each(["nack", "timeout", "short", "bus"] as const)(
      "by %s at any operation, at once or in its middle: a fault, then all is well again",
      (kind) => {
        const clean = upTo(subject, phase).bench;
        const bytes = operations(clean, start(clean.driver));
        expect(bytes.length).toBeGreaterThan(0);
        bytes.forEach((count, failing) => {
          for (const after of new Set([0, count >> 1, count - 1].filter((one) => one >= 0))) {
            const { bench, streams } = upTo(subject, phase);
            atOperation(bench, failing, () => ({ kind, after }));
            bench.run(start(bench.driver));
            bench.board.busFault = null;
            expectBusFault(subject, bench.frame);
            expectRecovery(bench, streams, phase);
          }
        });
      },
    );

    if (chip.bus !== "i2c") return;
    it("by a NACK of its address at any time: a fault, then all is well again", () => {
      let left = Number.POSITIVE_INFINITY;
      const deaf = spoil(emulated, (emulator) => {
        const chip = emulator as I2cEmulator;
        const start = chip.start.bind(chip);
        chip.start = (read) => (left-- === 0 ? false : start(read));
      });
      const clean = upTo(subject, phase, deaf).bench;
      left = 1e6;
      clean.run(start(clean.driver));
      const starts = 1e6 - left;
      expect(starts).toBeGreaterThan(0);
      for (let failing = 0; failing < starts; failing++) {
        left = Number.POSITIVE_INFINITY;
        const { bench, streams } = upTo(subject, phase, deaf);
        left = failing;
        bench.run(start(bench.driver));
        left = Number.POSITIVE_INFINITY;
        expectBusFault(subject, bench.frame);
        expectRecovery(bench, streams, phase);
      }
    });
  });

  it.each(["nack", "timeout"] as const)("ends every chain on a dead bus (%s), with a fault", (kind) => {
    const { bench } = open(subject);
    bench.board.busFault = () => kind;
    for (const step of [bench.driver.poll(), bench.driver.selfTest(), bench.driver.close(), bench.driver.open()]) {
      bench.run(step);
      expectBusFault(subject, bench.frame);
      expect(bench.frame.channels.every(({ count }) => count === 0)).toBe(true);
    }
  });

  it("asks for a restart after a brown-out in mid-run, and runs again after it", () => {
    const { bench } = open(subject);
    const { driver } = bench;
    for (let round = 0; round < 2; round++) {
      bench.wait(driver.pollEvery * 2);
      bench.run(driver.poll());
      expect(bench.frame.restart).toBe(false);
      bench.wait(driver.pollEvery / 3);
      bench.emulator.powerOn(bench.clock.now);
      for (let i = 0; i < 3 && !bench.frame.restart; i++) {
        bench.wait(driver.pollEvery);
        const { channels } = bench.run(driver.poll());
        expect(channels.every(({ count }) => count === 0)).toBe(true);
      }
      expect(bench.frame.restart).toBe(true);
      expect(bench.frame.faults[0].message).toContain(chip.model);
      expect(bench.run(driver.open()).faults).toEqual([]);
    }
  });

  it("asks for a restart after a brown-out at any moment between polls, and takes nothing for data that is none", () => {
    const property = fc.property(fc.nat({ max: 3 }), uniform(0, 1), (polls, part) => {
      const { bench, streams } = open(subject);
      const { driver } = bench;
      for (let i = 0; i < polls; i++) {
        bench.wait(driver.pollEvery);
        streams.follow(bench.run(driver.poll()));
      }
      bench.wait(part * driver.pollEvery);
      bench.emulator.powerOn(bench.clock.now);
      for (let i = 0; i < 3 && !bench.frame.restart; i++) {
        bench.wait(driver.pollEvery);
        streams.follow(bench.run(driver.poll()));
      }
      expect(bench.frame.restart).toBe(true);
      expect(bench.run(driver.open()).faults).toEqual([]);
    });
    fc.assert(property, { seed: 3, numRuns: 40 });
  });

  it.each(ALL)("comes back from a brown-out before any operation of %s", (phase) => {
    const clean = upTo(subject, phase).bench;
    const count = operations(clean, clean.driver[phase]()).length;
    for (let failing = 0; failing < count; failing++) {
      const { bench, streams } = upTo(subject, phase);
      const { driver } = bench;
      atOperation(bench, failing, () => {
        bench.emulator.powerOn(bench.clock.now);
        return null;
      });
      bench.run(driver[phase]());
      bench.board.busFault = null;
      if (phase === "poll") {
        streams.follow(bench.frame);
        for (let i = 0; i < 3 && !bench.frame.restart; i++) {
          bench.wait(driver.pollEvery);
          streams.follow(bench.run(driver.poll()));
        }
        expect(bench.frame.restart, `operation ${failing} of ${count}`).toBe(true);
      }
      expect(bench.run(driver.open()).faults, `operation ${failing} of ${count}`).toEqual([]);
      bench.wait(driver.pollEvery * 2);
      bench.run(driver.poll());
      expect(bench.frame.faults).toEqual([]);
      expect(sampled(bench).every(({ count }) => count > 0)).toBe(true);
    }
  });
});

describe.each(subjects)("$name under a reader", (subject) => {
  it("closed at any moment, also in the middle of a step, hands over all that it converted, and nothing after that", () => {
    const property = fc.property(uniform(0, 4), (parts) => {
      const bench = createBench(subject.chip, subject.emulated);
      shake(bench.emulator);
      const { clock, driver } = bench;
      const streams = followStreams(bench.emulator, driver.channels());
      const faults: string[] = [];
      let frames = 0;
      let last: Frame | undefined;
      const reader = createReader(bench.board, bench.attachment, {
        onFrame(frame) {
          frames++;
          last = frame;
          streams.follow(frame);
        },
        onFault: ({ message }) => faults.push(message),
        onRestart: () => faults.push("restart"),
      });
      let opened = false;
      reader.open(() => {
        opened = true;
      });
      while (!opened && clock.step());
      clock.runUntil(clock.now + parts * driver.pollEvery * 1000);
      let closed = false;
      reader.close(() => {
        closed = true;
      });
      for (let i = 0; i < 1e5 && !closed && clock.step(); i++);
      expect(closed).toBe(true);
      expect(faults).toEqual([]);
      streams.ended(last!);
      const before = frames;
      clock.runUntil(clock.now + 5 * driver.pollEvery * 1000);
      expect(frames).toBe(before);
    });
    fc.assert(property, { seed: 4, numRuns: 40 });
  });
});
