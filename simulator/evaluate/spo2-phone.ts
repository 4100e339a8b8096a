/**
 * An oximeter over recorded desaturation, seen by a phone's camera: broad colours stand for the two lights, red for red, green
 * (or blue) for infrared, so R is not a chip's and its line to SpO2 is fitted.
 *
 * For each recording: lag and line are found on its first half alone and kept; the second half is scored with them. The lag is
 * that of the highest correlation of -R with the reference, `reference(time + lag)`, -10 to 30 s: clocks, fingers and means of
 * the oximeters differ. In these recordings the second half goes deeper than the first: the line is drawn beyond what it was
 * fitted to.
 */

import { type Colour, FRAME_RATE, type PhoneRecording } from "./phone.ts";
import { createTally, readMeter, rounded, type Spo2MeterFactory } from "./spo2-meter.ts";

/** Counts of a frame's mean of 1: the files have four decimals. Of these, what is no finger, and the converter's end. */
const COUNTS = 10_000;
const LIMITS = { offBodyBelow: COUNTS, saturatedAbove: 255 * COUNTS };
/** Lags that are tried, s. */
const LEAST_LAG = -10;
const MOST_LAG = 30;
/** Fewer pairs than this make no line. */
const FEWEST = 30;
/** Variance of R or SpO2 that is no rounding. */
const CHANGES = 1e-12;

export type PhoneChannels = "red over green" | "red over blue";
const denominators: Readonly<Record<PhoneChannels, Colour>> = { "red over green": "G", "red over blue": "B" };
export const phoneChannels = Object.keys(denominators) as PhoneChannels[];

export interface PhoneRow {
  /** SUBJECT.HAND. */
  readonly record: string;
  readonly channels: PhoneChannels;
  /** Seconds with an R, both halves, percent. */
  readonly ratioShown: number;
  /** Of the first half: the reference is later by it, s; SpO2 = constant + slope R. null: too little of R was shown. */
  readonly lag: number | null;
  readonly constant: number | null;
  readonly slope: number | null;
  /** Root mean square error and correlation there, where the line was fitted. */
  readonly fittedRms: number | null;
  readonly fittedCorrelation: number | null;
  /** Of the second half, seconds that count (with a reference), those with an SpO2, percent, and the longest time without, s. */
  readonly seconds: number;
  readonly shown: number;
  readonly longestBlank: number;
  /** Root mean square of shown less reference where shown, and its mean, SpO2 points. */
  readonly rms: number | null;
  readonly bias: number | null;
  /** The same had the mean reference of the first half been shown all the time: what knowing nothing gives. */
  readonly constantRms: number | null;
  /** Of shown with reference (Pearson), and the lag at which it would be highest in the second half, s. */
  readonly correlation: number | null;
  readonly bestLag: number | null;
  /** Reference SpO2 in each half, lowest and highest, percent. */
  readonly firstRange: readonly [number, number] | null;
  readonly secondRange: readonly [number, number] | null;
}

interface Pair {
  readonly ratio: number;
  readonly spo2: number;
}

/** Scores one recording with one oximeter and one pair of colours. */
export function scorePhone(recording: PhoneRecording, channels: PhoneChannels, factory: Spo2MeterFactory): PhoneRow {
  const counts = (colour: Colour) => Int32Array.from(recording.frames[colour], (mean) => Math.round(mean * COUNTS));
  const light = { rate: FRAME_RATE, red: counts("R"), infrared: counts(denominators[channels]) };
  return scoreReadings(recording, channels, readMeter(factory, light, LIMITS));
}

