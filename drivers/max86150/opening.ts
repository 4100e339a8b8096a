/** What a MAX86150 must show before it starts: who it is, and that it takes its configuration. Device side. */
import type { Op, Outcome, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hexByte, tell } from "../driver.ts";
import * as reg from "./registers.ts";

/** A MAX86150 in one configuration. */
export interface Max86150Setup extends Setup {
  /** Model and address, for messages. */
  readonly where: string;
  /**
   * The registers as groups to be written at once, [address, value, ...]: FIFO, PPG, LED amplitudes, LED range, ECG rate,
   * ECG gain, interrupt enables with the FIFO's pointers.
   */
  readonly groups: readonly (readonly number[])[];
  /** Written behind them, and not to be read: the vendor's values in the ECG's test registers, or nothing. */
  readonly tuning: readonly (readonly number[])[];
  /** All settings but the LED currents, in one text: where it differs, a new record is needed. */
  readonly record: string;
  /** From sample to sample, us; part of it from the middle of the averaged conversions to the last of them. */
  readonly period: number;
  readonly lag: number;
  /** Samples that one read brings at most. */
  readonly piece: number;
  /** Place of the ECG in a sample; -1: it has none. */
  readonly ecg: number;
}

/** How often RESET is looked at, 1 ms apart. */
const RESET_LOOKS = 8;

export const write = (bytes: readonly number[]): Op => ({ write: bytes });

/** A write to System Control. */
export const control = (value: number): Op => write([reg.SYSTEM_CONTROL, value]);

export const reset = (next: () => Step): Step => ({ ops: [control(reg.RESET)], pause: 1, next: next });

/**
 * RESET, then the configuration, read back; then FIFO_EN starts the conversion, and `started` is asked with that outcome.
 * Fault: FAULT_CONFIGURATION; nothing converts then.
 */
export const configure = (setup: Max86150Setup, started: (outcome: Outcome) => null): Step => {
  // PART_ID shows that the test registers are closed again.
  const expected = setup.groups.concat([[reg.PART_ID, reg.PART]]);
  let looks = RESET_LOOKS;

  const setting: Step = {
    ops: setup.groups
      .concat(setup.tuning)
      .map(write)
      // PWR_RDY is cleared by reading it.
      .concat(
        expected.map((group) => ({ read: group.length - 1, at: group[0] })),
        { read: 2, at: reg.INT_STATUS_1 },
      ),
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      for (let g = 0; g < expected.length; g++) {
        const group = expected[g];
        for (let i = 1; i < group.length; i++) {
          const value = outcome.replies[g][i - 1];
          if (value === group[i]) continue;
          const what = `register ${hexByte(group[0] + i - 1)} reads ${hexByte(value)}, not ${hexByte(group[i])}`;
          return tell(frame, FAULT_CONFIGURATION, setup.where, `${what}; check the supply`);
        }
      }
      return { ops: [control(reg.FIFO_EN)], next: started };
    },
  };
  const look: Step = {
    ops: [{ read: 1, at: reg.SYSTEM_CONTROL }],
    pause: 1,
    next: (outcome, frame) => {
      const reply = outcome.replies[0];
      if (reply === undefined) return null;
      if ((reply[0] & reg.RESET) === 0) return setting;
      looks--;
      if (looks > 0) return look;
      const words = "SYSTEM_CONTROL (0x0d) keeps its RESET bit; check the supply";
      return tell(frame, FAULT_CONFIGURATION, setup.where, words);
    },
  };
  return reset(() => look);
};

/** Identity (into the frame), then `next`. Fault: FAULT_IDENTITY; nothing is written then. */
export const identified = (where: string, next: Step): Step => ({
  ops: [{ read: 1, at: reg.PART_ID }],
  next: (outcome, frame) => {
    const reply = outcome.replies[0];
    if (reply === undefined) return null;
    const part = hexByte(reply[0]);
    const good = reply[0] === reg.PART;
    frame.identity = { verdict: good ? "confirmed" : "refused", read: `PART_ID ${part}` };
    if (good) return next;
    return tell(frame, FAULT_IDENTITY, where, `PART_ID (0xff) reads ${part}, not 0x1e; check the part and the address`);
  },
});
