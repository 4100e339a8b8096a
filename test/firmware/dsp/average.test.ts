import { describe, expect, test } from "vitest";
import { createAverage, createMainsAverage } from "../../../firmware/dsp/average.ts";
import { filtered, holdsInBlocks, RATES, response } from "./filters.ts";

describe("a moving average", () => {
  test("is the mean of the last samples, the first of all counting as if it had always been there, halves up", () => {
    expect(filtered(createAverage(250, 16), [8, 12, -4, 0, 1, 1])).toEqual([8, 9, 6, 4, 2, 0]);
    expect(filtered(createAverage(250, 8), [0, -1, -2, 3])).toEqual([0, 0, -1, 1]);
  });

  test("is exact at 24-bit full scale, however long it runs", () => {
    const length = 4096;
    const samples = Array.from({ length: 100_000 }, (_, i) => ((i * 7919) % 13 < 6 ? 2 ** 23 - 1 : -(2 ** 23)));
    const average = createAverage(1000, length);
    const out = filtered(average, samples, [777]);
    const mean = samples.slice(-length).reduce((a, b) => a + b, 0) / length;
    expect(out.at(-1)).toBe(Math.floor(mean + 0.5));
  });

  test("delays every frequency by half of one sample less than its length", () => {
    expect(createAverage(250, 20).delay).toBe(2);
    expect(createAverage(250, 16).delay).toBe(3 / 2);
    for (const hz of [1, 10, 30]) expect(Math.abs(response(() => createAverage(250, 16), hz).lag)).toBeLessThan(1e-5);
  });

  test("gives the same in any blocks, and after a reset", () => holdsInBlocks(() => createAverage(250, 100)));

  test("refuses what is no whole number of samples, and says what would be", () => {
    expect(() => createAverage(250, 10)).toThrow(
      "moving average: 10 ms are 2.5 samples of 250 hz, not a whole number from 1 to 4096; choose a multiple of 4 ms",
    );
    expect(() => createAverage(250, 0)).toThrow("0 ms are 0 samples");
    expect(() => createAverage(0, 4)).toThrow("moving average: rate 0 hz is not above 0");
  });
});

describe.each(RATES.flatMap((rate) => [50, 60].map((mains) => [rate, mains] as const)))(
  "the mains average at %i hz for %i hz",
  (rate, mains) => {
    const make = () => createMainsAverage(rate, mains);

    test("has its zero on the mains: 76 dB down; 0.5 hz beside it 35 dB", () => {
      expect(response(make, mains).gain).toBeLessThan(10 ** (-76 / 20));
      for (const hz of [mains - 0.5, mains + 0.5]) expect(response(make, hz).gain).toBeLessThan(10 ** (-35 / 20));
    });

    test("is as long as a period, a sample more or less, and delays by half of it", () => {
      const { delay } = make();
      expect(Math.abs(2 * delay + 1 - rate / mains)).toBeLessThan(2);
      for (const hz of [1, 10, 20]) expect(Math.abs(response(make, hz).lag)).toBeLessThan(1e-5);
    });

    test("leaves 0 hz exactly alone, and more than 88 % of 10 hz", () => {
      for (const level of [-(2 ** 23), -1, 1, 2 ** 23 - 1]) {
        expect(new Set(filtered(make(), new Array(100).fill(level)))).toEqual(new Set([level]));
      }
      expect(response(make, 10).gain).toBeGreaterThan(0.88);
    });

    test("gives the same in any blocks, and after a reset", () => holdsInBlocks(make));
  },
);

test("other rates and mains are refused with those that there are", () => {
  expect(() => createMainsAverage(200, 50)).toThrow("mains average: rate 200 hz is none of 125, 128, 250,");
  expect(() => createMainsAverage(250, 55)).toThrow("mains average: mains 55 hz is none of 50, 60; choose one");
});
