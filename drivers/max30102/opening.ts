/** What a MAX30102 or MAX30101 must show before it starts: who it is, and that it takes its configuration. Device side. */
import {
  FAULT_CONFIGURATION,
  FAULT_IDENTITY,
  type Frame,
  type Op,
  type Outcome,
  type Setup,
  type Step,
  tell,
} from "../driver.ts";
import * as reg from "./registers.ts";

/** A byte that must be read back: `place` in the reply `reply` to `Max30102Setup.configure`. */
export interface Kept {
  readonly reply: number;
  readonly place: number;
  readonly register: number;
  readonly value: number;
}

/** A MAX30102 or MAX30101 in one configuration. */
export interface Max30102Setup extends Setup {
  /** Model and address, for messages. */
  readonly where: string;
  /** Equal in setups that one record can have: all but the LED currents. */
  readonly record: string;
  /** The write of LED1_PA to that of the model's last LED. */
  readonly currents: readonly number[];
  /** Writes everything, shut down, and reads it back; what of that must be as it was written. */
  readonly configure: readonly Op[];
  readonly kept: readonly Kept[];
  /** MODE field, and INT_ENABLE_1. */
  readonly mode: number;
  readonly enable: number;
  /** SLOTS_1_2 and SLOTS_3_4; empty in SpO2 mode. */
  readonly slots: readonly number[];
  /** Green light is used: a chip cannot be asked whether it has any. */
  readonly green: boolean;
  /** Channel of each slot, in the order of the FIFO. */
  readonly order: readonly number[];
  /** Part of a period from the middle of the averaged conversions to the last of them. */
  readonly lag: number;
  /** Place in the FIFO of the sample whose interrupt is dated; 0: INT calls at every sample. */
  readonly called: number;
  /** Bytes that a read may have. */
  readonly maxRead: number;
  /** From die temperature to die temperature, us; 0: none. */
  readonly every: number;
}

/** How often RESET is looked at, 1 ms apart. */
const LOOKS = 8;

/** A register as messages name it: 0x0a. */
export const hex = (byte: number): string => `0x${(byte + 256).toString(16).slice(1)}`;

const SUPPLY = "check the supply";

/** What is said of a bit that should clear itself. */
export const keeps = (register: string, bit: string): string => `${register} keeps its ${bit} bit; ${SUPPLY}`;

/** RESET, then `next`. */
export const reset = (next: Step): Step => ({
  ops: [{ write: [reg.MODE_CONFIG, reg.RESET] }],
  pause: 1,
  next: () => next,
});

/**
 * From any state to configured: identity (sets frame.identity), RESET, configuration, read back; then MODE starts the
 * conversion and `started` is called with that outcome. Faults: FAULT_IDENTITY, FAULT_CONFIGURATION; after one nothing
 * converts.
 */
export const createOpening = (setup: Max30102Setup, started: (outcome: Outcome) => void): Step => {
  let looks = 0;
  const fail = (frame: Frame, code: number, words: string): null => tell(frame, code, setup.where, words);

  const configuring: Step = {
    ops: setup.configure,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      for (let i = 0; i < setup.kept.length; i++) {
        const one = setup.kept[i];
        const value = outcome.replies[one.reply][one.place];
        if (value === one.value) continue;
        const advice = one.register === reg.PROX_INT_THRESH ? "this revision has no proximity function" : SUPPLY;
        const what = `register ${hex(one.register)} reads ${hex(value)}, not ${hex(one.value)}`;
        return fail(frame, FAULT_CONFIGURATION, `${what}; ${advice}`);
      }
      return {
        ops: [{ write: [reg.MODE_CONFIG, setup.mode] }],
        next: (last) => {
          if (last.error === null) started(last);
          return null;
        },
      };
    },
  };
  const resetting: Step = {
    ops: [{ read: 1, at: reg.MODE_CONFIG }],
    pause: 1,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      if ((outcome.replies[0][0] & reg.RESET) === 0) return configuring;
      if (++looks < LOOKS) return resetting;
      return fail(frame, FAULT_CONFIGURATION, keeps("MODE_CONFIG (0x09)", "RESET"));
    },
  };
  return {
    ops: [{ read: 2, at: reg.REV_ID }],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const reply = outcome.replies[0];
      const known = reply[1] === reg.PART;
      const part = hex(reply[1]);
      const others = known && setup.green ? ": MAX30101, MAX30102 or MAX30105" : "";
      frame.identity = {
        verdict: !known ? "refused" : setup.green ? "plausible" : "confirmed",
        read: `PART_ID ${part}, REV_ID ${hex(reply[0])}${others}`,
      };
      if (known) return reset(resetting);
      const advice = "check the part (0x11 is a MAX30100) and the address";
      return fail(frame, FAULT_IDENTITY, `PART_ID (0xff) reads ${part}, not 0x15; ${advice}`);
    },
  };
};
