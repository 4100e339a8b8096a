/** A person's electrocardiogram as counts, R where it is said to be, sampled at points so that its place is exact. */
import { beatTimes, drawEcg, gaussianBeat } from "../../../simulator/evaluate/synthetic-ecg.ts";

export interface EcgOptions {
  /** Samples a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Times of the R peaks, s; they may lie between samples. */
  readonly beats: readonly number[];
  /** Of one beat at a time, mV; 1 where absent. */
  readonly amplitude?: (time: number) => number;
  /** Height of T, part of R; 0.25 where absent. */
  readonly tWave?: number;
  readonly microvoltsPerCount: number;
}

/** Beats a fixed interval apart, from 0.3 s on. */
export function every(interval: number, seconds: number): number[] {
  return beatTimes(seconds, 60 / interval);
}

export function ecg({ amplitude = () => 1, tWave = 0.25, ...options }: EcgOptions): Int32Array {
  return drawEcg({
    ...options,
    sampling: "point",
    waves: (time, before, after) => gaussianBeat(amplitude(time), tWave, before, after),
  });
}
