/**
 * Heart rate over 10 s, second by second, held against reference beats: 60 over the mean of their RR intervals in the 10 s
 * before. `beats`: the same by own beats, so what missed and false beats do. `shown`: what the heart that ships shows at that
 * time, its delay and its own averaging included. Intervals lie within the 10 s; two of them make a rate. Seconds within 10 s
 * after ventricular flutter do not count.
 */
import type { Shown } from "./heart.ts";
import type { ReferenceBeats } from "./reference.ts";

/** s */
export const RATE_WINDOW = 10;
const NEEDED = 2;

/** One second of one record; rates in beats/min. */
export interface RateSecond {
  /** s */
  readonly time: number;
  /** By the reference intervals. */
  readonly reference: number;
  /** By own intervals; null: fewer than two. */
  readonly own: number | null;
  /** null: nothing is shown. */
  readonly shown: number | null;
}

export interface RateFigures {
  /** Mean of the absolute errors, beats/min, 3 decimals; null where no second counts. */
  readonly mae: number | null;
  /** Share of seconds with a rate, percent. */
  readonly coverage: number | null;
  readonly seconds: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Gives the intervals of ascending `times` within the 10 s before a time; times asked for must not go back. */
function slidingIntervals(times: readonly number[]): (end: number) => number[] {
  let first = 0;
  return (end) => {
    while (first < times.length && times[first]! <= end - RATE_WINDOW) first++;
    const intervals: number[] = [];
    for (let k = first + 1; k < times.length && times[k]! <= end; k++) intervals.push(times[k]! - times[k - 1]!);
    return intervals;
  };
}

/** The seconds from 10 s on, until `until`, that count. `own`: times of own beats, s. */
export function rateSeconds(
  own: readonly number[],
  shown: readonly Shown[],
  { beats, excluded }: Pick<ReferenceBeats, "beats" | "excluded">,
  until: number,
): RateSecond[] {
  const ownIntervals = slidingIntervals(own.toSorted((a, b) => a - b));
  const referenceIntervals = slidingIntervals(beats);
  const counted: RateSecond[] = [];
  for (const { time, rate } of shown) {
    if (time < RATE_WINDOW || time > until) continue;
    if (excluded.some(([from, to]) => from <= time && to >= time - RATE_WINDOW)) continue;
    const truth = referenceIntervals(time);
    if (truth.length < NEEDED) continue;
    const found = ownIntervals(time);
    const ownRate = found.length < NEEDED ? null : 60 / mean(found);
    counted.push({ time, reference: 60 / mean(truth), own: ownRate, shown: rate });
  }
  return counted;
}

/** Error and coverage of the rate by own beats, or of what is shown. */
export function rateFigures(seconds: readonly RateSecond[], which: "own" | "shown"): RateFigures {
  const errors = seconds.flatMap((second) => {
    const value = second[which];
    return value === null ? [] : [Math.abs(value - second.reference)];
  });
  const rounded = (number: number) => Math.round(number * 1000) / 1000;
  return {
    mae: errors.length === 0 ? null : rounded(mean(errors)),
    coverage: seconds.length === 0 ? null : rounded((100 * errors.length) / seconds.length),
    seconds: seconds.length,
  };
}
