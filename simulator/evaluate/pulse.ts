/**
 * `evaluate pulse`: beats and rate of the pulse from recorded photoplethysmograms, held against the ECG recorded beside them.
 *
 * - Reference beats: pulse-reference.ts. Matched within 150 ms of R plus the one delay of the recording; own beats count where
 *   they were emitted before its end; nothing is flushed; the first seconds count. F1 = 2 tp / (2 tp + fn + fp).
 * - Pulse rate: pulse-rates.ts. Errors and coverage of the whole are over all seconds of all recordings together.
 * A detector sees what a board would see: counts in blocks of one second, in order.
 */
import { createHeartRateMeter, type Rate } from "../../firmware/dsp/heart-rate.ts";
import { createPulseDetector } from "../../firmware/dsp/pulse.ts";
import { createPulseQualityMeter, GOOD_PULSE } from "../../firmware/dsp/pulse-quality.ts";
import { type PulseRecording, readPulseRecording, recordingsOf } from "./bidmc.ts";
import { breath, type Detector, type DetectorFactory, detect, detectorRateFor } from "./detections.ts";
import { oximeterSeconds } from "./pulse-oximeter.ts";
import {
  type ComparedSecond,
  comparePulse,
  PULSE_WINDOW,
  type PulseBeat,
  type PulseRateFigures,
  type PulseSecond,
  pulseRateFigures,
} from "./pulse-rates.ts";
import { agreedBeats, type PulseReference, pulseDelay, scorePulse } from "./pulse-reference.ts";
import { pulseWindows } from "./pulse-windows.ts";
import { type QualityFigures, type QualityWindow, qualityFigures } from "./quality.ts";
import { type Score, statistics } from "./score.ts";

/**
 * Makes a detector of pulses for a light of `rate` hz that blood makes less. It calls `onBeat` for every beat: `index`,
 * fractional, and `emittedAt`, the sample at which it was sure; both since the start.
 */
export type PulseFactory = (
  rate: number,
  onBeat: (index: number, emittedAt: number, height: number) => void,
) => Detector;

/** A detector to be compared with. */
export interface PulsePeer {
  readonly name: string;
  /** The publication or the program whose rules it follows. */
  readonly source: string;
  readonly factory: PulseFactory;
}

export interface PulseOptions {
  /** Folder of BIDMC recordings (bidmc.ts). */
  readonly dataFolder: string;
  /** Two QRS detectors that have nothing in common, for the reference. The times of R are the first one's. */
  readonly references: readonly [DetectorFactory, DetectorFactory];
  /** Run over the same samples. */
  readonly peers?: readonly PulsePeer[] | undefined;
  /** Names of the recordings to take; all of the folder where absent. */
  readonly only?: readonly string[] | undefined;
  /** Called after every recording, for a progress bar. What it throws ends the evaluation. */
  readonly onPart?: ((done: number, total: number) => void) | undefined;
}

/** Beats: counts, and percent with 3 decimals; null where nothing could be counted. */
export interface PulseScore extends Score {
  readonly se: number | null;
  readonly ppv: number | null;
  readonly f1: number | null;
}

/** One recording. mae and coverage: the gated rate. */
export interface PulseRow extends PulseScore, PulseRateFigures {
  readonly record: string;
  /** hz */
  readonly rate: number;
  /** s */
  readonly duration: number;
  /** Without a reference, s. */
  readonly excluded: number;
  /** From R to own beat, ms. */
  readonly delay: number;
  /** Seconds whose rate is compared. */
  readonly seconds: number;
}

/** What one detector reached over all recordings. */
export interface PulseResult {
  readonly beats: PulseScore;
  /** From a beat to its emission, ms, mean. */
  readonly latency: number | null;
  /** By its beats, without a gate. */
  readonly ungated: PulseRateFigures;
  /** What a vital sign shows from its beats. */
  readonly vitals: PulseRateFigures;
}

/** mae and coverage: the gated rate over all recordings. */
export interface PulseDocument extends PulseResult, PulseRateFigures {
  readonly records: readonly PulseRow[];
  /** From which quality on a rate passes the gate. */
  readonly gate: number;
  /** Of each whole 10 s, whether none of its beats is missed or false: see QualityFigures. */
  readonly quality: QualityFigures;
  /** What the oximeter that ships shows of the light. */
  readonly oximeter: PulseRateFigures;
  /** What the bedside monitor showed in the same seconds; null: nothing is known of it. */
  readonly monitor: PulseRateFigures | null;
  /** Seconds whose rate is compared, of all recordings, and time without a reference, s. */
  readonly seconds: number;
  readonly excluded: number;
  readonly peers?: readonly (PulseResult & { readonly name: string; readonly source: string })[];
}

/** What a detector told of one recording. */
export interface PulseLog {
  /** In the order in which they were told. */
  readonly beats: readonly PulseBeat[];
  readonly seconds: readonly PulseSecond[];
}

/**
 * Runs a detector over a light. The quality meter hears each beat; `vitals` is a heart rate meter's. `odds`: see
 * createPulseQualityMeter.
 * Throws Error where the detector emits a beat that it cannot have seen.
 */
