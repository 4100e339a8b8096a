/** What a TMP117 must prove before it starts: its identity, and that its registers keep what is written. Device side. */
import type { Frame, Op, Outcome, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hex, tell } from "../driver.ts";
import * as r from "./registers.ts";

/** What is written to a register and must be read again. */
export interface Register {
  readonly name: string;
  readonly at: number;
  readonly value: number;
}

/** A TMP117 in one configuration. */
export interface Tmp117Setup extends Setup {
  /** Temp_Offset, the alert limits where there are any, Configuration last. */
  readonly registers: readonly Register[];
  /** The limits as they were said, Cel. */
  readonly alert: { readonly low?: number; readonly high?: number } | null;
  /** Conversions a result; from result to result, and waiting for a one-shot, ms. */
  readonly averaging: number;
  readonly cycle: number;
  readonly pause: number;
  /** One-shot. */
  readonly single: boolean;
}

/** The Configuration register of a setup. */
export const registerOf = (setup: Tmp117Setup): number => setup.registers[setup.registers.length - 1].value;

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => tell(frame, code, r.MODEL, message);

const NEIGHBOURS = "check the address and what else is on the bus";

/** Who is it? Nothing is written before that is known: 0x48 is the address of many chips. */
const identify = (frame: Frame, id: number): boolean => {
  const known = (id & 0xfff) === r.DID;
  const other = id === r.TMP119 ? " (TMP119)" : (id & 0xfff) === r.DID_TMP116 ? " (TMP116)" : "";
  frame.identity = {
    verdict: !known ? "refused" : other === "" ? "confirmed" : "plausible",
    read: `Device_ID ${hex(id)}${other}`,
  };
  if (!known) fault(frame, FAULT_IDENTITY, `Device_ID reads ${hex(id)}${other}, 0x.117 was expected; ${NEIGHBOURS}`);
  return known;
};

/**
 * Waits, bounded, until the EEPROM is idle; `busy` is what is known already. `register`: Configuration, or EEPROM_UL,
 * whose reading clears no flag.
 */
export const whenIdle = (busy: boolean, register: number, next: Step): Step => {
  const flag = register === r.EEPROM_UL ? r.UL_BUSY : r.EEPROM_BUSY;
  let tries = 0;
  const wait: Step = {
    ops: [r.read(register)],
    pause: r.BUSY_PAUSE,
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      if ((r.unsigned(outcome.replies[0]) & flag) === 0) return next;
      tries++;
      if (tries < r.BUSY_TRIES) return wait;
      const what = `EEPROM still busy after ${r.BUSY_TRIES * r.BUSY_PAUSE} ms`;
      return fault(frame, FAULT_CONFIGURATION, `${what}; check the supply and switch it off and on`);
    },
  };
  return busy ? wait : next;
};

/**
 * Writes the registers, reads all back; then `done`, or a fault. While the EEPROM is programmed nothing is taken
 * (section 7.5.1.2): once more then, when it is idle.
 */
export const configure = (setup: Tmp117Setup, done: (outcome: Outcome) => void): Step => {
  const registers = setup.registers;
  const last = registers.length - 1;
  let again = false;
  const step: Step = {
    ops: registers.map((one): Op => r.write(one.at, one.value)).concat(registers.map((one) => r.read(one.at))),
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const value = r.unsigned(outcome.replies[last]);
      if ((value & r.EEPROM_BUSY) !== 0 && !again) {
        again = true;
        return whenIdle(true, r.CONFIGURATION, step);
      }
      for (let i = 0; i <= last; i++) {
        const one = registers[i];
        const kept = i < last ? r.signed(outcome.replies[i]) : value & r.SETTINGS;
        if (kept === one.value) continue;
        const what = i < last ? `${kept}, ${one.value}` : `${hex(kept)}, ${hex(one.value)}`;
        return fault(frame, FAULT_CONFIGURATION, `${one.name} reads ${what} was written; ${NEIGHBOURS}`);
      }
      done(outcome);
      return null;
    },
  };
  return step;
};

/** Soft reset, idle EEPROM, then `next`. */
export const restart = (next: Step): Step => ({
  ops: [r.write(r.CONFIGURATION, r.SOFT_RESET)],
  pause: r.RESET_PAUSE,
  next: (outcome) => (outcome.error !== null ? null : whenIdle(true, r.CONFIGURATION, next)),
});

/** From any state: identity (into the frame), idle EEPROM, then `next`. */
export const identified = (next: Step): Step => ({
  ops: [r.read(r.DEVICE_ID), r.read(r.CONFIGURATION)],
  next: (outcome, frame) => {
    if (outcome.error !== null || !identify(frame, r.unsigned(outcome.replies[0]))) return null;
    return whenIdle((r.unsigned(outcome.replies[1]) & r.EEPROM_BUSY) !== 0, r.CONFIGURATION, next);
  },
});
