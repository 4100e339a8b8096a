/** The signals of the synthetic checks that are not plain beats: drift, arrhythmias, pacing. Heights in mV, times in s. */
import { sine } from "../arithmetic.ts";
import { createRandom } from "../random.ts";
import { createWander } from "../rhythm.ts";
import { beatTimes, gaussianWave, type Pulse, type Wave } from "./synthetic-ecg.ts";

/** -1..1 with a period of 1. The sawtooth falls at once. */
export const drifts = {
  sine,
  triangle: (turns: number) => 1 - 4 * Math.abs(turns - Math.floor(turns) - 0.5),
  sawtooth: (turns: number) => 2 * (turns - Math.floor(turns)) - 1,
} as const;

/**
 * Ventricular fibrillation: noise of a narrow band about `frequency` hz (a sum of sinusoids), `rms` mV, without any level
 * that it comes back to.
 */
export function fibrillation(frequency: number, spread: number, rms: number, seed: number): (time: number) => number {
  return createWander({ frequency, spread, sd: rms, random: createRandom(`fibrillation ${seed}`) });
}

/** Ventricular tachycardia, near a sine: peak to peak about `height`, a quarter of the second harmonic leaning it over. */
export function tachycardia(height: number, rate: number): (time: number) => number {
  const turns = rate / 60;
  return (time) => (height / 2.2) * (sine(turns * time) + 0.25 * sine(2 * turns * time + 0.1));
}

/** A beat that did not come down the usual way: wide, its T against it. `height` of either sign. */
export function ectopicBeat(height: number): Wave[] {
  return [
    gaussianWave(-0.03, 0.02, height * 0.25),
    gaussianWave(0, 0.028, height),
    gaussianWave(0.28, 0.06, -0.35 * height),
  ];
}

/** A cycle of beats that repeats: times within it, and the waves of each. */
export interface Cycle {
  readonly name: string;
  /** Its length, s. */
  readonly period: number;
  /** What it makes on average, beats/min. */
  readonly rate: number;
  readonly beats: readonly { readonly at: number; readonly waves: readonly Wave[] }[];
}

const ordinary = (height: number): Wave[] => [
  gaussianWave(-0.15, 0.022, 0.12),
  gaussianWave(0, 0.014, height),
  gaussianWave(0.03, 0.01, -0.3 * height),
  gaussianWave(0.27, 0.05, 0.12),
];

/**
 * The four irregular rhythms of EC13 4.1.2.1 e (IEC 60601-2-27 figures A1 to A4). Order, coupling and sizes of A1 and A2 after
 * the published recordings aami3a and aami3b (PhysioNet aami-ec13), those of A3 and A4 after their names and rates alone.
 */
export const irregularRhythms: readonly Cycle[] = [
  {
    name: "A1 ventricular bigeminy",
    period: 1.495,
    rate: 80,
    beats: [
      { at: 0, waves: [gaussianWave(-0.15, 0.03, 0.13), gaussianWave(0, 0.022, 0.4), gaussianWave(0.27, 0.06, -0.1)] },
      {
        at: 0.55,
        waves: [gaussianWave(-0.032, 0.012, 0.17), gaussianWave(0, 0.014, -0.7), gaussianWave(0.24, 0.06, 0.3)],
      },
    ],
  },
  {
    name: "A2 slow alternating ventricular bigeminy",
    period: 4,
    rate: 60,
    beats: [
      { at: 0, waves: ordinary(0.3) },
      { at: 0.58, waves: ectopicBeat(0.87) },
      { at: 1.99, waves: ordinary(0.3) },
      { at: 2.79, waves: ectopicBeat(-0.6) },
    ],
  },
  {
    name: "A3 rapid alternating ventricular bigeminy",
    period: 2,
    rate: 120,
    beats: [
      { at: 0, waves: ordinary(0.5) },
      { at: 0.38, waves: ectopicBeat(0.9) },
      { at: 1, waves: ordinary(0.5) },
      { at: 1.42, waves: ectopicBeat(-0.7) },
    ],
  },
  {
    name: "A4 bidirectional systoles",
    period: 4 / 3,
    rate: 90,
    beats: [
      { at: 0, waves: ectopicBeat(0.8) },
      { at: 0.62, waves: ectopicBeat(-0.8) },
    ],
  },
];

/** The beats of a cycle over and over, and the waves of the beat at a time. */
export function repeat(cycle: Cycle, seconds: number): { beats: number[]; waves: (time: number) => readonly Wave[] } {
  const beats: number[] = [];
  const shapes = new Map<number, readonly Wave[]>();
  for (let begin = 0.4; begin < seconds; begin += cycle.period) {
    for (const { at, waves } of cycle.beats) {
      beats.push(begin + at);
      shapes.set(begin + at, waves);
    }
  }
  return { beats, waves: (time) => shapes.get(time) ?? [] };
}

/** Atrial fibrillation: intervals that scatter by a quarter (280 ms at least) about a mean rate. */
export function scatteredBeats(seconds: number, rate: number): number[] {
  const random = createRandom(`atrial fibrillation ${rate}`);
  const beats: number[] = [];
  for (let at = 0.5; at < seconds; at += Math.max(0.28, (60 / rate) * (1 + 0.24 * random.normal()))) beats.push(at);
  return beats;
}

/** Atrial flutter: saw teeth, 300 a minute, that rise in a tenth of the time. */
export function flutterWaves(height: number): (time: number) => number {
  return (time) => {
    const phase = time * 5 - Math.floor(time * 5);
    return height * (phase < 0.1 ? phase * 10 : (1 - phase) / 0.9);
  };
}

/** Bundle branch block, or a beat that a pacemaker made: 150 ms wide, T against it. */
export const blockedBeat = (height: number): Wave[] => [
  gaussianWave(-0.02, 0.022, 0.65 * height),
  gaussianWave(0.03, 0.028, 0.8 * height),
  gaussianWave(0.25, 0.05, -0.45 * height),
];

/** Pulses `before` s ahead of times `rate` to the minute: those of beatTimes. */
export function pacing(seconds: number, rate: number, pulse: Omit<Pulse, "at">, before: number): Pulse[] {
  return beatTimes(seconds, rate).map((at) => ({ ...pulse, at: at - before }));
}

/** P waves without a QRS to any of them. */
export const atrialWave = (height: number): Wave => gaussianWave(0, 0.02, height);
