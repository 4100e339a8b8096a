/** Die temperature of a MAX30102 or MAX30101 as a channel: taken now and then, beside the FIFO. Device side. */
import { FAULT_DATA, type Frame, type Outcome, type Step } from "../driver.ts";
import { type Fail, type Max30102Setup, SUPPLY } from "./opening.ts";
import * as reg from "./registers.ts";

/** Die temperature in sixteenths of a Cel from TINT and TFRAC; the fraction is added also to a negative integer (p22). */
export const sixteenths = (reply: ArrayLike<number>): number => ((reply[0] << 24) >> 20) + (reply[1] & 15);

/** What is said of a conversion that does not end. */
export const KEEPS = `TEMP_CONFIG (0x21) keeps its TEMP_EN bit; ${SUPPLY}`;

/** Takes a die temperature now and then, between two polls' readings of the FIFO. Idle where none is wanted. */
export interface Thermometer {
  /** The chip was configured anew; `lost`: 0 at an opening, -1 where a record goes on behind a loss. */
  begin(lost: number): void;
  /** INT_STATUS_2 was read. */
  look(status: number, outcome: Outcome): void;
  /** What comes before the chip is shut down, which clears the flag: a look at it, where a conversion may be under way. */
  before(ending: Step): Step;
  /**
   * What is to be done at the end of a poll, `then` null: read a value, start a conversion, nothing. Shut down: a value
   * that is known to be there is read, what may be lost is said, and `then` follows.
   */
  last(frame: Frame, then: Step | null): Step | null;
}

/**
 * Its values, sixteenths of a Cel, go into the last block. A value came between its start and its flag, which is all that is
 * known of its time.
 */
export const createThermometer = (setup: Max30102Setup, fail: Fail): Thermometer => {
  const every = setup.every;
  let index = 0;
  /** STARTED, TORN. */
  let pending: number;
  /** When the first of the starts began, and the last one; us. */
  let from: number;
  let startedAt: number;
  /** When DIE_TEMP_RDY was seen whose value is not yet read, us; 0: it was not. */
  let readyAt: number;
  let now = 0;

  const start: Step = {
    ops: [{ write: [reg.TEMP_CONFIG, reg.TEMP_EN] }],
    next: (outcome) => {
      startedAt = outcome.began;
      if (!pending) from = startedAt;
      pending |= outcome.error ? reg.TORN : reg.STARTED;
      return null;
    },
  };
  const thermometer: Thermometer = {
    begin: (lost) => {
      index = lost && index;
      // What was started before is no more; only a flag would say otherwise.
      pending = lost && pending && reg.TORN;
      readyAt = 0;
      startedAt = -Infinity;
    },
    look: (status, outcome) => {
      now = outcome.ended;
      if (status & reg.DIE_TEMP_RDY && pending) readyAt = now;
    },
    before: (ending) =>
      pending
        ? {
            ops: [{ read: 1, at: reg.INT_STATUS_2 }],
            next: (outcome) => {
              if (!outcome.error) thermometer.look(outcome.replies[0][0], outcome);
              return ending;
            },
          }
        : ending,
    last: (frame, then) => {
      const block = frame.channels[setup.order.length];
      const due = !then && every && now - startedAt >= (pending ? reg.OVERDUE : every);
      const end = (): Step | null => {
        if (then && pending) block.lost = -1;
        return then;
      };
      if (!readyAt && !(due && pending & reg.STARTED)) return due ? start : end();
      return {
        ops: [
          { read: 3, at: reg.TEMP_INT },
          { read: 1, at: reg.INT_ENABLE_2 },
        ],
        next: (outcome) => {
          const value = outcome.replies[0];
          // After a brown-out there is another zero to be read; the next poll notices.
          if (outcome.error || outcome.replies[1][0] !== reg.DIE_TEMP_RDY) return end();
          if (!readyAt && value[2] & reg.TEMP_EN) {
            pending &= reg.TORN;
            return fail(frame, FAULT_DATA, KEEPS);
          }
          const half = ((readyAt || outcome.ended) - from) / 2;
          block.samples[0] = sixteenths(value);
          block.count = 1;
          block.index = index++;
          block.time = from + half;
          block.uncertainty = half;
          pending = readyAt = 0;
          return then;
        },
      };
    },
  };
  return thermometer;
};
