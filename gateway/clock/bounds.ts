/**
 * What upper and lower bounds say of a smooth line: a clock's deviation d over its own time x. Its slope is within a
 * limit and changes by at most `wander` a unit of x, so around any x0 it is d0 + s (x - x0) to within
 * wander (x - x0)^2 / 2. The possible (d0, s) are a convex region in the plane; its ends are guaranteed, not likely.
 *
 * An upper bound (x, u) says d0 + s (x - x0) <= u + wander (x - x0)^2 / 2. With u + wander x^2 / 2 in the place of u this
 * is a line below a point, whatever x0 is: so one lower convex hull holds all that upper bounds can ever say, and the
 * mirror image of it all that lower ones can.
 */
import { createHull, type Hull } from "./hull.ts";

export interface Region {
  /** The deviation is from `low` to `high` (-Infinity: no lower bound is known). */
  readonly low: number;
  readonly high: number;
  /** Its slope likewise. */
  readonly slopeLow: number;
  readonly slopeHigh: number;
}

export interface Bounds {
  /** Bounds of one side, upper and lower. */
  readonly uppers: number;
  readonly lowers: number;
  upper(x: number, value: number): void;
  lower(x: number, value: number): void;
  /** What is possible at x. null: nothing is, so an assumption does not hold, or a bound is false. Needs an upper bound. */
  at(x: number): Region | null;
  clear(): void;
  clearLower(): void;
}

export interface BoundsOptions {
  /** Largest slope either way. */
  readonly slope: number;
  /** Largest change of the slope over one unit of x. */
  readonly wander: number;
  /** Bounds of a side that are kept, those with the highest x. */
  readonly capacity: number;
}

/** Steps of a search that ends after a few: each goes to another corner. */
const STEPS = 1000;
/** What rounding may do to a feasible region, in the unit of the deviation. */
const ROUNDING = 1e-3;

export function createBounds({ slope: limit, wander, capacity }: BoundsOptions): Bounds {
  const above = createHull(capacity);
  const below = createHull(capacity);
  const half = wander / 2;

  /** The line of slope s through the hull's tightest point, at x0: its height, and how that changes with s. */
  const tightest = (hull: Hull, s: number, x0: number) => {
    const i = hull.lowest(s + wander * x0);
    const away = x0 - hull.x(i);
    return { height: hull.y(i) - half * hull.x(i) ** 2 + half * away ** 2 + s * away, gain: away };
  };
  const top = (s: number, x0: number) => tightest(above, s, x0);
  const bottom = (s: number, x0: number) => {
    const { height, gain } = tightest(below, -s, x0);
    return { height: -height, gain };
  };

  /** The end of the feasible slopes on one side (sign): from outside, Newton's steps on a concave broken line. */
  const edge = (sign: 1 | -1, x0: number): number | null => {
    let s = sign * limit;
    for (let i = 0; i < STEPS; i++) {
      const high = top(s, x0);
      const low = bottom(s, x0);
      const room = high.height - low.height;
      if (room >= -ROUNDING) return s;
      const gain = high.gain - low.gain;
      if (gain * sign >= 0) return null;
      const next = s - room / gain;
      if (next === s) return s;
      if (next * sign < -limit) return null;
      s = next;
    }
    return null;
  };

  /** The highest top (sign 1) or lowest bottom (-1) over the slopes a to b: at one of them, or between, by bisection. */
  const extreme = (of: typeof top, sign: 1 | -1, a: number, b: number, x0: number): number => {
    const last = of(b, x0);
    if (last.gain * sign >= 0) return last.height;
    const first = of(a, x0);
    if (first.gain * sign <= 0) return first.height;
    let low = a;
    let high = b;
    for (let i = 0; i < 60; i++) {
      const mid = (low + high) / 2;
      if (of(mid, x0).gain * sign >= 0) low = mid;
      else high = mid;
    }
    // the tangents at both ends bound it, so that what is left of the bisection errs to the wider side
    const left = of(low, x0);
    return left.height + left.gain * (high - low);
  };

  return {
    get uppers() {
      return above.size;
    },
    get lowers() {
      return below.size;
    },
    upper: (x, value) => above.add(x, value + half * x * x),
    lower: (x, value) => below.add(x, half * x * x - value),
    at(x) {
      if (below.size === 0) {
        const high = extreme(top, 1, -limit, limit, x);
        return { low: Number.NEGATIVE_INFINITY, high, slopeLow: -limit, slopeHigh: limit };
      }
      const slopeHigh = edge(1, x);
      const slopeLow = edge(-1, x);
      if (slopeHigh === null || slopeLow === null) return null;
      const high = extreme(top, 1, slopeLow, slopeHigh, x);
      const low = extreme(bottom, -1, slopeLow, slopeHigh, x);
      return low > high ? { low: high, high: low, slopeLow, slopeHigh } : { low, high, slopeLow, slopeHigh };
    },
    clear() {
      above.clear();
      below.clear();
    },
    clearLower: () => below.clear(),
  };
}
