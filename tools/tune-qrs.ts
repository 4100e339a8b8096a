/**
 * Finds the weights by which firmware/dsp/judge.ts tells beats from other humps, and what they are worth on records that
 * they have not seen.
 *
 * The detector that ships runs over the recordings; every hump that it scores is a row: its features, and whether it is the
 * best hump of a reference beat. First a teacher decides (so the detector's own state is what right decisions make of it),
 * then, four times, the weights found so far, whose mistakes so become rows too. After each pass: logistic regression with
 * a quadratic penalty, by Newton's method, over all rows so far. Beside the recordings: synthetic ECGs
 * (synthetic-lessons.ts), and the recordings with muscle noise. Held out: four folds by subject, each scored with weights
 * that were found on the others by the same procedure; its few numbers below (passes, variance, what a row counts, LEAN)
 * and judge.ts's own were chosen with an eye on both figures. Nothing is drawn at random: two runs give the same bytes.
 *
 * `node --import tsx tools/tune-qrs.ts [--data DIR] [--write]` writes firmware/dsp/qrs-weights.ts and
 * tools/tuned-qrs.json; without --write it ends with 1 where they differ. DIR: MIT-BIH records
 * (VITALWIRE_DATA/mitdb), beside it a folder nstdb.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HEIGHT, R } from "../firmware/dsp/humps.ts";
import { FEATURES } from "../firmware/dsp/judge.ts";
import { createQrsDetector } from "../firmware/dsp/qrs.ts";
import { createSpikeFilter } from "../firmware/dsp/spikes.ts";
import { readRecordSync } from "../formats/index.ts";
import { detect, streamAt } from "../simulator/evaluate/detections.ts";
import { noiseAmplitude, noiseGain, qrsAmplitude } from "../simulator/evaluate/noise-mix.ts";
import { type Recording, visitRecordings } from "../simulator/evaluate/recordings.ts";
import { gross, MATCH_WINDOW, type Score, scoreBeats } from "../simulator/evaluate/score.ts";
import { projectRoot, runMain } from "./files.ts";
import { type Rows, regress } from "./regression.ts";
import { MICROVOLTS, type Synthetic, syntheticLessons } from "./synthetic-lessons.ts";

const WEIGHTS = "firmware/dsp/qrs-weights.ts";
const TUNED = "tools/tuned-qrs.json";
/** Weights are whole parts of this. */
const UNIT = 1024;
/** Columns of what is written. */
const WIDTH = 120;
/** Rates at which every record is gone through, hz: the detector adds up two samples at the second. */
const RATES = [128, 256];
const PASSES = 4;
/** Of the quadratic penalty: the weights' variance that is expected. */
const VARIANCE = 4;
/** What a row of a synthetic ECG counts. */
const SYNTHETIC = 4 / 5;
/** What a row of a recording with noise counts. */
const NOISY = 1 / 50;
/** A missed beat is worse than a false one: log-odds. */
const LEAN = 1 / 4;
/** Score that leaves no doubt. */
const CERTAIN = 100;
/** By subject: 201 and 202 are one, of which only 201 is here. */
const FOLDS = [
  ["101", "108", "116", "124", "207", "220"],
  ["102", "109", "118", "201", "208", "223"],
  ["104", "112", "119", "203", "209", "230"],
  ["106", "114", "115", "122", "205", "215"],
];

/** What is learnt from: a record, or a synthetic ECG. */
type Source = Pick<Recording, "name" | "ecg" | "reference">;

/** One at one rate, and where its beats' humps are. */
interface Lesson {
  readonly source: Source;
  readonly rate: number;
  readonly weight: number;
  /** R of the best hump of each reference beat, input samples. */
  readonly beats: ReadonlySet<number>;
}

type Scorer = (features: Float64Array, hump: Float64Array) => number;

/** R of a hump, s: the detector counts samples behind its filter. */
const delays = new Map(RATES.map((rate) => [rate, createSpikeFilter(rate, 1).delay]));
const timeOf = (r: number, rate: number): number => (r - delays.get(rate)!) / rate;

async function run({ ecg }: Source, rate: number, score: Scorer): Promise<void> {
  const detector = createQrsDetector(rate, ecg.microvoltsPerCount, () => {}, score);
  await streamAt(ecg, rate, (counts, count) => detector.push(counts, count));
}

