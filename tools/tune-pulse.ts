/**
 * Finds the numbers of firmware/dsp/pulse.ts and the weights of firmware/dsp/pulse-quality.ts, and what they are worth on
 * recordings that they have not seen.
 *
 * Numbers: from the middle of the grid below, one after the other is set to the value with the fewest errors (missed and
 * false beats of the recordings, seconds whose rate is far off, and missed and false beats of synthetic pulses:
 * pulse-lessons.ts), until a round changes nothing. Weights: a
 * logistic regression, by Newton's method, over every second of the recordings and of the irregular synthetic pulses, of
 * whether the 10 s before hold a wrong beat. Held out: four folds, every fourth recording by name, each scored with numbers
 * and weights that were found on the others by the same procedure. The grid, what a synthetic error counts, and the gate were
 * chosen with an eye on both figures. Nothing is drawn at random: two runs give the same bytes.
 *
 * `node --import tsx tools/tune-pulse.ts [--data DIR] [--write]` writes tools/tuned-pulse.json; without --write it ends with 1
 * where that differs, and in any case where the numbers and weights that ship are not those found. DIR: BIDMC recordings
 * (VITALWIRE_DATA/bidmc).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPulseDetector, PULSE_NUMBERS, type PulseNumbers } from "../firmware/dsp/pulse.ts";
import { FEATURES, GOOD_PULSE, PULSE_QUALITY_WEIGHTS } from "../firmware/dsp/pulse-quality.ts";
import { createQrsDetector } from "../firmware/dsp/qrs.ts";
import { type PulseRecording, readPulseRecording, recordingsOf } from "../simulator/evaluate/bidmc.ts";
import { observePulse, type PulseScore, pulseScore, referenceOf } from "../simulator/evaluate/pulse.ts";
import { type ComparedSecond, comparePulse, pulseRateFigures } from "../simulator/evaluate/pulse-rates.ts";
import { type PulseReference, pulseDelay, scorePulse } from "../simulator/evaluate/pulse-reference.ts";
import { pulseWindows } from "../simulator/evaluate/pulse-windows.ts";
import { type QualityWindow, qualityFigures } from "../simulator/evaluate/quality.ts";
import type { Score } from "../simulator/evaluate/score.ts";
import { createHamiltonDetector } from "../test/peers/hamilton.ts";
import { projectRoot, runMain } from "./files.ts";
import { type PulseLesson, pulseLessons } from "./pulse-lessons.ts";
import { type Rows, regress } from "./regression.ts";

const TUNED = "tools/tuned-pulse.json";
const FOLDS = 4;
/** In hundredths. Each begins in the middle. */
const GRID: Readonly<Record<keyof PulseNumbers, readonly number[]>> = {
  soonHeight: [50, 60, 70, 80, 100],
  soon: [30, 40, 45, 50, 55, 60],
  late: [80, 85, 90, 100, 110],
  lateHeight: [5, 10, 15, 20],
  step: [140, 150, 160, 180, 200],
};
const KEYS = Object.keys(GRID) as (keyof PulseNumbers)[];
const ROUNDS = 6;
/** A rate is far off from here on, beats/min: a doubled or a halved one is. What such a second counts. */
const FAR = 5;
const FAR_SECOND = 1;
/** Of an error in a synthetic pulse. */
const SYNTHETIC = 3;
/** Of the quadratic penalty: the weights' variance that is expected. */
const VARIANCE = 100;
/** Weights are whole parts of this. */
const UNIT = 100;
/** What one of the overlapping windows of a recording counts, and one of a synthetic pulse. */
const SECOND = 1 / 10;
const SYNTHETIC_SECOND = 1 / 20;

type Source = Pick<PulseRecording, "name" | "rate" | "light">;
interface Recorded {
  readonly recording: PulseRecording;
  readonly reference: PulseReference;
}

const numbersOf = (hundredths: Record<keyof PulseNumbers, number>): PulseNumbers =>
  Object.fromEntries(KEYS.map((key) => [key, hundredths[key] / 100])) as unknown as PulseNumbers;

