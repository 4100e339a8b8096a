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
export const SHARED = 3;
/** Beats, a power of two. */
const KEPT = 32;
const ROUNDS = 2;
/** Between good beats, s: across it nothing is computed. What was before counts until there is enough after it. */
const GAP = 2;

/** `frequency`: internal samples a second. */
export function createRatioMeter(frequency: number): RatioMeter {
  /** Rings: where a beat begins, and the sums over all beats before it. What lies between two of them is a difference. */
  const starts = new Float64Array(KEPT);
  const lengths = new Float64Array(KEPT);
  const squares = new Float64Array(KEPT);
  const products = new Float64Array(KEPT);
  const rests = new Float64Array(KEPT);
  /** Sums over all beats. */
  let length = 0;
  let xx = 0;
  let xy = 0;
  let rest = 0;
  let count = 0;
  /** The first beat that is not too old, that of the newest 4 s, and that after the last gap. */
  let first = 0;
  let near = 0;
  let since = 0;
  /** Where the newest one ends, and how long it is. */
  let until = 0;
  let newest = 0;
  let noise = 1;

  /** Length of the beats from number `from` on. */
  const lengthFrom = (from: number): number => (from === count ? 0 : length - lengths[from & (KEPT - 1)]);

  return {
    add: (beat) => {
      const slot = count & (KEPT - 1);
      if (beat.from - until > GAP * frequency) since = count;
      newest = beat.span;
      until = beat.from + newest;
      starts[slot] = beat.from;
      lengths[slot] = length;
      squares[slot] = xx;
      products[slot] = xy;
      rests[slot] = rest;
      length += newest;
      xx += beat.xx;
      xy += beat.xy;
      rest += beat.rest;
      noise = beat.noise;
      count++;
    },
    read: (now, reading) => {
      const oldest = now - Math.max(OLDEST * frequency, SLOW * newest);
      if (first < count - KEPT) first = count - KEPT;
      while (first < count && starts[first & (KEPT - 1)] < oldest) first++;
      reading.seconds = lengthFrom(first) / frequency;
      reading.ratio = null;
      reading.variance = 0;
      let from = first;
      let end = length;
      let x = xx;
      let product = xy;
      let left = rest;
      if (since > first && lengthFrom(since) >= LEAST * frequency) from = since;
      else if (since > first && since < count) {
        // too little after the gap: what was before it
        const slot = since & (KEPT - 1);
        end = lengths[slot];
        x = squares[slot];
        product = products[slot];
        left = rests[slot];
      }
      if (near < from) near = from;
      while (near < count - 1 && lengthFrom(near) > ENOUGH * frequency) near++;
      // the newest ones, where they are certain
      for (let start = end === length ? near : from; ; start = from) {
        const slot = start & (KEPT - 1);
        const used = start === count ? 0 : end - lengths[slot];
        if (used < LEAST * frequency) return;
        const square = x - squares[slot];
        const both = product - products[slot];
        const beside = left - rests[slot];
        reading.variance = Math.max(0, (SHARED * beside) / (square * used));
        if (start > from && reading.variance > CERTAIN) continue;
        let slope = both / square;
        if (!(slope > 0)) return;
        for (let i = 0; i < ROUNDS; i++) {
          slope = both / (square - Math.min(beside / (noise + slope * slope), square / 2));
        }
        reading.ratio = slope;
        return;
      }
    },
    reset: () => {
      length = xx = xy = rest = count = first = near = since = until = newest = 0;
    },
  };
}
