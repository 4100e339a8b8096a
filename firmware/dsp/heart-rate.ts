/** Beats per minute from the times of beats: heart rate from an ECG, pulse rate from a photoplethysmogram. */
import { FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { median } from "./rank.ts";

/** Beats a minute, 15..300, or null with at least one flag: settling, or saturated where the rate is outside the range. */
export interface Rate {
  value: number | null;
  flags: number;
}

export interface HeartRateMeter {
  /** A beat at a time that is not before the last one's. */
  beat(at: number): void;
  /** The rate as of `now`, filled in place. `now` may be any time from the last beat on. */
  read(now: number, rate: Rate): void;
  reset(): void;
}

const LOWEST = 15;
const HIGHEST = 300;
/** The median is taken over the newest intervals: at most 8, those of the last 10 s, but 3 at least. */
const KEPT = 8;
const RECENT = 10;
const NEEDED = 3;
/** A silence is longer than 3.5 s and than 1.5 intervals: after 3.5 s from 26 beats a minute on, after 6 s at 15. */
const SILENCE = 7 / 2;

/**
 * `perSecond`: how many units of time make a second (1000 for ms, the sampling rate for indices; fractions are fine).
 * No value is shown before 3 intervals, nor in a silence; the intervals from before a silence never count again.
 * Throws Error for a `perSecond` that is not above 0.
 */
export function createHeartRateMeter(perSecond: number): HeartRateMeter {
  if (!(perSecond > 0)) throw new Error(`heart rate: ${perSecond} units a second is not above 0`);
  /** Newest first. */
  const intervals = new Float64Array(KEPT);
  const scratch = new Float64Array(KEPT);
  let count = 0;
  let last = 0;
  let started = false;

  /** Median, in units, of the newest intervals as of `now`. */
  const typical = (now: number): number => {
    let used = 0;
    let ended = last;
    while (used < count && (used < NEEDED || now - ended <= RECENT * perSecond)) {
      ended -= intervals[used];
      used++;
    }
    const upper = median(intervals, used, scratch);
    return used % 2 === 1 ? upper : (scratch[used / 2 - 1] + upper) / 2;
  };

  /** The longest that may follow the last beat without one, in units. */
  const patience = (now: number): number => {
    const expected = count < NEEDED ? 60 / LOWEST : typical(now) / perSecond;
    return Math.max(SILENCE, (expected * 3) / 2) * perSecond;
  };

  const reset = (): void => {
    count = 0;
    started = false;
  };

  return {
    beat: (at) => {
      if (started && at - last > patience(at)) count = 0;
      else if (started) {
        for (let i = KEPT - 1; i > 0; i--) intervals[i] = intervals[i - 1];
        intervals[0] = at - last;
        if (count < KEPT) count++;
      }
      started = true;
      last = at;
    },
    read: (now, rate) => {
      rate.value = null;
      if (count < NEEDED || now - last > patience(now)) {
        rate.flags = FLAG_SETTLING;
        return;
      }
      const value = (60 * perSecond) / typical(now);
      if (value < LOWEST || value > HIGHEST) {
        rate.flags = FLAG_SATURATED;
        return;
      }
      rate.value = value;
      rate.flags = 0;
    },
    reset,
  };
}