function beatsOf({ rate, light }: Source, numbers: PulseNumbers): number[] {
  const times: number[] = [];
  const detector = createPulseDetector(rate, (index) => times.push(index / rate), numbers);
  detector.push(light, light.length);
  return times;
}

function scoreOf(source: Source, reference: PulseReference, numbers: PulseNumbers): Score {
  const times = beatsOf(source, numbers);
  return scorePulse(times, reference, pulseDelay(times, reference));
}

/** Seconds of a recording whose rate by all beats is far off. */
function farSeconds({ recording, reference }: Recorded, numbers: PulseNumbers): number {
  const { beats, seconds } = observePulse(recording, (rate, onBeat) => createPulseDetector(rate, onBeat, numbers));
  const compared = comparePulse(beats, seconds, reference, null, GOOD_PULSE);
  return compared.filter(({ all, reference: truth }) => all !== null && Math.abs(all - truth) > FAR).length;
}

function errorsOf(recorded: readonly Recorded[], lessons: readonly PulseLesson[], numbers: PulseNumbers): number {
  let errors = 0;
  for (const one of recorded) {
    const { fn, fp } = scoreOf(one.recording, one.reference, numbers);
    errors += fn + fp + FAR_SECOND * farSeconds(one, numbers);
  }
  for (const { recording, reference } of lessons) {
    const { fn, fp } = scoreOf(recording, reference, numbers);
    errors += SYNTHETIC * (fn + fp);
  }
  return errors;
}

function tuneNumbers(recorded: readonly Recorded[], lessons: readonly PulseLesson[]): PulseNumbers {
  const chosen = {} as Record<keyof PulseNumbers, number>;
  for (const key of KEYS) chosen[key] = GRID[key][GRID[key].length >> 1]!;
  let fewest = errorsOf(recorded, lessons, numbersOf(chosen));
  for (let round = 0, changed = true; changed && round < ROUNDS; round++) {
    changed = false;
    for (const key of KEYS)
      for (const value of GRID[key]) {
        if (value === chosen[key]) continue;
        const errors = errorsOf(recorded, lessons, numbersOf({ ...chosen, [key]: value }));
        if (errors >= fewest) continue;
        fewest = errors;
        chosen[key] = value;
        changed = true;
      }
  }
  return numbersOf(chosen);
}

/** Features of every second that has a reference, and whether a beat of the 10 s before is wrong. */
function rowsOf(source: Source, reference: PulseReference, numbers: PulseNumbers, weight: number): Rows {
  const seen: number[][] = [];
  const log = observePulse(
    source,
    (rate, onBeat) => createPulseDetector(rate, onBeat, numbers),
    (features) => seen.push(Array.from(features)) * 0,
  );
  // a window of which a feature was heard is known by its place: quality is 0 without one
  const heard = log.seconds.filter(({ quality }) => quality === 50);
  const times = log.beats.map(({ time }) => time);
  const delay = pulseDelay(times, reference);
  const features: number[] = [];
  const outcomes: number[] = [];
  for (const [k, second] of heard.entries()) {
    const [window] = pulseWindows(times, delay, [second], reference, 1);
    if (window === undefined) continue;
    features.push(...seen[k]!);
    outcomes.push(window.score.fn + window.score.fp > 0 ? 1 : 0);
  }
  return { features: Float64Array.from(features), outcomes: Uint8Array.from(outcomes), weight };
}

function tuneWeights(recorded: readonly Recorded[], lessons: readonly PulseLesson[], numbers: PulseNumbers): number[] {
  const rows = recorded.map(({ recording, reference }) => rowsOf(recording, reference, numbers, SECOND));
  for (const { recording, reference, irregular } of lessons)
    if (irregular) rows.push(rowsOf(recording, reference, numbers, SYNTHETIC_SECOND));
  return Array.from(regress(rows, FEATURES, VARIANCE, null), (weight) => Math.round(weight * UNIT) / UNIT);
}

/** Scores, compared seconds and windows of recordings with numbers and weights. */
class Tally {
  readonly scores: Score[] = [];
  readonly compared: ComparedSecond[] = [];
  readonly windows: QualityWindow[] = [];

