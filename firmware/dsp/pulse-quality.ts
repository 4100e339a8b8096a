/**
 * How far the pulse of the last ten seconds can be trusted: the odds that none of its beats is missed or false, from what
 * createPulseDetector tells of them, on a logarithmic scale from 0 (1 : 3000) over 50 (even) to 100 (3000 : 1); the scale of
 * quality.ts.
 *
 * A missed or a false beat shows in the ratio of the longest to the shortest interval, unless all of them differ (atrial
 * fibrillation); motion in heights that jump from beat to beat. A logistic regression on 26 recordings (BIDMC) and synthetic
 * irregular pulses, by tools/tune-pulse.ts; what it is worth on records that it has not seen stands in
 * tools/tuned-pulse.json.
 */

export interface PulseQualityMeter {
  /** A signal begins, or goes on after a gap or a new LED current, at `at`. */
  begin(at: number): void;
  /** A beat at a time after the last one's, and how far the light fell, in any unit. */
  beat(at: number, height: number): void;
  /** Of the 10 s before `now`: 0 to 100; 0 with fewer than two intervals, null before there are 10 s since it began. */
  read(now: number): number | null;
}

/** From here on a pulse rate is good enough to be shown. */
export const GOOD_PULSE = 30;

/** What the odds are made of: numbers of features, all 0 for beats that are exactly alike. */
export const FEATURES = 4;
/** Always 1. */
export const ONE = 0;
/** Natural logarithm of the longest over the shortest interval; the time since the last beat counts as one. At most 2. */
export const RATIO = 1;
/** Mean change of the natural logarithm of the height from beat to beat, each at most 2. */
export const JUMPS = 2;
/** Mean change of the interval from beat to beat over the mean interval, at most 1. */
export const UNSTEADY = 3;

/** What each adds to the natural logarithm of the odds that a beat is wrong: found by tools/tune-pulse.ts on all recordings. */
export const PULSE_QUALITY_WEIGHTS: readonly number[] = [-576 / 100, 974 / 100, 137 / 100, -47 / 100];

const WINDOW = 10;
/** Beats that are kept: those of 10 s at 300 a minute, and the one before them. A power of two. */
const KEPT = 64;
/** From a beat until it is known, s. */
const PATIENCE = 1 / 4;
const WIDEST = 2;
/** Heights count as this at least, in their unit. */
const SMALLEST = 1 / 1024;
/** For a natural logarithm of 1. */
const POINTS = 50 / 8;

function oddsOf(features: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < FEATURES; i++) sum += features[i] * PULSE_QUALITY_WEIGHTS[i];
  return sum;
}

/**
 * `perSecond`: how many units of time make a second. `odds`, the natural logarithm of the odds that a beat is wrong, is for
 * the program that tunes it. Throws Error where `perSecond` is not above 0.
 */
export function createPulseQualityMeter(
  perSecond: number,
  odds?: (features: Float64Array) => number,
): PulseQualityMeter {
  if (!(perSecond > 0)) throw new Error(`pulse quality: ${perSecond} units a second is not above 0`);
  const weigh = odds ?? oddsOf;
  const times = new Float64Array(KEPT);
  /** Of the natural logarithm of the height, from the beat before. */
  const changes = new Float64Array(KEPT);
  const features = new Float64Array(FEATURES);
  features[ONE] = 1;
  let beats = 0;
  let height = 0;
  let from = 0;

  return {
    begin: (at) => {
      from = at;
      beats = 0;
    },
    beat: (at, high) => {
      const place = beats & (KEPT - 1);
      const now = Math.max(high, SMALLEST);
      times[place] = at;
      changes[place] = beats === 0 ? 0 : Math.min(WIDEST, Math.abs(Math.log(now / height)));
      height = now;
      beats++;
    },
    read: (now) => {
      const start = now - WINDOW * perSecond;
      if (start < from) return null;
      let later = beats === 0 ? now : times[(beats - 1) & (KEPT - 1)];
      let longest = now - later - PATIENCE * perSecond;
      let shortest = Infinity;
      let sum = 0;
      let jumps = 0;
      let unsteady = 0;
      let before = 0;
      let count = 0;
      for (let k = beats - 1; k > 0 && k > beats - KEPT && later > start; k--) {
        const earlier = times[(k - 1) & (KEPT - 1)];
        const interval = later - earlier;
        if (interval > longest) longest = interval;
        if (interval < shortest) shortest = interval;
        if (count > 0) unsteady += Math.abs(interval - before);
        sum += interval;
        jumps += changes[k & (KEPT - 1)];
        before = interval;
        later = earlier;
        count++;
      }
      if (count < 2) return 0;
      features[RATIO] = Math.min(WIDEST, Math.log(longest / shortest));
      features[JUMPS] = jumps / count;
      features[UNSTEADY] = Math.min(1, (unsteady * count) / (sum * (count - 1)));
      return Math.max(0, Math.min(100, Math.round(50 - weigh(features) * POINTS)));
    },
  };
}
