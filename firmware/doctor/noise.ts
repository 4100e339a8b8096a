/** Noise of a still signal. Device side. */
import type { Block } from "../../drivers/driver.ts";

/** What a data sheet says of the noise of a chip's channel, in the configuration in which the doctor measures it. */
export interface NoiseFigure {
  /** Name of the channel. */
  readonly channel: string;
  /** Root mean square, in the channel's unit. */
  readonly rms: number;
  /** Whose figure it is: "data sheet p. 28, table 5". */
  readonly source: string;
  /** For a person: so many `unit` are one of the channel's. */
  readonly unit: string;
  readonly scale: number;
}

export interface NoiseMeter {
  push(block: Block): void;
  /** Root mean square, raw; null: not one whole stretch came. */
  rms(): number | null;
}

/** Deviation from a straight line through each stretch of so many samples, 3 or more: a drift is no noise, mains is. */
export const createNoiseMeter = (stretch: number): NoiseMeter => {
  let count = 0;
  /** Of the samples less the stretch's first, and their products with their place from its middle. */
  let origin = 0;
  let sum = 0;
  let squares = 0;
  let slope = 0;
  let total = 0;
  let stretches = 0;
  return {
    push(block) {
      // a loss is a step that is none
      if (block.lost !== 0) count = 0;
      for (let i = 0; i < block.count; i++) {
        if (count === 0) {
          origin = block.samples[i];
          sum = squares = slope = 0;
        }
        const value = block.samples[i] - origin;
        sum += value;
        squares += value * value;
        slope += value * (count - (stretch - 1) / 2);
        count++;
        if (count < stretch) continue;
        // places from -(n - 1) / 2 on have a mean of 0 and a sum of squares of n (n^2 - 1) / 12
        const line = (slope * slope * 12) / (stretch * (stretch * stretch - 1));
        total += Math.max(0, squares - (sum * sum) / stretch - line) / (stretch - 2);
        stretches++;
        count = 0;
      }
    },
    rms: () => (stretches === 0 ? null : Math.sqrt(total / stretches)),
  };
};
