/**
 * What a MAX30003 must prove before it starts: its identity, a locked clock and kept registers. Pages: MAX30001G data
 * sheet. Device side.
 */
import type { Op, Outcome, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hex } from "../driver.ts";
import { fault, type Next } from "./faults.ts";
import * as r from "./registers.ts";

/** A MAX30003 in one configuration. */
export interface Max30003Setup extends Setup {
  /** In the order of writing, CNFG_GEN first, that with the channel on. */
  readonly registers: readonly r.Register[];
  /** CNFG_GEN with the channel on; while the chip waits for leads, 0: it never does; stopped. */
  readonly general: number;
  readonly asleep: number;
  readonly stopped: number;
  /** MNGR_DYN. */
  readonly dynamic: number;
  /** For so long a lead must be off before the channel is, us. */
  readonly patience: number;
  /** What a reconfiguration cannot change, in any form. */
  readonly record: string;
  /** Operations that begin a record; that read the words of an EINT, and all that the FIFO can hold. */
  readonly synch: readonly Op[];
  readonly burst: readonly Op[];
  readonly drain: readonly Op[];
  /** Words that raise EINT. */
  readonly efit: number;
  /** From sample to sample, us. */
  readonly period: number;
  /** Flags of all samples. */
  readonly mark: number;
  /** A step of the R-to-R timer, us; 0: intervals are not wanted. */
  readonly timer: number;
  /** For the self-test: V/V; bytes of one transfer at most. */
  readonly gain: number;
  readonly limit: number;
}

/** Inputs isolated, nothing runs, least power: where every failed attempt and every close ends. */
export const reset: Step = { ops: [r.write(r.SW_RST, 0)] };

const orReset = (next: Step) => (outcome: Outcome) => (outcome.error !== null ? reset : next);

/** Waits for the PLL, then `verify`. A PLL that does not lock is a fault, and leaves the chip reset. */
const lock = (verify: Step): Step => {
  let tries = 0;
  const look: Step = {
    ops: [r.read(r.STATUS)],
    pause: r.PLL_PAUSE,
    next: (outcome, frame) => {
      if (outcome.error !== null) return reset;
      if ((r.word(outcome.replies[0]) & r.PLLINT) === 0) return verify;
      tries++;
      if (tries < r.PLL_TRIES) return look;
      const what = `PLL not locked after ${r.PLL_TRIES * r.PLL_PAUSE} ms`;
      fault(frame, FAULT_CONFIGURATION, `${what}; check the 32.768 khz clock at FCLK and the capacitor at CPLL`);
      return reset;
    },
  };
  return look;
};

/**
 * From any state to a converter that runs with these registers; sets frame.identity; `then`
 * comes `pause` ms after SYNCH. Whatever fails is a fault in the frame, and leaves the chip reset.
 */
export const bring = (values: readonly r.Register[], pause: number, then: Next): Step => {
  const verify: Step = {
    ops: values.map((one) => r.read(one[0])),
    next: (outcome, frame) => {
      if (outcome.error !== null) return reset;
      for (let i = 0; i < outcome.replies.length; i++) {
        const value = r.word(outcome.replies[i]);
        const wanted = values[i][1];
        if (value === wanted) continue;
        const what = `register ${hex(values[i][0])} reads ${hex(value)}, ${hex(wanted)} was written`;
        fault(frame, FAULT_CONFIGURATION, `${what}; check the SPI wiring and slow the bus down`);
        return reset;
      }
      return { ops: [r.write(r.SYNCH, 0)], pause: pause, next: then };
    },
  };
  const configure: Step = { ops: r.writeAll(values), pause: r.PLL_PAUSE, next: orReset(lock(verify)) };
  return {
    // INFO is not valid as the first command after power-up (p. 47).
    ops: [r.read(r.STATUS), r.read(r.INFO)],
    next: (outcome, frame) => {
      if (outcome.error !== null) return null;
      const info = r.word(outcome.replies[1]);
      const part = info >> 20 === 5 ? (info >> 12) & 3 : -1;
      frame.identity = {
        verdict: part < 0 ? "refused" : part === 3 ? "confirmed" : "plausible",
        read: `INFO ${hex(info)}${part === 1 ? " (MAX30001)" : ""}`,
      };
      if (part >= 0) return { ops: reset.ops, pause: r.PLL_PAUSE, next: orReset(configure) };
      const what = `INFO reads ${hex(info)}, 0x5..... was expected`;
      return fault(frame, FAULT_IDENTITY, `${what}; check power, select and data lines`);
    },
  };
};

/** Switches the channel of a configured chip on: CNFG_GEN, the PLL, then `synch` and `then`. */
export const wake = (general: number, synch: readonly Op[], then: Next): Step => {
  const on = lock({ ops: synch, next: then });
  return { ops: [r.write(r.CNFG_GEN, general)], pause: r.PLL_PAUSE, next: orReset(on) };
};
