/** How exact intervals from R to R are, where the truth is known: a synthetic ECG whose peaks lie anywhere between samples. */
import { createRandom } from "../random.ts";
import { type DetectorFactory, detect } from "./detections.ts";
import { drawEcg, gaussianBeat } from "./synthetic-ecg.ts";

export interface IntervalErrors {
  /** hz */
  readonly rate: number;
  /** White noise of the samples, mV RMS. */
  readonly noise: number;
  /** Root mean square and largest, ms, 2 decimals; null where no interval was found. */
  readonly rms: number | null;
  readonly worst: number | null;
  readonly intervals: number;
}

/** s: no multiple of any sampling interval, so that R goes through all places between two samples. */
const INTERVAL = 0.7137;
const SECONDS = 240;
const MICROVOLTS = 0.381;

/** Beats of 1 mV, all alike, as an 18-bit front end gives them at `rate` hz, with white noise of `noise` mV RMS. */
export async function intervalErrors(rate: number, noise: number, factory: DetectorFactory): Promise<IntervalErrors> {
  const samples = drawEcg({
    rate,
    seconds: SECONDS,
    microvoltsPerCount: MICROVOLTS,
    beats: Array.from({ length: Math.floor((SECONDS - 1) / INTERVAL) }, (_, k) => 0.5 + k * INTERVAL),
    waves: (_, before, after) => gaussianBeat(1, 0.25, before, after),
    noise: { rms: noise, random: createRandom("intervals") },
  });
  const { times } = await detect({ name: "synthetic", rate, microvoltsPerCount: MICROVOLTS, samples }, rate, factory);
  // a missed beat is none of this
  const errors = times
    .slice(1)
    .map((time, k) => Math.abs(time - times[k]! - INTERVAL) * 1000)
    .filter((error) => error < INTERVAL * 500);
  const rounded = (value: number) => Math.round(value * 100) / 100;
  return {
    rate,
    noise,
    rms:
      errors.length === 0
        ? null
        : rounded(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)),
    worst: errors.length === 0 ? null : rounded(errors.reduce((a, b) => Math.max(a, b))),
    intervals: errors.length,
  };
}
