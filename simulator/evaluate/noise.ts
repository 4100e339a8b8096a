/**
 * `evaluate noise`: QRS detectors on clean recordings with recorded noise added (noise-mix.ts).
 *
 * Se and +P are taken from 5:00 to the end, over noisy and clean stretches alike, as EC57 would score such a recording
 * and as published figures are given. Over the noisy stretches alone they are told apart.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readRecordSync, type WfdbRecord } from "../../formats/index.ts";
import {
  breath,
  type Counts,
  countsOf,
  type DetectorFactory,
  detect,
  detectorRateFor,
  RESAMPLER,
} from "./detections.ts";
import { mix, noiseAmplitude, noiseGain, noisyStretches, qrsAmplitude } from "./noise-mix.ts";
import type { Peer } from "./qrs.ts";
import { findReference, readReference } from "./reference.ts";
import { resampleLinear } from "./resample.ts";
import { gross, LEARNING_TIME, type Score, type Statistics, scoreBeats } from "./score.ts";

/** Clean recordings and kinds of noise that are looked for, and the ratios, dB. */
export const CLEAN = ["118", "119"];
export const NOISES = ["bw", "ma", "em"];
export const RATIOS = [24, 18, 12, 6, 0];

const NORMAL = new Set("NLRBAaJSejn/f");

export interface NoiseOptions {
  /** Folder with the recordings and the noise, or with folders `mitdb` and `nstdb` that hold them. */
  readonly dataFolder: string;
  /** Folder with NAME.atr; where the recordings are where absent. */
  readonly referenceFolder?: string | undefined;
  readonly lead?: number | undefined;
  /** At which the detector runs, hz; `detectorRateFor` the recording where absent. */
  readonly rate?: number | undefined;
  readonly detectorFactory: DetectorFactory;
  readonly peers?: readonly Peer[] | undefined;
  /** Called after every mixture, for a progress bar. What it throws ends the evaluation. */
  readonly onPart?: ((done: number, total: number) => void) | undefined;
}

export interface NoiseFigures {
  /** From 5:00 on, percent. */
  readonly se: number | null;
  readonly ppv: number | null;
  /** Over the noisy stretches alone. */
  readonly noisy: { readonly se: number | null; readonly ppv: number | null };
}

export interface NoiseRow extends NoiseFigures {
  readonly record: string;
  readonly noise: string;
  /** dB */
  readonly snr: number;
  /** What the noise was multiplied with. */
  readonly gain: number;
}

/** Gross over the recordings. */
export interface NoiseGross extends NoiseFigures {
  readonly noise: string;
  readonly snr: number;
}

export interface NoiseDocument {
  readonly rows: readonly NoiseRow[];
  readonly gross: readonly NoiseGross[];
  /** Over which time Se and +P are taken. */
  readonly scored: string;
  readonly resampler: string;
  /** What was looked for and is not there. */
  readonly missing: readonly string[];
  /** Where there are any: the others' gross figures over the same samples. */
  readonly peers?: readonly { readonly name: string; readonly source: string; readonly gross: readonly NoiseGross[] }[];
}

export const SCORED =
  "from 5:00 to the end, noisy and clean stretches of 2 min in turn; noisy: the noisy stretches alone";

/** The folder that holds a record: `folder` itself, or one of these in it; null where none does. */
function holderOf(folder: string, name: string): string | null {
  const has = (path: string) => existsSync(join(path, `${name}.hea`)) && existsSync(join(path, `${name}.dat`));
  return [folder, join(folder, "mitdb"), join(folder, "nstdb")].find(has) ?? null;
}

/** A noise signal at a recording's rate. */
function noiseFor(clean: Counts, record: WfdbRecord, lead: number): ArrayLike<number> {
  const signal = record.signals[lead % record.signals.length];
  if (signal === undefined) throw new Error(`${record.name}: it has no signal`);
  const rate = record.rate * signal.samplesPerFrame;
  return rate === clean.rate ? signal.samples : resampleLinear(signal.samples, rate, clean.rate);
}

const figures = (all: readonly Score[], noisy: readonly Score[]): NoiseFigures => {
  const pick = ({ se, ppv }: Statistics) => ({ se, ppv });
  return { ...pick(gross(all)), noisy: pick(gross(noisy)) };
};

