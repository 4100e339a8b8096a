/**
 * Heart rate variability in the time domain: SDNN, RMSSD, pNN50 over five minutes (Task Force of the European Society of
 * Cardiology and NASPE, Circulation 93:1043, 1996). Sums by 30 s take the place of the intervals themselves, so the window
 * moves in steps of 30 s and costs the same whatever the rate. They are of integers: nothing is rounded until the end.
 */
import { RR_NORMAL } from "./rr.ts";

/** All three null before five minutes, and where normal intervals fill less than 80 % of them. */
export interface HeartRateVariability {
  /** Standard deviation of the normal intervals, ms, to 1/1024. */
  sdnn: number | null;
  /** Root mean square of the differences of successive normal intervals, ms, to 1/1024. */
  rmssd: number | null;
  /** Share of those differences that exceed 50 ms, percent. */
  pnn50: number | null;
  /** Normal intervals in the window. */
  count: number;
  /** Part of the five minutes that they fill, 0 to 1. */
  coverage: number;
}

export interface HrvMeter {
  /** An interval as createRrSeries tells it: the beat that ends it, its length, its RR_ constant. */
  add(at: number, interval: number, kind: number): void;
  /** As of `now`, filled in place: the ten whole 30 s before it. `now` is not before the last beat. */
  read(now: number, hrv: HeartRateVariability): void;
  reset(): void;
}

const BLOCK = 30;
const BLOCKS = 10;
const ENOUGH = 4 / 5;
/** Intervals are counted in eighths of a millisecond. */
const FINE = 8;
const FIFTY = 50 * FINE;
/** The ten blocks and the one that is being filled. */
const RING = BLOCKS + 1;

/** Of a square in eighths of a ms: in ms, to 1/1024, since engines differ in the last bits of a square root. */
const root = (square: number): number => Math.round((Math.sqrt(square) * 1024) / FINE) / 1024;

/** `perSecond`: how many units of time make a second. Throws Error where it is not above 0. */
export function createHrvMeter(perSecond: number): HrvMeter {
  if (!(perSecond > 0)) throw new Error(`heart rate variability: ${perSecond} units a second is not above 0`);
  const counts = new Int32Array(RING);
  const sums = new Float64Array(RING);
  const squares = new Float64Array(RING);
  const pairs = new Int32Array(RING);
  const differences = new Float64Array(RING);
  const large = new Int32Array(RING);
  let started = false;
  let origin = 0;
  /** Which 30 s since the origin is being filled. */
  let current = 0;
  let previous = 0;

  const clear = (place: number): void => {
    counts[place] = pairs[place] = large[place] = 0;
    sums[place] = squares[place] = differences[place] = 0;
  };

  /** Moves on to the block of this time; blocks in between are empty. */
  const advance = (at: number): void => {
    const block = Math.floor((at - origin) / (BLOCK * perSecond));
    if (block - current >= RING) current = block - RING;
    while (current < block) {
      current++;
      clear(current % RING);
    }
  };

  const reset = (): void => {
    for (let i = 0; i < RING; i++) clear(i);
    started = false;
    origin = current = previous = 0;
  };
  reset();

  return {
    add: (at, interval, kind) => {
      if (!started) {
        started = true;
        origin = at - interval;
      }
      advance(at);
      if (kind !== RR_NORMAL) {
        previous = 0;
        return;
      }
      const place = current % RING;
      const fine = Math.round((interval * 1000 * FINE) / perSecond);
      counts[place]++;
      sums[place] += fine;
      squares[place] += fine * fine;
      if (previous > 0) {
        const difference = fine - previous;
        pairs[place]++;
        differences[place] += difference * difference;
        if (difference > FIFTY || difference < -FIFTY) large[place]++;
      }
      previous = fine;
    },
    read: (now, hrv) => {
      if (started) advance(now);
      let count = 0;
      let sum = 0;
      let square = 0;
      let pair = 0;
      let difference = 0;
      let beyond = 0;
      for (let i = 0; i < RING; i++) {
        if (i === current % RING) continue;
        count += counts[i];
        sum += sums[i];
        square += squares[i];
        pair += pairs[i];
        difference += differences[i];
        beyond += large[i];
      }
      const coverage = sum / (1000 * FINE * BLOCK * BLOCKS);
      const enough = current >= BLOCKS && coverage >= ENOUGH && pair > 0;
      hrv.count = count;
      hrv.coverage = coverage;
      hrv.sdnn = enough ? root((count * square - sum * sum) / (count * (count - 1))) : null;
      hrv.rmssd = enough ? root(difference / pair) : null;
      hrv.pnn50 = enough ? (100 * beyond) / pair : null;
    },
    reset,
  };
}
