import { describe, expect, test } from "vitest";
import { createRandom } from "../../simulator/index.ts";
import { xoshiro128 } from "../../simulator/random.ts";

const N = 100_000;
const draw = (count: number, next: () => number) => Array.from({ length: count }, next);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's correlation. Of unrelated numbers it lies within 4 / sqrt(n) but once in 16,000 times. */
function correlation(x: number[], y: number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - mx) * (y[i]! - my);
    xx += (x[i]! - mx) ** 2;
    yy += (y[i]! - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Chi-square of bytes over 256 bins: 255 degrees of freedom, standard deviation 22.6. */
function chiSquare(bytes: Iterable<number>): number {
  const counts = new Array<number>(256).fill(0);
  let total = 0;
  for (const byte of bytes) {
    counts[byte] = counts[byte]! + 1;
    total++;
  }
  return counts.reduce((sum, count) => sum + (count - total / 256) ** 2 / (total / 256), 0);
}

describe("the generator", () => {
  test("is xoshiro128** 1.1: the reference program's outputs from state 1, 2, 3, 4", () => {
    expect(draw(10, xoshiro128([1, 2, 3, 4]))).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test("refuses a state of zeros, which it would never leave, and one of another size", () => {
    expect(() => xoshiro128([0, 0, 0, 0])).toThrow("all 0");
    expect(() => xoshiro128([1, 2, 3])).toThrow("got 3");
  });

  test("draws uniform numbers with mean 1/2, variance 1/12, no memory from one to the next, inside [0, 1)", () => {
    const { uniform } = createRandom(1);
    const values = draw(N, uniform);
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(4 / Math.sqrt(12 * N));
    expect(Math.abs(mean(values.map((u) => (u - 0.5) ** 2)) - 1 / 12)).toBeLessThan(4 / Math.sqrt(180 * N));
    expect(Math.abs(correlation(values.slice(1), values.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(N));
    expect(Math.min(...values.slice(0, 50_000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values.slice(0, 50_000))).toBeLessThan(1);
    expect(chiSquare(values.map((u) => Math.floor(u * 256)))).toBeLessThan(255 + 4 * 22.6);
    expect(chiSquare(values.map((u) => Math.floor(u * 2 ** 40) & 255))).toBeLessThan(255 + 4 * 22.6);
  });

  test("draws normal deviates with the moments and the tails of the standard normal distribution", () => {
    const { normal } = createRandom(2);
    const values = draw(N, normal);
    const moment = (power: number) => mean(values.map((z) => z ** power));
    // their standard errors: 1, sqrt 2, sqrt 15, sqrt 96 over sqrt n
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(N));
    expect(Math.abs(moment(2) - 1)).toBeLessThan((4 * Math.SQRT2) / Math.sqrt(N));
    expect(Math.abs(moment(3))).toBeLessThan((4 * Math.sqrt(15)) / Math.sqrt(N));
    expect(Math.abs(moment(4) - 3)).toBeLessThan((4 * Math.sqrt(96)) / Math.sqrt(N));
    expect(Math.abs(correlation(values.slice(1), values.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(N));
    const beyond = (z: number) => values.filter((value) => Math.abs(value) > z).length / N;
    expect(beyond(1)).toBeCloseTo(0.3173, 2);
    expect(beyond(2)).toBeCloseTo(0.0455, 2);
    expect(beyond(3)).toBeCloseTo(0.0027, 3);
  });

  test("draws bytes that are flat by chi-square and of the length asked for", () => {
    const bytes = createRandom(3).bytes(N);
    expect(bytes).toHaveLength(N);
    const value = chiSquare(bytes);
    expect(value).toBeGreaterThan(255 - 4 * 22.6);
    expect(value).toBeLessThan(255 + 4 * 22.6);
  });
});

describe("seeds and forks", () => {
  test("the same seed gives the same numbers, today and on every machine", () => {
    const { uniform, normal } = createRandom("vitalwire");
    expect([uniform(), uniform()]).toEqual([0.5618279741657849, 0.24649890763998228]);
    expect([normal(), normal()]).toEqual([0.41467803228177375, -0.4774482362116077]);
    expect(draw(8, createRandom(7).uniform)).toEqual(draw(8, createRandom("7").uniform));
  });

  test("neighbouring seeds and labels start unrelated: their first bytes are flat and do not correlate", () => {
    for (const of of [
      (i: number) => createRandom(i).uniform(),
      (i: number) => createRandom(1).fork(`patient ${i}`).uniform(),
    ]) {
      const first = Array.from({ length: 20_000 }, (_, i) => of(i));
      expect(chiSquare(first.map((u) => Math.floor(u * 256)))).toBeLessThan(255 + 4 * 22.6);
      expect(Math.abs(correlation(first.slice(1), first.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(20_000));
    }
  });

  test("a fork does not depend on what was drawn before it, nor does it shift its parent", () => {
    const quiet = createRandom(5);
    const busy = createRandom(5);
    draw(1000, busy.normal);
    busy.fork("another");
    expect(draw(8, busy.fork("noise").uniform)).toEqual(draw(8, quiet.fork("noise").uniform));

    const plain = createRandom(6);
    const forked = createRandom(6);
    forked.fork("noise").uniform();
    expect(draw(8, forked.uniform)).toEqual(draw(8, plain.uniform));
  });

  test("parent and fork, and forks of different labels, are unrelated", () => {
    const parent = createRandom(8);
    const streams = [parent, parent.fork("a"), parent.fork("b"), parent.fork("a").fork("b")];
    const values = streams.map((stream) => draw(10_000, stream.uniform));
    for (let i = 0; i < values.length; i++) {
      for (let j = 0; j < i; j++) {
        expect(Math.abs(correlation(values[i]!, values[j]!))).toBeLessThan(4 / Math.sqrt(10_000));
      }
    }
  });

  test("no seed with a label spells another seed with another label", () => {
    const firsts = [
      createRandom("ab").fork("c"),
      createRandom("a").fork("bc"),
      createRandom("a").fork("b").fork("c"),
      createRandom("2:ab1:c"),
      createRandom("abc"),
      createRandom("").fork("abc"),
    ].map((random) => random.uniform());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  test("a seed that is not finite is refused by value", () => {
    expect(() => createRandom(Number.NaN)).toThrow("seed NaN");
    expect(() => createRandom(Number.POSITIVE_INFINITY)).toThrow("seed Infinity");
  });
});
