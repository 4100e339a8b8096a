/** A streaming detector over one recorded signal, as a board would run it. */
import { INVALID_SAMPLE, microvoltsPerUnit, type WfdbRecord, type WfdbSignal } from "../../formats/index.ts";
import { createLinearResampler } from "./resample.ts";

/** A streaming detector, as firmware/dsp makes it. */
export interface Detector {
  /** The next `count` samples, in counts. */
  push(samples: Int32Array, count: number): void;
}

/**
 * Makes a detector for `rate` hz and a step of `microvoltsPerCount`. It calls `onBeat` for every beat: `index`,
 * fractional, of the R peak; `emittedAt`, index of the sample at which it was sure; both since the start.
 */
export type DetectorFactory = (
  rate: number,
  microvoltsPerCount: number,
  onBeat: (index: number, emittedAt: number) => void,
) => Detector;

/** A voltage in whole steps. */
export interface Counts {
  /** Of the record, for errors. */
  readonly name: string;
  /** hz */
  readonly rate: number;
  readonly microvoltsPerCount: number;
  /** 0 is 0 V. */
  readonly samples: Int32Array;
}

/** Beats in the order in which they were emitted. */
export interface Detections {
  /** Of the R peaks, s. */
  readonly times: number[];
  /** From R peak to emission, ms. */
  readonly delays: number[];
}

export const RESAMPLER =
  "to the detector's rate by linear interpolation, no filter before it; unless asked otherwise 125, 128, 250, 256, 500 and " +
  "512 Hz as they are, multiples of 500 Hz to 500, other multiples of 250 Hz to 250, all others to 256";

/** A beat emitted later than this after its R peak was looked back for, ms. */
export const PROMPT = 1000;

/** Rates at which chips with a driver give an ECG, hz. */
const BOARD_RATES = [125, 128, 250, 256, 500, 512];

/** Rate at which a board would run the detector for a recording of `rate` hz: see RESAMPLER. */
export function detectorRateFor(rate: number): number {
  if (BOARD_RATES.includes(rate)) return rate;
  if (rate % 500 === 0) return 500;
  return rate % 250 === 0 ? 250 : 256;
}

/**
 * A signal's counts less their baseline; an invalid sample repeats the last valid one, 0 at the start.
 * Throws Error where the signal is no voltage.
 */
export function countsOf(record: WfdbRecord, signal: WfdbSignal): Counts {
  const scale = microvoltsPerUnit(signal.units);
  if (scale === null) throw new Error(`${record.name}: ${signal.description} is in ${signal.units}, not a voltage`);
  const invalid = INVALID_SAMPLE[signal.format];
  const samples = new Int32Array(signal.samples.length);
  let valid = 0;
  for (let i = 0; i < samples.length; i++) {
    const sample = signal.samples[i]!;
    if (sample !== invalid) valid = sample - signal.baseline;
    samples[i] = valid;
  }
  const microvoltsPerCount = scale / (signal.gain === 0 ? 200 : signal.gain);
  return { name: record.name, rate: record.rate * signal.samplesPerFrame, microvoltsPerCount, samples };
}

/**
 * Gives a signal at another rate (or its own) as a board would: blocks of about one second, in order. `take` gets the first
 * `count` of `counts`, which is used again. Resampled counts are rounded half away from zero.
 */
export async function streamAt(
  { rate, samples }: Counts,
  to: number,
  take: (counts: Int32Array, count: number) => void,
): Promise<void> {
  const resampler = rate === to ? null : createLinearResampler(rate, to);
  const block = Math.max(1, Math.round(rate));
  const output = new Float64Array(resampler === null ? 0 : Math.ceil((block * to) / rate) + 1);
  const counts = new Int32Array(Math.max(block, output.length));
  for (let start = 0; start < samples.length; start += block) {
    const input = samples.subarray(start, start + block);
    let ready = input.length;
    if (resampler === null) counts.set(input);
    else {
      ready = resampler.push(input, input.length, output);
      for (let i = 0; i < ready; i++) counts[i] = Math.sign(output[i]!) * Math.round(Math.abs(output[i]!));
    }
    take(counts, ready);
    if ((start / block) % 600 === 599) await breath();
  }
}

/**
 * Runs a detector over a signal, nothing after the end: a beat that was not emitted by then is not there.
 * Throws Error where the detector emits a beat that it cannot have seen.
 */
export async function detect(ecg: Counts, detectorRate: number, factory: DetectorFactory): Promise<Detections> {
  const found: Detections = { times: [], delays: [] };
  let pushed = 0;
  const detector = factory(detectorRate, ecg.microvoltsPerCount, (index, emittedAt) => {
    if (!(index <= emittedAt && emittedAt <= pushed)) {
      throw new Error(`${ecg.name}: a beat at sample ${index}, emitted at ${emittedAt}, but only ${pushed} were there`);
    }
    found.times.push(index / detectorRate);
    found.delays.push(((emittedAt - index) / detectorRate) * 1000);
  });
  await streamAt(ecg, detectorRate, (counts, count) => {
    pushed += count;
    detector.push(counts, count);
  });
  return found;
}

/** Lets an interrupt or a progress bar through. */
export const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** From the R peak to the emission, ms, over beats emitted within 1 s; null where there are none. `late`: beats after that. */
export interface Latency {
  readonly mean: number | null;
  readonly p99: number | null;
  readonly late: number;
}

export function latencyOf(delays: readonly number[]): Latency {
  const prompt = Float64Array.from(delays.filter((delay) => delay <= PROMPT)).sort();
  const late = delays.length - prompt.length;
  if (prompt.length === 0) return { mean: null, p99: null, late };
  const tenth = (value: number) => Math.round(value * 10) / 10;
  const mean = prompt.reduce((sum, delay) => sum + delay, 0) / prompt.length;
  return { mean: tenth(mean), p99: tenth(prompt[Math.ceil(0.99 * prompt.length) - 1]!), late };
}
