/** One row of the table of synthetic checks: signals through the chain, and what was shown held against what is required. */
import { FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { scoreBeats } from "./score.ts";
import { MICROVOLTS, type Observation, observe, RANGE, type Reading } from "./synthetic-chain.ts";
import { drawEcg, type SyntheticEcg } from "./synthetic-ecg.ts";

export interface SyntheticCheck {
  /** What is checked, and after which publication. */
  readonly check: string;
  /** The signal. */
  readonly condition: string;
  readonly required: string;
  /** What was shown over all sampling rates and variants; those that fell short apart, the first two of them named. */
  readonly shown: string;
  /** null: reported, not required. */
  readonly pass: boolean | null;
}

export interface About {
  readonly check: string;
  readonly condition: string;
  /** false: only reported. */
  readonly claimed?: boolean;
}

/** A signal, and from when on (and until when) its readings count, s. */
export interface Trial extends Partial<Omit<SyntheticEcg, "rate" | "microvoltsPerCount">> {
  /** What tells it from the other trials of its row; "" for one alone. */
  readonly label: string;
  readonly seconds: number;
  readonly from: number;
  readonly until?: number;
  /** Beats/min, for `counted`; absent where the rhythm has no one rate. */
  readonly rate?: number;
}

/**
 * What is required of one trial: of its readings; of its readings and beats, by its own rate; or of the time that passes from
 * its `from` on until all readings are right.
 */
export type Requirement =
  | { readonly text: string; holds(readings: readonly Reading[]): boolean }
  | { readonly text: string; readonly everyBeat: true }
  | { readonly text: string; right(reading: Reading): boolean; readonly limit: number };

/** EC13: 10 % or 5 beats/min, whichever is greater. */
const near = (rate: number, value: number | null) =>
  value !== null && Math.abs(value - rate) <= Math.max(5, rate / 10) + 1e-9;

/** Every reading is the rate. */
export function rateIs(rate: number): Requirement {
  return { text: `${rate} (10 % or 5)`, holds: (readings) => readings.every(({ value }) => near(rate, value)) };
}

/** Every reading is the trial's rate, and every beat counted once. */
export const counted: Requirement = { text: "the rate (10 % or 5), every beat once", everyBeat: true };

/** Every reading is a number, and every beat counted once: for a rhythm that has no one rate. */
export const allBeats: Requirement = { text: "a rate, every beat once", everyBeat: true };

/** Every reading is the rate or null with a flag; above 300 a minute null alone. */
export function rateOrNull(rate: number): Requirement {
  return {
    text: rate > 300 ? "null with a flag" : `${rate} (10 % or 5), or null with a flag`,
    holds: (readings) =>
      readings.every(({ value, flags }) => (value === null ? flags !== 0 : rate <= 300 && near(rate, value))),
  };
}

const isFlaggedNull = ({ value, flags }: Reading) => value === null && flags !== 0;

/** No reading is a number. */
export const noRate: Requirement = {
  text: "null with a flag",
  holds: (readings) => readings.every(isFlaggedNull),
};

/** Shown as the rate within a time, s. */
export function rateWithin(limit: number, rate: number): Requirement {
  return { text: `${rate} (10 % or 5) within ${limit} s`, limit, right: ({ value }) => near(rate, value) };
}

/** Shown as no rate within a time, s. */
export function nullWithin(limit: number): Requirement {
  return { text: `null with a flag within ${limit} s`, limit, right: isFlaggedNull };
}

/** Runs the trials at every sampling rate. */
export function row(
  rates: readonly number[],
  about: About,
  requirement: Requirement,
  trials: readonly Trial[],
): SyntheticCheck {
  const { check, condition } = about;
  const readings: Reading[] = [];
  const numbers: number[] = [];
  const failures: string[] = [];
  for (const trial of trials) {
    const { label, from, until = Number.POSITIVE_INFINITY, rate } = trial;
    for (const samplingRate of rates) {
      const seen = observe(samplingRate, draw(samplingRate, trial));
      const counting = seen.readings.filter(({ time }) => time >= from && time < until);
      let failure = "";
      if ("limit" in requirement) {
        const delay = delayOf(seen, from, requirement.right);
        if (delay > requirement.limit) failure = after([delay]);
        else numbers.push(delay);
      } else if ("everyBeat" in requirement) {
        const miscount = miscounted(seen, trial);
        const fine = counting.every(({ value }) => value !== null && (rate === undefined || near(rate, value)));
        if (miscount !== "" || !fine) failure = span(counting) + miscount;
        else if (rate === undefined) for (const reading of counting) readings.push(reading);
        else for (const { value } of counting) numbers.push(Math.abs((value ?? 0) - rate));
      } else if (!requirement.holds(counting)) failure = span(counting);
      else for (const reading of counting) readings.push(reading);
      if (failure !== "") failures.push(`${label === "" ? "" : `${label}, `}${samplingRate} hz: ${failure}`);
    }
  }
  const parts: string[] = [];
  if (readings.length > 0) parts.push(span(readings));
  else if (numbers.length > 0) {
    parts.push("limit" in requirement ? after(numbers) : `off by ${largest(numbers).toFixed(1)} at most`);
  }
  if (failures.length > 0) {
    parts.push(`${failures.length} of ${trials.length * rates.length} not: ${failures.slice(0, 2).join("; ")}`);
  }
  const pass = about.claimed === false ? null : failures.length === 0;
  return { check, condition, required: requirement.text, shown: parts.join("; "), pass };
}

function draw(rate: number, trial: Trial): Int32Array {
  return drawEcg({ range: RANGE, beats: [], waves: () => [], ...trial, rate, microvoltsPerCount: MICROVOLTS });
}

/** From a time on until every reading is right, s; Infinity where the last one is not. */
function delayOf({ readings }: Observation, from: number, right: (reading: Reading) => boolean): number {
  const wrong = readings.findLastIndex((reading) => reading.time >= from && !right(reading));
  if (wrong < 0) return 0;
  return (readings[wrong + 1]?.time ?? Number.POSITIVE_INFINITY) - from;
}

function miscounted(seen: Observation, { beats = [], from, seconds }: Trial): string {
  const { fn, fp } = scoreBeats(beats, seen.beats(), { from, until: seconds - 1 });
  return fn + fp === 0 ? "" : `, ${fn} beats missed, ${fp} extra`;
}

/** "after 3.6 s", "after 2.1..4.9 s", "never". */
function after(delays: readonly number[]): string {
  return delays.includes(Number.POSITIVE_INFINITY) ? "never" : `after ${ends(delays)} s`;
}

/** "80.0", "79.8..80.1", "null (settling)", "80.0, null 12 % (saturated)". */
function span(readings: readonly Reading[]): string {
  const values = readings.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === readings.length) return ends(values);
  const flags = readings.reduce((union, { value, flags }) => (value === null ? union | flags : union), 0);
  const share = Math.max(1, Math.round((100 * (readings.length - values.length)) / readings.length));
  return `${values.length === 0 ? "null" : `${ends(values)}, null ${share} %`} (${names(flags)})`;
}

function ends(values: readonly number[]): string {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low.toFixed(1) === high.toFixed(1) ? low.toFixed(1) : `${low.toFixed(1)}..${high.toFixed(1)}`;
}

const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), 0);

function names(flags: number): string {
  const known = (flags & FLAG_SETTLING ? ["settling"] : []).concat(flags & FLAG_SATURATED ? ["saturated"] : []);
  const rest = flags & ~(FLAG_SETTLING | FLAG_SATURATED);
  return known.concat(rest === 0 ? [] : [`flags ${rest}`]).join(", ") || "no flag";
}
