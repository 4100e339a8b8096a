/**
 * Synthetic ECG as a front end would give it: waves of any shape at any times, mains, drift, noise, pacing pulses, sampled
 * after a converter's own low-pass, in counts. For tests, tables and whoever wants a signal whose truth is known; a patient
 * with a rhythm of his own is ../ecgsyn.ts.
 */
import { exp, gaussian, sine } from "../arithmetic.ts";
import type { Random } from "../random.ts";

/** One wave of a beat. Times in s from the R peak of its beat, heights in mV. */
export interface Wave {
  readonly from: number;
  readonly to: number;
  at(offset: number): number;
}

/** A rectangular pulse of a pacemaker, and the tail it may leave. */
export interface Pulse {
  /** Its begin, s. */
  readonly at: number;
  /** mV, either sign; what exceeds `range` never reaches the converter. */
  readonly height: number;
  /** s. */
  readonly width: number;
  /** mV directly after the pulse, mostly against it; none where absent. */
  readonly overshoot?: number;
  /** Time constant of the overshoot's decay, s. */
  readonly decay?: number;
}

export interface SyntheticEcg {
  /** Samples a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly microvoltsPerCount: number;
  /** Times of the R peaks, s, in order; they may lie between samples. */
  readonly beats: readonly number[];
  /** The waves of the beat at a time, `before` and `after` s away from its neighbours (1 at the ends). */
  readonly waves: (time: number, before: number, after: number) => readonly Wave[];
  /** What lies under the beats at a time, mV: mains, drift, fibrillation. */
  readonly background?: (time: number) => number;
  readonly pulses?: readonly Pulse[];
  /** White noise of the samples, mV RMS. */
  readonly noise?: { readonly rms: number; readonly random: Random };
  /** Largest voltage that the converter takes, mV, either sign; without end where absent. */
  readonly range?: number;
  /**
   * How the samples are taken. "point": the voltage at that instant. "sinc3", where absent: a delta-sigma converter's
   * third-order sinc decimator (three running means of one sampling interval: -3 dB at 0.262 of the rate, the filter of an
   * ADS1292R), its delay taken out.
   */
  readonly sampling?: "point" | "sinc3";
}

/** Steps a sample in which the voltage is drawn before the decimator. */
const OVERSAMPLING = 4;
const TAIL = 6; // time constants of an overshoot until it is dropped: e^-6 of 2 mV is 5 uV

/** Times from `from` (0.3 s) on, at beats/min that may change with time. */
export function beatTimes(seconds: number, rate: number | ((time: number) => number), from = 0.3): number[] {
  const times: number[] = [];
  if (typeof rate === "number") {
    const interval = 60 / rate;
    for (let k = 0; from + k * interval < seconds; k++) times.push(from + k * interval);
    return times;
  }
  for (let at = from; at < seconds; at += 60 / rate(at)) times.push(at);
  return times;
}

/** A Gaussian: its centre, standard deviation, height. */
export function gaussianWave(centre: number, width: number, height: number): Wave {
  return {
    from: centre - 6 * width,
    to: centre + 6 * width,
    at: (offset) => height * gaussian((offset - centre) / width),
  };
}

/**
 * The QRS of heart rate meter tests (ANSI/AAMI EC13, IEC 60601-2-27 figure 201.101): straight lines up to 7/8 of the height
 * (peak to peak, mV) in 7/16 of the duration (s), down to -1/8 in 1/2, back in 1/16. R, its peak, is at 0.
 */
export function triangularQrs(height: number, duration: number): Wave {
  const up = duration * 0.4375;
  const down = duration * 0.5;
  const back = duration * 0.0625;
  return {
    from: -up,
    to: down + back,
    at: (offset) => {
      if (offset < 0) return height * 0.875 * (1 + offset / up);
      if (offset < down) return height * (0.875 - offset / down);
      return -height * 0.125 * (1 - (offset - down) / back);
    },
  };
}

/** Half a sine from `from` on, for `duration` s: the T wave of the same tests. */
export function halfSine(from: number, duration: number, height: number): Wave {
  return { from, to: from + duration, at: (offset) => height * sine((offset - from) / (2 * duration)) };
}

/** The whole beat of the tall-T test: QRS as above and a T of 180 ms that ends 350 ms (QT) after the QRS began. */
export function standardBeat(height: number, duration: number, tHeight = 0, qt = 0.35, tDuration = 0.18): Wave[] {
  const qrs = triangularQrs(height, duration);
  return tHeight === 0 ? [qrs] : [qrs, halfSine(qrs.from + qt - tDuration, tDuration, tHeight)];
}

