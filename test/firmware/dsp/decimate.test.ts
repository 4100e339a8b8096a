import { describe, expect, test } from "vitest";
import { createDecimator } from "../../../firmware/dsp/decimate.ts";
import { decibels, filtered, holdsInBlocks, response, withVectors } from "./filters.ts";

const CASES = [
  [250, 125, 2],
  [256, 128, 2],
  [360, 120, 3],
  [500, 125, 4],
  [512, 128, 4],
] as const;

describe.each(CASES)("the decimator from %i to %i hz", (rate, outputRate, factor) => {
  const make = () => createDecimator(rate);

  test("says what it makes of it", () => {
    expect(make()).toMatchObject({ rate, outputRate, factor });
    expect(filtered(make(), new Array(10 * factor + 1).fill(0))).toHaveLength(11);
  });

  test("is flat within 0.7 % to 40 hz", () => {
    for (let hz = 1; hz <= 40; hz += 3) expect(Math.abs(response(make, hz).gain - 1)).toBeLessThan(0.007);
  });

  test("what would fold onto 0 to 40 hz is 46 dB down", () => {
    for (let hz = outputRate - 40; hz < rate / 2; hz += 3.7) {
      const gain = Math.max(...filtered(make(), sine(hz, rate)).slice(outputRate).map(Math.abs)) / 2 ** 22;
      expect(decibels(gain)).toBeLessThan(-46);
    }
  });

  test("output m is the signal at input sample m x factor - delay, at every frequency", () => {
    for (const hz of [1, 9, 25, 40]) expect(Math.abs(response(make, hz).lag)).toBeLessThan(1e-5);
    const { delay } = make();
    expect(Number.isInteger(delay)).toBe(true);
    // An impulse comes out highest at its own place.
    const at = 20 * factor - delay;
    const impulse = Int32Array.from({ length: 60 * factor }, (_, i) => (i === at ? 1 << 20 : 0));
    const out = filtered(make(), impulse);
    expect(out.indexOf(Math.max(...out))).toBe(20);
  });

  test("leaves 0 hz exactly alone, at 18-bit and 24-bit full scale", () => {
    for (const level of [-(2 ** 17), 2 ** 17 - 1, -(2 ** 23), 2 ** 23 - 1, 1, -1]) {
      expect(new Set(filtered(make(), new Array(200).fill(level)))).toEqual(new Set([level]));
    }
  });

  test("gives the same in any blocks, after a reset, and through vector functions", () => {
    holdsInBlocks(make);
    withVectors(() => holdsInBlocks(make));
    const samples = sine(7, rate);
    expect(withVectors(() => filtered(make(), samples, [5]))).toEqual(filtered(make(), samples));
  });
});

function sine(hz: number, rate: number): Int32Array {
  return Int32Array.from({ length: 3 * rate }, (_, i) => Math.round(2 ** 22 * Math.sin((2 * Math.PI * hz * i) / rate)));
}

test("refuses other rates, those that need none among them, and says which there are", () => {
  for (const rate of [125, 128, 200, 360.5, 1000, Number.NaN]) {
    expect(() => createDecimator(rate)).toThrow(
      `decimator: rate ${rate} hz is none of 250, 256, 360, 500, 512; resample, or choose another sampleRate`,
    );
  }
});
