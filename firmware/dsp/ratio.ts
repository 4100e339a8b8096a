/**
 * The ratio of ratios R from the good beats of the last 8 s: the slope of red's wave on infrared's, each over its own mean.
 * All samples of all these beats count, each by its weight, where peak and valley use two of a beat.
 *
 * Noise in infrared flattens a least-squares slope, by a point of SpO2 at a perfusion of 0.1 %. Both lights come through one
 * converter, with the same noise in counts: how much there is of it is told by what the slope leaves, and taken out of the
 * squares of infrared (Deming's regression, by iteration).
 */

/** Sums over one beat's waves, each wave over the mean of its light. */
export interface BeatSums {
  /** First internal sample, and how many. */
  from: number;
  span: number;
  /** Infrared squared, infrared x red, and what red squared is beside its part of infrared. */
  xx: number;
  xy: number;
  rest: number;
  /** Noise of red over that of infrared, squared: infrared's mean over red's, squared. */
  noise: number;
}

export interface RatioReading {
  /** null: fewer than 1.25 s of good beats in the last 8 s. */
  ratio: number | null;
  /** Variance of R, by what is left beside the slope. */
  variance: number;
  /** Of the last 8 s, how much good beats make up, s. */
  seconds: number;
}

export interface RatioMeter {
  add(beat: BeatSums): void;
  /** As of the internal sample `now`. Filled in place. */
  read(now: number, reading: RatioReading): void;
  reset(): void;
}

/** Seconds: nothing from before is used; what is needed; what is enough where it is certain. */
const OLDEST = 8;
/** Beats that take longer: so many times the newest one's length, so that two are seen. 9 s at 15 a minute. */
const SLOW = 9 / 4;
const LEAST = 5 / 4;
const ENOUGH = 4;
/** A variance of R that is small enough: 0.1 to 0.3 points of SpO2. */
const CERTAIN = 1 / 65536;
/** A wave's neighbouring samples share their noise: only each third one counts as new. */
const SHARED = 3;
/** Beats, a power of two. */
const KEPT = 32;
const ROUNDS = 2;
/** Between good beats, s: across it nothing is computed. What was before counts until there is enough after it. */
const GAP = 2;

/** `frequency`: internal samples a second. */
export function createRatioMeter(frequency: number): RatioMeter {
  /** Rings. */
  const starts = new Float64Array(KEPT);
  const lengths = new Float64Array(KEPT);
  const squares = new Float64Array(KEPT);
  const products = new Float64Array(KEPT);
  const rests = new Float64Array(KEPT);
  let count = 0;
  /** The first beat after the last gap, and where the newest one ends. */
  let since = 0;
  let until = 0;
  let noise = 1;

  return {
    add: (beat) => {
      const slot = count & (KEPT - 1);
      if (beat.from - until > GAP * frequency) since = count;
      until = beat.from + beat.span;
      starts[slot] = beat.from;
      lengths[slot] = beat.span;
      squares[slot] = beat.xx;
      products[slot] = beat.xy;
      rests[slot] = beat.rest;
      noise = beat.noise;
      count++;
    },
    read: (now, reading) => {
      const first = Math.max(0, count - KEPT);
      const newest = count === 0 ? 0 : lengths[(count - 1) & (KEPT - 1)];
      const oldest = now - Math.max(OLDEST * frequency, SLOW * newest);
      let xx = 0;
      let xy = 0;
      let rest = 0;
      let length = 0;
      let after = 0;
      let used = 0;
      let slope = 0;
      let variance = 0;
      for (let i = count - 1; i >= first; i--) {
        const slot = i & (KEPT - 1);
        if (starts[slot] < oldest) break;
        if (i === since - 1) {
          if (used >= LEAST * frequency) break;
          after = length;
          xx = xy = rest = used = length = 0;
        }
        length += lengths[slot];
        if (used === 0 || length <= ENOUGH * frequency || variance > CERTAIN) {
          used = length;
          xx += squares[slot];
          xy += products[slot];
          rest += rests[slot];
          slope = xy / xx;
          variance = (SHARED * rest) / (xx * used);
        }
      }
      reading.seconds = (length + after) / frequency;
      reading.ratio = null;
      reading.variance = Math.max(variance, 0);
      if (!(used >= LEAST * frequency && slope > 0)) return;
      for (let i = 0; i < ROUNDS; i++) {
        slope = xy / (xx - Math.min(rest / (noise + slope * slope), xx / 2));
      }
      reading.ratio = slope;
    },
    reset: () => {
      count = since = until = 0;
    },
  };
}
