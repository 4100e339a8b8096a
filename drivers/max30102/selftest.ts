/** A MAX30102 or MAX30101 by its own means: registers that keep what is written, die temperature. Device side. */
import { FAULT_DATA, measure, type Step, tell } from "../driver.ts";
import type { Max30102Core } from "./driver.ts";
import * as reg from "./registers.ts";
import { KEEPS, sixteenths } from "./thermometer.ts";

/** For the multi-LED registers: allowed values, and SpO2 mode does not use them (p21). */
const PATTERNS = [0x21, 0x12];
/** A temperature conversion takes 29 ms (p4, typical); then the end is looked for so often, every so many ms. */
const CONVERSION = 40;
const AGAIN = 5;
const LOOKS = 6;

/**
 * Die temperature in Cel from TINT and TFRAC. The fraction is added also to a negative integer: 0x80 and 0x08 are
 * -127.5 (p22).
 */
export const dieTemperature = (integer: number, fraction: number): number => sixteenths([integer, fraction]) / 16;

/** Reads until TEMP_EN has cleared itself, at most `left` more times. */
const lookForTemperature = (where: string, left: number): Step => ({
  ops: [{ read: 3, at: reg.TEMP_INT }],
  pause: AGAIN,
  next: (outcome, frame) => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    if ((reply[2] & reg.TEMP_EN) === 0) {
      // p4: the sensor's range; a board that works lies well within it.
      measure(frame, "die temperature", dieTemperature(reply[0], reply[1]), "Cel", -40, 85);
      return null;
    }
    return left > 0 ? lookForTemperature(where, left - 1) : tell(frame, FAULT_DATA, where, KEEPS);
  },
});

/**
 * A step that compares the two multi-LED registers with what is in them (in SpO2 mode, with two patterns that it writes
 * first), then measures the die temperature, while the chip goes on converting: nothing has to be written again.
 * Measurements: "register bits that differ", 0 when all is well, and "die temperature" in Cel, -40 to 85 (p4), absent
 * where its conversion does not end (FAULT_DATA).
 */
export const selfTest = (driver: Max30102Core): Step => {
  const setup = driver.configuration;
  const multi = setup.slots.length > 0;
  const expected = multi ? setup.slots : PATTERNS;
  const look = { read: 2, at: reg.SLOTS_1_2 };
  const start = { write: [reg.TEMP_CONFIG, reg.TEMP_EN] };
  return driver.ifOpen({
    ops: multi
      ? [look, start]
      : [{ write: [reg.SLOTS_1_2, PATTERNS[0], PATTERNS[1]] }, look, { write: [reg.SLOTS_1_2, 0, 0] }, start],
    pause: CONVERSION,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const reply = outcome.replies[0];
      const different = (reply[0] ^ expected[0]) | ((reply[1] ^ expected[1]) << 8);
      let count = 0;
      for (let bits = different; bits !== 0; bits &= bits - 1) count++;
      measure(frame, "register bits that differ", count, "1", 0, 0);
      return lookForTemperature(setup.where, LOOKS);
    },
  });
};
