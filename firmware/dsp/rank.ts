/**
 * Order statistic: the element of that rank, from 0, of the first `count` values in ascending order. `scratch`, at least as
 * long as `values`, is overwritten.
 */
export function ranked(values: Float64Array, count: number, rank: number, scratch: Float64Array): number {
  scratch.set(values);
  scratch.subarray(0, count).sort();
  return scratch[rank];
}

/** Median of the first `count` values, the upper one of two in the middle. */
export function median(values: Float64Array, count: number, scratch: Float64Array): number {
  return ranked(values, count, count >> 1, scratch);
}
