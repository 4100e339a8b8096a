/** The MAX30003's own square wave in place of the electrodes, as long as it is configured. */
import { describe, expect, test } from "vitest";
import { FLAG_TEST_SIGNAL } from "../../drivers/driver.ts";
import { chip, type Max30003Configuration } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { followStreams } from "./streams.ts";

describe("MAX30003 calibration as a running signal (p. 24, 49, 50)", () => {
  const run = (configuration: Partial<Max30003Configuration>, seconds: number) => {
    const bench = createBench(chip, emulated, { configuration: { leadOff: 0, ...configuration } });
    bench.emulator.set("ecg", 0.004); // the electrodes are isolated
    const streams = followStreams(bench.emulator, bench.driver.channels());
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    const codes: number[] = [];
    for (const until = bench.clock.now + seconds * 1e6; bench.clock.now < until; ) {
      bench.wait(bench.driver.pollEvery);
      const frame = bench.run(bench.driver.poll());
      streams.follow(frame);
      const block = frame.channels[0];
      expect(frame.faults).toEqual([]);
      expect(block).toMatchObject({ lost: 0, flags: FLAG_TEST_SIGNAL });
      codes.push(...block.samples.subarray(0, block.count));
    }
    streams.end(bench.run(bench.driver.close()));
    return { codes, bench };
  };
  const levels = (codes: readonly number[]) => [...new Set(codes)].sort((a, b) => a - b);
  const rises = (codes: readonly number[]) => codes.filter((code, i) => i > 0 && code > codes[i - 1]).length;

  test("by default it is 1 mV from peak to peak at 1 hz, and says that it is a test", () => {
    const { codes, bench } = run({ calibration: {} }, 3.9);
    expect(bench.driver.channels()).toMatchObject([{ name: "ecg", processing: 3 }]);
    expect(levels(codes)).toEqual([-1311, 1311]); // 0.5 mV x 20 x 2^17
    expect(rises(codes)).toBe(3);
    expect(codes.slice(0, 256)).toEqual(Array.from({ length: 256 }, (_, i) => (i < 128 ? 1311 : -1311)));
  });

  test.each<[string, NonNullable<Max30003Configuration["calibration"]>, number, number[], number]>([
    ["differential, 2 mV", { inputs: "differential", frequency: 4 }, 256, [-2621, 2621], 8],
    ["common: nothing", { inputs: "common", frequency: 4 }, 256, [0], 0],
    ["a quarter of a millivolt, upwards", { amplitude: 0.25, bipolar: false, frequency: 4 }, 256, [0, 655], 8],
    ["of a slower clock", { frequency: 16 }, 500, [-1311, 1311], 31],
  ])("%s", (_, calibration, sampleRate, expected, periods) => {
    const { codes } = run({ calibration, sampleRate }, 2);
    expect(levels(codes)).toEqual(expected);
    expect(Math.abs(rises(codes) - periods)).toBeLessThanOrEqual(1);
  });

  test("so many us high in each period", () => {
    const { codes } = run({ sampleRate: 512, calibration: { frequency: 4, high: 31_250 } }, 2);
    // 31.25 ms of 250: 16 samples of 128.
    expect(codes.slice(0, 256)).toEqual(Array.from({ length: 256 }, (_, i) => (i % 128 < 16 ? 1311 : -1311)));
  });

  test("its edges are beats to the detector, and its intervals a test signal, too", () => {
    const bench = createBench(chip, emulated, {
      configuration: { leadOff: 0, calibration: { frequency: 1 }, rrInterval: true },
    });
    expect(bench.driver.channels().map(({ processing }) => processing)).toEqual([3, 3]);
    bench.run(bench.driver.open());
    const got: number[] = [];
    for (let i = 0; i < 100; i++) {
      bench.wait(60);
      const [, block] = bench.run(bench.driver.poll()).channels;
      if (block.count === 0) continue;
      expect(block.flags).toBe(FLAG_TEST_SIGNAL);
      got.push(block.samples[0]);
    }
    expect(new Set(got)).toEqual(new Set([64]));
  });

  test("the self-test measures its own signal, and the configured one comes back", () => {
    const { bench } = run({ calibration: { amplitude: 0.25, frequency: 1 / 64 } }, 0.2);
    bench.run(bench.driver.open());
    const { measurements } = bench.run(bench.driver.selfTest());
    expect(measurements).toMatchObject([{ name: "calibration", pass: true }]);
    bench.wait(62);
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ lost: -1, flags: FLAG_TEST_SIGNAL });
    expect(levels([...block.samples.subarray(0, block.count)])).toEqual([655]);
  });
});