/** Scores of one detector over all mixtures, in their order. */
interface Mixture {
  readonly record: string;
  readonly noise: string;
  readonly snr: number;
  readonly gain: number;
  readonly all: Score;
  readonly noisy: Score;
}

const grossOf = (mixtures: readonly Mixture[], noises: readonly string[]): NoiseGross[] =>
  noises.flatMap((noise) =>
    RATIOS.map((snr) => {
      const these = mixtures.filter((one) => one.noise === noise && one.snr === snr);
      return {
        noise,
        snr,
        ...figures(
          these.map(({ all }) => all),
          these.map((one) => one.noisy),
        ),
      };
    }),
  );

/**
 * Evaluates detectors on every mixture of the clean recordings and kinds of noise that are there.
 * Throws Error (folder, what is missing) where there is no clean recording or no noise.
 */
export async function evaluateNoise(options: NoiseOptions): Promise<NoiseDocument> {
  const { dataFolder, lead = 0, detectorFactory, peers = [] } = options;
  const here = (names: readonly string[]) =>
    names.flatMap((name) => {
      const folder = holderOf(dataFolder, name);
      return folder === null ? [] : [{ name, folder }];
    });
  const clean = here(CLEAN);
  const noises = here(NOISES);
  for (const [found, names] of [
    [clean, CLEAN],
    [noises, NOISES],
  ] as const) {
    if (found.length === 0)
      throw new Error(
        `${dataFolder}: none of the records ${names.join(", ")} in it, nor in its folders mitdb and nstdb`,
      );
  }
  const factories = [detectorFactory, ...peers.map(({ factory }) => factory)];
  const results = factories.map((): Mixture[] => []);
  const total = clean.length * noises.length * RATIOS.length;
  let done = 0;
  for (const { name, folder } of clean) {
    const record = readRecordSync(join(folder, name));
    const signal = record.signals[lead];
    if (signal === undefined) throw new Error(`${name}: no signal ${lead}: it has ${record.signals.length}`);
    const path = findReference(folder, name, options.referenceFolder);
    if (path === null) throw new Error(`${folder}: no reference beats (${name}.atr)`);
    const ecg = countsOf(record, signal);
    const seconds = ecg.samples.length / ecg.rate;
    const reference = readReference(path, folder, record);
    const normal = reference.annotations.filter(({ symbol }) => NORMAL.has(symbol)).map(({ time }) => time);
    const qrs = qrsAmplitude(ecg, normal);
    const noisy = noisyStretches(seconds);
    const quiet = noisy.map(([, end], k): [number, number] => [end, noisy[k + 1]?.[0] ?? Number.POSITIVE_INFINITY]);
    const limits = { from: LEARNING_TIME, until: Math.min(seconds, reference.until) };
    for (const noise of noises) {
      const samples = noiseFor(ecg, readRecordSync(join(noise.folder, noise.name)), lead);
      const rms = noiseAmplitude(samples, ecg.rate);
      for (const snr of RATIOS) {
        const gain = noiseGain(qrs, rms, snr);
        const mixed = { ...ecg, samples: mix(ecg, samples, gain) };
        for (const [which, factory] of factories.entries()) {
          const { times } = await detect(mixed, options.rate ?? detectorRateFor(ecg.rate), factory);
          const score = (excluded: readonly (readonly [number, number])[]) =>
            scoreBeats(reference.beats, times, { ...limits, excluded: [...reference.excluded, ...excluded] });
          results[which]!.push({ record: name, noise: noise.name, snr, gain, all: score([]), noisy: score(quiet) });
        }
        options.onPart?.(++done, total);
        await breath();
      }
    }
  }
  const kinds = noises.map(({ name }) => name);
  const there = new Set([...clean, ...noises].map(({ name }) => name));
  return {
    rows: results[0]!.map(({ record, noise, snr, gain, all, noisy }) => ({
      record,
      noise,
      snr,
      ...figures([all], [noisy]),
      gain: Number(gain.toPrecision(5)),
    })),
    gross: grossOf(results[0]!, kinds),
    scored: SCORED,
    resampler: RESAMPLER,
    missing: [...CLEAN, ...NOISES].filter((name) => !there.has(name)),
    ...(peers.length === 0
      ? {}
      : { peers: peers.map(({ name, source }, k) => ({ name, source, gross: grossOf(results[k + 1]!, kinds) })) }),
  };
}
