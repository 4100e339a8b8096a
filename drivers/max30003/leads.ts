/**
 * Waiting for electrodes at the power of a comparator (MAX30001G data sheet p. 23, 42, 47): the channel is off, and
 * LONINT says when both leads are on. Device side.
 */
import { FLAG_LEAD_OFF, type Frame, type Op, type Step } from "../driver.ts";
import type { Max30003Setup } from "./opening.ts";
import * as r from "./registers.ts";

/** What polls a chip that waits; see fifo.ts. */
interface Polled {
  general: number;
  waiting: boolean;
  readonly poll: Step;
  start(general: number, lost: boolean): NonNullable<Step["next"]>;
}

export interface Leads {
  /** CNFG_GEN with the channel on. */
  awake: number;
  /** What follows SYNCH of a chip that was opened with `asleep`. */
  readonly begin: NonNullable<Step["next"]>;
  /** A poll while waiting: switches the channel on where both leads are. */
  look(status: number, frame: Frame): Step | null;
  /** The end of a poll at that time, us: switches the channel off where a lead has been off for long; else null. */
  tired(status: number, at: number): Step | null;
}

/** `wake`: switches the channel on (opening.ts). */
export const createLeads = (
  setup: Max30003Setup,
  reading: Polled,
  wake: (general: number, synch: readonly Op[], then: NonNullable<Step["next"]>) => Step,
): Leads => {
  /** A record was cut off. */
  let lost = false;
  let offSince = -1;

  const rest = (): void => {
    reading.waiting = true;
    reading.general = setup.asleep;
  };
  const leads: Leads = {
    awake: setup.general,
    begin: (outcome) => {
      if (outcome.error !== null) return null;
      rest();
      lost = false;
      return reading.poll;
    },
    look: (status, frame) => {
      frame.channels[0].flags |= FLAG_LEAD_OFF;
      if ((status & r.LONINT) === 0) return null;
      offSince = -1;
      return wake(leads.awake, setup.synch, reading.start(leads.awake, lost));
    },
    tired: (status, at) => {
      if ((status & r.LDOFF) === 0) offSince = -1;
      else if (offSince < 0) offSince = at;
      if (offSince < 0 || at - offSince < setup.patience) return null;
      return {
        // Words would hold the interrupt. STATUS must be read once before LONINT means something (p. 42).
        ops: [r.write(r.CNFG_GEN, setup.asleep), r.write(r.FIFO_RST, 0), r.read(r.STATUS)],
        next: (outcome) => {
          if (outcome.error !== null) return null;
          rest();
          lost = true;
          return null;
        },
      };
    },
  };
  return leads;
};
