import fc from "fast-check";
import { expect, test } from "vitest";
import { createBounds } from "../../../gateway/clock/bounds.ts";
import { createHull } from "../../../gateway/clock/hull.ts";

const point = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -1000, max: 1000 }));

test("a hull of points in any order has the lowest of them in every direction, and none too many", () => {
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 1, maxLength: 60 }),
      fc.array(fc.double({ min: -90, max: 90, noNaN: true })),
      (points, slopes) => {
        const hull = createHull(1000);
        for (const [x, y] of points) hull.add(x, y);
        for (const slope of [-1e6, 0, 1e6, ...slopes]) {
          const at = hull.lowest(slope);
          const least = Math.min(...points.map(([x, y]) => y - slope * x));
          expect(hull.y(at) - slope * hull.x(at)).toBeCloseTo(least, 6);
        }
        for (let i = 2; i < hull.size; i++) {
          const [a, b, c] = [i - 2, i - 1, i].map((at) => ({ x: hull.x(at), y: hull.y(at) }));
          expect((b.y - a.y) * (c.x - b.x)).toBeLessThan((c.y - b.y) * (b.x - a.x));
        }
      },
    ),
  );
});

test("a hull that is full forgets its leftmost point", () => {
  const hull = createHull(3);
  for (const [x, y] of [
    [0, 0],
    [1, -5],
    [2, -8],
    [3, -9],
  ])
    hull.add(x, y);
  expect([0, 1, 2].map((at) => hull.x(at))).toEqual([1, 2, 3]);
  hull.clear();
  expect(hull.size).toBe(0);
});

const LIMIT = 0.2;
const WANDER = 0.01;
const STEPS = 800;
const deviation = fc.record({
  start: fc.double({ min: -100, max: 100, noNaN: true }),
  slope: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
  // a swing whose slope changes by WANDER at most, and never leaves the limit
  swing: fc.double({ min: 0, max: 1, noNaN: true }),
  phase: fc.double({ min: 0, max: 6, noNaN: true }),
});
const observed = fc.array(
  fc.record({
    x: fc.double({ min: 0, max: 100, noNaN: true }),
    up: fc.double({ min: 0, max: 50, noNaN: true }),
    down: fc.double({ min: 0, max: 50, noNaN: true }),
  }),
  { minLength: 1, maxLength: 25 },
);

test("what was so is always possible; what is said to be possible is no wider than the bounds allow", () => {
  fc.assert(
    fc.property(deviation, observed, fc.double({ min: -20, max: 130, noNaN: true }), (line, bounds, x0) => {
      const { start, slope, swing, phase } = line;
      const w = 0.1;
      const d = (x: number) => start + slope * x + ((swing * WANDER) / w / w) * Math.sin(w * x + phase);
      const s = slope + ((swing * WANDER) / w) * Math.cos(w * x0 + phase);
      const known = createBounds({ slope: LIMIT, wander: WANDER, capacity: 100 });
      for (const { x, up, down } of bounds) {
        known.upper(x, d(x) + up);
        known.lower(x, d(x) - down);
      }
      const region = known.at(x0)!;
      expect(region.low).toBeLessThanOrEqual(d(x0) + 0.01);
      expect(region.high).toBeGreaterThanOrEqual(d(x0) - 0.01);
      expect(region.slopeLow).toBeLessThanOrEqual(s + 0.01);
      expect(region.slopeHigh).toBeGreaterThanOrEqual(s - 0.01);
      // the same by trying slopes one after the other
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let i = -STEPS; i <= STEPS; i++) {
        const one = (LIMIT * i) / STEPS;
        const slack = (x: number) => (WANDER * (x - x0) ** 2) / 2;
        const top = Math.min(...bounds.map(({ x, up }) => d(x) + up + slack(x) - one * (x - x0)));
        const bottom = Math.max(...bounds.map(({ x, down }) => d(x) - down - slack(x) - one * (x - x0)));
        if (bottom > top) continue;
        low = Math.min(low, bottom);
        high = Math.max(high, top);
      }
      const step = (LIMIT / STEPS) * 150; // what lies between two of those slopes
      expect(region.high).toBeLessThanOrEqual(Math.max(high, d(x0)) + 4 * step);
      expect(region.low).toBeGreaterThanOrEqual(Math.min(low, d(x0)) - 4 * step);
    }),
    { numRuns: 60 },
  );
});

test("bounds that contradict one another leave nothing; without a lower one only the top is known", () => {
  const known = createBounds({ slope: LIMIT, wander: WANDER, capacity: 100 });
  known.upper(0, 5);
  expect(known.at(0)).toEqual({ low: Number.NEGATIVE_INFINITY, high: 5, slopeLow: -LIMIT, slopeHigh: LIMIT });
  known.lower(1, 4);
  expect(known.at(1)).toMatchObject({ low: 4 });
  known.lower(2, 6);
  expect(known.at(2)).toBeNull();
  known.clearLower();
  expect(known.at(2)?.low).toBe(Number.NEGATIVE_INFINITY);
});
