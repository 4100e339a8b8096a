/** What a MAX86150 must show: who it is and that it takes its configuration; then its self-test. Device side. */
import {
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  type Frame,
  measure,
  type Op,
  type Outcome,
  type Step,
} from "../driver.ts";
import * as reg from "./registers.ts";

/** How often RESET is looked at, 1 ms apart. */
const RESET_LOOKS = 8;
/** For LED_PILOT_PA, which only the proximity mode uses. */
const PATTERNS = [0x55, 0xaa];
/** Periods over which the self-test counts samples; a FIFO's depth is the most that the pointer can tell. */
const COUNTED = 8;
const COUNTABLE = 28;

export const hex = (byte: number): string => `0x${(byte + 256).toString(16).slice(1)}`;

/** Adds faults of the chip at `where` (model and address) to a frame; returns null, which ends a chain. */
export const createFail =
  (where: string) =>
  (frame: Frame, code: number, message: string): null => {
    frame.faults.push({ code, message: `${where}: ${message}` });
    return null;
  };

/**
 * From any state to configured: identity (sets frame.identity), RESET, configuration, read back; then FIFO_EN starts the
 * conversion and `started` is asked with that outcome. `groups`: as `encode` makes them. `where`: model and address, for
 * messages. Faults: FAULT_IDENTITY, FAULT_CONFIGURATION; after one nothing converts.
 */
export const createOpening = (
  where: string,
  groups: readonly (readonly number[])[],
  tuning: boolean,
  started: (outcome: Outcome) => null,
): Step => {
  const fail = createFail(where);
  // PART_ID shows that the test registers are closed again.
  const expected = groups.concat([[reg.PART_ID, reg.PART]]);
  let looks = 0;

  const onConfigure = (outcome: Outcome, frame: Frame): Step | null => {
    if (outcome.error !== null) return null;
    for (let g = 0; g < expected.length; g++) {
      for (let i = 1; i < expected[g].length; i++) {
        const value = outcome.replies[g][i - 1];
        if (value === expected[g][i]) continue;
        const what = `register ${hex(expected[g][0] + i - 1)} reads ${hex(value)}, not ${hex(expected[g][i])}`;
        return fail(frame, FAULT_CONFIGURATION, `${what}; check the supply`);
      }
    }
    return { ops: [{ write: [reg.SYSTEM_CONTROL, reg.FIFO_EN] }], next: started };
  };

  const onReset = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    if ((reply[0] & reg.RESET) !== 0) {
      if (++looks < RESET_LOOKS) return resetting;
      return fail(frame, FAULT_CONFIGURATION, "SYSTEM_CONTROL (0x0d) keeps its RESET bit; check the supply");
    }
    const writes = tuning ? groups.concat(reg.TUNING) : groups;
    const ops: Op[] = writes.map((write) => ({ write }));
    for (let g = 0; g < expected.length; g++) ops.push({ read: expected[g].length - 1, at: expected[g][0] });
    // PWR_RDY is cleared by reading it.
    ops.push({ read: 2, at: reg.INT_STATUS_1 });
    return { ops, next: onConfigure };
  };
  const resetting: Step = { ops: [{ read: 1, at: reg.SYSTEM_CONTROL }], pause: 1, next: onReset };

  const onIdentity = (outcome: Outcome, frame: Frame): Step | null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    const part = hex(reply[0]);
    const good = reply[0] === reg.PART;
    frame.identity = { verdict: good ? "confirmed" : "refused", read: `PART_ID ${part}` };
    if (good) return { ops: [{ write: [reg.SYSTEM_CONTROL, reg.RESET] }], pause: 1, next: () => resetting };
    return fail(frame, FAULT_IDENTITY, `PART_ID (0xff) reads ${part}, not 0x1e; check the part and the address`);
  };
  return { ops: [{ read: 1, at: reg.PART_ID }], next: onIdentity };
};

/**
 * A step that writes and reads back a register that nothing uses, then counts what is converted in 8 periods, while the
 * chip goes on converting. Measurements: "register bits that differ" (0), "supply out of range" (VDD_OOR, 0) and
 * "sample rate" in Hz, within `tolerance` and the one sample that a count may be off by; FAULT_DATA where the host came
 * too late to count. `period`: us. `keep`: takes the status register's flags, which reading clears. `where`: model and
 * address, for messages.
 */
export const createSelfTest = (
  where: string,
  period: number,
  tolerance: number,
  keep: (status: Uint8Array) => void,
): Step => {
  const look: Op = { read: 7, at: reg.INT_STATUS_1 };
  const pilot: Op = { read: 1, at: reg.PILOT_PA };
  let write = 0;
  let supply = 0;
  let began = 0;
  let ended = 0;

  const onEnd = (outcome: Outcome, frame: Frame): null => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    keep(reply);
    measure(frame, "supply out of range", ((supply | reply[1]) & reg.VDD_OOR) >> 7, "1", 0, 0);
    // From reading to reading: within them the pointers were read at some moment.
    const shortest = outcome.began - ended;
    const longest = outcome.ended - began;
    if (longest > COUNTABLE * period) {
      return createFail(where)(frame, FAULT_DATA, "the host came too late; test it again");
    }
    const count = (reply[4] - write) & reg.FIVE_BITS;
    const lowest = (shortest * (1 - tolerance)) / period - 1;
    const highest = (longest * (1 + tolerance)) / period + 1;
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
      keep(reply);
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