/** A beat like a person's: five Gaussians, T of `t` of R. P and T come and go with the intervals, so that they fit at any rate. */
export function gaussianBeat(height: number, t: number, before: number, after: number): Wave[] {
  const near = Math.min(1, before);
  const far = Math.sqrt(Math.min(1, after));
  return [
    gaussianWave(-0.16 * near, 0.02 * near, 0.1 * height),
    gaussianWave(-0.022, 0.007, -0.1 * height),
    gaussianWave(0, 0.01, height),
    gaussianWave(0.022, 0.007, -0.15 * height),
    gaussianWave(0.3 * far, 0.04 * far, t * height),
  ];
}

/** Counts, rate x seconds of them. Throws RangeError for a rate, time or step that is not above 0. */
export function drawEcg(options: SyntheticEcg): Int32Array {
  const { rate, seconds, microvoltsPerCount, range = Number.POSITIVE_INFINITY, noise } = options;
  for (const [name, value] of Object.entries({ rate, seconds, microvoltsPerCount })) {
    if (!(value > 0 && value < 1e9)) throw new RangeError(`synthetic ECG: ${name} ${value} is not above 0`);
  }
  const point = options.sampling === "point";
  const factor = point ? 1 : OVERSAMPLING;
  // for the decimator steps lie half a step beside the samples (an even number of them makes one), and begin 2 samples before
  const lead = point ? 0 : 2 * factor;
  const shift = point ? 0 : 0.5;
  const count = Math.round(rate * seconds);
  const fine = new Float64Array(count * factor + 2 * lead);
  const canvas: Canvas = { fine, first: (shift - lead) / (rate * factor), steps: rate * factor };
  drawBeats(canvas, options);
  if (options.background !== undefined) {
    for (let i = 0; i < fine.length; i++) fine[i]! += options.background(canvas.first + i / canvas.steps);
  }
  for (const pulse of options.pulses ?? []) drawPulse(canvas, pulse, range);
  const counts = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    let millivolts = point ? fine[k]! : decimated(fine, k * factor + lead);
    if (noise !== undefined) millivolts += noise.rms * noise.random.normal();
    counts[k] = Math.round((Math.max(-range, Math.min(range, millivolts)) * 1000) / microvoltsPerCount);
  }
  return counts;
}

interface Canvas {
  readonly fine: Float64Array;
  /** Time of the first step, s. */
  readonly first: number;
  /** Steps a second. */
  readonly steps: number;
}

function drawBeats({ fine, first, steps }: Canvas, { beats, waves }: SyntheticEcg): void {
  beats.forEach((time, k) => {
    const before = time - (beats[k - 1] ?? time - 1);
    const after = (beats[k + 1] ?? time + 1) - time;
    for (const wave of waves(time, before, after)) {
      const from = Math.max(0, Math.ceil((time + wave.from - first) * steps));
      const to = Math.min(fine.length - 1, (time + wave.to - first) * steps);
      for (let i = from; i <= to; i++) fine[i]! += wave.at(first + i / steps - time);
    }
  });
}

/** By areas: a pulse much shorter than a step leaves what the decimator would see of it. */
function drawPulse({ fine, first, steps }: Canvas, pulse: Pulse, range: number): void {
  const height = Math.max(-range, Math.min(range, pulse.height));
  const begin = (pulse.at - first) * steps + 0.5;
  const end = begin + pulse.width * steps;
  for (let i = Math.max(0, Math.floor(begin)); i < Math.min(fine.length, end); i++) {
    fine[i]! += height * (Math.min(end, i + 1) - Math.max(begin, i));
  }
  const { overshoot = 0, decay = 0 } = pulse;
  if (overshoot === 0) return;
  const last = Math.min(fine.length - 1, end + TAIL * decay * steps);
  for (let i = Math.max(0, Math.ceil(end)); i <= last; i++) fine[i]! += overshoot * exp(-(i - end) / (decay * steps));
}

/** Three running means of `OVERSAMPLING` steps, one after the other, as one kernel. */
const kernel = (() => {
  let taps = [1];
  for (let stage = 0; stage < 3; stage++) {
    const next = new Array<number>(taps.length + OVERSAMPLING - 1).fill(0);
    taps.forEach((tap, i) => {
      for (let j = 0; j < OVERSAMPLING; j++) next[i + j]! += tap / OVERSAMPLING;
    });
    taps = next;
  }
  return Float64Array.from(taps);
})();

/** The sample between the steps `after` - 1 and `after`. */
function decimated(fine: Float64Array, after: number): number {
  const start = after - kernel.length / 2;
  let sum = 0;
  for (let i = 0; i < kernel.length; i++) sum += kernel[i]! * fine[start + i]!;
  return sum;
}