/** The nearest hump of every beat, a higher one before a nearer one. */
async function prepare(source: Source, rate: number, weight: number): Promise<Lesson> {
  const humps: { r: number; height: number }[] = [];
  await run(source, rate, (_, hump) => {
    humps.push({ r: hump[R]!, height: hump[HEIGHT]! });
    return -CERTAIN;
  });
  humps.sort((a, b) => a.r - b.r);
  const beats = new Set<number>();
  const away = (beat: number, r: number) => Math.abs(timeOf(r, rate) - beat);
  let from = 0;
  for (const beat of source.reference.beats) {
    while (from < humps.length && timeOf(humps[from]!.r, rate) < beat - MATCH_WINDOW) from++;
    let best: number | null = null;
    let most = 0;
    for (let i = from; i < humps.length && away(beat, humps[i]!.r) <= MATCH_WINDOW; i++) {
      const { r, height } = humps[i]!;
      const merit = height * (1 - away(beat, r) / 0.2);
      if (merit <= most) continue;
      most = merit;
      best = r;
    }
    if (best !== null) beats.add(best);
  }
  return { source, rate, weight, beats };
}

const weigh = (weights: Float64Array, features: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < FEATURES; i++) sum += weights[i]! * features[i]!;
  return sum;
};

/** Rows of one pass, decided by `weights`, or by the teacher where there are none. Flutter is nobody's beat. */
async function gather({ source, rate, weight, beats }: Lesson, weights: Float64Array | null): Promise<Rows> {
  const features: number[] = [];
  const outcomes: number[] = [];
  const { excluded } = source.reference;
  await run(source, rate, (values, hump) => {
    const r = hump[R]!;
    const time = timeOf(r, rate);
    if (!excluded.some(([start, end]) => time >= start - 0.2 && time <= end + 0.2)) {
      for (const value of values) features.push(value);
      outcomes.push(beats.has(r) ? 1 : 0);
    }
    if (weights !== null) return weigh(weights, values);
    return beats.has(r) ? CERTAIN : -CERTAIN;
  });
  return { features: Float64Array.from(features), outcomes: Uint8Array.from(outcomes), weight };
}

const whole = (weights: Float64Array) => weights.map((value) => Math.round(value * UNIT) / UNIT);

async function tune(lessons: readonly Lesson[]): Promise<Float64Array> {
  const rows: Rows[] = [];
  let weights: Float64Array | null = null;
  for (let pass = 0; pass <= PASSES; pass++) {
    for (const lesson of lessons) rows.push(await gather(lesson, weights));
    weights = regress(rows, FEATURES, VARIANCE, weights);
    // feature 0 is the constant
    weights[0]! += LEAN;
    weights = whole(weights);
  }
  return weights!;
}

async function score(recordings: readonly Recording[], rate: number, weights: Float64Array): Promise<Score[]> {
  const scores: Score[] = [];
  for (const { ecg, reference, until } of recordings) {
    const found = await detect(ecg, rate, (hz, microvolts, onBeat) =>
      createQrsDetector(hz, microvolts, onBeat, (features) => weigh(weights, features)),
    );
    scores.push(scoreBeats(reference.beats, found.times, { until, excluded: reference.excluded }));
  }
  return scores;
}

const sourceOf = ({ name, samples, beats }: Synthetic, rate: number): Source => ({
  name,
  ecg: { name, rate, microvoltsPerCount: MICROVOLTS, samples },
  reference: { path: "", annotations: [], beats, excluded: [], until: Number.POSITIVE_INFINITY },
});

/**
 * Recordings with muscle noise all over, 12 and 6 dB in turn. 118 and 119 stay without: `evaluate noise` scores on these,
 * with the first signal of the noise; here it is the second.
 */
function noisy(recordings: readonly Recording[], noise: string): Source[] {
  const muscle = readRecordSync(noise).signals[1]!.samples;
  const level = noiseAmplitude(muscle, 360);
  const taken = recordings.filter(({ name }) => name !== "118" && name !== "119");
  return taken.map(({ name, ecg, reference }, k) => {
    const normal = reference.annotations.filter(({ symbol }) => symbol === "N").map(({ time }) => time);
    const height = qrsAmplitude(ecg, normal.length > 0 ? normal : reference.beats);
    const gain = noiseGain(height, level, k % 2 === 0 ? 12 : 6);
    const samples = ecg.samples.map((value, i) => value + Math.round(gain * muscle[i % muscle.length]!));
    return { name, ecg: { ...ecg, samples }, reference };
  });
}

