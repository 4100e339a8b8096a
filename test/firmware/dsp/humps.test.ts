import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AMPLITUDE,
  AT,
  BALANCE,
  BEND,
  createHumps,
  FORM,
  HEIGHT,
  R,
  SHAPE,
  SLOPE,
  SQUARES,
  VALLEY,
} from "../../../firmware/dsp/humps.ts";
import { millivolts, readRecordSync } from "../../../formats/index.ts";
import { dataFolder, lacks } from "../../support/needs.ts";
import { ecg, every } from "./beats.ts";
import { signal, withVectors } from "./filters.ts";

interface Found {
  readonly now: number;
  /** null: it was due. */
  readonly hump: number[] | null;
}

const STEPS = [1, 2, 3, 4] as const;

/** All that is told of a signal of 128 x `step` hz pushed in blocks of these lengths, in turn; due 9 after each hump. */
function told(step: number, samples: ArrayLike<number>, blocks: readonly number[] = [samples.length]): Found[] {
  const found: Found[] = [];
  const humps = createHumps(
    128 * step,
    step,
    (hump, now) => {
      found.push({ now, hump: [...hump] });
      return now + 9;
    },
    (now) => {
      found.push({ now, hump: null });
      return now + 200;
    },
  );
  const all = Int32Array.from(samples);
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const block = all.subarray(at, at + blocks[turn % blocks.length]!);
    humps.push(block, block.length);
    at += block.length;
  }
  return found;
}

const humpsOf = (found: readonly Found[]) => found.flatMap(({ hump }) => (hump === null ? [] : [hump]));

/** `base`, then at `at` the peak of a triangle, `width` samples up to `height` and as many down. */
function triangle(length: number, at: number, width: number, height: number, base = 0): number[] {
  return Array.from({ length }, (_, i) => base + Math.max(0, height * (1 - Math.abs(i - at) / width)));
}

