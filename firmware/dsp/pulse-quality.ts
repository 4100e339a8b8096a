/**
 * How far the pulse of the last ten seconds can be trusted: the odds that none of its beats is missed or false, from what
 * createPulseDetector tells of them, on a logarithmic scale from 0 (1 : 3000) over 50 (even) to 100 (3000 : 1); the scale of
 * quality.ts.
 *
 * A missed or a false beat shows in the ratio of the longest to the shortest interval, motion in heights that jump from beat
 * to beat. A logistic regression of the two on 26 recordings (BIDMC), by tools/tune-pulse.ts; what it is worth on records
 * that it has not seen stands in tools/tuned-pulse.json. Where the intervals themselves are irregular (atrial fibrillation)
 * it says less than is true: those recordings have none.
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

/** What recordings decide: the natural logarithm of the odds that a beat is wrong, and what each feature adds to it. */
export interface PulseQualityWeights {
  readonly constant: number;
  /** For the natural logarithm of the longest over the shortest interval. */
  readonly ratio: number;
  /** For the mean change of the natural logarithm of the height from beat to beat. */
  readonly jumps: number;
}

/** Found by tools/tune-pulse.ts on all recordings. */
export const PULSE_QUALITY_WEIGHTS: PulseQualityWeights = {
  constant: -622 / 100,
  ratio: 1070 / 100,
  jumps: 140 / 100,
};

const WINDOW = 10;
/** Beats that are kept: those of 10 s at 300 a minute, and the one before them. A power of two. */
const KEPT = 64;
/** From a beat until it is known, s. */
const PATIENCE = 1 / 4;
/** Natural logarithms, at most. */
const WIDEST = 2;
/** For a natural logarithm of 1. */
const POINTS = 50 / 8;

/**
 * `perSecond`: how many units of time make a second. `observe` hears the two features whenever quality is read, for the
 * program that tunes it. Throws Error where `perSecond` is not above 0.
 */
export function createPulseQualityMeter(
  perSecond: number,
  observe?: (ratio: number, jumps: number) => void,
): PulseQualityMeter {
  if (!(perSecond > 0)) throw new Error(`pulse quality: ${perSecond} units a second is not above 0`);
  const weights = PULSE_QUALITY_WEIGHTS;
  const times = new Float64Array(KEPT);
  /** Of the natural logarithm of the height, from the beat before. */
  const changes = new Float64Array(KEPT);
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
      const change = beats === 0 ? 0 : Math.abs(Math.log(Math.max(high, 1 / 1024) / height));
      times[place] = at;
      changes[place] = change < WIDEST ? change : WIDEST;
      height = Math.max(high, 1 / 1024);
      beats++;
    },
    read: (now) => {
      const start = now - WINDOW * perSecond;
      if (start < from) return null;
      let count = 0;
      let sum = 0;
      let shortest = Infinity;
      let longest = beats === 0 ? 0 : now - times[(beats - 1) & (KEPT - 1)] - PATIENCE * perSecond;
      for (let k = beats - 1; k > 0 && k > beats - KEPT && times[k & (KEPT - 1)] > start; k--) {
        const interval = times[k & (KEPT - 1)] - times[(k - 1) & (KEPT - 1)];
        if (interval > longest) longest = interval;
        if (interval < shortest) shortest = interval;
        sum += changes[k & (KEPT - 1)];
        count++;
      }
      if (count < 2) return 0;
      const ratio = Math.min(WIDEST, Math.log(longest / shortest));
      const jumps = sum / count;
      if (observe !== undefined) observe(ratio, jumps);
      const odds = weights.constant + weights.ratio * ratio + weights.jumps * jumps;
      return Math.max(0, Math.min(100, Math.round(50 - odds * POINTS)));
    },
  };
}
