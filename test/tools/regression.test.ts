import fc from "fast-check";
import { expect, test } from "vitest";
import { type Rows, regress } from "../../tools/regression.ts";

/** Rows of a constant and one feature, `ones` of `all` with outcome 1 where the feature is 1. */
function table(counts: readonly (readonly [feature: number, ones: number, zeros: number])[], weight = 1): Rows {
  const features: number[] = [];
  const outcomes: number[] = [];
  for (const [feature, ones, zeros] of counts) {
    for (let i = 0; i < ones + zeros; i++) {
      features.push(1, feature);
      outcomes.push(i < ones ? 1 : 0);
    }
  }
  return { features: Float64Array.from(features), outcomes: Uint8Array.from(outcomes), weight };
}

const odds = (ones: number, zeros: number) => Math.log(ones / zeros);

test("with hardly a penalty the weights are the log-odds of a two by two table", () => {
  const [constant, slope] = regress(
    [
      table([
        [0, 30, 70],
        [1, 80, 20],
      ]),
    ],
    2,
    1e6,
    null,
  );
  expect(constant).toBeCloseTo(odds(30, 70), 3);
  expect(slope).toBeCloseTo(odds(80, 20) - odds(30, 70), 3);
});

test("a row that counts twice is as good as two rows, and sets of rows add up", () => {
  const one = table([
    [0, 3, 7],
    [1, 6, 2],
  ]);
  const twice = regress([{ ...one, weight: 2 }], 2, 4, null);
  regress([one, one], 2, 4, null).forEach((weight, i) => {
    expect(weight).toBeCloseTo(twice[i]!, 10);
  });
});

test("where one feature tells all, the penalty keeps the weights finite, and a smaller variance keeps them smaller", () => {
  const rows = [
    table([
      [0, 0, 50],
      [1, 50, 0],
    ]),
  ];
  const wide = regress(rows, 2, 4, null);
  const narrow = regress(rows, 2, 1 / 4, null);
  expect(wide[1]).toBeGreaterThan(narrow[1]!);
  expect(wide[1]).toBeLessThan(20);
});

test("it ends at the same weights wherever it began", () => {
  const rows = [
    table([
      [0, 12, 40],
      [1, 33, 9],
      [2, 5, 1],
    ]),
  ];
  const best = regress(rows, 2, 1, null);
  const start = fc.double({ min: -20, max: 20, noNaN: true });
  fc.assert(
    fc.property(start, start, (a, b) => {
      const found = regress(rows, 2, 1, Float64Array.of(a, b));
      expect(found[0]).toBeCloseTo(best[0]!, 4);
      expect(found[1]).toBeCloseTo(best[1]!, 4);
    }),
  );
});
