/**
 * What holds for every driver and its emulator. A chip is whatever folder of drivers/ has a driver.ts and an emulator.ts;
 * it need not be named here.
 */
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Driver, FAULT_BUS, FAULT_IDENTITY, FAULT_STEPS, type Frame, type Step } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { uniform } from "../support/arbitrary.ts";
import { type Bench, type BenchOptions, createBench } from "../support/bench.ts";
import { followStreams } from "./streams.ts";
import { drivers, inputsOf, names, physical, type Subject, settle, shake, spoil, subjects } from "./subjects.ts";

/** A bench with an open driver and shaken inputs, and what the driver must account for. */
function open({ chip, emulated }: Subject, options: BenchOptions<unknown> = {}) {
  const bench = createBench(chip, emulated, options);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  bench.run(bench.driver.open());
  expect(bench.frame.faults).toEqual([]);
  return { bench, streams };
}

/** How many steps a chain has. */
function countSteps(bench: Bench<unknown>, step: Step) {
  let steps = 0;
  bench.board.busFault = () => {
    steps++;
    return null;
  };
  bench.run(step);
  bench.board.busFault = null;
  return steps;
}

const PHASES = ["open", "poll", "close"] as const;
type Phase = (typeof PHASES)[number];

/** An open driver that waits for `phase`, or a fresh one for "open". */
function upTo(subject: Subject, phase: Phase, emulated = subject.emulated) {
  const bench = createBench(subject.chip, emulated);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  if (phase === "open") return { bench, streams };
  bench.run(bench.driver.open());
  bench.wait(bench.driver.pollEvery);
  return { bench, streams };
}

