/**
 * Beats of the pulse from one light that comes back from tissue, infrared or green: blood makes it less.
 *
 * Samples are added up to about 50 a second on the way in. Of those:
 *   boxcar of 100 ms, 100 ms ago, less itself: how much the light falls in 100 ms (systole makes it less)
 * Every hump of the fall is judged when it is over: by its top against the median top of the last eight beats, and by the
 * time since the last beat against the median of the last twelve intervals. The sooner it comes the higher it must be, so a
 * dicrotic wave is no beat, and a pulse that became weak is one. Where none comes the level sinks. A hump that comes at another
 * time than expected, and falls much more within one sample than the beats before, is a step: of a probe that was moved, of a
 * monitor that put its trace in the middle again.
 */
import { median } from "./rank.ts";

export interface PulseDetector {
  /** What it works on, hz: the rate, or the second, third, ... of it. */
  readonly internalRate: number;
  /** The next `count` samples, in counts of any size. May be split in any way. */
  push(samples: Int32Array | Float64Array, count: number): void;
  /** Forgets everything: the next sample has index 0. Call it after a gap and after a change of LED current. */
  reset(): void;
}

/** What recordings decide (tools/tune-pulse.ts): how high a hump must be, in shares of the level, to be a beat. */
export interface PulseNumbers {
  /** As long as less than `soon` of the expected interval has gone since the last beat: higher than this; */
  readonly soonHeight: number;
  readonly soon: number;
  /** from `late` on higher than this; in between the line from one to the other. */
  readonly late: number;
  readonly lateHeight: number;
  /** So many times as steep as beats are, one is a step. */
  readonly step: number;
}

/** Found by tools/tune-pulse.ts on all recordings. */
export const PULSE_NUMBERS: PulseNumbers = {
  soonHeight: 80 / 100,
  soon: 50 / 100,
  late: 80 / 100,
  lateHeight: 5 / 100,
  step: 160 / 100,
};

/** Rates that it takes, hz: 25 to 70 as they are; higher ones are added up to 41 to 64 hz. */
const LOWEST = 25;
const HIGHEST = 1000;
const AS_IT_IS = 70;
const TARGET = 50;

/** Seconds. */
const BOX = 1 / 10;
/** A hump is over when it came down to this share of its top. */
const END = 1 / 5;
/** After so many expected intervals without a beat the level halves every quarter of a second. */
const OVERDUE = 9 / 5;
const SINKING = 1 / 4;
/** No interval is expected to be longer, and none is shorter (300 beats a minute). */
const LONGEST = 4;
const SHORTEST = 1 / 5;
/** What the medians are taken over. */
const LEVELS = 8;
const INTERVALS = 12;
/** Shares of the expected interval between which a hump is on time, whatever its shape. */
const PUNCTUAL = 85 / 100;
const TARDY = 115 / 100;
/** Another one after so many steps is a beat: the shape has changed. */
const STEPS = 2;
/** Beats over which their steepness is averaged. */
const STEEPNESS = 8;
/** Smallest height that a steepness is told of, in counts. */
const SMALLEST = 1 / 1024;
/** Smallest fall over 100 ms, in shares of the light. */
const FLOOR = 1 / 5000;

/**
 * Makes a detector for one light of `rate` hz. `onBeat` is called from within `push`: `index`, fractional, where the light
 * falls the fastest, always after the one before; `emittedAt`, the sample at which it was sure, about a fifth of a second
 * later; both count samples since the start or the last reset. `height`: how far the light fell, from its brightest to its
 * darkest, in counts of one sample; `brightness`: that brightest. `numbers` are for the program that tunes them.
 * Throws Error for a rate that is not 25 to 1000 hz.
 */