export function observePulse(
  { name, rate, light }: Pick<PulseRecording, "name" | "rate" | "light">,
  factory: PulseFactory,
  odds?: (features: Float64Array) => number,
): PulseLog {
  const beats: PulseBeat[] = [];
  const seconds: PulseSecond[] = [];
  const meter = createHeartRateMeter(rate);
  const quality = createPulseQualityMeter(rate, odds);
  quality.begin(0);
  const shown: Rate = { value: null, flags: 0 };
  let pushed = 0;
  const detector = factory(rate, (index, emittedAt, height) => {
    if (!(index <= emittedAt && emittedAt <= pushed))
      throw new Error(`${name}: a pulse at sample ${index}, emitted at ${emittedAt}, but only ${pushed} were there`);
    beats.push({ time: index / rate, emitted: emittedAt / rate });
    meter.beat(index);
    quality.beat(index, height);
  });
  for (let time = 1; pushed < light.length; time++) {
    const block = light.subarray(pushed, Math.min(light.length, Math.round(time * rate)));
    pushed += block.length;
    detector.push(block, block.length);
    if (pushed < Math.round(time * rate)) break;
    meter.read(pushed, shown);
    seconds.push({ time, vitals: shown.value, quality: quality.read(pushed) });
  }
  return { beats, seconds };
}

/** Beats of lead II on which both detectors agree. */
export async function referenceOf(
  { ecg, light, rate }: PulseRecording,
  [one, other]: PulseOptions["references"],
): Promise<PulseReference> {
  const detectorRate = detectorRateFor(ecg.rate);
  const [first, second] = [await detect(ecg, detectorRate, one), await detect(ecg, detectorRate, other)];
  return agreedBeats(first.times, second.times, light.length / rate);
}

const thousandth = (value: number) => Math.round(value * 1000) / 1000;

/** Sums of scores, and what follows from them. */
export function pulseScore(scores: readonly Score[]): PulseScore {
  const sum: Score = { beats: 0, tp: 0, fn: 0, fp: 0 };
  for (const score of scores) for (const part of ["beats", "tp", "fn", "fp"] as const) sum[part] += score[part];
  const { se, ppv } = statistics(sum);
  const all = 2 * sum.tp + sum.fn + sum.fp;
  return { ...sum, se, ppv, f1: all === 0 ? null : thousandth((200 * sum.tp) / all) };
}

/** One detector's, recording by recording. */
interface Tally {
  readonly scores: Score[];
  readonly compared: ComparedSecond[];
  delay: number;
}

function resultOf({ scores, compared, delay }: Tally, beats: number): PulseResult {
  return {
    beats: pulseScore(scores),
    latency: beats === 0 ? null : Math.round((10_000 * delay) / beats) / 10,
    ungated: pulseRateFigures(compared, "all"),
    vitals: pulseRateFigures(compared, "vitals"),
  };
}

/**
 * Evaluates the detector that ships, and peers, over every recording of a folder.
 * Throws Error: see recordingsOf, readPulseRecording; and for a recording of `only` that is not there.
 */
export async function evaluatePulse(options: PulseOptions): Promise<PulseDocument> {
  const { dataFolder, only, peers = [] } = options;
  const there = recordingsOf(dataFolder);
  const missing = only?.filter((name) => !there.some((one) => one.name === name)) ?? [];
  if (missing.length > 0) throw new Error(`${dataFolder}: no recording ${missing.join(", ")}`);
  const taken = there.filter(({ name }) => only?.includes(name) ?? true);
  const factories: PulseFactory[] = [createPulseDetector, ...peers.map(({ factory }) => factory)];
  const tallies = factories.map((): Tally => ({ scores: [], compared: [], delay: 0 }));
  const told = factories.map(() => 0);
  const rows: PulseRow[] = [];
  const windows: QualityWindow[] = [];
  let watched = false;
  for (const [at, found] of taken.entries()) {
    const recording = readPulseRecording(dataFolder, found);
    const reference = await referenceOf(recording, options.references);
    watched ||= recording.monitor !== null;
    for (const [which, factory] of factories.entries()) {
      const { beats, seconds } = observePulse(recording, factory);
      const times = beats.map(({ time }) => time);
      const delay = pulseDelay(times, reference);
      const score = scorePulse(times, reference, delay);
      const compared = comparePulse(
        beats.toSorted((a, b) => a.time - b.time),
        seconds,
        reference,
        recording.monitor,
        GOOD_PULSE,
        which === 0 ? oximeterSeconds(recording) : null,
      );
      const tally = tallies[which]!;
      tally.scores.push(score);
      tally.compared.push(...compared);
      told[which]! += beats.length;
      for (const beat of beats) tally.delay += beat.emitted - beat.time;
      if (which > 0) continue;
      windows.push(...pulseWindows(times, delay, seconds, reference, PULSE_WINDOW));
      rows.push({
        record: recording.name,
        rate: recording.rate,
        duration: thousandth(reference.until),
        excluded: thousandth(reference.excludedTime),
        delay: Math.round(delay * 1000),
        ...pulseScore([score]),
        ...pulseRateFigures(compared, "gated"),
        seconds: compared.length,
      });
    }
    options.onPart?.(at + 1, taken.length);
    await breath();
  }
  const { compared } = tallies[0]!;
  return {
    records: rows,
    ...pulseRateFigures(compared, "gated"),
    ...resultOf(tallies[0]!, told[0]!),
    gate: GOOD_PULSE,
    quality: qualityFigures(windows),
    oximeter: pulseRateFigures(compared, "oximeter"),
    monitor: watched ? pulseRateFigures(compared, "monitor") : null,
    seconds: compared.length,
    excluded: thousandth(rows.reduce((sum, { excluded }) => sum + excluded, 0)),
    ...(peers.length === 0
      ? {}
      : {
          peers: peers.map(({ name, source }, k) => ({
            name,
            source,
            ...resultOf(tallies[k + 1]!, told[k + 1]!),
          })),
        }),
  };
}
