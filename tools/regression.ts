/** Logistic regression with a quadratic penalty, by Newton's method (iteratively reweighted least squares). */

/** What was seen: `outcomes.length` rows of features, one after the other, and 1 or 0 for each row. */
export interface Rows {
  readonly features: Float64Array;
  readonly outcomes: Uint8Array;
  /** How many times each row counts. */
  readonly weight: number;
}

const STEPS = 40;
/** A step that changes no weight by more than this is the last one. */
const STILL = 1e-4;
/** A step that does not lead up is halved, down to this part. */
const SMALLEST = 1 / 1024;

/**
 * The weights that make the outcomes most likely, given that each is drawn from a normal distribution of mean 0 and
 * `variance`. `start`: where to begin, null: all 0. Throws Error where it does not come to rest.
 */
export function regress(
  all: readonly Rows[],
  count: number,
  variance: number,
  start: Float64Array | null,
): Float64Array {
  const weights = start === null ? new Float64Array(count) : Float64Array.from(start);
  let likely = likelihood(all, weights, variance);
  for (let step = 0; step < STEPS; step++) {
    const curvature = new Float64Array(count * count);
    const slope = new Float64Array(count);
    for (const rows of all) add(rows, weights, slope, curvature);
    for (let i = 0; i < count; i++) {
      slope[i]! -= weights[i]! / variance;
      curvature[i * count + i]! += 1 / variance;
    }
    const change = solve(curvature, slope);
    let part = 1;
    let next = weights.map((weight, i) => weight + change[i]!);
    let better = likelihood(all, next, variance);
    for (; better < likely && part > SMALLEST; part /= 2) {
      next = weights.map((weight, i) => weight + (part / 2) * change[i]!);
      better = likelihood(all, next, variance);
    }
    const moved = weights.some((weight, i) => Math.abs(next[i]! - weight) > STILL);
    weights.set(next);
    likely = better;
    if (!moved) return weights;
  }
  throw new Error(`regression: no rest after ${STEPS} steps over ${all.length} sets of rows; raise the penalty`);
}

/** Logarithm of how likely the outcomes and the weights are together, but for a constant. */
function likelihood(all: readonly Rows[], weights: Float64Array, variance: number): number {
  const count = weights.length;
  let sum = 0;
  for (const value of weights) sum -= (value * value) / (2 * variance);
  for (const { features, outcomes, weight } of all) {
    for (let row = 0, at = 0; row < outcomes.length; row++, at += count) {
      let odds = 0;
      for (let i = 0; i < count; i++) odds += weights[i]! * features[at + i]!;
      const wrong = outcomes[row] === 1 ? -odds : odds;
      sum -= weight * (wrong > 30 ? wrong : Math.log1p(Math.exp(wrong)));
    }
  }
  return sum;
}

/** Adds a set's share of the log-likelihood's slope and (negative) curvature, the lower half of it. */
function add(
  { features, outcomes, weight }: Rows,
  weights: Float64Array,
  slope: Float64Array,
  curvature: Float64Array,
): void {
  const count = weights.length;
  for (let row = 0, at = 0; row < outcomes.length; row++, at += count) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += weights[i]! * features[at + i]!;
    const probability = 1 / (1 + Math.exp(-sum));
    const error = weight * (outcomes[row]! - probability);
    const spread = weight * probability * (1 - probability);
    if (Math.abs(error) < 1e-9) continue;
    for (let i = 0; i < count; i++) {
      const value = features[at + i]!;
      if (value === 0) continue;
      slope[i]! += error * value;
      const weighted = spread * value;
      for (let j = 0; j <= i; j++) curvature[i * count + j]! += weighted * features[at + j]!;
    }
  }
}

/** x of A x = b by Cholesky's method; A is symmetric and positive, of which the lower half is read and overwritten. */
function solve(a: Float64Array, b: Float64Array): Float64Array {
  const count = b.length;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * count + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * count + k]! * a[j * count + k]!;
      a[i * count + j] = i === j ? Math.sqrt(sum) : sum / a[j * count + j]!;
    }
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < i; k++) x[i]! -= a[i * count + k]! * x[k]!;
    x[i]! /= a[i * count + i]!;
  }
  for (let i = count - 1; i >= 0; i--) {
    for (let k = i + 1; k < count; k++) x[i]! -= a[k * count + i]! * x[k]!;
    x[i]! /= a[i * count + i]!;
  }
  return x;
}