export function createPulseDetector(
  rate: number,
  onBeat: (index: number, emittedAt: number, height: number, brightness: number) => void,
  numbers?: PulseNumbers,
): PulseDetector {
  if (!(rate >= LOWEST && rate <= HIGHEST))
    throw new Error(`pulse detector: rate ${rate} hz is not ${LOWEST} to ${HIGHEST}; choose another sampleRate`);
  const given = numbers ?? PULSE_NUMBERS;
  const step = rate <= AS_IT_IS ? 1 : Math.round(rate / TARGET);
  const internalRate = rate / step;
  const box = Math.max(2, Math.round(internalRate * BOX));
  const slope = 1 / (given.late - given.soon);
  const floor = box * step * FLOOR;
  /** From the middle of the fall to the newest sample. */
  const delay = (box - 1 / 2) * step + (step - 1) / 2;

  /** The last two boxes. */
  const lights = new Float64Array(2 * box);
  const levels = new Float64Array(LEVELS);
  const intervals = new Float64Array(INTERVALS);
  const scratch = new Float64Array(INTERVALS);

  // carried from sample to sample
  let phase = 0;
  let sum = 0;
  let now = -1;
  let place = 0;
  let fall = 0;
  let fallBefore = 0;
  /** This sum and the two before it; made anew each turn it would cost an interpreter a scope. */
  let light = 0;
  let x1 = 0;
  let x2 = 0;
  let climbing = false;
  let top = 0;
  let topAt = 0;
  let topBefore = 0;
  let topAfter = 0;
  let brightest = 0;
  let darkest = 0;
  /** Most that it fell within one sum since the last hump. */
  let drop = 0;
  // carried from beat to beat
  let beats = 0;
  let last = 0;
  let level = 0;
  let expected = 0;
  let due = 0;
  /** Share of its height that a beat falls within one sum. */
  let steepness = 1;
  let steps = 0;

  /** As if the light had always been what it is now. */
  const start = (): void => {
    lights.fill(sum);
    x1 = x2 = sum;
    brightest = 3 * sum;
    expected = internalRate;
    due = LONGEST * internalRate;
  };

  const beat = (at: number, height: number, brightness: number, steep: number): void => {
    if (beats > 0) {
      intervals[(beats - 1) % INTERVALS] = Math.min(at - last, LONGEST * internalRate);
      expected = median(intervals, Math.min(beats, INTERVALS), scratch);
    }
    levels[beats % LEVELS] = top;
    beats++;
    level = median(levels, Math.min(beats, LEVELS), scratch);
    last = at;
    steps = 0;
    steepness += (steep - steepness) / STEEPNESS;
    due = now + OVERDUE * expected;
    onBeat(at * step + step - 1 - delay, now * step + step - 1, height, brightness);
  };

  /** The light falls no more. It was steepest at `topAt`, or between two samples beside it. */
  const judge = (): void => {
    climbing = false;
    const brightness = brightest / (3 * step);
    const height = (brightest - darkest) / (3 * step);
    const steep = Math.min(1, drop / (step * Math.max(height, SMALLEST)));
    brightest = darkest;
    drop = 0;
    if (top <= brightness * floor) return;
    const bend = topBefore + topAfter - 2 * top;
    const at = bend < 0 ? topAt + (topBefore - topAfter) / (2 * bend) : topAt;
    if (beats > 0) {
      const since = at - last;
      if (since < SHORTEST * internalRate) return;
      const share = since / expected;
      const part = Math.min(1, Math.max(0, (share - given.soon) * slope));
      const needed = given.soonHeight + part * (given.lateHeight - given.soonHeight);
      if (top <= level * needed) return;
      if (steep > given.step * steepness && (share < PUNCTUAL || share > TARDY) && steps < STEPS) {
        steps++;
        return;
      }
    }
    beat(at, height, brightness, steep);
  };

  /** No beat where one was due. */
  const sink = (): void => {
    level /= 2;
    for (let i = 0; i < LEVELS; i++) levels[i] /= 2;
    due = now + SINKING * internalRate;
  };

  const reset = (): void => {
    phase = sum = place = fall = fallBefore = beats = last = level = drop = steps = 0;
    steepness = 1;
    now = -1;
    climbing = false;
  };

  return {
    internalRate,
    push: (samples, count) => {
      for (let i = 0; i < count; ) {
        for (; phase < step && i < count; phase++) sum += samples[i++];
        if (phase < step) return;
        phase = 0;
        now++;
        if (now === 0) start();
        fall += 2 * lights[place < box ? place + box : place - box] - lights[place] - sum;
        lights[place] = sum;
        place = place + 1 === 2 * box ? 0 : place + 1;
        if (x1 - sum > drop) drop = x1 - sum;
        light = sum + x1 + x2;
        x2 = x1;
        x1 = sum;
        sum = 0;
        if (climbing) {
          if (light < darkest) darkest = light;
          if (fall > top) {
            topBefore = fallBefore;
            top = fall;
            topAt = now;
          } else if (now === topAt + 1) topAfter = fall;
          if (fall <= top * END) judge();
        } else {
          if (light > brightest) brightest = light;
          if (fall > 0 && fall > fallBefore) {
            climbing = true;
            darkest = light;
            topBefore = fallBefore;
            top = fall;
            topAt = now;
          } else if (now >= due) sink();
        }
        fallBefore = fall;
      }
    },
    reset,
  };
}
