/** How a MAX30003 says what is wrong. Device side. */
import { FAULT_BUS, FAULT_DATA, FAULT_RESTARTED, type Frame, hex, tell } from "../driver.ts";
import * as r from "./registers.ts";

/** What to do where nobody answers. */
export const LINES = "check power, select and data lines";

/** A register reads `value`, which is a fault: `words` say why, and what to do. null: it ends a chain. */
export const misread = (frame: Frame, code: number, register: string, value: number, words: string): null =>
  tell(frame, code, r.MODEL, `${register} reads ${hex(value)}, ${words}`);

/** CNFG_GEN reads `value` and not what was written: nothing in the frame is data. Returns false. */
export const tellLost = (frame: Frame, value: number, written: number): boolean => {
  // All bits are alike.
  const dead = value % 0xffffff === 0;
  misread(
    frame,
    dead ? FAULT_BUS : FAULT_RESTARTED,
    "CNFG_GEN",
    value,
    dead ? `no chip answers; ${LINES}` : `${hex(written)} was written: it lost its state; open it again`,
  );
  frame.restart = true;
  return false;
};

/** Says which electrodes are off; `off`: the LDOFF bits of STATUS. */
export const tellLeads = (frame: Frame, off: number): null =>
  tell(
    frame,
    FAULT_DATA,
    r.MODEL,
    `lead off: ${off <= r.LDOFF_N ? "ECGN" : off & r.LDOFF_N ? "ECGP and ECGN" : "ECGP"} (STATUS ${hex(off)}); ` +
      "put the electrode on again",
  );

/** A FIFO that is not to be trusted: the tag that said so; ms between two polls that must not be exceeded. */
export const tellCorrupt = (frame: Frame, tag: number, pollEvery: number): null =>
  tell(
    frame,
    FAULT_DATA,
    r.MODEL,
    tag === r.TAG_OVERFLOW
      ? `FIFO overflow, samples lost; poll at least every ${pollEvery} ms`
      : `unused tag ${tag} in the FIFO; slow the bus down`,
  );

/** The R-to-R timer went over after so many us. */
export const tellSilence = (frame: Frame, time: number): null =>
  tell(
    frame,
    FAULT_DATA,
    r.MODEL,
    `R-to-R timer over: no R event within ${Math.round(time / 1000000)} s; ` +
      "look at the electrodes, or lower rrInterval.threshold",
  );