/** The two files' texts. */
async function tuneAll(
  data: string,
  noise: string,
  say: (line: string) => void,
): Promise<{ weights: string; tuned: string }> {
  const recordings: Recording[] = [];
  await visitRecordings({ dataFolder: data, only: FOLDS.flat().sort() }, async (one) => void recordings.push(one));
  const lessons: Lesson[] = [];
  for (const rate of RATES) {
    for (const recording of recordings) lessons.push(await prepare(recording, rate, 1));
    for (const one of syntheticLessons(rate)) lessons.push(await prepare(sourceOf(one, rate), rate, SYNTHETIC));
  }
  for (const [k, one] of noisy(recordings, noise).entries()) lessons.push(await prepare(one, RATES[k % 2]!, NOISY));
  const rate = RATES[1]!;
  const held: Score[] = [];
  const folds = [];
  for (const records of FOLDS) {
    const chosen = await tune(lessons.filter(({ source }) => !records.includes(source.name)));
    const unseen = recordings.filter(({ name }) => records.includes(name));
    const scores = await score(unseen, rate, chosen);
    held.push(...scores);
    folds.push({ records, ...gross(scores) });
    say(`held out ${records.join(" ")}: ${JSON.stringify(gross(scores))} ${errors(unseen, scores)}`);
  }
  const chosen = await tune(lessons);
  for (const lesson of lessons.filter(({ weight, rate }) => weight === SYNTHETIC && rate === RATES[0])) {
    const [one] = await score([{ ...lesson.source, leadName: "", until: 60 }], lesson.rate, chosen);
    if (one!.fn + one!.fp > 1) say(`${lesson.source.name}: ${one!.fn} missed, ${one!.fp} false of ${one!.beats}`);
  }
  const scores = await score(recordings, rate, chosen);
  const tuned = gross(scores);
  const heldOut = gross(held);
  say(`held out: ${JSON.stringify(heldOut)}`);
  say(`tuned: ${JSON.stringify(tuned)} ${errors(recordings, scores)}`);
  const program = "node --import tsx tools/tune-qrs.ts";
  const numbers: string[] = [];
  let line = " ";
  for (const value of chosen) {
    const next = ` ${Math.round(value * UNIT)},`;
    if (line.length + next.length > WIDTH) {
      numbers.push(line);
      line = " ";
    }
    line += next;
  }
  numbers.push(line);
  const json = JSON.stringify({ program, rate, folds, heldOut, tuned }, null, 2);
  return {
    weights: [
      `/** Weights of the beat judge's features (judge.ts), in 1/${UNIT}: written by tools/tune-qrs.ts, run it with --write. */`,
      "export const WEIGHTS: readonly number[] = [",
      ...numbers,
      "];",
      "",
    ].join("\n"),
    tuned: `${json.replace(/\[\s+("[^\]]*?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`)}\n`,
  };
}

const errors = (recordings: readonly Recording[], scores: readonly Score[]) =>
  scores
    .map(({ fn, fp }, i) => (fn + fp > 5 ? `${recordings[i]!.name}: ${fn}/${fp}` : ""))
    .filter(Boolean)
    .join(", ");

async function main(): Promise<number> {
  const at = process.argv.indexOf("--data");
  const data =
    (at > 0 ? process.argv[at + 1] : undefined) ??
    join(process.env.VITALWIRE_DATA ?? join(projectRoot, "../shared/data"), "mitdb");
  const texts = await tuneAll(data, join(data, "../nstdb/ma"), (line) => console.error(line));
  let differing = 0;
  for (const [path, text] of [
    [WEIGHTS, texts.weights],
    [TUNED, texts.tuned],
  ] as const) {
    if (process.argv.includes("--write")) writeFileSync(join(projectRoot, path), text);
    else if (readFileSync(join(projectRoot, path), "utf8") !== text) {
      console.error(`tune-qrs: ${path} is not what was found; run it with --write`);
      differing++;
    }
  }
  return differing > 0 ? 1 : 0;
}

runMain(import.meta.url, main);
