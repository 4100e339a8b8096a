/**
 * Synthetic pulses that the pulse detector is tuned on beside recordings: what recorded patients hardly ever have and a detector
 * must do all the same. 20 to 240 beats a minute, steps of the rate, dicrotic waves that stand out, little perfusion in noise,
 * breathing and drift, pulses that become ten times weaker, and irregular rhythms. Everything comes from fixed seeds.
 */
import type { PulseRecording } from "../simulator/evaluate/bidmc.ts";
import type { PulseReference } from "../simulator/evaluate/pulse-reference.ts";
import { drawPulse, type PulseDrawing, pulseTimes } from "../simulator/evaluate/synthetic-pulse.ts";
import { createRandom } from "../simulator/random.ts";

export interface PulseLesson {
  readonly recording: Pick<PulseRecording, "name" | "rate" | "light">;
  readonly reference: PulseReference;
  /** Whether its rhythm is irregular. */
  readonly irregular: boolean;
}

const SECONDS = 44;
/** While it finds the first beats nothing counts; nor does what is not told by the end, s. */
const SETTLING = 4;
const ENDING = 1;
/** The reference is so long before the onset, as R is, s. */
const TRANSIT = 0.25;

const draw = (
  name: string,
  beats: readonly number[],
  more: Partial<PulseDrawing> & { readonly percent?: number },
  irregular = false,
): PulseLesson => {
  const { percent = 1, ...rest } = more;
  const drawing = { rate: 100, seconds: SECONDS, perfusionIndex: () => percent, random: createRandom(name), ...rest };
  const counted = beats.map((time) => time - TRANSIT).filter((time) => time >= 0 && time < SECONDS);
  const first = counted.find((time) => time >= SETTLING) ?? SETTLING;
  return {
    recording: { name, rate: drawing.rate, light: drawPulse({ ...drawing, beats }) },
    reference: { beats: counted, excluded: [[0, first]], excludedTime: first, until: SECONDS - ENDING },
    irregular,
  };
};
const steady = (rate: number) => pulseTimes(SECONDS, () => rate);

/** Intervals of no order about their mean, as in atrial fibrillation: a pulse after a short one is weaker. */
function scattered(name: string, rate: number, spread: number): PulseLesson {
  const random = createRandom(`${name} beats`);
  const beats: number[] = [];
  const heights = new Map<number, number>();
  for (let at = -2; at < SECONDS + 1; ) {
    const interval = Math.max(0.33, (60 / rate) * (1 + spread * random.normal()));
    at += interval;
    beats.push(at);
    heights.set(at, Math.min(1.3, 0.4 + (0.6 * interval * rate) / 60));
  }
  return draw(name, beats, { perfusionIndex: (time) => heights.get(time) ?? 1, noise: 10 }, true);
}

export function pulseLessons(): PulseLesson[] {
  const lessons: PulseLesson[] = [];
  for (const rate of [20, 30, 45, 60, 80, 110, 150, 200, 240])
    for (const sampleRate of [30, 100, 125])
      lessons.push(draw(`${rate}/min at ${sampleRate} hz`, steady(rate), { rate: sampleRate }));
  for (const rate of [30, 45, 60, 80, 110])
    for (const dicrotic of [0.05, 0.07])
      lessons.push(draw(`${rate}/min, dicrotic wave of ${dicrotic} s`, steady(rate), { dicrotic }));
  const steps = [
    [80, 120],
    [120, 80],
    [80, 40],
    [40, 80],
    [60, 150],
    [150, 60],
    [180, 90],
    [200, 60],
  ] as const;
  for (const [before, after] of steps) {
    const beats = pulseTimes(SECONDS, (time) => (time < SECONDS / 2 ? before : after));
    lessons.push(draw(`${before} to ${after}/min`, beats, {}));
  }
  for (const percent of [0.5, 0.2, 0.1])
    for (const noise of [10, 25])
      for (const rate of [40, 70, 120])
        lessons.push(draw(`${rate}/min, perfusion ${percent} %, noise ${noise}`, steady(rate), { percent, noise }));
  for (const percent of [1, 0.5, 0.3])
    for (const rate of [50, 80, 110]) {
      const baseline = (time: number) => 0.003 * Math.sin(2 * Math.PI * 0.25 * time);
      const name = `${rate}/min, perfusion ${percent} %, breathing`;
      lessons.push(draw(name, steady(rate), { percent, noise: 10, baseline }));
    }
  for (const percent of [1, 0.4]) {
    const baseline = (time: number) => 0.01 * Math.sin(time / 2) + 0.004 * Math.sin(1.7 * time);
    lessons.push(draw(`70/min, perfusion ${percent} %, drift`, steady(70), { percent, noise: 10, baseline }));
  }
  const weaker = [
    [2, 0.5],
    [0.5, 2],
    [4, 0.4],
    [0.4, 4],
  ] as const;
  for (const [before, after] of weaker) {
    const perfusionIndex = (time: number) => (time < SECONDS / 2 ? before : after);
    for (const [rate, dicrotic] of [
      [75, 0.13],
      [60, 0.08],
      [100, 0.08],
    ] as const) {
      const name = `${rate}/min, perfusion ${before} to ${after} %, dicrotic wave of ${dicrotic} s`;
      lessons.push(draw(name, steady(rate), { perfusionIndex, dicrotic, noise: 5 }));
    }
  }
  for (const rate of [70, 100, 130])
    for (const spread of [0.12, 0.2]) lessons.push(scattered(`irregular ${rate}/min, ${spread}`, rate, spread));
  return lessons;
}
