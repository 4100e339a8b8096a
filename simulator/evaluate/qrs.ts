/**
 * `evaluate qrs`: a QRS detector over recorded ECGs, held against reference beats (ANSI/AAMI EC57).
 *
 * The detector sees what a board would see: integer counts in blocks of one second, in order, nothing after the end. A
 * beat counts once it was emitted before the end of the recording; nothing is flushed. Reported are also how long after
 * the R peak beats came, with those that came late (found by looking back) counted apart.
 */
import { join } from "node:path";
import {
  INVALID_SAMPLE,
  microvoltsPerUnit,
  readRecordSync,
  type WfdbRecord,
  type WfdbSignal,
} from "../../formats/index.ts";
import { findReference, readReference, recordsOf } from "./reference.ts";
import { createLinearResampler } from "./resample.ts";
import { average, gross, LEARNING_TIME, type Score, type Statistics, scoreBeats } from "./score.ts";

/** A streaming detector, as firmware/dsp makes it. */
export interface Detector {
  /** The next `count` samples, in counts. */
  push(samples: Int32Array, count: number): void;
}

/**
 * Makes a detector for `rate` (125, 128, 250 or 256 hz) and a step of `microvoltsPerCount`. It calls `onBeat` for every
 * beat: `index`, fractional, of the R peak; `emittedAt`, index of the sample at which it was sure; both since the start.
 */
export type DetectorFactory = (
  rate: number,
  microvoltsPerCount: number,
  onBeat: (index: number, emittedAt: number) => void,
) => Detector;

export interface QrsOptions {
  /** Folder of WFDB records. */
  readonly dataFolder: string;
  /** Folder with NAME.atr, or a record's path without extension; `dataFolder` where absent. */
  readonly referenceFolder?: string | undefined;
  /** Which signal, from 0. */
  readonly lead?: number | undefined;
  readonly detectorFactory: DetectorFactory;
  /** Called after every record, for a progress bar. */
  readonly onRecord?: ((done: number, total: number) => void) | undefined;
}

export interface QrsRow extends Score {
  readonly record: string;
  /** Number of the signal, from 0, and its description. */
  readonly lead: number;
  readonly leadName: string;
  /** Of the recording, hz, and of what the detector saw. */
  readonly rate: number;
  readonly detectorRate: number;
  readonly fromFiveMinutes: Score;
}

/** From the R peak to the emission, ms, over beats emitted within 1 s; null where there are none. `late`: beats after that. */
export interface Latency {
  readonly mean: number | null;
  readonly p99: number | null;
  readonly late: number;
}

export interface QrsStatistics {
  readonly whole: Statistics;
  readonly fromFiveMinutes: Statistics;
}

export interface QrsDocument {
  readonly records: readonly QrsRow[];
  readonly gross: QrsStatistics;
  readonly average: QrsStatistics;
  readonly latency: Latency;
  readonly resampler: string;
  /** Records of the folder that were left out, and why. */
  readonly skipped: readonly { readonly record: string; readonly reason: string }[];
}

export const RESAMPLER =
  "125, 128, 250, 256 Hz as they are; multiples of 250 Hz to 250, all others to 256, by linear interpolation";

const SECOND = 1000; // ms; a beat emitted later than this was looked back for

/** Rate at which the detector runs for a recording of `rate` hz: see RESAMPLER. */
export function detectorRateFor(rate: number): number {
  if (rate === 125 || rate === 128 || rate === 250 || rate === 256) return rate;
  return rate % 250 === 0 ? 250 : 256;
}

interface Detections {
  /** Of the R peaks, s. */
  readonly times: number[];
  /** From R peak to emission, ms. */
  readonly delays: number[];
}

/**
 * Runs a detector over one signal. Counts are the record's own, less its baseline, so that 0 is 0 V; resampled ones are
 * rounded half away from zero; an invalid sample repeats the last valid one.
 * Throws Error where the signal is no voltage, or the detector emits a beat that it cannot have seen.
 */
