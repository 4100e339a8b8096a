/** The MAX30003 driver against its emulator, in virtual time: nothing lost, nothing invented, every sample in its time. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_DATA, FLAG_LEAD_OFF, FLAG_SATURATED, FLAG_SETTLING, type Frame } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { type Bench, createBench } from "../../simulator/bench.ts";
import { answer, check, fifo, opened, play, read, status } from "./max30003-script.ts";

/** Runs polls with the given pauses, then close; returns what was converted and what was decoded. */
function record<C>(bench: Bench<C>, pauses: readonly number[]) {
  const converted: number[] = [];
  const at: number[] = [];
  const decoded: number[] = [];
  const blocks: { index: number; time: number; uncertainty: number; count: number; lost: number }[] = [];
  bench.emulator.onConvert = (_, code, time) => {
    converted.push(code);
    at.push(time);
  };
  const faults = [...bench.run(bench.driver.open()).faults];
  const collect = (frame: Frame) => {
    const [block] = frame.channels;
    faults.push(...frame.faults);
    decoded.push(...block.samples.subarray(0, block.count));
    const { index, time, uncertainty, count, lost } = block;
    blocks.push({ index, time, uncertainty, count, lost });
  };
  for (const pause of pauses) {
    bench.wait(pause);
    collect(bench.run(bench.driver.poll()));
  }
  collect(bench.run(bench.driver.close()));
  bench.wait(100);
  return { converted, at, decoded, blocks, faults };
}

const sha256 = (samples: readonly number[]) =>
  createHash("sha256")
    .update(new Uint8Array(Int32Array.from(samples).buffer))
    .digest("hex");

