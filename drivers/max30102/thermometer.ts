/** Die temperature of a MAX30102 or MAX30101 as a channel: taken now and then, beside the FIFO. Device side. */
import { type Block, FAULT_DATA, type Frame, type Outcome, type Step } from "../driver.ts";
import * as reg from "./registers.ts";
import { createFail } from "./settings.ts";

/** Where nothing said that a conversion is over: so long after its start it must be, us. */
const OVERDUE = 100_000;
/** Seconds between two values where the configuration says only that there shall be some. */
const USUAL = 10;

/** Die temperature in sixteenths of a Cel from TINT and TFRAC. */
export const sixteenths = (integer: number, fraction: number): number => ((integer << 24) >> 20) + (fraction & 15);

/** What is said of a conversion that does not end. */
export const KEEPS = "TEMP_CONFIG (0x21) keeps its TEMP_EN bit; check the supply";

/** Takes a die temperature now and then, between two polls' readings of the FIFO. */
export interface Thermometer {
  /** The chip was opened. */
  begin(): void;
  /** INT_STATUS_2 was read. */
  look(status: number, outcome: Outcome): void;
  /** What is to be done at the end of a poll: read a value, start a conversion, nothing. */
  next(): Step | null;
  /** What comes before the chip is shut down, which clears the flag: a look at it, where a conversion may be under way. */
  before(ending: Step): Step;
  /** At the end, shut down: reads a value that is known to be there, then `then`. Says what may be lost. */
  last(frame: Frame, then: Step): Step;
}

/**
 * Its values, sixteenths of a Cel, go into the block at `place`. A value came between its start and its flag, which is
 * all that is known of its time. `every`: `Configuration.dieTemperature`. Throws Error where that is no number of seconds.
 */
export const createThermometer = (where: string, every: number | boolean | undefined, place: number): Thermometer => {
  const seconds = typeof every === "number" ? every : USUAL;
  if (!(seconds >= 1 && seconds <= 3600)) {
    throw new Error(`${where}: dieTemperature ${seconds} s: choose 1 to 3600, or true for every ${USUAL} s`);
  }
  let index = 0;
  /** Starts since the last value: acknowledged, and such as may or may not have reached the chip. */
  let started = false;
  let torn = false;
  /** When the first of them began, and the last one; us. */
  let from = 0;
  let startedAt = 0;
  /** DIE_TEMP_RDY was seen and its value not yet read; when; us. */
  let ready = false;
  let now = 0;
  let readyAt = 0;
  let first = true;

  const take = (reply: Uint8Array, until: number, block: Block): void => {
    block.samples[0] = sixteenths(reply[0], reply[1]);
    block.count = 1;
    block.index = index++;
    block.time = (from + until) / 2;
    block.uncertainty = (until - from) / 2;
    started = torn = ready = false;
  };
  const onRead = (outcome: Outcome, frame: Frame): null => {
    if (outcome.error !== null) return null;
    const value = outcome.replies[0];
    // After a brown-out there is another zero to be read; the next poll notices.
    if (outcome.replies[1][0] !== reg.DIE_TEMP_RDY) return null;
    if (ready) take(value, readyAt, frame.channels[place]);
    else if ((value[2] & reg.TEMP_EN) === 0) take(value, outcome.ended, frame.channels[place]);
    else {
      started = false;
      createFail(where)(frame, FAULT_DATA, KEEPS);
    }
    return null;
  };
  const reading: Step = {
    ops: [
      { read: 3, at: reg.TEMP_INT },
      { read: 1, at: reg.INT_ENABLE_2 },
    ],
    next: onRead,
  };
  const starting: Step = {
    ops: [{ write: [reg.TEMP_CONFIG, reg.TEMP_EN] }],
    next: (outcome) => {
      if (!torn) from = outcome.began;
      startedAt = outcome.began;
      first = false;
      if (outcome.error === null) started = true;
      else torn = true;
      return null;
    },
  };

  const thermometer: Thermometer = {
    begin: () => {
      index = 0;
      started = torn = ready = false;
      first = true;
    },
    look: (status, outcome) => {
      now = outcome.ended;
      if ((status & reg.DIE_TEMP_RDY) === 0 || !(started || torn)) return;
      ready = true;
      readyAt = now;
    },
    next: () => {
      const age = now - startedAt;
      if (ready || (started && age >= OVERDUE)) return reading;
      return !started && (first || age >= (torn ? OVERDUE : seconds * 1e6)) ? starting : null;
    },
    before: (ending) => {
      if (!(started || torn)) return ending;
      return {
        ops: [{ read: 1, at: reg.INT_STATUS_2 }],
        next: (outcome) => {
          if (outcome.error === null) thermometer.look(outcome.replies[0][0], outcome);
          return ending;
        },
      };
    },
    last: (frame, then) => {
      const block = frame.channels[place];
      if (!ready) {
        if (started || torn) block.lost = -1;
        return then;
      }
      return {
        ops: reading.ops,
        next: (outcome) => {
          onRead(outcome, frame);
          if (block.count === 0) block.lost = -1;
          return then;
        },
      };
    },
  };
  return thermometer;
};
