/** Weights of the beat judge's features (judge.ts), in 1/1024: written by tools/tune-qrs.ts, run it with --write. */
export const WEIGHTS: readonly number[] = [
  -31940, 4695, 29108, 13757, 944, 1984, -3692, -2399, -12775, 22630, -12697, -7910, 4915, 477, -14550, 690, 654,
  -10007, 21416, 10617, -3968, -467, -18292, -145, -9611, 50, 7270,
];