describe("the humps of an ECG", () => {
  test("a triangle is one: its slopes, bend, energy, peak and shape are those of the definition", () => {
    const found = humpsOf(told(1, triangle(200, 80, 4, 1000, 500)));
    expect(found).toHaveLength(1);
    const hump = found[0]!;
    // Over three samples the side rises by 750; of three such differences one reaches but 500.
    expect(hump[SLOPE]).toBe(2000);
    expect(hump[AT]).toBe(80);
    expect(hump[BALANCE]).toBe(1);
    // From 1750 to -750 and from 750 to -1750, two samples on.
    expect(hump[BEND]).toBe(2500);
    expect(hump[VALLEY]).toBe(0);
    // All differences there are, as many falling as rising, are within 13 samples.
    expect(hump[HEIGHT]).toBe(2 * (250 + 750 + 1500 + 2000 + 1750 + 750));
    expect(hump[R]).toBe(80);
    expect(hump[AMPLITUDE]).toBe(1000);
    // The sums of three about the peak, less their mean: 3 x 1000 - 2 x 250 in the middle.
    const sums = [0, 0, 0, 0, 250, 750, 1500, 2250, 2500, 2250, 1500, 750, 250, 0, 0, 0, 0];
    const mean = sums.reduce((sum, value) => sum + value) / SHAPE;
    const form = sums.map((value) => value - mean);
    form.forEach((value, i) => {
      expect(hump[FORM + i]).toBeCloseTo(value, 9);
    });
    expect(hump[SQUARES]).toBeCloseTo(
      form.reduce((sum, value) => sum + value * value, 0),
      3,
    );
  });

  test.each(STEPS)("at step %i R is the input sample of the peak, and counts go in as sums", (step) => {
    const [hump] = humpsOf(told(step, triangle(300 * step, 160 * step + 1, 4 * step, 1200)));
    expect(hump![R]).toBe(160 * step + 1);
    expect(hump![AMPLITUDE]).toBe(1200);
    expect(Math.abs(hump![AT]! - 160)).toBeLessThan(6);
    expect(hump![SLOPE]! / step).toBeGreaterThan(2000);
    expect(hump![SLOPE]! / step).toBeLessThan(2600);
  });

  test("a peak between two samples is found between them", () => {
    const parabola = Array.from({ length: 200 }, (_, i) => Math.max(0, 6400 - 100 * (i - 80.25) ** 2));
    expect(humpsOf(told(1, parabola))[0]![R]).toBeCloseTo(80.25, 9);
  });

  test("an offset changes nothing, the other sign only the sign of the shape", () => {
    const samples = ecg({ rate: 256, seconds: 10, beats: every(0.8, 10), microvoltsPerCount: 1 / 8 });
    const plain = told(2, samples);
    expect(plain.length).toBeGreaterThan(20);
    expect(
      humpsOf(
        told(
          2,
          samples.map((value) => value + 2 ** 20),
        ),
      ).map((hump) => hump.slice(0, SQUARES)),
    ).toEqual(humpsOf(plain).map((hump) => hump.slice(0, SQUARES)));
    const turned = humpsOf(
      told(
        2,
        samples.map((value) => -value),
      ),
    );
    expect(turned.map((hump) => hump.map((value, i) => (i < FORM ? value : 0 - value)))).toEqual(humpsOf(plain));
  });

  test("one that does not come down is over 20 samples after its top", () => {
    // Its energy sinks by a thousandth a sample.
    const fading = Array.from({ length: 300 }, (_, i) =>
      i < 100 ? 0 : (1e5 - 100 * i) * Math.sin((Math.PI * i) / 13),
    );
    const found = told(1, fading);
    expect(humpsOf(found)).toHaveLength(1);
    const [{ now, hump }] = found as [Found];
    expect(now - hump![AT]!).toBeGreaterThan(20);
    expect(now).toBeLessThan(100 + 13 + 26 + 20);
  });

  test("a ripple of less than an eighth of the energy is none", () => {
    // The rectified wave repeats itself every 13 samples: by itself it has no ripple.
    const rippled = (part: number) =>
      Array.from({ length: 800 }, (_, i) => 1e5 * Math.sin((Math.PI * i) / 13) * (1 + part * Math.sin(i / 12)));
    expect(humpsOf(told(1, rippled(0.02)))).toHaveLength(1);
    expect(humpsOf(told(1, rippled(0.5))).length).toBeGreaterThan(8);
  });

  test("a level, and nothing at all, have none", () => {
    for (const level of [0, -(2 ** 23), 2 ** 23 - 1]) expect(told(1, new Array(500).fill(level))).toEqual([]);
    expect(told(1, [])).toEqual([]);
  });

  test("calls when it is due, to the sample, whether or not a hump comes between", () => {
    const found = told(1, triangle(600, 80, 4, 1000));
    const first = found[0]!.now;
    expect(found.map(({ now, hump }) => [now - first, hump === null])).toEqual([
      [0, false],
      [9, true],
      [209, true],
      [409, true],
    ]);
  });

  test.each(STEPS)(
    "at step %i any split into blocks, natively or not, tells the same, at 24-bit full scale too",
    (step) => {
      fc.assert(
        fc.property(signal, fc.integer({ min: 1, max: 12 }), ({ samples, blocks }, stretch) => {
          // Stretched, noise has humps of all lengths.
          const long = samples.flatMap((value) => new Array<number>(stretch).fill(value));
          const whole = told(step, long);
          expect(told(step, long, blocks)).toEqual(whole);
          expect(withVectors(() => told(step, long))).toEqual(whole);
          expect(withVectors(() => told(step, long, blocks))).toEqual(whole);
        }),
        { numRuns: 40 },
      );
    },
  );

  test("after a reset it is as new, natively or not", () => {
    const check = () =>
      fc.assert(
        fc.property(signal, signal, fc.constantFrom(...STEPS), (before, after, step) => {
          let found: number[][] = [];
          const humps = createHumps(
            128 * step,
            step,
            (hump, now) => {
              found.push([now, ...hump]);
              return Number.POSITIVE_INFINITY;
            },
            () => Number.POSITIVE_INFINITY,
          );
          const run = (samples: readonly number[]) => {
            found = [];
            humps.push(Int32Array.from(samples), samples.length);
            return found;
          };
          run(before.samples);
          humps.reset();
          expect(run(after.samples)).toEqual(
            told(step, after.samples).flatMap(({ now, hump }) => (hump === null ? [] : [[now, ...hump]])),
          );
        }),
        { numRuns: 40 },
      );
    check();
    withVectors(check);
  });

  test.skipIf(lacks("recordings"))("natively or not, it tells the same of a recording, bit for bit", () => {
    const record = readRecordSync(`${dataFolder}/mitdb/101`);
    const samples = millivolts(record.signals[0]!)
      .slice(0, 120 * 360)
      .map((value) => Math.round(value * 8000));
    for (const step of STEPS) {
      const plain = told(step, samples, [32]);
      expect(plain.length).toBeGreaterThan(120);
      expect(withVectors(() => told(step, samples, [25, 7]))).toEqual(plain);
    }
  });
});
