/** How fast a chip measures, by the board's clock, with hard bounds. Device side. */
import type { Block } from "../../drivers/driver.ts";

/** Lowest and highest that a quantity can be. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface RateMeter {
  push(block: Block): void;
  /** Samples a second of the board's clock; null: less than two blocks behind the last loss of unknown size. */
  rate(): Bounds | null;
  /** Samples since the start, those before losses too; lost ones; losses of unknown size. */
  readonly samples: number;
  readonly lost: number;
  readonly gaps: number;
}

interface Stamp {
  readonly index: number;
  /** The sample came between these, us. */
  readonly earliest: number;
  readonly latest: number;
}

/** Stamps that are kept of either end: each pair of them bounds the period, so a few exact ones are enough. */
const KEPT = 8;
const MICROSECONDS = 1000000;

export const createRateMeter = (): RateMeter => {
  let first: Stamp[] = [];
  let last: Stamp[] = [];
  let samples = 0;
  let lost = 0;
  let gaps = 0;
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
        first = [];
        last = [];
      }
      samples += block.count;
      if (block.count === 0) return;
      const stamp: Stamp = {
        index: block.index,
        earliest: block.time - block.uncertainty,
        latest: block.time + block.uncertainty,
      };
      if (first.length < KEPT) first.push(stamp);
      last.push(stamp);
      if (last.length > KEPT) last.shift();
    },
    rate() {
      let shortest = 0;
      let longest = Infinity;
      for (let i = 0; i < first.length; i++) {
        for (let j = 0; j < last.length; j++) {
          const from = first[i];
          const to = last[j];
          const count = to.index - from.index;
          if (count <= 0) continue;
          shortest = Math.max(shortest, (to.earliest - from.latest) / count);
          longest = Math.min(longest, (to.latest - from.earliest) / count);
        }
      }
      if (shortest <= 0 || longest === Infinity) return null;
      // Stamps that contradict each other say no more than what lies between them.
      const a = MICROSECONDS / shortest;
      const b = MICROSECONDS / longest;
      return { low: Math.min(a, b), high: Math.max(a, b) };
    },
  };
};
