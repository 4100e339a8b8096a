import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Filter } from "../../../firmware/dsp/filter.ts";
import { createHighPass, createStHighPass } from "../../../firmware/dsp/highpass.ts";
import { readAnnotationsSync, readRecordSync } from "../../../formats/index.ts";
import { dataFolder, lacks } from "../../support/needs.ts";
import { decibels, filtered, holdsInBlocks, RATES, response } from "./filters.ts";

/** Counts a microvolt. */
const FINE = 16;

/** 3 mV for 100 ms, then 20 s; in microvolts, what comes out: beside the pulse, and by how much a second right after it. */
function impulse(make: () => Filter): { troughs: number; slope: number } {
  const filter = make();
  const { rate, delay } = filter;
  const from = 5 * rate;
  const until = from + Math.round(rate / 10);
  const samples = Array.from({ length: 25 * rate }, (_, i) => (i >= from && i < until ? 3000 * FINE : 0));
  const out = filtered(filter, samples).map((sample) => sample / FINE);
  const after = out.slice(until + delay);
  const beside = [...out.slice(0, from + delay), ...after];
  const slope = Math.max(...after.slice(1, rate / 2).map((value, i) => Math.abs(value - after[i]!) * rate));
  return { troughs: Math.max(...beside.map(Math.abs)), slope };
}

describe.each(RATES)("the linear-phase high-pass at %i hz", (rate) => {
  const make = () => createHighPass(rate);

  test("is -3 dB at 0.73 hz, within 6 % from 1 hz on, and gone at 0.1 hz", () => {
    expect(decibels(response(make, 0.73).gain)).toBeCloseTo(-3, 0);
    expect(response(make, 0.1).gain).toBeLessThan(0.03);
    for (const hz of [1, 1.2, 1.5, 1.8, 2.5, 3, 5, 10, 25, 40]) {
      expect(Math.abs(response(make, hz).gain - 1)).toBeLessThan(0.06);
    }
  });

  test("delays every frequency by 0.8 s, to the sample nearest", () => {
    expect(Math.abs(make().delay - 0.8 * rate)).toBeLessThanOrEqual(0.5);
    for (const hz of [0.5, 1, 3, 10, 40]) expect(Math.abs(response(make, hz).lag)).toBeLessThan(1e-5);
  });

  test("takes 0 hz away exactly, from the first sample on", () => {
    for (const level of [-(2 ** 23), -1, 3, 2 ** 17 - 1, 2 ** 23 - 1]) {
      expect(filtered(make(), new Array(3 * rate).fill(level)).filter((sample) => sample !== 0)).toEqual([]);
    }
  });

  test("gives the same in any blocks, and after a reset", () => holdsInBlocks(make));
});

test("the running sums of the linear-phase high-pass are exact at 24-bit full scale, however long they run", () => {
  const { delay } = createHighPass(125);
  const length = delay + 1;
  const steps = fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }), { minLength: 500, maxLength: 1500 });
  fc.assert(
    fc.property(steps, (samples) => {
      // Full scale at random for a while, then what is left of it after twice a window is nothing.
      const out = filtered(createHighPass(125), [...samples, ...samples, ...new Array(2 * length).fill(2 ** 23 - 1)]);
      expect(out.at(-1)).toBe(0);
      const at = samples.length - 1;
      let twice = 0n;
      for (let i = 0; i < length; i++) {
        for (let k = 0; k < length; k++) twice += BigInt(samples[Math.max(0, at - i - k)]!);
      }
      const area = BigInt(length * length);
      const shifted = 2n * twice + area;
      const mean = shifted >= 0n ? shifted / (2n * area) : -((-shifted + 2n * area - 1n) / (2n * area));
      expect(out[at]).toBe(samples[at - delay]! - Number(mean));
    }),
    { numRuns: 15 },
  );
});

