/**
 * Pacing pulses taken out before a QRS detector. What a converter's own filter makes of a pulse of 2 ms is over within two
 * samples to either side (three at 500 hz and more), and before and after it there is the level; a QRS of 40 ms is not back
 * there by then. So a sample that stands out from both its sides, with the level on both of them, is a spike: a straight line
 * goes over it. Spikes of electrodes go the same way, and so does a QRS of 20 ms at 125 and 128 hz.
 *
 * For a converter that averages (the sinc3 of an ADS1292R): steeper filters spread a pulse, and that is no spike here.
 */
import { type Filter, refusal, requireRoom } from "./filter.ts";

const RATES: readonly number[] = [125, 128, 250, 256, 360, 500, 512];
/** Samples kept. A power of two. */
const KEPT = 16;
/** What is lower than this, uV, is left. */
const FLOOR = 100;
/** Part of a spike's height by which the samples beside it may differ from the level, 1/n. */
const LEVEL = 16;

/**
 * `delay`: 4 samples, 7 from 500 hz on. Throws Error for a rate that is none of 125, 128, 250, 256, 360, 500, 512, and for a
 * scale that is not above 0.
 */
export function createSpikeFilter(rate: number, microvoltsPerCount: number): Filter {
  if (RATES.indexOf(rate) < 0) throw refusal("spike filter", rate, RATES);
  if (!(microvoltsPerCount > 0))
    throw new Error(`spike filter: ${microvoltsPerCount} uV a count is not above 0; take it from the channel`);
  /** From a spike's highest sample to where the level is again. */
  const reach = rate < 500 ? 2 : 3;
  const last = 2 * reach - 1;
  const delay = last + reach - 1;
  const floor = FLOOR / microvoltsPerCount;
  const kept = new Int32Array(KEPT);
  /** Where the newest sample is in `kept`, which is a ring: of all places only the lowest bits count. */
  let place = 0;
  let started = false;

  /** Is the sample at `centre` a spike? All is doubled, for the level is a mean of two. */
  const stands = (centre: number): boolean => {
    const before = kept[(centre - last) & (KEPT - 1)];
    const after = kept[(centre + last) & (KEPT - 1)];
    const level = before + after;
    const limit = Math.abs(2 * kept[centre & (KEPT - 1)] - level) / LEVEL;
    if (Math.abs(before - after) > limit) return false;
    for (let j = reach; j < last; j++) {
      if (Math.abs(2 * kept[(centre - j) & (KEPT - 1)] - level) > limit) return false;
      if (Math.abs(2 * kept[(centre + j) & (KEPT - 1)] - level) > limit) return false;
    }
    return true;
  };

  /** One sample more on the far side: a pulse may lie between two samples, and then the first of them comes first. */
  const bridge = (centre: number): void => {
    const from = kept[(centre - reach) & (KEPT - 1)];
    const rise = kept[(centre + reach + 1) & (KEPT - 1)] - from;
    for (let j = 1; j <= 2 * reach; j++) {
      kept[(centre - reach + j) & (KEPT - 1)] = from + Math.round((rise * j) / (2 * reach + 1));
    }
  };

  return {
    rate,
    delay,
    push: (samples, count, out) => {
      requireRoom("spike filter", out, count);
      if (!started && count > 0) {
        started = true;
        kept.fill(samples[0]);
      }
      for (let i = 0; i < count; i++) {
        kept[place] = samples[i];
        const centre = place + KEPT - last;
        const rise = kept[centre & (KEPT - 1)] - kept[(centre - reach) & (KEPT - 1)];
        if ((rise > floor || rise < -floor) && stands(centre)) bridge(centre);
        out[i] = kept[(place + KEPT - delay) & (KEPT - 1)];
        place = (place + 1) & (KEPT - 1);
      }
      return count;
    },
    reset: () => {
      started = false;
      place = 0;
    },
  };
}
