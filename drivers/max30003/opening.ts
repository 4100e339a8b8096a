/**
 * What a MAX30003 must prove before it starts: its identity, a locked clock and kept registers. Pages: MAX30001G data
 * sheet. Device side.
 */
import type { Frame, Op, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hex, tell } from "../driver.ts";
import * as r from "./registers.ts";

/** A MAX30003 in one configuration. */
export interface Max30003Setup extends Setup {
  /** What it is opened with, in the order of writing. */
  readonly registers: readonly r.Register[];
  /** From the SYNCH of an opening to what follows, ms. */
  readonly pause: number;
  /** CNFG_GEN with the channel on; while the chip waits for leads, 0: it never does; stopped. */
  readonly general: number;
  readonly asleep: number;
  readonly stopped: number;
  /** MNGR_DYN: fast recovery. */
  readonly dynamic: number;
  /** For so long a lead must be off before the channel is, us. */
  readonly patience: number;
  /** What no reconfiguration can change, in any form. */
  readonly record: string;
  /** Operations that switch the channel on, off to wait for leads, off for good; that set fast recovery. */
  readonly wake: readonly Op[];
  readonly sleep: readonly Op[];
  readonly stop: readonly Op[];
  readonly recover: readonly Op[];
  /** Operations that begin a record; that configure the chip again, and begin one. */
  readonly synch: readonly Op[];
  readonly resume: readonly Op[];
  /** Operations that look at the chip, before them those that read the words of an EINT, or all that the FIFO can hold. */
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

export type Next = NonNullable<Step["next"]>;

/** What to do where nobody answers, or nobody understands. */
export const LINES = "check power, select and data lines";

/** A register reads `value`, which is a fault: `words` say why, and what to do. null: it ends a chain. */
export const misread = (frame: Frame, code: number, register: string, value: number, words: string): null =>
  tell(frame, code, r.MODEL, `${register} reads ${hex(value)}, ${words}`);

/** Operations, then `next`. */
export const step = (ops: readonly Op[], next: Next): Step => ({ ops: ops, next: next });

/** Operations, then `next`, or `failed` where the bus did; ms between. */
export const attempt = (ops: readonly Op[], next: Next, failed: Step | null, pause?: number): Step => ({
  ops: ops,
  pause: pause as number,
  next: (outcome, frame) => (outcome.error ? failed : next(outcome, frame)),
});

/** Inputs isolated, nothing runs, least power: where every failed attempt and every close ends. */
export const reset: Step = { ops: [r.write(r.SW_RST, 0)] };

/** Operations that take their time, then `then`. */
const settle = (ops: readonly Op[], then: Step): Step => attempt(ops, () => then, reset, r.PLL_PAUSE);

/** Operations that switch the clock on, then `then`. A PLL that does not lock is a fault, and leaves the chip reset. */
export const run = (ops: readonly Op[], then: Step): Step => {
  let tries = r.PLL_TRIES;
  const look: Step = attempt(
    [r.read(r.STATUS)],
    (outcome, frame) => {
      if (!(r.word(outcome.replies[0]) & r.PLLINT)) return then;
      if (--tries) return look;
      tell(
        frame,
        FAULT_CONFIGURATION,
        r.MODEL,
        `PLL not locked after ${r.PLL_TRIES * r.PLL_PAUSE} ms; check the clock at FCLK and the capacitor at CPLL`,
      );
      return reset;
    },
    reset,
    r.PLL_PAUSE,
  );
  return settle(ops, look);
};

/**
 * From any state to a converter that runs with these registers; sets frame.identity; `then` gives
 * SYNCH. Whatever fails is a fault in the frame, and leaves the chip reset.
 */
export const bring = (registers: readonly r.Register[], then: Step): Step => {
  const verify = attempt(
    registers.map((one) => r.read(one[0])),
    (outcome, frame) => {
      for (let i = 0; i < registers.length; i++) {
        const one = registers[i];
        const value = r.word(outcome.replies[i]);
        if (value === one[1]) continue;
        misread(
          frame,
          FAULT_CONFIGURATION,
          `register ${hex(one[0])}`,
          value,
          `${hex(one[1])} was written; slow the bus down`,
        );
        return reset;
      }
      return then;
    },
    reset,
  );
  return attempt(
    // INFO is not valid as the first command after power-up (p. 47).
    [r.read(r.STATUS), r.read(r.INFO)],
    (outcome, frame) => {
      const info = r.word(outcome.replies[1]);
      const part = info >> 20 === 5 ? (info >> 12) & 3 : -1;
      frame.identity = {
        verdict: part < 0 ? "refused" : part === 3 ? "confirmed" : "plausible",
        read: `INFO ${hex(info)}${part === 1 ? " (MAX30001)" : ""}`,
      };
      if (part < 0) return misread(frame, FAULT_IDENTITY, "INFO", info, `0x5..... was expected; ${LINES}`);
      return settle(reset.ops, run(r.writeAll(registers), verify));
    },
    null,
  );
};