  add({ recording, reference }: Recorded, numbers: PulseNumbers, weights: readonly number[]): Score {
    const log = observePulse(
      recording,
      (rate, onBeat) => createPulseDetector(rate, onBeat, numbers),
      (features) => weights.reduce((sum, weight, i) => sum + weight * features[i]!, 0),
    );
    const times = log.beats.map(({ time }) => time);
    const delay = pulseDelay(times, reference);
    const score = scorePulse(times, reference, delay);
    this.scores.push(score);
    this.compared.push(...comparePulse(log.beats, log.seconds, reference, null, GOOD_PULSE));
    this.windows.push(...pulseWindows(times, delay, log.seconds, reference, 10));
    return score;
  }

  figures() {
    const { se, ppv, f1, fn, fp } = pulseScore(this.scores);
    const gated = pulseRateFigures(this.compared, "gated");
    const ungated = pulseRateFigures(this.compared, "all");
    const { auc, good, derWhereGood } = qualityFigures(this.windows);
    return { se, ppv, f1, fn, fp, ...gated, ungated, quality: { auc, good, derWhereGood } };
  }
}

/** Everything, and what tools/tuned-pulse.json is to hold. */
export async function tunePulse(data: string, say: (line: string) => void) {
  const recorded: Recorded[] = [];
  for (const found of recordingsOf(data)) {
    const recording = readPulseRecording(data, found);
    recorded.push({ recording, reference: await referenceOf(recording, [createQrsDetector, createHamiltonDetector]) });
  }
  const lessons = pulseLessons();
  const [held, tuned] = [new Tally(), new Tally()];
  const folds: (Pick<PulseScore, "se" | "ppv" | "f1"> & { records: string[] })[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const unseen = recorded.filter((_, k) => k % FOLDS === fold);
    const others = recorded.filter((_, k) => k % FOLDS !== fold);
    const numbers = tuneNumbers(others, lessons);
    const weights = tuneWeights(others, lessons, numbers);
    const { se, ppv, f1 } = pulseScore(unseen.map((one) => held.add(one, numbers, weights)));
    const records = unseen.map(({ recording }) => recording.name);
    folds.push({ records, se, ppv, f1 });
    say(`held out ${records.join(" ")}: F1 ${f1}; ${JSON.stringify(numbers)} ${JSON.stringify(weights)}`);
  }
  const numbers = tuneNumbers(recorded, lessons);
  const weights = tuneWeights(recorded, lessons, numbers);
  for (const one of recorded) {
    const { fn, fp } = tuned.add(one, numbers, weights);
    if (fn + fp > 15) say(`${one.recording.name}: ${fn} missed, ${fp} false`);
  }
  for (const { recording, reference } of lessons) {
    const { fn, fp } = scoreOf(recording, reference, numbers);
    if (fn + fp > 0) say(`${recording.name}: ${fn} missed, ${fp} false`);
  }
  const program = "node --import tsx tools/tune-pulse.ts";
  return { program, gate: GOOD_PULSE, folds, heldOut: held.figures(), tuned: tuned.figures(), numbers, weights };
}

async function main(): Promise<number> {
  const at = process.argv.indexOf("--data");
  const data =
    (at > 0 ? process.argv[at + 1] : undefined) ??
    join(process.env.VITALWIRE_DATA ?? join(projectRoot, "../shared/data"), "bidmc");
  const found = await tunePulse(data, (line) => console.error(line));
  const text = `${JSON.stringify(found, null, 2).replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`)}\n`;
  console.error(text);
  let differing = 0;
  if (process.argv.includes("--write")) writeFileSync(join(projectRoot, TUNED), text);
  else if (readFileSync(join(projectRoot, TUNED), "utf8") !== text) {
    console.error(`tune-pulse: ${TUNED} is not what was found; run it with --write`);
    differing = 1;
  }
  const shipped = JSON.stringify([PULSE_NUMBERS, PULSE_QUALITY_WEIGHTS]);
  if (shipped === JSON.stringify([found.numbers, found.weights])) return differing;
  console.error(`tune-pulse: numbers and weights that ship are ${shipped}, not those found`);
  return 1;
}

runMain(import.meta.url, main);