describe("MAX30003 driver against its emulator", () => {
  const sine = (time: number) => 0.01 * Math.sin(2 * Math.PI * 7 * time) - 0.002;

  test("everything that was converted is decoded, in order, whenever it is polled within pollEvery", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(128, 200, 256, 500, 512),
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 40 }),
        (sampleRate, interrupt, shares) => {
          const bench = createBench(chip, emulated, { configuration: { sampleRate }, interrupt });
          bench.emulator.set("ecg", sine);
          const { converted, decoded, blocks, faults } = record(
            bench,
            shares.map((share) => (share / 100) * bench.driver.pollEvery),
          );
          expect(faults).toEqual([]);
          expect(sha256(decoded)).toBe(sha256(converted));
          expect(blocks.every(({ lost }) => lost === 0)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a block's time lies within its stated uncertainty of the first conversion, also with a crystal 500 ppm off", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(1, 1.0005, 0.9995),
        fc.array(fc.integer({ min: 30, max: 100 }), { minLength: 5, maxLength: 20 }),
        (interrupt, oscillator, shares) => {
          const bench = createBench(chip, emulated, { interrupt, oscillator });
          const { at, blocks } = record(
            bench,
            shares.map((share) => (share / 100) * bench.driver.pollEvery),
          );
          for (const { index, time, uncertainty, count } of blocks) {
            if (count > 0) expect(Math.abs(time - at[index])).toBeLessThanOrEqual(uncertainty);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("polled at its interrupt, every block's time is exact to the edge: word EFIT came then (p. 44)", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    const at: number[] = [];
    bench.emulator.onConvert = (_, __, time) => at.push(time);
    bench.run(bench.driver.open());
    for (let i = 0; i < 20; i++) {
      while (bench.edges.count === 0) bench.clock.step();
      bench.wait(i % 4); // the host is late
      const [block] = bench.run(bench.driver.poll()).channels;
      expect(block).toMatchObject({ count: 12, index: 12 * i });
      expect(block.time).toBeCloseTo(at[block.index], 3);
      expect(block.uncertainty).toBeLessThan(200);
    }
  });

  test.each([1.01, 0.99])(
    "edges show a clock that is beyond a crystal's: times of one at %s are exact, too",
    (oscillator) => {
      const bench = createBench(chip, emulated, { interrupt: true, oscillator });
      const at: number[] = [];
      bench.emulator.onConvert = (_, __, time) => at.push(time);
      bench.run(bench.driver.open());
      for (let i = 0; i < 60; i++) {
        while (bench.edges.count === 0) bench.clock.step();
        const [block] = bench.run(bench.driver.poll()).channels;
        const error = Math.abs(block.time - at[block.index]);
        if (i === 0) expect(error).toBeGreaterThan(block.uncertainty); // nothing to compare with yet
        if (i > 30) expect(error).toBeLessThan(block.uncertainty / 10);
      }
    },
  );

  test("without an interrupt a block is known to half a sampling period and its reading", () => {
    const bench = createBench(chip, emulated);
    const { blocks } = record(bench, new Array(10).fill(60));
    for (const { uncertainty } of blocks.slice(0, 10)) expect(uncertainty).toBeLessThan(1e6 / 256);
  });

  test("over full scale and beyond, at every gain, the code is the rounded voltage, and saturation is flagged", () => {
    for (const gain of [20, 40, 80, 160]) {
      const bench = createBench(chip, emulated, { configuration: { gain } });
      const steps = 200;
      bench.emulator.set("ecg", (_, sinceStart) => (1.1 * (2 * Math.round(sinceStart * 256) - steps)) / steps / gain);
      const { decoded } = record(bench, new Array(14).fill(60));
      for (let i = 0; i <= steps; i++) {
        const exact = ((1.1 * (2 * i - steps)) / steps / gain) * (gain * 131072);
        const code = Math.sign(exact) * Math.round(Math.abs(exact));
        expect(decoded[i]).toBe(Math.max(-131072, Math.min(131071, code)) + 0);
      }
    }
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", 0.06);
    bench.run(bench.driver.open());
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0].flags).toBe(FLAG_SATURATED);
    bench.emulator.set("ecg", 0.04);
    bench.wait(62);
    bench.run(bench.driver.poll());
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0].flags).toBe(0);
  });

  test("a long saturation engages fast recovery, and its samples are flagged as settling (p. 26)", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", (time) => (time < 0.4 ? 0.06 : 0));
    bench.run(bench.driver.open());
    const flags: number[] = [];
    for (let i = 0; i < 20; i++) {
      bench.wait(60);
      flags.push(bench.run(bench.driver.poll()).channels[0].flags);
    }
    expect(flags[0]).toBe(FLAG_SATURATED);
    expect(flags.some((flag) => (flag & FLAG_SETTLING) !== 0)).toBe(true);
    expect(flags[19]).toBe(0);
  });

  test("an overflow is one fault and one loss of unknown size; nothing of it is decoded, and the record goes on", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(sinceStart * 256) / (20 * 131072)); // code = index
    bench.run(bench.driver.open());
    bench.wait(500);
    const over = bench.run(bench.driver.poll());
    expect(over.faults).toMatchObject([
      { code: FAULT_DATA, message: expect.stringMatching(/FIFO overflow.*poll at least/) },
    ]);
    expect(over.channels[0]).toMatchObject({ count: 0, lost: -1 });
    bench.wait(60);
    const after = bench.run(bench.driver.poll());
    const { samples, count, lost } = after.channels[0];
    expect(after.faults).toEqual([]);
    expect(lost).toBe(0);
    expect(count).toBeGreaterThan(10);
    expect(samples[0]).toBeGreaterThan(120);
    for (let i = 1; i < count; i++) expect(samples[i]).toBe(samples[i - 1] + 1);
  });

  test("a host that does nothing for 125 ms loses samples aloud, never silently (aromring/MAX30102_by_RF#34)", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(sinceStart * 256) / (20 * 131072));
    bench.run(bench.driver.open());
    let next = 0;
    let gaps = 0;
    for (let i = 0; i < 30; i++) {
      if (i === 10) bench.board.stall(140);
      while (bench.edges.count === 0) bench.clock.step();
      const [block] = bench.run(bench.driver.poll()).channels;
      if (block.lost === -1) gaps++;
      else if (block.count > 0 && gaps === 0) expect(block.samples[0]).toBe(next);
      if (block.count > 0) next = block.samples[block.count - 1] + 1;
    }
    expect(gaps).toBe(1);
    expect(next).toBeGreaterThan(300);
  });

  test("a lead that is off for more than 115 ms is flagged until it is back on; not looked for at 0 nA (p. 42)", () => {
    for (const leadOff of [0, 10]) {
      const bench = createBench(chip, emulated, { configuration: { leadOff } });
      bench.emulator.set("leadOff", (time) => (time >= 0.5 && time < 1 ? 1 : 0));
      bench.run(bench.driver.open());
      const seen: [number, boolean][] = [];
      while (bench.clock.now < 1.6e6) {
        bench.wait(60);
        const [block] = bench.run(bench.driver.poll()).channels;
        seen.push([bench.clock.now / 1e6, (block.flags & FLAG_LEAD_OFF) !== 0]);
      }
      const flagged = seen.filter(([, off]) => off).map(([time]) => time);
      if (leadOff === 0) expect(flagged).toEqual([]);
      else {
        expect(flagged[0]).toBeGreaterThan(0.615);
        expect(flagged[0]).toBeLessThan(0.7);
        expect(flagged.at(-1)).toBeLessThan(1.2);
        expect(flagged.length).toBeGreaterThan(4);
      }
    }
  });

  test("a lead that was off between two polls without samples is not forgotten: reading STATUS clears it", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [{ ops: check, replies: status(0x100009) }]);
    block.flags = 0;
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(11).fill(0), fifo(0, 2)), ...status(0)] },
    ]);
    expect(block.flags).toBe(FLAG_LEAD_OFF);
    block.flags = block.count = 0;
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(block.flags).toBe(0);
  });
});
