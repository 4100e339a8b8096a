/** The lower convex hull of points that come in any order, mostly from left to right. */

export interface Hull {
  readonly size: number;
  /** Adds a point; one that lies on or above the hull changes nothing. Amortized O(1) at the right end. */
  add(x: number, y: number): void;
  /** Index of the hull's point that has the smallest y - slope x. There must be one. */
  lowest(slope: number): number;
  x(index: number): number;
  y(index: number): number;
  clear(): void;
}

/** Above `capacity` the leftmost point goes: a bound less, never a false one. */
export function createHull(capacity: number): Hull {
  const xs: number[] = [];
  const ys: number[] = [];

  /** Is the middle one of three points on or above the line between the others? */
  const needless = (a: number, b: number, c: number) =>
    (ys[b] - ys[a]) * (xs[c] - xs[b]) >= (ys[c] - ys[b]) * (xs[b] - xs[a]);
  const remove = (index: number) => {
    xs.splice(index, 1);
    ys.splice(index, 1);
  };
  return {
    get size() {
      return xs.length;
    },
    add(x, y) {
      let at = xs.length;
      // Nearly always the new point is the rightmost.
      while (at > 0 && xs[at - 1] >= x) at--;
      if (xs[at] === x) {
        if (ys[at] <= y) return;
        remove(at);
      }
      xs.splice(at, 0, x);
      ys.splice(at, 0, y);
      if (at > 0 && at < xs.length - 1 && needless(at - 1, at, at + 1)) {
        remove(at);
        return;
      }
      while (at >= 2 && needless(at - 2, at - 1, at)) remove(--at);
      while (at + 2 < xs.length && needless(at, at + 1, at + 2)) remove(at + 1);
      if (xs.length > capacity) remove(0);
    },
    lowest(slope) {
      let low = 0;
      let high = xs.length - 1;
      while (low < high) {
        const mid = (low + high) >> 1;
        if (ys[mid + 1] - ys[mid] < slope * (xs[mid + 1] - xs[mid])) low = mid + 1;
        else high = mid;
      }
      return low;
    },
    x: (index) => xs[index],
    y: (index) => ys[index],
    clear() {
      xs.length = 0;
      ys.length = 0;
    },
  };
}
