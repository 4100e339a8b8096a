/** Synthetic electrocardiogram for these tests: five Gaussians a beat, R where it is said to be. */

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
  const times: number[] = [];
  for (let k = 0; 0.3 + k * interval < seconds; k++) times.push(0.3 + k * interval);
  return times;
}

/** Counts. P and T come and go with the interval before and after, so that they fit at any rate. */
export function ecg(options: EcgOptions): Int32Array {
  const { rate, seconds, beats, amplitude = () => 1, tWave = 0.25, microvoltsPerCount } = options;
  const millivolts = new Float64Array(Math.round(rate * seconds));
  const add = (centre: number, width: number, height: number) => {
    const from = Math.max(0, Math.ceil((centre - 6 * width) * rate));
    const to = Math.min(millivolts.length - 1, (centre + 6 * width) * rate);
    for (let i = from; i <= to; i++) {
      const z = (i / rate - centre) / width;
      millivolts[i]! += height * Math.exp(-0.5 * z * z);
    }
  };
  beats.forEach((at, k) => {
    const height = amplitude(at);
    const before = Math.min(1, at - (beats[k - 1] ?? at - 1));
    const after = Math.min(1, (beats[k + 1] ?? at + 1) - at);
    add(at - 0.16 * before, 0.02 * before, 0.1 * height);
    add(at - 0.022, 0.007, -0.1 * height);
    add(at, 0.01, height);
    add(at + 0.022, 0.007, -0.15 * height);
    add(at + 0.3 * Math.sqrt(after), 0.04 * Math.sqrt(after), tWave * height);
  });
  return Int32Array.from(millivolts, (value) => Math.round((value * 1000) / microvoltsPerCount));
}