describe.each(RATES)("the ST high-pass at %i hz", (rate) => {
  const make = () => createStHighPass(rate);

  test("leaves less than 100 uV and 300 uV/s behind 3 mV for 100 ms, where the linear-phase one leaves more", () => {
    const { troughs, slope } = impulse(make);
    expect(troughs).toBeGreaterThan(85);
    expect(troughs).toBeLessThan(100);
    expect(slope).toBeLessThan(50);
    expect(impulse(() => createHighPass(rate)).troughs).toBeGreaterThan(340);
  });

  test("is -3 dB at 0.05 hz, within 0.7 % from 0.5 hz on", () => {
    expect(decibels(response(make, 0.05, 40).gain)).toBeCloseTo(-3, 0);
    for (const hz of [0.5, 1, 5, 40]) expect(Math.abs(response(make, hz, 40).gain - 1)).toBeLessThan(0.007);
  });

  test("a step falls to 37 % in 3.2 s and to nothing within 60 s", () => {
    const out = filtered(make(), [0, ...new Array(60 * rate).fill(2 ** 23 - 1)]);
    expect(out[Math.round(rate / (2 * Math.PI * 0.05))]! / 2 ** 23).toBeCloseTo(Math.exp(-1), 2);
    expect(Math.abs(out.at(-1)!)).toBeLessThan(1);
  });

  test("begins without a step at any level, and has no delay", () => {
    expect(filtered(make(), [7000, 7000, 7000])).toEqual([0, 0, 0]);
    expect(make().delay).toBe(0);
  });

  test("gives the same in any blocks, and after a reset", () => holdsInBlocks(make));
});

describe.skipIf(lacks("recordings"))("ST against PQ in recorded beats, first minute of every record", () => {
  const folder = `${dataFolder}/mitdb`;
  const records = readdirSync(folder).filter((name) => name.endsWith(".hea"));

  /** By how many uV a filter changes the level 120 ms after R less that 80 ms before it: mean and standard deviation. */
  function error(make: (rate: number) => Filter): { beats: number; mean: number; deviation: number } {
    const errors: number[] = [];
    for (const name of records) {
      const path = `${folder}/${name.replace(".hea", "")}`;
      const samples = readRecordSync(path).signals[0]!.samples.subarray(0, 62 * 360);
      const filter = make(360);
      const out = filtered(filter, samples);
      const level = (signal: ArrayLike<number>, at: number) =>
        [-3, -2, -1, 0, 1, 2, 3].reduce((sum, k) => sum + signal[at + k]!, 0) / 7;
      const st = (signal: ArrayLike<number>, r: number) => level(signal, r + 43) - level(signal, r - 29);
      for (const { sample, symbol } of readAnnotationsSync(`${path}.atr`)) {
        if (!"NLR".includes(symbol) || sample < 10 * 360 || sample > 60 * 360) continue;
        // 200 adu/mV.
        errors.push(5 * (st(out, sample + filter.delay) - st(samples, sample)));
      }
    }
    const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
    return {
      beats: errors.length,
      mean,
      deviation: Math.sqrt(errors.reduce((sum, one) => sum + (one - mean) ** 2, 0) / errors.length),
    };
  }

  test("the linear-phase high-pass leaves it within 1 +- 28 uV", () => {
    const { beats, mean, deviation } = error(createHighPass);
    expect(beats).toBeGreaterThan(1300);
    expect(Math.abs(mean)).toBeLessThan(1);
    expect(deviation).toBeLessThan(28);
  });

  test("the ST high-pass leaves it within -5 +- 11 uV", () => {
    const { mean, deviation } = error(createStHighPass);
    expect(mean).toBeGreaterThan(-5.5);
    expect(mean).toBeLessThan(0);
    expect(deviation).toBeLessThan(11);
  });
});

test("other rates are refused with those that there are", () => {
  expect(() => createHighPass(200)).toThrow("high-pass: rate 200 hz is none of 125, 128, 250, 256, 360, 500, 512;");
  expect(() => createStHighPass(1000)).toThrow("ST high-pass: rate 1000 hz is none of 125,");
});
