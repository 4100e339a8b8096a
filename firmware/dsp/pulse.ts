/**
 * Beats of the pulse from one light that comes back from tissue, infrared or green: blood makes it less.
 *
 * Samples are added up to about 50 a second on the way in. Of those:
 *   boxcar of 100 ms, 100 ms ago, less itself: how much the light falls in 100 ms (systole makes it less)
 *   one-pole mean of 1.3 s: DC
 * Beats are humps of the fall against the level of the last eight; where none comes the level sinks.
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

/** Rates that it takes, hz: 25 to 70 as they are; higher ones are added up to 41 to 64 hz. */
const LOWEST = 25;
const HIGHEST = 1000;
const AS_IT_IS = 70;
const TARGET = 50;

/** Seconds. */
const BOX = 1 / 10;
const DC = 128 / 100;
/** Longest wait for a beat before the level begins to sink, and then between two steps of it. */
const PATIENCE = 4;
const SINKING = 1 / 2;
/** How many humps the level is a median of. */
const LEVELS = 8;
/** Smallest fall, in shares of DC over 100 ms. */
const FLOOR = 1 / 5000;

/**
 * Makes a detector for one light of `rate` hz. `onBeat` is called from within `push`: `index`, fractional, where the light
 * falls the fastest; `emittedAt`, the sample at which it was sure; both count samples since the start or the last reset.
 * `height`: how far the light fell, from its brightest to its darkest, in counts of one sample.
 * Throws Error for a rate that is not 25 to 1000 hz.
 */
export function createPulseDetector(
  rate: number,
  onBeat: (index: number, emittedAt: number, height: number) => void,
): PulseDetector {
  if (!(rate >= LOWEST && rate <= HIGHEST))
    throw new Error(`pulse detector: rate ${rate} hz is not ${LOWEST} to ${HIGHEST}; choose another sampleRate`);
  const step = rate <= AS_IT_IS ? 1 : Math.round(rate / TARGET);
  const internalRate = rate / step;
  const box = Math.max(2, Math.round(internalRate * BOX));
  const dcLength = internalRate * DC;
  /** From the middle of the fall to the newest sample. */
  const delay = (box - 1 / 2) * step + (step - 1) / 2;

  /** The last two boxes. */
  const lights = new Float64Array(2 * box);
  const levels = new Float64Array(LEVELS);
  const scratch = new Float64Array(LEVELS);

  // carried from sample to sample
  let phase = 0;
  let sum = 0;
  let now = -1;
  let place = 0;
  let dc = 0;
  let fall = 0;
  let fallBefore = 0;
  let x1 = 0;
  let x2 = 0;
  let climbing = false;
  let top = 0;
  let topAt = 0;
  let topBefore = 0;
  let topAfter = 0;
  let brightest = 0;
  let crest = 0;
  let limit = 0;
  let due = 0;
  // carried from beat to beat
  let level = 0;
  let beats = 0;
  let last = 0;

  /** As if the light had always been what it is now. */
  const start = (): void => {
    lights.fill(sum);
    dc = x1 = x2 = sum;
    brightest = 3 * sum;
    limit = dc * box * FLOOR;
    due = internalRate;
  };

  const setLimit = (): void => {
    limit = Math.max(dc * box * FLOOR, level / 2);
  };

  /** The light falls no more: the pulse has risen. It was steepest at `topAt`, or between two samples beside it. */
  const beat = (): void => {
    climbing = false;
    const bend = topBefore + topAfter - 2 * top;
    const at = bend < 0 ? topAt + (topBefore - topAfter) / (2 * bend) : topAt;
    const height = (brightest - crest) / (3 * step);
    brightest = crest;
    levels[beats % LEVELS] = top;
    beats++;
    level = median(levels, Math.min(beats, LEVELS), scratch);
    setLimit();
    due = now + (beats > 1 ? Math.min(((at - last) * 5) / 4, PATIENCE * internalRate) : internalRate);
    last = at;
    onBeat(Math.max(0, at * step + step - 1 - delay), now * step + step - 1, height);
  };

  /** No beat where one was due: the level sinks. */
  const overdue = (): void => {
    level = (level * 3) / 4;
    for (let i = 0; i < LEVELS; i++) levels[i] = (levels[i] * 3) / 4;
    setLimit();
    due = now + internalRate * SINKING;
  };

  const reset = (): void => {
    phase = sum = place = fall = fallBefore = level = beats = last = 0;
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
        dc += (sum - dc) / dcLength;
        const light = sum + x1 + x2;
        x2 = x1;
        x1 = sum;
        sum = 0;
        if (climbing) {
          if (light < crest) crest = light;
          if (fall > top) {
            topBefore = fallBefore;
            top = fall;
            topAt = now;
          } else if (now === topAt + 1) topAfter = fall;
          if (fall <= 0) beat();
        } else {
          if (light > brightest) brightest = light;
          if (fall > limit) {
            climbing = true;
            crest = light;
            topBefore = fallBefore;
            top = fall;
            topAt = now;
          } else if (now >= due) overdue();
        }
        fallBefore = fall;
      }
    },
    reset,
  };
}
