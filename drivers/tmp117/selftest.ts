/** What a TMP117 must prove: its identity and its kept registers before it starts, one conversion in the self-test. */
import type { Frame, Op, Outcome, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY, hex, measure } from "../driver.ts";
import * as r from "./registers.ts";

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code: code, message: `${r.MODEL}: ${message}` });
  return null;
};

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
 * Writes Temp_Offset, the alert limits where there are any, and Configuration, reads all back; then `done`, or a fault.
 * While the EEPROM is programmed nothing is taken (section 7.5.1.2): once more then, when it is idle.
 */
export const configure = (
  configuration: number,
  offset: number,
  limits: number[] | null,
  done: (outcome: Outcome) => void,
): Step => {
  let again = false;
  const names = ["Temp_Offset"];
  const registers = [r.TEMP_OFFSET];
  const values = [offset];
  if (limits !== null) {
    names.push("THigh_Limit", "TLow_Limit");
    registers.push(r.THIGH_LIMIT, r.TLOW_LIMIT);
    values.push(limits[0], limits[1]);
  }
  const count = registers.length;
  const step: Step = {
    // Configuration last: its writing begins a cycle, its reading clears flags that older limits have set.
    ops: registers
      .map((register, i): Op => r.write(register, values[i]))
      .concat(
        r.write(r.CONFIGURATION, configuration),
        registers.map((register) => r.read(register)),
        r.read(r.CONFIGURATION),
      ),
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const value = r.unsigned(outcome.replies[count]);
      const set = value & r.SETTINGS;
      if ((value & r.EEPROM_BUSY) !== 0 && !again) {
        again = true;
        return whenIdle(true, r.CONFIGURATION, step);
      }
      for (let i = 0; i < count; i++) {
        const kept = r.signed(outcome.replies[i]);
        if (kept === values[i]) continue;
        const what = `${names[i]} reads ${kept}, ${values[i]} was written`;
        return fault(frame, FAULT_CONFIGURATION, `${what}; ${NEIGHBOURS}`);
      }
      if (set !== configuration) {
        const what = `Configuration reads ${hex(set)}, ${hex(configuration)} was written`;
        return fault(frame, FAULT_CONFIGURATION, `${what}; ${NEIGHBOURS}`);
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

/** Written to a limit register and read again. */
const PATTERN = 0x5aa5;

/**
 * One conversion without averaging (-55 to 150 Cel, the operating range, p. 1) and a register that keeps what is
 * written ("registers": bits that differ, 0); then `restore`, whatever came before.
 */
export const oneShot = (restore: Step): Step => {
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
