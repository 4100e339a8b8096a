import { expect, test } from "vitest";
import { exp, gaussian, log, sine } from "../../simulator/arithmetic.ts";

// The engine's own functions are within a unit or so of the last place; ours are held against them.
const grid = (from: number, to: number, steps: number) =>
  Array.from({ length: steps + 1 }, (_, i) => from + ((to - from) * i) / steps);
const worst = (values: number[], error: (x: number) => number) => Math.max(...values.map(error));

test("exp is within 1e-15 of the engine's over the range of normal numbers, 0 below and infinite above it", () => {
  expect(worst(grid(-700, 700, 20_000), (x) => Math.abs(exp(x) / Math.exp(x) - 1))).toBeLessThan(1e-15);
  expect([exp(0), exp(-800), exp(800)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
});

test("log is within 1e-15 of the engine's over (0, 1] and refuses everything else by value", () => {
  const error = (x: number) => Math.abs(log(x) - Math.log(x)) / Math.max(1, -Math.log(x));
  expect(worst(grid(1e-5, 1, 20_000), error)).toBeLessThan(1e-15);
  expect(error(Number.MIN_VALUE)).toBeLessThan(1e-15);
  for (const x of [0, -1, 1.5, Number.NaN]) expect(() => log(x)).toThrow(`got ${x}`);
});

test("sine takes turns and is within 1e-15 of the engine's, also after a million turns", () => {
  const reduced = (turns: number) => Math.sin(2 * Math.PI * (turns - Math.round(turns)));
  expect(worst(grid(-3, 3, 20_000), (x) => Math.abs(sine(x) - reduced(x)))).toBeLessThan(1e-15);
  expect(worst(grid(1e6, 1e6 + 1, 1000), (x) => Math.abs(sine(x) - reduced(x)))).toBeLessThan(1e-15);
});

test("gaussian is exp(-u^2 / 2) and nothing beyond six standard deviations", () => {
  expect(worst(grid(-6, 6, 1000), (u) => Math.abs(gaussian(u) - Math.exp((-u * u) / 2)))).toBeLessThan(1e-15);
  expect([gaussian(6.01), gaussian(-6.01)]).toEqual([0, 0]);
});
