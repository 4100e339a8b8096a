/** A TMP117 by its own means: one conversion, and a register that keeps what is written. Device side. */
import { type Core, FAULT_DATA, measure, type Step } from "../driver.ts";
import { fault, identified, restart } from "./opening.ts";
import * as r from "./registers.ts";

/** Written to a limit register and read again. */
const PATTERN = 0x5aa5;

/**
 * One conversion without averaging (-55 to 150 Cel, the operating range, p. 1) and a register that keeps what is
 * written ("registers": bits that differ, 0); then `restore`, whatever came before.
 */
const oneShot = (restore: Step): Step => {
  const judge: Step = {
    ops: [r.read(r.CONFIGURATION), r.read(r.TEMP_RESULT), r.read(r.THIGH_LIMIT)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return restore;
      const pattern = r.unsigned(outcome.replies[2]) ^ PATTERN;
      measure(frame, "registers", pattern, "1", 0, 0);
      if ((r.unsigned(outcome.replies[0]) & r.DATA_READY) !== 0) {
        const value = r.signed(outcome.replies[1]) / r.PER_DEGREE;
        measure(frame, "temperature", value, "Cel", -55, 150);
      } else fault(frame, FAULT_DATA, `no conversion within ${r.ONE_SHOT_PAUSE} ms; check the supply`);
      return restore;
    },
  };
  return {
    ops: [r.write(r.THIGH_LIMIT, PATTERN), r.write(r.CONFIGURATION, r.ONE_SHOT | r.DR_ALERT)],
    pause: r.ONE_SHOT_PAUSE,
    next: () => judge,
  };
};

export const selfTest = (driver: Core): Step => identified(restart(oneShot(driver.resume())));
