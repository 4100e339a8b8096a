/** How a MAX30003 says what is wrong. Device side. */
import { FAULT_BUS, FAULT_DATA, FAULT_RESTARTED, type Frame, hex, type Step } from "../driver.ts";
import * as r from "./registers.ts";

export type Next = NonNullable<Step["next"]>;

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code: code, message: `${r.MODEL}: ${message}` });
  return null;
};

/** Says which electrodes are off; `off`: the LDOFF bits of STATUS. */
export const tellLeads = (frame: Frame, off: number): void => {
  const positive = (off & r.LDOFF_P) !== 0 ? "ECGP" : "";
  const negative = (off & r.LDOFF_N) !== 0 ? "ECGN" : "";
  const both = positive !== "" && negative !== "" ? " and " : "";
  fault(frame, FAULT_DATA, `lead off: ${positive}${both}${negative} (STATUS ${hex(off)}); put the electrode on again`);
};

/** CNFG_GEN reads `value` and not what was written: nothing in the frame is data. Returns false. */
export const tellLost = (frame: Frame, value: number, written: number): boolean => {
  const what = `CNFG_GEN reads ${hex(value)}`;
  if (value === 0 || value === 0xffffff) {
    fault(frame, FAULT_BUS, `${what}: no chip answers; check power, select and data lines`);
  } else fault(frame, FAULT_RESTARTED, `${what}, ${hex(written)} was written: it lost its state; open it again`);
  frame.channels[0].count = 0;
  frame.restart = true;
  return false;
};

/** A FIFO that is not to be trusted: the tag that said so; ms between two polls that must not be exceeded. */
export const tellCorrupt = (frame: Frame, tag: number, pollEvery: number): void => {
  if (tag !== r.TAG_OVERFLOW) fault(frame, FAULT_DATA, `unused tag ${tag} in the FIFO; slow the bus down`);
  else fault(frame, FAULT_DATA, `FIFO overflow, samples lost; poll at least every ${pollEvery} ms`);
};