async function detect(record: WfdbRecord, signal: WfdbSignal, factory: DetectorFactory): Promise<Detections> {
  const rate = record.rate * signal.samplesPerFrame;
  const detectorRate = detectorRateFor(rate);
  const scale = microvoltsPerUnit(signal.units);
  if (scale === null) throw new Error(`${record.name}: ${signal.description} is in ${signal.units}, not a voltage`);
  const microvolts = scale / (signal.gain === 0 ? 200 : signal.gain);
  const found: Detections = { times: [], delays: [] };
  let pushed = 0;
  const detector = factory(detectorRate, microvolts, (index, emittedAt) => {
    if (!(index <= emittedAt && emittedAt <= pushed)) {
      throw new Error(
        `${record.name}: a beat at sample ${index}, emitted at ${emittedAt}, but only ${pushed} were there`,
      );
    }
    found.times.push(index / detectorRate);
    found.delays.push(((emittedAt - index) / detectorRate) * 1000);
  });
  const resampler = rate === detectorRate ? null : createLinearResampler(rate, detectorRate);
  const block = Math.max(1, Math.round(rate)); // one second
  const input = new Float64Array(block);
  const output = resampler === null ? input : new Float64Array(Math.ceil((block * detectorRate) / rate) + 1);
  const counts = new Int32Array(output.length);
  const invalid = INVALID_SAMPLE[signal.format];
  let valid = 0;
  for (let start = 0; start < signal.samples.length; start += block) {
    const count = Math.min(block, signal.samples.length - start);
    for (let i = 0; i < count; i++) {
      const sample = signal.samples[start + i]!;
      if (sample !== invalid) valid = sample - signal.baseline;
      input[i] = valid;
    }
    const ready = resampler === null ? count : resampler.push(input, count, output);
    for (let i = 0; i < ready; i++) counts[i] = Math.sign(output[i]!) * Math.round(Math.abs(output[i]!));
    pushed += ready;
    detector.push(counts, ready);
    if ((start / block) % 600 === 599) await breath();
  }
  return found;
}

/** Lets an interrupt or a progress bar through. */
const breath = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Evaluates a detector over every record of a folder that has the lead and a reference. Reference beats after the end of
 * a recording do not count, nor do detections after the end of the reference.
 * Throws Error (path, value, what to do) for a damaged record, a circular reference, and where no record is left.
 */
export async function evaluateQrs(options: QrsOptions): Promise<QrsDocument> {
  const { dataFolder, referenceFolder, lead = 0, detectorFactory } = options;
  if (!Number.isInteger(lead) || lead < 0) throw new Error(`lead ${lead} is not a signal number from 0`);
  const names = recordsOf(dataFolder);
  const rows: QrsRow[] = [];
  const skipped: { record: string; reason: string }[] = [];
  const delays: number[] = [];
  for (const [at, name] of names.entries()) {
    const record = readRecordSync(join(dataFolder, name));
    const signal = record.signals[lead];
    const path = findReference(dataFolder, name, referenceFolder);
    if (signal === undefined)
      skipped.push({ record: name, reason: `no signal ${lead}: it has ${record.signals.length}` });
    else if (microvoltsPerUnit(signal.units) === null) {
      skipped.push({ record: name, reason: `signal ${lead} is in ${signal.units}, not a voltage` });
    } else if (path === null) skipped.push({ record: name, reason: `no reference beats (${name}.atr)` });
    else {
      const reference = readReference(path, dataFolder, record);
      const found = await detect(record, signal, detectorFactory);
      const rate = record.rate * signal.samplesPerFrame;
      const until = Math.min(signal.samples.length / rate, reference.until);
      const score = (from?: number) =>
        scoreBeats(reference.beats, found.times, {
          until,
          excluded: reference.excluded,
          ...(from === undefined ? {} : { from }),
        });
      const detectorRate = detectorRateFor(rate);
      const fromFiveMinutes = score(LEARNING_TIME);
      rows.push({ record: name, lead, leadName: signal.description, rate, detectorRate, ...score(), fromFiveMinutes });
      for (const delay of found.delays) delays.push(delay);
    }
    options.onRecord?.(at + 1, names.length);
    await breath();
  }
  if (rows.length === 0) {
    const why = skipped.slice(0, 3).map(({ record, reason }) => `${record}: ${reason}`);
    throw new Error(
      `${dataFolder}: no record to evaluate${why.length === 0 ? " (no NAME.hea with NAME.dat)" : `; ${why.join("; ")}`}`,
    );
  }
  const later = rows.map((row) => row.fromFiveMinutes);
  return {
    records: rows,
    gross: { whole: gross(rows), fromFiveMinutes: gross(later) },
    average: { whole: average(rows), fromFiveMinutes: average(later) },
    latency: latencyOf(delays),
    resampler: RESAMPLER,
    skipped,
  };
}

function latencyOf(delays: readonly number[]): Latency {
  const prompt = Float64Array.from(delays.filter((delay) => delay <= SECOND)).sort();
  const late = delays.length - prompt.length;
  if (prompt.length === 0) return { mean: null, p99: null, late };
  const tenth = (value: number) => Math.round(value * 10) / 10;
  const mean = prompt.reduce((sum, delay) => sum + delay, 0) / prompt.length;
  return { mean: tenth(mean), p99: tenth(prompt[Math.ceil(0.99 * prompt.length) - 1]!), late };
}
