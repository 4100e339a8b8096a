/** Synthetic pulses in one light, with what went in known exactly: beats where they are put, three Gaussians each. */
import { gaussian } from "../arithmetic.ts";
import type { Random } from "../random.ts";

export interface PulseDrawing {
  /** hz */
  readonly rate: number;
  /** s */
  readonly seconds: number;
  /** Onsets, ascending, s; those before 0 too, whose waves reach into the signal. */
  readonly beats: readonly number[];
  /** Percent, peak to peak over DC, of a beat at its onset. */
  readonly perfusionIndex: (time: number) => number;
  /** Width of the dicrotic wave, s at an interval of 1 s; 0.13 where absent. The narrower the steeper. */
  readonly dicrotic?: number;
  /** Baseline, part of DC, over time in s. */
  readonly baseline?: (time: number) => number;
  /** Standard deviation of the converter's noise, counts; none where absent. */
  readonly noise?: number;
  readonly random: Random;
}

/** Light without a pulse, counts. */
const DC = 120_000;
const SYSTOLE = { centre: 0.17, width: 0.06, height: 1 };
const REFLECTED = { centre: 0.27, width: 0.075, height: 0.4 };
const DICROTIC = { centre: 0.49, height: 0.42 };
/** Peak to peak of their sum, about. */
const SWING = 1.05;
/** A beat reaches from so long before its onset to so long after it, s at an interval of 1 s. */
const LEADS = 0.3;
const LASTS = 1.3;

/** Counts of a light that blood makes less. Centres and widths go with the square root of the interval, as in the body. */
export function drawPulse(drawing: PulseDrawing): Int32Array {
  const { rate, seconds, beats, dicrotic = 0.13, noise = 0, random, baseline = () => 0 } = drawing;
  const pulse = new Float64Array(Math.round(seconds * rate));
  for (const [k, onset] of beats.entries()) {
    const stretch = Math.sqrt((beats[k + 1] ?? 2 * onset - (beats[k - 1] ?? onset - 1)) - onset);
    const height = drawing.perfusionIndex(onset) / 100 / SWING;
    const wave = (since: number, centre: number, width: number) => gaussian((since / stretch - centre) / width);
    const first = Math.max(0, Math.ceil((onset - LEADS * stretch) * rate));
    for (let i = first; i < pulse.length && i < (onset + LASTS * stretch) * rate; i++) {
      const since = i / rate - onset;
      pulse[i]! +=
        height *
        (SYSTOLE.height * wave(since, SYSTOLE.centre, SYSTOLE.width) +
          REFLECTED.height * wave(since, REFLECTED.centre, REFLECTED.width) +
          DICROTIC.height * wave(since, DICROTIC.centre, dicrotic));
    }
  }
  return Int32Array.from(pulse, (value, i) =>
    Math.round(DC * (1 + baseline(i / rate)) * (1 - value) + (noise === 0 ? 0 : noise * random.normal())),
  );
}

/** Onsets from 2 s before 0 to 1 s after `seconds` at a rate of beats a minute over time, s. */
export function pulseTimes(seconds: number, pulseRate: (time: number) => number): number[] {
  const times: number[] = [];
  for (let at = -2; at < seconds + 1; at += 60 / pulseRate(at)) times.push(at);
  return times;
}
