/**
 * Beats where the light, its mean taken off and smoothed, crosses zero upwards with a swing between two fixed limits: the rule
 * of the beat detector that the SparkFun library for the MAX3010x ships (Nathan Seidle, "PBA algorithm", heartRate.cpp, 2016)
 * and that many took over from there.
 *
 *   light -> less its one-pole mean over 16 samples -> low-pass of 23 taps -> crossing upwards, where the last swing from the
 *   smallest to the largest value was more than 20 and less than 1000 counts
 *
 * Its constants count samples, so it is run at its library's 100 a second or the next rate below that samples can be added up
 * to. The low-pass here is a raised cosine of that length, not its table. Its limits are counts of its own LED currents: what
 * comes in is divided by 4, so that the pulses of a recording made 2000 counts a unit (bidmc.ts) lie in the middle of them.
 */
import type { PulseFactory } from "../../simulator/evaluate/pulse.ts";
import { createDelay, createMean } from "./moving.ts";

const RATE = 100;
const MEAN = 16;
const TAPS = 23;
/** Counts. */
const LEAST = 20;
const MOST = 1000;
const SCALE = 1 / 4;

/** Weights of a raised cosine, 1 in all. */
const taps = Array.from({ length: TAPS }, (_, k) => (1 - Math.cos((2 * Math.PI * (k + 1)) / (TAPS + 1))) / (TAPS + 1));

/** See PulseFactory. Throws Error for a rate that is not 25 to 1000 hz. */
export const createZeroCrossingDetector: PulseFactory = (rate, onBeat) => {
  if (!(rate >= 25 && rate <= 1000)) throw new Error(`zero crossing: rate ${rate} hz is not 25 to 1000; resample`);
  const step = Math.max(1, Math.ceil(rate / RATE - 1 / 4));
  const average = createMean(step);
  const recent = taps.map((_, k) => createDelay(k));
  /** Of the low-pass and of what is added up, samples. */
  const delay = ((TAPS - 1) / 2) * step + (step - 1) / 2;
  let now = 0;
  let mean: number | null = null;
  let before = 0;
  let rising = false;
  let largest = 0;
  let smallest = 0;

  const crossing = (value: number) => {
    const swing = largest - smallest;
    if (swing > LEAST && swing < MOST) {
      const part = value / (value - before);
      onBeat(Math.max(0, now - part * step - delay), now, swing);
    }
    largest = 0;
    rising = true;
  };

  const take = (light: number) => {
    mean ??= light;
    mean += (light - mean) / MEAN;
    const level = light - mean;
    const value = recent.reduce((sum, one, k) => sum + taps[k]! * one(level), 0);
    if (before < 0 && value >= 0) crossing(value);
    else if (before > 0 && value <= 0) {
      rising = false;
      smallest = 0;
    }
    if (rising && value > before) largest = value;
    if (!rising && value < before) smallest = value;
    before = value;
  };

  return {
    push(samples, count) {
      for (let i = 0; i < count; i++, now++) {
        const light = average(samples[i]! * SCALE);
        if (now % step === step - 1) take(light);
      }
    },
  };
};
