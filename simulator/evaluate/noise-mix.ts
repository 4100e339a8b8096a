/**
 * Recorded noise added to a clean recording, as the MIT-BIH Noise Stress Test Database was made (Moody, Muldrow and Mark,
 * Computers in Cardiology 11:381, 1984; nst(1), WFDB Applications Guide):
 *
 *   mixed = clean + g x noise + b        from 5:00 on, for 2 min; then 2 min clean; and so on to the end
 *   g = A / (sqrt(8) x R) x 10^(-SNR / 20)
 *
 * A: peak-to-peak amplitude of a QRS within 50 ms of its annotation, of the first 300 normal ones; R: RMS about its mean
 * of a second of noise, of the first 300 s. Of both the mean without the largest and the smallest 5 %. A^2 / 8 is the
 * power of a sine of that height. b keeps the level where g changes. Sample i of the noise goes with sample i of the
 * clean recording; where the noise ends it begins again. Signal k of the recording gets signal k of the noise, modulo
 * how many there are.
 *
 * What could be checked: for 118, lead 0, A is 548.6 steps (2.743 mV). That database's g for electrode motion is
 * 2.9603 x 10^(-SNR / 20) there, so by this formula R of its `em` recording is 65.52 steps. `em` was not at hand.
 */
import type { Counts } from "./detections.ts";
import { LEARNING_TIME } from "./score.ts";

const STRETCH = 120; // s
const MEASURED = 300; // beats, or seconds
const TRIMMED = 20; // one of so many at either end
const HALF_QRS = 0.05; // s

/** Mean of the values without the largest and the smallest 5 %. Throws Error for none. */
export function trimmedMean(values: readonly number[]): number {
  if (values.length === 0) throw new Error("no value to take the mean of");
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(sorted.length / TRIMMED);
  const kept = sorted.subarray(cut, sorted.length - cut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/** A: peak-to-peak amplitude of normal QRS complexes, in steps; `beats`: their times, s. */
export function qrsAmplitude({ rate, samples }: Counts, beats: readonly number[]): number {
  const reach = Math.round(HALF_QRS * rate);
  const heights = beats.slice(0, MEASURED).map((time) => {
    const at = Math.round(time * rate);
    const window = samples.subarray(Math.max(0, at - reach), at + reach + 1);
    return window.reduce((a, b) => Math.max(a, b)) - window.reduce((a, b) => Math.min(a, b));
  });
  return trimmedMean(heights);
}

/** R: RMS about the mean of each second, in steps. */
export function noiseAmplitude(samples: ArrayLike<number>, rate: number): number {
  const second = Math.round(rate);
  const levels: number[] = [];
  for (let start = 0; start + second <= samples.length && levels.length < MEASURED; start += second) {
    let sum = 0;
    for (let i = start; i < start + second; i++) sum += samples[i]!;
    let square = 0;
    for (let i = start; i < start + second; i++) square += (samples[i]! - sum / second) ** 2;
    levels.push(Math.sqrt(square / second));
  }
  return trimmedMean(levels);
}

/** g for a ratio in dB, from A and R in the same steps. */
export function noiseGain(qrs: number, noise: number, snr: number): number {
  return (qrs / (Math.sqrt(8) * noise)) * 10 ** (-snr / 20);
}

/** Stretches with noise of a recording of `seconds`: [start, end], s. */
export function noisyStretches(seconds: number): [number, number][] {
  const found: [number, number][] = [];
  for (let start = LEARNING_TIME; start < seconds; start += 2 * STRETCH)
    found.push([start, Math.min(start + STRETCH, seconds)]);
  return found;
}

/** Clean counts with `gain` times the noise added in the noisy stretches, rounded. `noise` has the same rate. */
export function mix(clean: Counts, noise: ArrayLike<number>, gain: number): Int32Array {
  const { rate, samples } = clean;
  const mixed = new Int32Array(samples.length);
  let applied = 0;
  let offset = 0;
  let level = 0;
  for (let i = 0; i < samples.length; i++) {
    const since = i / rate - LEARNING_TIME;
    const wanted = since >= 0 && Math.floor(since / STRETCH) % 2 === 0 ? gain : 0;
    const added = wanted * noise[i % noise.length]!;
    if (wanted !== applied || (i > 0 && i % noise.length === 0)) {
      offset = level - added;
      applied = wanted;
    }
    level = added + offset;
    mixed[i] = samples[i]! + Math.round(level);
  }
  return mixed;
}
