/**
 * Synthetic ECGs that the QRS detector is tuned on beside recordings: what recorded patients hardly ever have and a detector
 * must do all the same. Rates from 15 to 300 a minute, T waves as tall as R, narrow and wide QRS, irregular rhythms, and
 * signals without any beat. Nothing is drawn at random.
 */

import {
  beatTimes,
  drawEcg,
  gaussianBeat,
  gaussianWave,
  standardBeat,
  type Wave,
} from "../simulator/evaluate/synthetic-ecg.ts";
import {
  blockedBeat,
  drifts,
  ectopicBeat,
  irregularRhythms,
  repeat,
  scatteredBeats,
} from "../simulator/evaluate/synthetic-signals.ts";
import { createRandom } from "../simulator/random.ts";

export interface Synthetic {
  readonly name: string;
  /** Counts of `MICROVOLTS` at `rate` hz. */
  readonly samples: Int32Array;
  /** Times of the R peaks, s. */
  readonly beats: readonly number[];
}

export const MICROVOLTS = 1;

interface Plan {
  readonly name: string;
  readonly beats: readonly number[];
  readonly waves?: (time: number, before: number, after: number) => readonly Wave[];
  readonly background?: (time: number) => number;
  /** mV RMS. */
  readonly noise?: number;
}

const RATES = [15, 17, 20, 24, 30, 40, 50, 60, 75, 90, 110, 130, 150, 170, 190, 210, 230, 250, 270, 285, 300];
const SECONDS = 60;
const PHASE = 2 * Math.PI;

/** Regular beats whose interval sways by 3 % with breathing, at all places between two samples. */
const swaying = (rate: number, from = 0.3) =>
  beatTimes(SECONDS, (time) => rate * (1 + 0.03 * Math.sin(PHASE * 0.23 * time)), from);

function* plans(): Generator<Plan> {
  for (const [k, rate] of RATES.entries()) {
    for (const t of [0, 0.25, 0.6, 1, 1.2]) {
      // no heart has such a T so soon before the next R
      if (rate * t > 130) continue;
      const height = [0.3, 1, 3][(k + t * 20) % 3]! * (k % 4 === 3 ? -1 : 1);
      const noise = k % 2 === 0 ? 0.01 : 0;
      const waves: Plan["waves"] = (_, before, after) => gaussianBeat(height, t, before, after);
      yield { name: `${rate}/min, R ${height} mV, T ${t}`, beats: swaying(rate), waves, noise };
    }
  }
  for (const rate of [18, 30, 60, 100, 160, 200, 240, 280]) {
    for (const width of [0.03, 0.04, 0.07, 0.1, 0.12, 0.15]) {
      // a QRS that fills the beat is no QRS
      if (width > 24 / rate) continue;
      const height = [0.2, 0.5, 1, 5][Math.round(rate + width * 100) % 4]!;
      const tall = rate < 110 && width >= 0.07 && width <= 0.1 ? [0, 1.2 * height] : [0];
      for (const t of tall) {
        const waves = () => standardBeat(height, width, t);
        yield { name: `${rate}/min, QRS ${height} mV ${width} s, T ${t}`, beats: swaying(rate, 0.37), waves };
      }
    }
  }
  for (const rate of [25, 33, 40, 50, 65, 80, 100, 120]) {
    for (const t of [-0.55, 0.55]) {
      const waves = () => standardBeat(1, 0.08, t);
      yield { name: `${rate}/min, QRS 1 mV 0.08 s, T ${t} mV`, beats: swaying(rate, 0.33), waves };
    }
  }
  for (const [k, p] of [0.4, 0.6, 0.8].entries()) {
    for (const [j, before] of [0.17, 0.2, 0.23].entries()) {
      const height = (k + j) % 2 === 0 ? -0.6 : 0.5;
      const waves = () => [
        gaussianWave(-before, 0.022, p * Math.abs(height)),
        ...gaussianBeat(height, 0.4, 1, 1).slice(1),
      ];
      yield { name: `P of ${p} of R, ${before} s before it`, beats: swaying(50 + 15 * j), waves, noise: 0.02 };
    }
  }
  for (const cycle of irregularRhythms) yield { name: cycle.name, ...repeat(cycle, SECONDS) };
  for (const rate of [50, 80, 110, 130]) {
    yield { name: `${rate}/min, bundle branch block`, beats: swaying(rate), waves: () => blockedBeat(1.5) };
  }
  for (const rate of [60, 100, 150]) {
    const waves: Plan["waves"] = (_, before, after) => gaussianBeat(1, 0.2, before, after).slice(1);
    yield { name: `atrial fibrillation ${rate}/min`, beats: scatteredBeats(SECONDS, rate), waves, noise: 0.02 };
  }
  for (const every of [2, 3, 5]) {
    const beats = beatTimes(SECONDS, 75).map((time, k) => (k % every === every - 1 ? time - 0.25 : time));
    const early = new Set(beats.filter((_, k) => k % every === every - 1));
    for (const small of [false, true]) {
      const waves: Plan["waves"] = (time, before, after) => {
        if (!early.has(time)) return gaussianBeat(1, 0.2, before, after);
        return small ? gaussianBeat(0.5, 0.1, before, after) : ectopicBeat(1.6);
      };
      yield { name: `every ${every}. beat early${small ? " and small" : ""}`, beats, waves };
    }
  }
  const sway = (hz: number) => (time: number) => 1 + 0.3 * Math.sin(PHASE * 0.29 * time + hz);
  for (const hz of [8, 9, 10, 11, 12, 14]) {
    const height = sway(hz);
    const tremor = (time: number) => height(time) * Math.sin(PHASE * hz * time);
    yield { name: `tremor of ${hz} hz`, beats: [], background: tremor };
    const under = (time: number) => 0.15 * tremor(time);
    const waves: Plan["waves"] = (_, before, after) => gaussianBeat(1, 0.25, before, after);
    yield { name: `beats over tremor of ${hz} hz`, beats: swaying(70), waves, background: under };
  }
  for (const hz of [0.15, 0.3, 0.5]) {
    for (const shape of [drifts.triangle, drifts.sine, drifts.sawtooth]) {
      const background = (time: number) => 2 * shape(time * hz);
      yield { name: `drift of ${hz} hz`, beats: [], background };
      const waves: Plan["waves"] = (_, before, after) => gaussianBeat(0.5, 0.25, before, after);
      yield { name: `beats on a drift of ${hz} hz`, beats: swaying(65), waves, background };
    }
  }
  yield { name: "noise", beats: [], noise: 0.02 };
}

/** All of them at a sampling rate, hz. */
export function syntheticLessons(rate: number): Synthetic[] {
  return [...plans()].map(({ name, noise = 0, ...plan }) => ({
    name,
    beats: plan.beats,
    samples: drawEcg({
      rate,
      seconds: SECONDS,
      microvoltsPerCount: MICROVOLTS,
      waves: () => [],
      ...plan,
      ...(noise === 0 ? {} : { noise: { rms: noise, random: createRandom(`lesson ${name}`) } }),
    }),
  }));
}
