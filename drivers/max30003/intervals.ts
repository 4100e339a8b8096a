/**
 * R-to-R intervals of the MAX30003's own detector (MAX30001G data sheet p. 28, 29, 64): single values, each handed over
 * once. Device side.
 *
 * STATUS says that there was an R event (RRINT), until RTOR is read (CLR_RRINT 01). What RTOR counts up to the first R
 * event after SYNCH or after its timer went over is no interval between two R events, and is not handed over.
 */
import { FAULT_DATA, type Frame, type Outcome } from "../driver.ts";
import { fault } from "./faults.ts";
import * as r from "./registers.ts";

export interface Intervals {
  /** The chip was opened. */
  open(): void;
  /** SYNCH was given; `lost`: a record was cut off by it. */
  begin(outcome: Outcome, lost: boolean): void;
  /** STATUS was read. */
  look(status: number, outcome: Outcome): void;
  /** A chain ends with this frame: true where RTOR is to be read first. */
  waits(frame: Frame): boolean;
  /** RTOR was read: its value, or -1 where that failed. */
  take(value: number, outcome: Outcome, frame: Frame): void;
}

/** Values go into the frame's second block. `step`: of the timer, us. */
export const createIntervals = (step: number): Intervals => {
  let index = 0;
  let gap = false;
  /** Quality of the samples since the last interval. */
  let flags = 0;
  /** The next R event ends no interval. */
  let first = true;
  /** An event waits to be read, which came between these, us; the last look at STATUS that knew of none. */
  let waiting = false;
  let from = 0;
  let to = 0;
  let seenAt = 0;

  return {
    open: () => {
      index = 0;
    },
    begin: (outcome, lost) => {
      gap = lost;
      first = true;
      waiting = false;
      seenAt = outcome.began;
      flags = 0;
    },
    look: (status, outcome) => {
      if ((status & r.RRINT) !== 0) {
        if (!waiting) from = seenAt;
        // As long as nobody reads it, a later event may take its place.
        to = outcome.ended;
        waiting = true;
      } else if (!waiting) seenAt = outcome.began;
    },
    waits: (frame) => {
      flags |= frame.channels[0].flags;
      if (gap) frame.channels[1].lost = -1;
      gap = false;
      return waiting;
    },
    take: (value, outcome, frame) => {
      const block = frame.channels[1];
      waiting = false;
      if (value < 0) {
        // Nobody knows whether RRINT is cleared: if not, the next look finds the event again.
        block.lost = -1;
        seenAt = from;
        return;
      }
      const opening = first;
      seenAt = outcome.began;
      first = value === r.RTOR_OVERFLOW;
      // So long after the last look another event may have come before this one, and nobody read it.
      if (first || to - from >= (value - 1) * step) block.lost = -1;
      if (first) {
        const what = `R-to-R timer over: no R event within ${Math.round((value * step) / 1000000)} s`;
        fault(frame, FAULT_DATA, `${what}; look at the electrodes, or lower rrInterval.threshold`);
      }
      if (first || opening || value === 0) return;
      block.samples[0] = value;
      block.count = 1;
      block.index = index++;
      block.time = (from + to) / 2;
      block.uncertainty = (to - from) / 2;
      block.flags = flags;
      flags = 0;
    },
  };
};
