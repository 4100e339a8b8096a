/**
 * What holds for every driver and its emulator while the bus works. A chip is whatever folder of drivers/ has a chip.ts
 * and an emulator.ts; it need not be named here.
 */
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Channel, FLAG_SATURATED } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { drivers, inputsOf, names, open, physical, sampled, settle, subjects } from "./subjects.ts";

it("finds the drivers", () => {
  expect(names).toContain("max30102");
});

it.each(names)("every input of the %s emulator that says it has a channel has one in some configuration", (folder) => {
  const probes = subjects.filter((one) => one.folder === folder).map((one) => createBench(one.chip, one.emulated));
  const channels = new Set(probes.flatMap(({ driver }) => driver.channels().map(({ name }) => name)));
  for (const [, { channel }] of inputsOf(probes[0].emulator)) expect(channels).toContain(channel);
});

describe.each(subjects)("$name", (subject) => {
  const { chip, emulated } = subject;
  const probe = createBench(chip, emulated);
  const channels = probe.driver.channels();
  const wirings = chip.needsInterrupt ? [true] : chip.bus === "analog" ? [false] : [false, true];

  it("has a page", () => {
    expect(existsSync(`${drivers}/${subject.folder}/README.md`)).toBe(true);
  });

  it("is one model on one bus in driver, chip and emulator", () => {
    const { driver, emulator } = probe;
    expect([chip.model, driver.model, emulator.model, emulated.model]).toEqual(Array(4).fill(chip.model));
    expect([chip.bus, driver.bus, emulated.bus]).toEqual(Array(3).fill(chip.bus));
    expect(driver.address).toBe(chip.addresses[0]);
    if (chip.bus === "i2c") expect((emulator as I2cEmulator).address).toBe(driver.address);
    expect(driver.configuration).toMatchObject(chip.defaults as object);
    expect(driver.createFrame().channels).toHaveLength(channels.length);
    expect(new Set(channels.map(({ name }) => name)).size).toBe(channels.length);
  });

  it("declares numbers that a record can hold", () => {
    for (const channel of channels) {
      const { bits, minimum, maximum, mul, exp10, offset } = channel;
      for (const value of [bits, minimum, maximum, mul, exp10, offset]) expect(Number.isSafeInteger(value)).toBe(true);
      expect(minimum).toBeLessThan(maximum);
      const span = minimum < 0 ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
      expect(minimum).toBeGreaterThanOrEqual(span[0]);
      expect(maximum).toBeLessThanOrEqual(span[1]);
      expect(channel.accuracy).not.toBe("");
      expect(channel.waveform ? channel.rate > 0 : channel.rate >= 0).toBe(true);
    }
  });

  it("identifies its chip, says what it read, and reads no sample before it is open", () => {
    const bench = createBench(chip, emulated);
    expect(bench.run(bench.driver.poll()).channels.every(({ count }) => count === 0)).toBe(true);
    const { identity, faults } = bench.run(bench.driver.open());
    expect(["confirmed", "plausible"]).toContain(identity?.verdict);
    expect(identity!.read).not.toBe("");
    expect(faults).toEqual([]);
  });

  const shown = inputsOf(probe.emulator).flatMap(([name, input]): [string, typeof input, Channel, number][] => {
    const index = channels.findIndex((one) => one.name === input.channel);
    return index < 0 ? [] : [[name, input, channels[index], index]];
  });
  describe.each(shown)("input %s", (name, input, channel, index) => {
    const lsb = channel.mul * 10 ** channel.exp10;
    const { minimum, maximum, epsilon } = input;
    const steps = Array.from({ length: 9 }, (_, i) => minimum + ((maximum - minimum) * i) / 8);
    const signs = minimum < 0 && maximum > 0 ? [-2 * lsb, -lsb, -lsb / 4, 0, lsb / 4, lsb, 2 * lsb] : [];

    it.each([...steps, ...signs])(`reads back %d ${input.unit}`, (value) => {
      const { configuration } = probe.driver;
      const raw = settle(subject, name, value, index);
      expect(raw).toBeGreaterThanOrEqual(channel.minimum);
      expect(raw).toBeLessThanOrEqual(channel.maximum);
      const expected = input.expected?.(value, configuration) ?? value;
      const bound = typeof epsilon === "number" ? epsilon : epsilon(configuration);
      expect(Math.abs(physical(raw, channel) - expected)).toBeLessThanOrEqual(bound + 1e-9 * Math.abs(expected));
    });
  });

  describe.each(shown.filter(([, , { waveform }]) => waveform))(
    "input %s far beyond its range",
    (name, input, channel, index) => {
      const far = input.maximum - input.minimum;
      it.each(input.minimum < 0 ? [input.maximum + 9 * far, input.minimum - 9 * far] : [input.maximum + 9 * far])(
        `of %d ${input.unit} is told as saturated, by a code that the channel declares`,
        (value) => {
          const bench = createBench(chip, emulated);
          bench.emulator.set(name, value);
          bench.run(bench.driver.open());
          for (let i = 0, blocks = 0; i < 20 && blocks < 2; i++) {
            bench.wait(bench.driver.pollEvery);
            const block = bench.run(bench.driver.poll()).channels[index];
            if (block.count === 0) continue;
            // The first block may still have what was there before.
            if (blocks++ === 0) continue;
            expect(block.flags & FLAG_SATURATED).toBe(FLAG_SATURATED);
            const codes = new Set(block.samples.subarray(0, block.count));
            expect(codes.size).toBe(1);
            for (const code of codes) {
              expect(code).toBeGreaterThanOrEqual(channel.minimum);
              expect(code).toBeLessThanOrEqual(channel.maximum);
            }
          }
        },
      );
    },
  );

  it.each(wirings)("decodes everything that it converts, and dates it, interrupt wired: %s", (interrupt) => {
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
    expect(sampled(bench).every(({ index, count, lost }) => index === Math.max(0, lost) && count > 0)).toBe(true);
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
    expect(sampled(bench).every(({ count }) => count > 0)).toBe(true);
  });
});
