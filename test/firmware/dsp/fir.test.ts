import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFir, mirrored } from "../../../firmware/dsp/fir.ts";
import { createLowPass } from "../../../firmware/dsp/lowpass.ts";
import { decibels, filtered, holdsInBlocks, RATES, response, signal, withVectors } from "./filters.ts";

/** The same sums in whole numbers without a limit; before the first sample there was always the first one. */
function exact(taps: readonly number[], scale: number, factor: number, samples: readonly number[]): number[] {
  const found: number[] = [];
  for (let n = 0; n < samples.length; n += factor) {
    let sum = BigInt(scale / 2);
    for (let k = 0; k < taps.length; k++) sum += BigInt(taps[k]!) * BigInt(samples[Math.max(0, n - k)]!);
    // Shifting rounds down.
    found.push(Number(sum >> BigInt(Math.log2(scale))));
  }
  return found;
}

/** Taps whose magnitudes add up to less than twice 2^20. */
const design = fc.record({
  half: fc.array(fc.integer({ min: -12_000, max: 12_000 }), { minLength: 2, maxLength: 40 }),
  factor: fc.integer({ min: 1, max: 8 }),
});

describe("a FIR over blocks", () => {
  test("is exact: it gives what whole numbers without a limit give, for 32-bit samples too", () => {
    fc.assert(
      fc.property(design, fc.boolean(), signal, ({ half, factor }, full, { samples, blocks }) => {
        const taps = mirrored(half.map((tap, i) => (i === 0 && tap === 0 ? 1 : tap)));
        const wide = full ? samples.map((sample) => (sample < 0 ? -(2 ** 30) : 2 ** 30 - 1)) : samples;
        const options = { name: "fir", taps, scale: 2 ** 20, factor };
        const expected = exact(taps, 2 ** 20, factor, wide);
        expect(filtered(createFir(options), wide, blocks)).toEqual(expected);
        // The other way that it is done, where an interpreter has vector functions.
        expect(withVectors(() => filtered(createFir(options), wide, blocks))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("rounds halves up, on both sides of zero", () => {
    const make = () => createFir({ name: "half", taps: [1], scale: 2, factor: 1 });
    const rounded = [-2, -1, -1, 0, 0, 1, 1, 2];
    expect(filtered(make(), [-4, -3, -2, -1, 0, 1, 2, 3])).toEqual(rounded);
    expect(withVectors(() => filtered(make(), [-4, -3, -2, -1, 0, 1, 2, 3]))).toEqual(rounded);
  });

  test("an even number of taps has its delay between two samples", () => {
    expect(createFir({ name: "pair", taps: [1, 1], scale: 2, factor: 1 }).delay).toBe(1 / 2);
  });

  test.each([
    [{ taps: [1], scale: 3, factor: 1 }, "x: scale 3 is no power of two up to 2^20; choose one"],
    [{ taps: [1], scale: 2 ** 21, factor: 1 }, "x: scale 2097152 is no power of two"],
    [{ taps: [1], scale: 1, factor: 0 }, "x: factor 0 is none of 1 to 8; decimate in steps"],
    [{ taps: [1], scale: 1, factor: 5 / 2 }, "x: factor 2.5 is none of 1 to 8"],
    [{ taps: [1 / 2], scale: 1, factor: 1 }, "x: tap 0.5 is no integer; give it in 1ths"],
    [{ taps: [1, 2], scale: 2, factor: 1 }, "x: tap 0 is 1, its mirror image 2; make them the same"],
    [{ taps: [3, -2, 3], scale: 4, factor: 1 }, "x: the taps' magnitudes add up to 8, not to less than 2 x 4"],
    [{ taps: [], scale: 4, factor: 1 }, "x: the taps' magnitudes add up to 0"],
  ])("refuses %j", (options, words) => {
    expect(() => createFir({ name: "x", ...options })).toThrow(words);
  });

  test("says where out is too short, before it takes anything", () => {
    const fir = createFir({ name: "x", taps: [1], scale: 1, factor: 2 });
    expect(() => fir.push(new Int32Array(8), 8, new Int32Array(3))).toThrow("x: out has room for 3 of 4 samples");
    expect(filtered(fir, [5, 6, 7])).toEqual([5, 7]);
  });
});

describe.each(RATES)("the low-pass at %i hz", (rate) => {
  const make = () => createLowPass(rate);

  test("is flat within 0.6 % to 30 hz, -3 dB at 40 hz, 46 dB down from 55 hz on", () => {
    for (const hz of [1, 5, 10, 15, 20, 25, 28, 30]) {
      expect(Math.abs(response(make, hz).gain - 1)).toBeLessThan(0.006);
    }
    expect(decibels(response(make, 40).gain)).toBeCloseTo(-3.01, 1);
    for (let hz = 55; hz < rate / 2; hz += 3.5) expect(decibels(response(make, hz).gain)).toBeLessThan(-46);
  });

  test("delays every frequency by the same time, 60 to 65 ms, and leaves 0 hz exactly alone", () => {
    const { delay } = make();
    expect(delay / rate).toBeGreaterThan(0.06);
    expect(delay / rate).toBeLessThan(0.065);
    for (const hz of [1, 7, 20, 35]) expect(Math.abs(response(make, hz).lag)).toBeLessThan(1e-5);
    for (const level of [-(2 ** 23), -1, 0, 1, 131_071, 2 ** 23 - 1]) {
      expect(new Set(filtered(make(), new Array(200).fill(level)))).toEqual(new Set([level]));
    }
  });

  test("gives the same in any blocks, and after a reset", () => holdsInBlocks(make));
});

test("the low-pass refuses other rates, and says which there are", () => {
  expect(() => createLowPass(200)).toThrow(
    "low-pass: rate 200 hz is none of 125, 128, 250, 256, 360, 500, 512; resample, or choose another sampleRate",
  );
});
