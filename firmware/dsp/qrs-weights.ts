/** Weights of the beat judge's features (judge.ts), in 1/1024: written by tools/tune-qrs.ts, run it with --write. */
export const WEIGHTS: readonly number[] = [
  -27851, 8609, 30774, 6893, -283, 1206, -3337, -3169, -15562, 22043, -8601, -10435, -10887, -107, -11264, -11, 1373,
  -12781, 20849, 10634, -4024, 3558, -22685, 1384, -10355, -161, 9421, 306, 4771, 15281,
];
