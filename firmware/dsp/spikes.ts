/**
 * Pacing pulses taken out before a QRS detector. What a converter's own filter makes of a pulse of 2 ms is over within two
 * samples to either side (three at 500 hz and more), and before and after it there is the level; a QRS of 40 ms is not back
 * there by then. So a sample that stands out from both its sides, with the level on both of them, is a spike: a straight line
 * goes over it. Spikes of electrodes go the same way, and so does a QRS of 20 ms at 125 and 128 hz.
 *
 * For a converter that averages (the sinc3 of an ADS1292R): steeper filters spread a pulse, and that is no spike here.
 */
import { RATES } from "./designs.ts";
import { type Filter, refusal, requireRoom } from "./filter.ts";
import { nativeVectors } from "./vectors.ts";

/** Samples that are looked at in one turn. */
const CHUNK = 32;
/** Blocks of fewer samples cost an interpreter less without its vector functions, and those of FEW one by one. */
const SHORT = 6;
const FEW = 3;
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
  /** How many samples back anything is looked up. */
  const history = 2 * last;
  /** What came before, then the newest ones. */
  const kept = new Int32Array(history + CHUNK);
  /** Where in `kept` the next sample goes. */
  let place = 0;
  let started = false;

  /** Is the sample at `centre` a spike? All is doubled, for the level is a mean of two. */
  const stands = (centre: number): boolean => {
    const before = kept[centre - last];
    const after = kept[centre + last];
    const level = before + after;
    const limit = Math.abs(2 * kept[centre] - level) / LEVEL;
    if (Math.abs(before - after) > limit) return false;
    for (let j = reach; j < last; j++) {
      if (Math.abs(2 * kept[centre - j] - level) > limit) return false;
      if (Math.abs(2 * kept[centre + j] - level) > limit) return false;
    }
    return true;
  };

  /** One sample more on the far side: a pulse may lie between two samples, and then the first of them comes first. */
  const bridge = (centre: number): void => {
    const from = kept[centre - reach];
    const rise = kept[centre + reach + 1] - from;
    for (let j = 1; j <= 2 * reach; j++) {
      kept[centre - reach + j] = from + Math.round((rise * j) / (2 * reach + 1));
    }
  };

  /** Looks at `count` samples of `kept` from `place` on; none of what has gone out by then changes any more. */
  const scan = (count: number): void => {
    // Made anew each turn, it would cost an interpreter a scope.
    let rise = 0;
    for (let centre = place - last, end = centre + count; centre < end; centre++) {
      rise = kept[centre] - kept[centre - reach];
      if ((rise > floor || rise < -floor) && stands(centre)) bridge(centre);
    }
  };

  const shift = (): void => {
    kept.set(kept.subarray(place - history, place), 0);
    place = history;
  };

  let look: (count: number, scratch: Int32Array) => void = scan;
  const vectors = nativeVectors();
  if (vectors !== null) {
    // A spike's sides are within 1/LEVEL of the level, so it bends there by more than 30/17 of its rise. Of a bend goes a
    // quarter, which 32 bits hold, cut to an integer.
    const least = Math.floor((floor * 7) / 16);
    const taps = new Float64Array(2 * reach + 1);
    taps[0] = taps[2 * reach] = -1 / 4;
    taps[reach] = 1 / 2;
    const bent = vectors.convolve.bind(vectors, taps, kept);
    const rows = new Uint8Array(kept.length);
    for (let i = 0; i < rows.length; i++) rows[i] = i;
    look = (count, scratch) => {
      if (count >= SHORT) {
        const from = place - last - reach;
        vectors.mapInPlace(rows.subarray(from, from + count), scratch, bent);
        // the sum of the squares is quicker than the highest and the lowest, and mostly enough
        if (vectors.convolve(scratch, scratch, 0) < least * least) return;
        const bends = scratch as unknown as number[];
        if (Math.max.apply(null, bends) < least && Math.min.apply(null, bends) > -least) return;
      }
      scan(count);
    };
  }

  return {
    rate,
    delay,
    push: (samples, count, out) => {
      requireRoom("spike filter", out, count);
      if (!started && count > 0) {
        started = true;
        kept.fill(samples[0]);
        place = history;
      }
      if (count <= FEW) {
        for (let i = 0; i < count; i++) {
          if (place === kept.length) shift();
          kept[place] = samples[i];
          const centre = place - last;
          const rise = kept[centre] - kept[centre - reach];
          if ((rise > floor || rise < -floor) && stands(centre)) bridge(centre);
          out[i] = kept[place - delay];
          place++;
        }
        return count;
      }
      for (let taken = 0; taken < count; ) {
        const part = Math.min(count - taken, CHUNK);
        if (place + part > kept.length) shift();
        const into = out.subarray(taken, taken + part);
        kept.set(samples.subarray(taken, taken + part), place);
        look(part, into);
        into.set(kept.subarray(place - delay, place - delay + part), 0);
        place += part;
        taken += part;
      }
      return count;
    },
    reset: () => {
      started = false;
    },
  };
}
