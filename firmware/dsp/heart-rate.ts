/** Beats per minute from the times of beats: heart rate from an ECG, pulse rate from a photoplethysmogram. */
import { FLAG_MOTION, FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";

/**
 * Beats a minute, 15..300, or null with at least one flag: settling, or saturated where the rate is outside the range. A value
 * with the flag motion is that of beats some of which noise may have made.
 */
export interface Rate {
  value: number | null;
  flags: number;
}

export interface HeartRateMeter {
  /** A beat at a time that is not before the last one's. `isDoubtful`: noise may have made or moved it. */
  beat(at: number, isDoubtful?: boolean): void;
  /** The next beat does not follow on the last one: between them is what nobody counted. */
  interrupt(): void;
  /** The rate as of `now`, filled in place. `now` may be any time from the last beat on. */
  read(now: number, rate: Rate): void;
  reset(): void;
}

const LOWEST = 15;
const HIGHEST = 300;
/** The range with what intervals are wrong by: a rate of 300 is not outside it now and then. */
const BELOW = LOWEST - LOWEST / 512;
const ABOVE = HIGHEST + HIGHEST / 512;
/** The newest intervals: those of the last 10 s, but at most 24 and at least 3. */
const KEPT = 24;
const RECENT = 10;
const NEEDED = 3;
/** Of the mean of the middle half; an interval of two is 2. */
const SHORTEST = 2 / 5;
const LONGEST = 9 / 5;
/**
 * Intervals in doubt are as good as the others where both have means that differ by at most so much of them. Else they are left out
 * where the others are so many times as many, and the longest of those at most so many times the shortest: the rhythm is steady.
 */
const LIKE = 1 / 25;
const MOSTLY = 2;
const STEADY = 5 / 4;
/** What the next beat's interval would begin with. */
const NOT = 0;
const SURE = 1;
const DOUBTFUL = 2;
/** A beat is overdue after 3 s and 1.5 intervals: after 3 s from 30 a minute on, after 6 s at 15. */
const OVERDUE = 3;
const LATE = 3 / 2;
/** After 4 s and 1.5 intervals what comes is another rhythm. */
const SILENCE = 60 / LOWEST;

/**
 * The rate is that of the mean interval, as if beats had been counted, but for intervals that a missed or a false beat made:
 * those shorter than 2/5 or longer than 9/5 of the mean of the middle half, in order of length, are left out. So where short
 * and long ones take turns (bigeminy) it is the rate that there is, not that of either.
 * `perSecond`: how many units of time make a second (1000 for ms, the sampling rate for indices; fractions are fine).
 * Where intervals in doubt matter, and cannot be left out, the value has the flag motion.
 * No value is shown before 3 intervals, nor where a beat is overdue; intervals from before a silence never count again.
 * Throws Error for a `perSecond` that is not above 0.
 */
export function createHeartRateMeter(perSecond: number): HeartRateMeter {
  if (!(perSecond > 0)) throw new Error(`heart rate: ${perSecond} units a second is not above 0`);
  /** A ring; the next one goes to `place`. Negative: from or to a beat in doubt. */
  const intervals = new Float64Array(KEPT);
  const sorted = new Float64Array(KEPT);
  let count = 0;
  let place = 0;
  let last = 0;
  /** By the last beat: NOT, SURE, DOUBTFUL. */
  let started = NOT;
  /** Of `typical`: the end of the last interval that is in no doubt; and whether it is of intervals in doubt. */
  let sure = 0;
  let inDoubt = false;

  /** Mean of `used` intervals of `sorted`, without those that are far from the mean of their middle half. */
  const mean = (first: number, used: number): number => {
    sorted.subarray(first, first + used).sort();
    // a quarter is left out at either end; the interval that it cuts counts in part
    const whole = used >> 2;
    const part = 1 - (used & 3) / 4;
    const begin = first + whole;
    const end = first + used - 1 - whole;
    let sum = (sorted[begin] + sorted[end]) * part;
    for (let i = begin + 1; i < end; i++) sum += sorted[i];
    const middle = (sum * 2) / used;
    // then all of it, and from the ends on what is not too far away
    sum += (sorted[begin] + sorted[end]) * (1 - part);
    let kept = used - 2 * whole;
    for (let i = begin - 1; i >= first && sorted[i] >= middle * SHORTEST; i--) {
      sum += sorted[i];
      kept++;
    }
    for (let i = end + 1; i < first + used && sorted[i] <= middle * LONGEST; i++) {
      sum += sorted[i];
      kept++;
    }
    return sum / kept;
  };

  /** That of the newest intervals as of `now`, in units. */
  const typical = (now: number): number => {
    let used = 0;
    let doubtful = 0;
    let ended = last;
    let at = place;
    sure = last;
    while (used < count && (used < NEEDED || now - ended <= RECENT * perSecond)) {
      at = at === 0 ? KEPT - 1 : at - 1;
      sorted[used++] = intervals[at];
      ended -= Math.abs(intervals[at]);
      if (intervals[at] < 0 && ++doubtful === used) sure = ended;
    }
    inDoubt = false;
    if (doubtful === 0) return mean(0, used);
    sorted.subarray(0, used).sort();
    const rest = used - doubtful < NEEDED ? 0 : mean(doubtful, used - doubtful);
    const steady = sorted[used - 1] <= sorted[doubtful] * STEADY;
    for (let i = 0; i < used; i++) sorted[i] = Math.abs(sorted[i]);
    const all = mean(0, used);
    if (Math.abs(all - rest) <= all * LIKE) return all;
    inDoubt = rest === 0 || !steady || used - doubtful < doubtful * MOSTLY;
    return inDoubt ? all : rest;
  };

  /** The longest that may follow the last beat in the same rhythm, in units. */
  const silence = (now: number): number => (count < NEEDED ? (60 / LOWEST) * perSecond : typical(now)) * LATE;

  const reset = (): void => {
    count = place = 0;
    started = NOT;
  };

  return {
    beat: (at, isDoubtful) => {
      const interval = at - last;
      if (interval > SILENCE * perSecond && interval > silence(at)) count = 0;
      else if (started !== NOT) {
        intervals[place] = isDoubtful || started === DOUBTFUL ? -interval : interval;
        place = place + 1 === KEPT ? 0 : place + 1;
        if (count < KEPT) count++;
      }
      started = isDoubtful ? DOUBTFUL : SURE;
      last = at;
    },
    interrupt: () => {
      started = NOT;
    },
    read: (now, rate) => {
      rate.value = null;
      rate.flags = FLAG_SETTLING;
      if (count < NEEDED) return;
      const expected = typical(now) / perSecond;
      const late = Math.max(OVERDUE, expected * LATE) * perSecond;
      if (now - last > late) return;
      const value = 60 / expected;
      if (value < BELOW || value > ABOVE) {
        rate.flags = FLAG_SATURATED;
        return;
      }
      rate.value = value;
      rate.flags = inDoubt || now - sure > late ? FLAG_MOTION : 0;
    },
    reset,
  };
}
