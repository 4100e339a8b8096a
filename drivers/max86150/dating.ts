/** When the samples of a MAX86150 were: by the FIFO's pointers, better by the edge of its interrupt. Device side. */
import type { Frame, Outcome } from "../driver.ts";
import * as reg from "./registers.ts";

export interface Dating {
  /** At a status: FIFO_WR_PTR, and when the 17th sample came, us; 0: unknown. */
  see(outcome: Outcome, written: number, edge: number): void;
  /**
   * Behind a reading: dates its first sample, which stood at `pointer` and is number `index` behind `missing` lost ones;
   * fills the heads of empty blocks.
   */
  stamp(outcome: Outcome, frame: Frame, pointer: number, index: number, missing: number): void;
}

/** From the start of the conversion on. `period`, `lag`: as in the setup. */
export const createDating = (period: number, lag: number): Dating => {
  const slack = period * reg.TOLERANCE;
  /** FIFO_WR_PTR, and between which times that was, us. */
  let newest = 0;
  let seenFrom = 0;
  let seenTo = 0;
  let edge = 0;
  /** The last edge that agreed, us, and the index of its sample; 0: unknown. */
  let edgeAt = 0;
  let edgeIndex = 0;

  const see = (outcome: Outcome, written: number, raised: number): void => {
    newest = written;
    seenFrom = outcome.began;
    seenTo = outcome.ended;
    edge = raised;
  };

  return {
    see: see,
    stamp: (outcome, frame, pointer, index, missing) => {
      // The host stalled behind the status.
      if (outcome.began - seenTo >= (reg.POLL_AFTER / 2) * period) see(outcome, outcome.replies[0][0], edge);
      const half = (seenTo - seenFrom + period) / 2;
      const behind = (newest - pointer - 1) & reg.FIVE_BITS;
      let time = seenTo - half - (behind + lag) * period;
      let doubt = half + (behind + 1) * slack;
      if (missing !== 0) edgeAt = 0;
      else if (edge !== 0) {
        // Where two of them measured the period, only the jitter of two stamps is left.
        const sample = index + reg.POLL_AFTER;
        let step = (edge - edgeAt) / (sample - edgeIndex);
        let margin = 2 * slack;
        if (edgeAt === 0 || Math.abs(step - period) > margin) {
          step = period;
          margin = (reg.POLL_AFTER + 1) * slack;
        }
        const at = edge - (reg.POLL_AFTER + lag) * step;
        if (Math.abs(at - time) <= doubt + margin) {
          time = at;
          doubt = margin;
          edgeAt = edge;
          edgeIndex = sample;
        }
      }
      frame.channels.forEach((block) => {
        if (block.count > 0) return;
        block.index = index;
        block.lost = missing;
        block.time = time;
        block.uncertainty = doubt;
      });
    },
  };
};
