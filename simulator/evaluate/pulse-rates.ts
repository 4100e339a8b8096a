/**
 * Pulse rate over 10 s, second by second, against lead II: the reference is 60 over the median of the RR intervals that lie in
 * the 10 s before a time. Seconds count where these 10 s hold two such intervals and no time without a reference.
 *
 * Own rate: 60 over the median of the intervals between own beats in the same 10 s, as far as they were emitted by then; the
 * pulse comes half a second after its R, and nothing is shifted for it. `gated`: that where quality lets it through.
 * `vitals`: what createHeartRateMeter shows from the same beats, its own averaging and its own silence included. `oximeter` and
 * `monitor`: what those showed at that time.
 */
import type { PulseReference } from "./pulse-reference.ts";

/** s */
export const PULSE_WINDOW = 10;
const NEEDED = 2;

/** A beat: where it lies and when it was told, s. */
export interface PulseBeat {
  readonly time: number;
  readonly emitted: number;
}

/** What a board knows at a time. */
export interface PulseSecond {
  /** s, whole. */
  readonly time: number;
  /** Beats a minute shown by the vitals; null: nothing. */
  readonly vitals: number | null;
  /** Quality of the last 10 s, 0 to 100; null: unknown. */
  readonly quality: number | null;
}

/** A rate that was shown at a time, s, in beats a minute; null: nothing. */
export interface TimedRate {
  readonly time: number;
  readonly pulse: number | null;
}

/** One second with a reference; rates in beats a minute, null: none. */
export interface ComparedSecond {
  readonly time: number;
  readonly reference: number;
  readonly all: number | null;
  readonly gated: number | null;
  readonly vitals: number | null;
  readonly oximeter: number | null;
  readonly monitor: number | null;
}

export interface PulseRateFigures {
  /** Mean of the absolute errors over the seconds with a rate, beats a minute, 3 decimals; null where there are none. */
  readonly mae: number | null;
  /** Share of the seconds that have one, percent, 3 decimals; null where no second counts. */
  readonly coverage: number | null;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** 60 over the median interval of ascending times within (end - 10 s, end]; null with fewer than two intervals. */
function medianRate(times: readonly number[]): number | null {
  const intervals = times.slice(1).map((time, k) => time - times[k]!);
  return intervals.length < NEEDED ? null : 60 / median(intervals);
}

/** The seconds that count. `good`: from which quality on a rate is shown. */
export function comparePulse(
  beats: readonly PulseBeat[],
  seconds: readonly PulseSecond[],
  reference: PulseReference,
  monitor: readonly TimedRate[] | null,
  good: number,
  oximeter: readonly TimedRate[] | null = null,
): ComparedSecond[] {
  const compared: ComparedSecond[] = [];
  let [r, b] = [0, 0];
  for (const { time, vitals, quality } of seconds) {
    const start = time - PULSE_WINDOW;
    if (start < 0 || time > reference.until) continue;
    while (r < reference.beats.length && reference.beats[r]! <= start) r++;
    while (b < beats.length && beats[b]!.time <= start) b++;
    if (reference.excluded.some(([from, to]) => from < time && to > start)) continue;
    let end = r;
    while (end < reference.beats.length && reference.beats[end]! <= time) end++;
    const truth = medianRate(reference.beats.slice(r, end));
    if (truth === null) continue;
    const own: number[] = [];
    for (let k = b; k < beats.length && beats[k]!.time <= time; k++)
      if (beats[k]!.emitted <= time) own.push(beats[k]!.time);
    const all = medianRate(own);
    compared.push({
      time,
      reference: truth,
      all,
      gated: quality !== null && quality >= good ? all : null,
      vitals,
      oximeter: oximeter?.find((shown) => shown.time === time)?.pulse ?? null,
      monitor: monitor?.find((shown) => shown.time === time)?.pulse ?? null,
    });
  }
  return compared;
}

export function pulseRateFigures(
  seconds: readonly ComparedSecond[],
  which: "all" | "gated" | "vitals" | "oximeter" | "monitor",
): PulseRateFigures {
  let [shown, sum] = [0, 0];
  for (const second of seconds) {
    const value = second[which];
    if (value === null) continue;
    shown++;
    sum += Math.abs(value - second.reference);
  }
  const rounded = (number: number) => Math.round(number * 1000) / 1000;
  return {
    mae: shown === 0 ? null : rounded(sum / shown),
    coverage: seconds.length === 0 ? null : rounded((100 * shown) / seconds.length),
  };
}
