/** How well a number tells two classes apart. Pure. */

/**
 * Area under the ROC curve: the chance that a value of the first class is above one of the second, ties counting half
 * (Mann-Whitney). 0..1; null where a class has no value.
 */
export function areaUnderCurve(above: readonly number[], below: readonly number[]): number | null {
  if (above.length === 0 || below.length === 0) return null;
  const [high, low] = [Float64Array.from(above).sort(), Float64Array.from(below).sort()];
  let smaller = 0; // of `low`: below the value, and up to it
  let upTo = 0;
  let pairs = 0;
  for (const value of high) {
    while (smaller < low.length && low[smaller]! < value) smaller++;
    while (upTo < low.length && low[upTo]! <= value) upTo++;
    pairs += (smaller + upTo) / 2;
  }
  return pairs / (high.length * low.length);
}