/** `ratios[k]`: R shown at k + 1 s, or null. */
export function scoreReadings(
  { name, reference }: Pick<PhoneRecording, "name" | "reference">,
  channels: PhoneChannels,
  ratios: readonly (number | null)[],
): PhoneRow {
  const end = Math.min(ratios.length, reference.length - 1);
  const half = Math.floor(end / 2);
  /** Of times from < t <= to, s, with the reference in there too. */
  const pairs = (from: number, to: number, lag: number): Pair[] => {
    const list: Pair[] = [];
    for (let time = from + 1; time <= to; time++) {
      const ratio = ratios[time - 1] ?? null;
      const spo2 = time + lag > from && time + lag <= to ? (reference[time + lag] ?? null) : null;
      if (ratio !== null && spo2 !== null) list.push({ ratio, spo2 });
    }
    return list;
  };
  const lag = bestLag((tried) => pairs(0, half, tried));
  const learned = lag === null ? [] : pairs(0, half, lag);
  const line = lag === null ? null : fitLine(learned);
  const known = (from: number, to: number) => reference.slice(from + 1, to + 1).filter((value) => value !== null);
  const [first, second] = [known(0, half), known(half, end)];
  const range = (values: readonly number[]) =>
    values.length === 0 ? null : ([Math.min(...values), Math.max(...values)] as const);
  const about = { record: name, channels, firstRange: range(first), secondRange: range(second) };
  const tally = createTally();
  const guess = createTally();
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  for (let time = half + 1; time <= end; time++) {
    const spo2 = reference[time + (lag ?? 0)] ?? null;
    if (spo2 === null || time + (lag ?? 0) > end || time + (lag ?? 0) <= half) continue;
    const ratio = ratios[time - 1] ?? null;
    tally.add(ratio === null || line === null ? null : shownOf(line.constant + line.slope * ratio) - spo2);
    guess.add(first.length === 0 ? null : mean - spo2);
  }
  const { seconds, shown, longestBlank, arms, bias } = tally.figures();
  const withRatio = ratios.slice(0, end).filter((ratio) => ratio !== null).length;
  return {
    ...about,
    ratioShown: rounded((100 * withRatio) / end),
    lag,
    constant: line && rounded(line.constant),
    slope: line && rounded(line.slope),
    fittedRms: line && rounded(line.rms),
    fittedCorrelation: correlationOf(learned),
    seconds,
    shown,
    longestBlank,
    rms: arms,
    bias,
    constantRms: guess.figures().arms,
    correlation: lag === null ? null : correlationOf(pairs(half, end, lag)),
    bestLag: bestLag((tried) => pairs(half, end, tried)),
  };
}

/** No oximeter shows more than 100 %, or less than nothing. */
const shownOf = (spo2: number): number => Math.max(0, Math.min(100, spo2));

/** Of SpO2 that falls with R; null where one of them does not change, or there are too few. */
function correlationOf(pairs: readonly Pair[]): number | null {
  if (pairs.length < FEWEST) return null;
  const { xx, xy, yy } = momentsOf(pairs);
  const least = CHANGES * pairs.length;
  return xx > least && yy > least ? rounded(-xy / Math.sqrt(xx * yy)) : null;
}

function bestLag(pairs: (lag: number) => readonly Pair[]): number | null {
  let best: number | null = null;
  let highest = Number.NEGATIVE_INFINITY;
  for (let lag = LEAST_LAG; lag <= MOST_LAG; lag++) {
    const correlation = correlationOf(pairs(lag));
    if (correlation === null || correlation <= highest) continue;
    highest = correlation;
    best = lag;
  }
  return best;
}

function momentsOf(pairs: readonly Pair[]) {
  const x = pairs.reduce((sum, { ratio }) => sum + ratio, 0) / pairs.length;
  const y = pairs.reduce((sum, { spo2 }) => sum + spo2, 0) / pairs.length;
  let [xx, xy, yy] = [0, 0, 0];
  for (const { ratio, spo2 } of pairs) {
    xx += (ratio - x) ** 2;
    xy += (ratio - x) * (spo2 - y);
    yy += (spo2 - y) ** 2;
  }
  return { x, y, xx, xy, yy };
}

/** Least squares of SpO2 over R. */
function fitLine(pairs: readonly Pair[]): { constant: number; slope: number; rms: number } {
  const { x, y, xx, xy, yy } = momentsOf(pairs);
  const slope = xy / xx;
  return { constant: y - slope * x, slope, rms: Math.sqrt(Math.max(0, yy - slope * xy) / pairs.length) };
}
