/** Synthetic light of a finger for these tests: three Gaussians a beat, with what went in known exactly. */

export interface FingerOptions {
  /** Samples a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Beats a minute, or beats a minute over time, s. */
  readonly pulseRate: number | ((time: number) => number);
  readonly ratio: number;
  /** Percent, peak to peak of the infrared pulse over its DC. */
  readonly perfusionIndex: number;
  /** Counts without a pulse; 100000 and 120000 where absent. */
  readonly red?: number;
  readonly infrared?: number;
  /** Width of the dicrotic wave, s at an interval of 1 s; 0.13 where absent. Narrow ones stand out. */
  readonly dicrotic?: number;
  /** Standard deviation of the converter's noise, counts; 0 where absent. */
  readonly noise?: number;
  /** Baseline, part of DC, over time in s. */
  readonly baseline?: (time: number) => number;
  /** Whether there is a finger at a time, s. */
  readonly finger?: (time: number) => boolean;
}

export interface Light {
  readonly red: Int32Array;
  readonly infrared: Int32Array;
}

/** Numbers of mean 0 and variance 1, the same ones at every run. */
export function gaussianNoise(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Centres and widths go with the square root of the interval, as in the body. */
function shape(time: number, interval: number, dicrotic: number): number {
  const stretch = Math.sqrt(interval);
  const wave = (centre: number, width: number, height: number) => {
    const z = (time / stretch - centre) / width;
    return height * Math.exp(-0.5 * z * z);
  };
  return wave(0.17, 0.06, 1) + wave(0.27, 0.075, 0.4) + wave(0.49, dicrotic, 0.42);
}

/** One light after the other. */
export function join(...lights: readonly Light[]): Light {
  const one = (channel: keyof Light) => Int32Array.from(lights.flatMap((light) => Array.from(light[channel])));
  return { red: one("red"), infrared: one("infrared") };
}

export function finger(options: FingerOptions): Light {
  const { rate, seconds, pulseRate, ratio, perfusionIndex, noise = 0, dicrotic = 0.13 } = options;
  const { red = 100_000, infrared = 120_000, baseline = () => 0, finger: there = () => true } = options;
  const rateAt = typeof pulseRate === "number" ? () => pulseRate : pulseRate;
  const onsets: { at: number; interval: number }[] = [];
  for (let at = -2; at < seconds + 1; ) {
    const interval = 60 / rateAt(at);
    onsets.push({ at, interval });
    at += interval;
  }
  const count = Math.round(seconds * rate);
  const wave = new Float64Array(count);
  for (const { at, interval } of onsets) {
    const from = Math.max(0, Math.floor((at - 0.3) * rate));
    for (let i = from; i < Math.min(count, (at + 1.3) * rate); i++)
      wave[i]! += shape(i / rate - at, interval, dicrotic);
  }
  // the swing of one beat in the middle of the record makes the perfusion index
  const middle = onsets.findLast(({ at }) => at <= seconds / 2)!;
  const beat = wave.subarray(Math.round(middle.at * rate), Math.round((middle.at + middle.interval) * rate));
  const swing = Math.max(...beat) - Math.min(...beat);
  const mean = beat.reduce((sum, value) => sum + value, 0) / beat.length;
  const random = gaussianNoise(1);
  const light: Light = { red: new Int32Array(count), infrared: new Int32Array(count) };
  for (let i = 0; i < count; i++) {
    const time = i / rate;
    const pulse = ((wave[i]! - mean) / swing) * (perfusionIndex / 100);
    const on = there(time);
    const level = 1 + baseline(time);
    light.infrared[i] = Math.round((on ? infrared * level * (1 - pulse) : 500) + noise * random());
    light.red[i] = Math.round((on ? red * level * (1 - ratio * pulse) : 500) + noise * random());
  }
  return light;
}
