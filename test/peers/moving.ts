/** What the detectors here are made of: running means and delays over a stream of numbers. */

export type Filter = (value: number) => number;

/** The value of `count` samples ago; what was before the first one is the first one. */
export function createDelay(count: number): Filter {
  const kept = new Float64Array(Math.max(1, count));
  let at = -1;
  return (value) => {
    if (at < 0) {
      kept.fill(value);
      at = 0;
    }
    if (count === 0) return value;
    const before = kept[at]!;
    kept[at] = value;
    at = (at + 1) % count;
    return before;
  };
}

/** Mean of the newest `count` samples, (count - 1) / 2 late; what was before the first one is the first one. */
export function createMean(count: number): Filter {
  const kept = new Float64Array(count);
  let at = -1;
  let sum = 0;
  return (value) => {
    if (at < 0) {
      kept.fill(value);
      sum = count * value;
      at = 0;
    }
    sum += value - kept[at]!;
    kept[at] = value;
    at = (at + 1) % count;
    // from time to time anew: what was rounded away adds up
    if (at === 0) sum = kept.reduce((all, one) => all + one, 0);
    return sum / count;
  };
}

/** Less the value of `count` samples ago, count / 2 late. */
export function createDifference(count: number): Filter {
  const before = createDelay(count);
  return (value) => value - before(value);
}

/** Throws Error for a rate that a detector named `name` was not made for, and for a scale that is not above 0. */
export function requireSignal(name: string, rate: number, microvoltsPerCount: number): void {
  if (!(rate >= 100 && rate <= 1000)) throw new Error(`${name}: rate ${rate} hz is not 100 to 1000; resample`);
  if (!(microvoltsPerCount > 0)) throw new Error(`${name}: ${microvoltsPerCount} uV a count is not above 0`);
}
