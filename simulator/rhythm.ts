/**
 * When the heart beats, and how the chest moves: what ECG and PPG of one person have in common.
 *
 * RR intervals as in McSharry, Clifford, Tarassenko, Smith, "A dynamical model for generating synthetic
 * electrocardiogram signals", IEEE Trans. Biomed. Eng. 50(3):289-294, 2003, section III: a bimodal spectrum, Mayer waves
 * about 0.1 Hz and breathing about 0.25 Hz, each a Gaussian. The paper shapes a long FFT; here the same spectrum is a sum of
 * sinusoids of random frequency and phase, a pure function of time: no length to fix, and every reader may walk the beats
 * at a pace of its own.
 */
import { sine } from "./arithmetic.ts";
import type { Random } from "./random.ts";

export interface RhythmOptions {
  /** Mean, beats/min, 20..250. */
  readonly heartRate: number;
  /** Standard deviation of the heart rate, beats/min, 0..heartRate / 8; 1 where absent (the paper's figure 3). */
  readonly sdRate?: number;
  /** Breaths/min, 4..60; 15 where absent (0.25 Hz). */
  readonly respirationRate?: number;
  /** Power of the 0.1 Hz band over that of the breathing band, above 0; 0.5 where absent. */
  readonly lowToHigh?: number;
  readonly random: Random;
}

export interface Rhythm {
  /** Mean, beats/min. */
  readonly heartRate: number;
  /** Breaths/min. */
  readonly respirationRate: number;
  /** The breath at a time, s: -1..1. */
  respiration(time: number): number;
  /** A walk along the beats, independent of all other walks: each call is the next R time, s. The first lie before 0. */
  walk(): () => number;
  /** R times in from <= t < to, s. Walks from the start: for tests and truth, not for a loop. */
  between(from: number, to: number): number[];
}

/** How far before time 0 every walk begins, s: whoever needs the past of time 0 finds it. */
const LEAD = 4;
const LOOK_BACK = 3;
const LOOK_AHEAD = 86_400;

/** Throws RangeError that names the option outside its range. */
export function createRhythm(options: RhythmOptions): Rhythm {
  const { heartRate, sdRate = 1, respirationRate = 15, lowToHigh = 0.5, random } = options;
  within("heartRate", heartRate, 20, 250, "beats/min");
  within("sdRate", sdRate, 0, heartRate / 8, "beats/min (at most an eighth of heartRate)");
  within("respirationRate", respirationRate, 4, 60, "breaths/min");
  within("lowToHigh", lowToHigh, 0.01, 100, "");

  const meanInterval = 60 / heartRate;
  const sdInterval = (meanInterval * sdRate) / heartRate;
  const highPower = 1 / (1 + lowToHigh);
  // the paper's f1 = 0.1 Hz, f2 = breathing, c1 = c2 = 0.01 Hz
  const low = createWander({
    frequency: 0.1,
    spread: 0.01,
    sd: sdInterval * Math.sqrt(1 - highPower),
    random: random.fork("low frequency"),
  });
  const high = createWander({
    frequency: respirationRate / 60,
    spread: 0.01,
    sd: sdInterval * Math.sqrt(highPower),
    random: random.fork("high frequency"),
  });
  const breath = random.fork("breath").uniform();
  const start = -LEAD - meanInterval * random.fork("first beat").uniform();

  const walk = () => {
    let beat = start;
    return () => {
      const now = beat;
      const interval = meanInterval + low(now) + high(now);
      // eight standard deviations at the largest sdRate could reach 0; real sinus rhythm keeps well inside
      beat = now + Math.min(Math.max(interval, meanInterval / 2), meanInterval * 2);
      return now;
    };
  };

  return {
    heartRate,
    respirationRate,
    respiration: (time) => sine(breath + (time * respirationRate) / 60),
    walk,
    between(from, to) {
      const beats: number[] = [];
      const next = walk();
      for (let beat = next(); beat < to; beat = next()) if (beat >= from) beats.push(beat);
      return beats;
    },
  };
}

/**
 * Band-limited noise as a pure function of time, s: `count` (12) sinusoids of random phase, their frequencies drawn from a
 * Gaussian of `spread` Hz about `frequency` Hz. Its standard deviation over long times is `sd`, in the unit of `sd`.
 */
export function createWander(options: {
  frequency: number;
  spread: number;
  sd: number;
  random: Random;
  count?: number;
}): (time: number) => number {
  const { frequency, spread, sd, random, count = 12 } = options;
  const frequencies = Float64Array.from({ length: count }, () => Math.abs(frequency + spread * random.normal()));
  const phases = Float64Array.from({ length: count }, () => random.uniform());
  const amplitude = sd * Math.sqrt(2 / count);
  if (amplitude === 0) return () => 0;
  return (time) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += sine(phases[i]! + time * frequencies[i]!);
    return amplitude * sum;
  };
}

/**
 * The latest time asked of a signal, s, given the next one asked. Throws RangeError for a time before 0, more than 3 s before
 * the latest (it is no longer known) or more than a day after it (a clock that does not count from the start).
 */
export function inOrder(name: string, time: number, latest: number): number {
  if (time >= 0 && time >= latest - LOOK_BACK && time <= latest + LOOK_AHEAD) return Math.max(time, latest);
  throw new RangeError(
    `${name} asked for ${time} s after ${latest} s: it begins at 0 s, goes back ${LOOK_BACK} s and ahead ${LOOK_AHEAD} s at most; ` +
      "ask in order of time, or make another one from the same seed",
  );
}

/** Throws RangeError unless minimum <= value <= maximum. */
export function within(name: string, value: number, minimum: number, maximum: number, unit: string): void {
  if (!(value >= minimum && value <= maximum)) {
    throw new RangeError(`${name} ${value} is outside ${minimum}..${maximum} ${unit}`.trimEnd());
  }
}
