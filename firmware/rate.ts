/** How fast a chip measures, by the board's clock, with hard bounds. Device side. */
import type { Block } from "../drivers/driver.ts";

/** Lowest and highest that a quantity can be. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface RateMeter {
  push(block: Block): void;
  /** Samples a second of the board's clock; null: less than two blocks behind the last loss of unknown size. */
  rate(): Bounds | null;
  /** From the first block of which the rate is to the last one, us. */
  span(): number;
  /** The rate begins anew: only what comes counts. */
  begin(): void;
  /** Samples since the start, those before losses too; lost ones; losses of unknown size. */
  readonly samples: number;
  readonly lost: number;
  readonly gaps: number;
}

/** A block's first sample: its index, and the times between which it came, us. */
const STAMP = 3;
const MICROSECONDS = 1000000;

/** `kept`: stamps of either end that are kept; each pair of them bounds the period, so a few exact ones are enough. */
export const createRateMeter = (kept: number): RateMeter => {
  const first = new Float64Array(STAMP * kept);
  /** A ring. */
  const last = new Float64Array(STAMP * kept);
  let stamps = 0;
  let samples = 0;
  let lost = 0;
  let gaps = 0;
  const put = (into: Float64Array, place: number, block: Block): void => {
    into[STAMP * place] = block.index;
    into[STAMP * place + 1] = block.time - block.uncertainty;
    into[STAMP * place + 2] = block.time + block.uncertainty;
  };
  return {
    get samples() {
      return samples;
    },
    get lost() {
      return lost;
    },
    get gaps() {
      return gaps;
    },
    push(block) {
      if (block.lost > 0) lost += block.lost;
      if (block.lost < 0) {
        // what ends the gap of a start is no loss
        if (samples > 0) gaps++;
        stamps = 0;
      }
      samples += block.count;
      if (block.count === 0) return;
      if (stamps < kept) put(first, stamps, block);
      put(last, stamps % kept, block);
      stamps++;
    },
    rate() {
      const all = STAMP * Math.min(stamps, kept);
      let shortest = 0;
      let longest = Infinity;
      for (let i = 0; i < all; i += STAMP) {
        for (let j = 0; j < all; j += STAMP) {
          const count = last[j] - first[i];
          if (count <= 0) continue;
          shortest = Math.max(shortest, (last[j + 1] - first[i + 2]) / count);
          longest = Math.min(longest, (last[j + 2] - first[i + 1]) / count);
        }
      }
      if (shortest <= 0 || longest === Infinity) return null;
      // Stamps that contradict each other say no more than what lies between them.
      const a = MICROSECONDS / shortest;
      const b = MICROSECONDS / longest;
      return { low: Math.min(a, b), high: Math.max(a, b) };
    },
    span: () => (stamps === 0 ? 0 : last[STAMP * ((stamps - 1) % kept) + 1] - first[1]),
    begin() {
      stamps = 0;
    },
  };
};