function expectBusFault(subject: Subject, frame: Frame) {
  const fault = frame.faults.find(({ code }) => code === FAULT_BUS);
  expect(fault, "a fault on the bus").toBeDefined();
  expect(fault!.message).toContain(subject.chip.model);
  expect(fault!.message).toMatch(/(read|write|transfer) of \d+ bytes.*(register|command) 0x/);
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

it("finds the drivers", () => {
  expect(names).toContain("max30102");
});

describe.each(subjects)("$name", (subject) => {
  const { chip, emulated } = subject;
  const probe = createBench(chip, emulated);

  it("has a page", () => {
    expect(existsSync(`${drivers}/${subject.name}/README.md`)).toBe(true);
  });

  it("is one model on one bus in driver, chip and emulator", () => {
    const { driver, emulator } = probe;
    expect([chip.model, driver.model, emulator.model, emulated.model]).toEqual(Array(4).fill(chip.model));
    expect([chip.bus, driver.bus, emulated.bus]).toEqual(Array(3).fill(chip.bus));
    expect(driver.address).toBe(chip.addresses[0]);
    if (chip.bus === "i2c") expect((emulator as I2cEmulator).address).toBe(driver.address);
    expect(driver.configuration).toMatchObject(chip.defaults as object);
    const channels = driver.channels().map(({ name }) => name);
    for (const [, { channel }] of inputsOf(emulator)) expect(channels).toContain(channel);
    expect(driver.createFrame().channels).toHaveLength(channels.length);
  });

  it("identifies its chip, says what it read, and reads no sample before it is open", () => {
    const bench = createBench(chip, emulated);
    expect(bench.run(bench.driver.poll()).channels.every(({ count }) => count === 0)).toBe(true);
    const { identity, faults } = bench.run(bench.driver.open());
    expect(["confirmed", "plausible"]).toContain(identity?.verdict);
    expect(identity!.read).not.toBe("");
    expect(faults).toEqual([]);
  });

  describe.each(inputsOf(probe.emulator))("input %s", (name, input) => {
    const index = probe.driver.channels().findIndex(({ name: channel }) => channel === input.channel);
    const channel = probe.driver.channels()[index];
    const lsb = channel.mul * 10 ** channel.exp10;
    const { minimum, maximum } = input;
    const steps = Array.from({ length: 9 }, (_, i) => minimum + ((maximum - minimum) * i) / 8);
    const signs = minimum < 0 && maximum > 0 ? [-2 * lsb, -lsb, -lsb / 4, 0, lsb / 4, lsb, 2 * lsb] : [];

    it.each([...steps, ...signs])(`reads back %d ${input.unit}`, (value) => {
      const raw = settle(subject, name, value, index);
      expect(raw).toBeGreaterThanOrEqual(channel.minimum);
      expect(raw).toBeLessThanOrEqual(channel.maximum);
      const expected = input.expected?.(value, probe.driver.configuration) ?? value;
      expect(Math.abs(physical(raw, channel) - expected)).toBeLessThanOrEqual(
        input.epsilon + 1e-9 * Math.abs(expected),
      );
    });
  });

  it.each([false, true])("decodes everything that it converts, and dates it, interrupt wired: %s", (interrupt) => {
    const waits = fc.array(uniform(0, 1), { minLength: 1, maxLength: 8 });
    const property = fc.property(waits, (parts) => {
      const { bench, streams } = open(subject, { interrupt });
      const blocks = bench.frame.channels.slice();
      const arrays = blocks.map(({ samples }) => samples);
      for (const part of parts) {
        const until = bench.clock.now + part * bench.driver.pollEvery * 1000;
        while (bench.edges.count === 0 && bench.clock.nextAt <= until) bench.clock.step();
        if (bench.edges.count === 0) bench.clock.runUntil(until);
        const frame = bench.run(bench.driver.poll());
        expect(frame.faults).toEqual([]);
        streams.follow(frame);
        for (const { lost } of frame.channels) expect(lost).toBe(0);
      }
      streams.end(bench.run(bench.driver.close()));
      expect(bench.frame.faults).toEqual([]);
      // The same blocks again and again: a poll makes none.
      expect(bench.frame.channels.every((block, i) => block === blocks[i] && block.samples === arrays[i])).toBe(true);
    });
    fc.assert(property, { seed: 1, numRuns: 40 });
  });

  it("counts what it loses to a late host, or says that nobody knows how much", () => {
    const waits = fc.array(uniform(0.5, 9), { minLength: 1, maxLength: 6 });
    const property = fc.property(waits, (parts) => {
      const { bench, streams } = open(subject);
      for (const part of parts) {
        bench.wait(part * bench.driver.pollEvery);
        streams.follow(bench.run(bench.driver.poll()));
      }
      streams.end(bench.run(bench.driver.close()));
    });
    fc.assert(property, { seed: 2, numRuns: 60 });
  });

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
      } else {
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
      "by %s in any step: a fault, then all is well again",
      (kind) => {
        const clean = upTo(subject, phase).bench;
        const steps = countSteps(clean, start(clean.driver));
        expect(steps).toBeGreaterThan(0);
        for (let failing = 0; failing < steps; failing++) {
          const { bench, streams } = upTo(subject, phase);
          let at = 0;
          bench.board.busFault = () => (at++ === failing ? kind : null);
          bench.run(start(bench.driver));
          bench.board.busFault = null;
          expectBusFault(subject, bench.frame);
          expectRecovery(bench, streams, phase);
        }
      },
    );

    if (chip.bus !== "i2c") return;
    it("by a NACK at any operation: a fault, then all is well again", () => {
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

  it("closes twice, gives no sample after that, says so, and opens again", () => {
    const { bench } = open(subject);
    const { driver } = bench;
    bench.run(driver.close());
    expect(bench.run(driver.close()).faults).toEqual([]);
    bench.wait(driver.pollEvery * 2);
    const frame = bench.run(driver.poll());
    expect(frame.channels.every(({ count }) => count === 0)).toBe(true);
    expect(frame.faults.length).toBeGreaterThan(0);
    expect(bench.run(driver.open()).faults).toEqual([]);
    bench.wait(driver.pollEvery * 2);
    const again = bench.run(driver.poll());
    expect(again.faults).toEqual([]);
    expect(again.channels.every(({ index, count }) => index === 0 && count > 0)).toBe(true);
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

  it("passes its self-test and goes on", () => {
    const { bench } = open(subject);
    const { driver } = bench;
    bench.run(driver.selfTest());
    expect(bench.frame.faults).toEqual([]);
    expect(bench.frame.measurements.length).toBeGreaterThan(0);
    expect(bench.frame.measurements.filter(({ pass }) => !pass)).toEqual([]);
    bench.wait(driver.pollEvery * 2);
    expect(bench.run(driver.poll()).faults).toEqual([]);
    expect(bench.frame.channels.every(({ count }) => count > 0)).toBe(true);
  });
});
