/** A MAX86150 by its own means, while it goes on converting. Device side. */
import { FAULT_DATA, type Frame, measure, type Op, type Outcome, type Step, tell } from "../driver.ts";
import type { Max86150Core } from "./driver.ts";
import * as reg from "./registers.ts";

/** For LED_PILOT_PA, which only the proximity mode uses. */
const PATTERNS = [0x55, 0xaa];
/** Periods over which the self-test counts samples; a FIFO's depth is the most that the pointer can tell. */
const COUNTED = 8;
const COUNTABLE = 28;

/**
 * A step that writes and reads back a register that nothing uses, then counts what is converted in 8 periods. As the chip
 * goes on converting, nothing is to be restored. Measurements: "register bits that differ" (0), "supply out of range"
 * (VDD_OOR, 0) and "sample rate" in Hz, within the oscillator's tolerance and the one sample that a count may be off by;
 * FAULT_DATA where the host came too late to count, FAULT_CONFIGURATION where the chip is not open.
 */
export const selfTest = (driver: Max86150Core): Step => {
  const poll = driver.poll();
  // Not open: that step says so.
  if (poll.ops.length === 0) return poll;
  const look = poll.ops[0];
  const pilot: Op = { read: 1, at: reg.PILOT_PA };
  const period = driver.configuration.period;
  let write = 0;
  let supply = 0;
  let began = 0;
  let ended = 0;

  const onEnd = (outcome: Outcome, frame: Frame): null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    driver.keep(reply);
    measure(frame, "supply out of range", ((supply | reply[1]) & reg.VDD_OOR) >> 7, "1", 0, 0);
    // From reading to reading: within them the pointers were read at some moment.
    const shortest = outcome.began - ended;
    const longest = outcome.ended - began;
    if (longest > COUNTABLE * period) {
      return tell(frame, FAULT_DATA, driver.configuration.where, "the host came too late; test it again");
    }
    const count = (reply[4] - write) & reg.FIVE_BITS;
    const lowest = (shortest * (1 - reg.TOLERANCE)) / period - 1;
    const highest = (longest * (1 + reg.TOLERANCE)) / period + 1;
    const second = 2e6 / (shortest + longest);
    measure(frame, "sample rate", count * second, "Hz", lowest * second, highest * second);
    return null;
  };

  const begin: Step = {
    ops: [look],
    pause: (COUNTED * period) / 1000,
    next: (outcome) => {
      const reply = outcome.replies[0];
      if (reply === undefined) return null;
      driver.keep(reply);
      write = reply[4];
      supply = reply[1];
      began = outcome.began;
      ended = outcome.ended;
      return { ops: [look], next: onEnd };
    },
  };

  return {
    ops: [
      { write: [reg.PILOT_PA, PATTERNS[0]] },
      pilot,
      { write: [reg.PILOT_PA, PATTERNS[1]] },
      pilot,
      { write: [reg.PILOT_PA, 0] },
    ],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const replies = outcome.replies;
      const different = (replies[0][0] ^ PATTERNS[0]) | ((replies[1][0] ^ PATTERNS[1]) << 8);
      let count = 0;
      for (let bits = different; bits !== 0; bits &= bits - 1) count++;
      measure(frame, "register bits that differ", count, "1", 0, 0);
      return begin;
    },
  };
};
