/**
 * What a MAX30003 must prove before it starts: its identity, a locked clock and kept registers. Pages: MAX30001G data
 * sheet. Device side.
 */
import type { Op, Setup, Step } from "../driver.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, hex, tell } from "../driver.ts";
import { LINES, misread } from "./faults.ts";
import * as r from "./registers.ts";

/** A MAX30003 in one configuration. */
export interface Max30003Setup extends Setup {
  /** Writes that configure it for an opening, in their order, CNFG_GEN first. */
  readonly writes: readonly r.Transfer[];
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
  /** Operations that begin a record. */
  readonly synch: readonly Op[];
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

/** Operations, then `next`. */
export const step = (ops: readonly Op[], next: Next): Step => ({ ops: ops, next: next });

/** Operations, `pause` ms where there is one, then `next`; `failed` where the bus did. */
export const attempt = (ops: readonly Op[], next: Next, failed: Step | null, pause?: number): Step => ({
  ops: ops,
  pause: pause as number,
  next: (outcome, frame) => (outcome.error ? failed : next(outcome, frame)),
});

/** Inputs isolated, nothing runs, least power: where every failed attempt and every close ends. */
export const reset: Step = { ops: [r.command(r.DO_SW_RST)] };

/** Operations that switch the clock on, then `then`. A PLL that does not lock is a fault, and leaves the chip reset. */
export const run = (ops: readonly Op[], then: Step): Step => {
  let tries = r.PLL_TRIES;
  const look: Step = attempt(
    [r.command(r.READ_STATUS)],
    (outcome, frame) => {
      if (!(r.word(outcome.replies[0]) & r.PLLINT)) return then;
      if (--tries) return look;
      tell(
        frame,
        FAULT_CONFIGURATION,
        r.MODEL,
        `PLL not locked after ${r.PLL_TRIES * r.PLL_PAUSE} ms; check the clock at FCLK and CPLL's capacitor`,
      );
      return reset;
    },
    reset,
    r.PLL_PAUSE,
  );
  return attempt(ops, () => look, reset, r.PLL_PAUSE);
};

/**
 * From any state to a chip that is configured by these writes; sets frame.identity; `then` gives SYNCH. Whatever fails is
 * a fault in the frame, and leaves the chip reset.
 */
export const bring = (writes: readonly r.Transfer[], then: Step): Step => {
  const verify = attempt(
    writes.map((one) => r.command(one.transfer[0] | 1)),
    (outcome, frame) => {
      for (let i = 0; i < writes.length; i++) {
        const written = writes[i].transfer;
        const wanted = r.word(written);
        const value = r.word(outcome.replies[i]);
        if (value === wanted) continue;
        misread(
          frame,
          FAULT_CONFIGURATION,
          `register ${hex(written[0] >> 1)}`,
          value,
          `${hex(wanted)} was written; slow the bus down`,
        );
        return reset;
      }
      return then;
    },
    reset,
  );
  return attempt(
    // INFO is not valid as the first command after power-up (p. 47).
    [r.command(r.READ_STATUS), r.command(r.READ_INFO)],
    (outcome, frame) => {
      const info = r.word(outcome.replies[1]);
      const part = info >> 20 === 5 ? (info >> 12) & 3 : -1;
      frame.identity = {
        verdict: part < 0 ? "refused" : part === 3 ? "confirmed" : "plausible",
        read: `INFO ${hex(info)}${part === 1 ? " (MAX30001)" : ""}`,
      };
      if (part < 0) return misread(frame, FAULT_IDENTITY, "INFO", info, `0x5..... was expected; ${LINES}`);
      return attempt(reset.ops, () => run(writes, verify), reset, r.PLL_PAUSE);
    },
    null,
  );
};
