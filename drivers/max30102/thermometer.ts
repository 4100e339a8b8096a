/** Die temperature of a MAX30102 or MAX30101 as a channel: taken now and then, beside the FIFO. Device side. */
import { FAULT_DATA, type Frame, type Outcome, type Step, tell } from "../driver.ts";
import { keeps, type Max30102Setup } from "./opening.ts";
import * as reg from "./registers.ts";

/** Where nothing said that a conversion is over: so long after its start it must be, us. */
const OVERDUE = 100_000;
/** Starts since the last value: acknowledged, and such as may or may not have reached the chip. */
const STARTED = 1;
const TORN = 2;

/** Die temperature in sixteenths of a Cel from TINT and TFRAC; the fraction is added also to a negative integer (p22). */
export const sixteenths = (reply: ArrayLike<number>): number => ((reply[0] << 24) >> 20) + (reply[1] & 15);

/** What is said of a conversion that does not end. */
export const temperatureKeeps = (): string => keeps("TEMP_CONFIG (0x21)", "TEMP_EN");

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
export const createThermometer = (setup: Max30102Setup): Thermometer => {
  const every = setup.every;
  let index = 0;
  let gap = 0;
  let pending = 0;
  /** When the first of the starts began, and the last one; us. */
  let from = 0;
  let startedAt = 0;
  let now = 0;
  /** When DIE_TEMP_RDY was seen whose value is not yet read, us; 0: it was not. */
  let readyAt = 0;

  const take = (outcome: Outcome, frame: Frame, block: Frame["channels"][number]): void => {
    const value = outcome.replies[0];
    // After a brown-out there is another zero to be read; the next poll notices.
    if (outcome.error !== null || outcome.replies[1][0] !== reg.DIE_TEMP_RDY) return;
    if (readyAt === 0 && (value[2] & reg.TEMP_EN) !== 0) {
      pending &= TORN;
      tell(frame, FAULT_DATA, setup.where, temperatureKeeps());
      return;
    }
    const half = ((readyAt || outcome.ended) - from) / 2;
    block.samples[0] = sixteenths(value);
    block.count = 1;
    block.lost |= gap;
    block.index = index++;
    block.time = from + half;
    block.uncertainty = half;
    pending = readyAt = gap = 0;
  };
  const start: Step = {
    ops: [{ write: [reg.TEMP_CONFIG, reg.TEMP_EN] }],
    next: (outcome) => {
      startedAt = outcome.began;
      if (pending === 0) from = startedAt;
      pending |= outcome.error === null ? STARTED : TORN;
      return null;
    },
  };

  const thermometer: Thermometer = {
    begin: (lost) => {
      index = lost && index;
      gap = lost;
      pending = readyAt = 0;
      startedAt = -Infinity;
    },
    look: (status, outcome) => {
      now = outcome.ended;
      if ((status & reg.DIE_TEMP_RDY) !== 0 && pending !== 0) readyAt = now;
    },
    before: (ending) =>
      pending === 0
        ? ending
        : {
            ops: [{ read: 1, at: reg.INT_STATUS_2 }],
            next: (outcome) => {
              if (outcome.error === null) thermometer.look(outcome.replies[0][0], outcome);
              return ending;
            },
          },
    last: (frame, then) => {
      const block = frame.channels[setup.capacities.length - 1];
      const age = now - startedAt;
      const started = (pending & STARTED) !== 0;
      const end = (): Step | null => {
        if (then !== null && pending !== 0) block.lost = -1;
        return then;
      };
      if (readyAt > 0 || (then === null && started && age >= OVERDUE)) {
        return {
          ops: [
            { read: 3, at: reg.TEMP_INT },
            { read: 1, at: reg.INT_ENABLE_2 },
          ],
          next: (outcome) => {
            take(outcome, frame, block);
            return end();
          },
        };
      }
      const due = then === null && every > 0 && !started && age >= (pending === 0 ? every : OVERDUE);
      return due ? start : end();
    },
  };
  return thermometer;
};
