/** What a MAX30102 or MAX30101 must show before it starts: who it is, and that it takes its configuration. Device side. */
import {
  FAULT_CONFIGURATION,
  FAULT_IDENTITY,
  type Frame,
  hexByte,
  type Op,
  type Outcome,
  type Setup,
  type Step,
} from "../driver.ts";
import * as reg from "./registers.ts";

/** A byte that must be read back: `place` in the reply `reply` to `Max30102Setup.configure`. */
export interface Kept {
  readonly reply: number;
  readonly place: number;
  /** Its register. */
  readonly at: number;
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
  /** What the PART_ID of both says of this configuration, and whose it is too: a chip cannot be asked for its green LED. */
  readonly verdict: "confirmed" | "plausible";
  readonly others: string;
  /** Channel of each slot, in the order of the FIFO. */
  readonly order: readonly number[];
  /** Bytes of a sample; how far its words are shifted down from their upper end; full scale. */
  readonly size: number;
  readonly shift: number;
  readonly top: number;
  /** From sample to sample, us. */
  readonly period: number;
  /** Part of a period from the middle of the averaged conversions to the last of them. */
  readonly lag: number;
  /** Place in the FIFO of the sample whose interrupt is dated; 0: INT calls at every sample. */
  readonly called: number;
  /** Bytes that a read may have; reads that bring no sample: the pointers do not always fit into one with the first. */
  readonly maxRead: number;
  readonly heads: number;
  /** From die temperature to die temperature, us; 0: none. */
  readonly every: number;
}

export const SUPPLY = "check the supply";

/** Tells a fault of the chip; null ends a chain. */
export type Fail = (frame: Frame, code: number, words: string) => null;

/** What follows a step that did not fail. */
export type Answered = (replies: readonly Uint8Array[], frame: Frame, outcome: Outcome) => Step | null;

/** What follows a step that did not fail; a failed one ends the chain. */
const unlessFailed =
  (next: Answered) =>
  (outcome: Outcome, frame: Frame): Step | null =>
    outcome.error ? null : next(outcome.replies, frame, outcome);

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
export const createOpening = (setup: Max30102Setup, fail: Fail, started: Answered): Step => {
  let looks = 0;
  const differs = (frame: Frame, register: number, value: number, wanted: number): null =>
    fail(
      frame,
      FAULT_CONFIGURATION,
      `register ${hexByte(register)} reads ${hexByte(value)}, not ${hexByte(wanted)}; ` +
        (register === reg.PROX_INT_THRESH ? "this revision has no proximity function" : SUPPLY),
    );

  const configuring: Step = {
    ops: setup.configure,
    next: unlessFailed((replies, frame) => {
      for (const one of setup.kept) {
        const value = replies[one.reply][one.place];
        if (value !== one.value) return differs(frame, one.at, value, one.value);
      }
      return {
        ops: [{ write: [reg.MODE_CONFIG, setup.mode] }],
        next: unlessFailed(started),
      };
    }),
  };
  const resetting: Step = {
    ops: [{ read: 1, at: reg.MODE_CONFIG }],
    pause: 1,
    next: unlessFailed((replies, frame) => {
      const mode = replies[0][0];
      if (!(mode & reg.RESET)) return configuring;
      return ++looks < reg.RESET_LOOKS ? resetting : differs(frame, reg.MODE_CONFIG, mode, 0);
    }),
  };
  return {
    ops: [{ read: 2, at: reg.REV_ID }],
    next: unlessFailed((replies, frame) => {
      const reply = replies[0];
      const known = reply[1] === reg.PART;
      const part = hexByte(reply[1]);
      frame.identity = {
        verdict: known ? setup.verdict : "refused",
        read: `PART_ID ${part}, REV_ID ${hexByte(reply[0])}${known ? setup.others : ""}`,
      };
      if (known) return reset(resetting);
      return fail(
        frame,
        FAULT_IDENTITY,
        `PART_ID (0xff) reads ${part}, not 0x15; check the part (0x11 is a MAX30100) and the address`,
      );
    }),
  };
};
