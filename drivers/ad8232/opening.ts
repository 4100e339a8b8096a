/** How an AD8232 starts, which nobody can ask who it is: a line that somebody drives. Device side. */
import type { Frame, Op, Sampled, Setup, Step } from "../driver.ts";
import { FAULT_IDENTITY, tell } from "../driver.ts";
import * as r from "./registers.ts";

/** What the levels of the lead-off pins mean. */
export interface Leads {
  /** Electrodes that are off: "", "+IN", "-IN", "+IN, -IN"; with two of them "+IN or -IN". */
  readonly off: string;
  /** The levels for a person: "LO+ high, LO- low". */
  readonly levels: string;
}

/** An AD8232 in one configuration. */
export interface Ad8232Setup extends Setup {
  /** By the levels of the wired inputs, as bits. */
  readonly leads: readonly Leads[];
  /** V a step of the converter. */
  readonly step: number;
  /** Time from sample to sample, us. */
  readonly period: number;
  /** Codes at and below which, at and above which the output is at a rail, and nothing powered drives the line. */
  readonly low: number;
  readonly high: number;
  readonly deadLow: number;
  readonly deadHigh: number;
  /** Switch the chip on and off: nothing where SDN is not wired. Start the converter; stop it, and switch off. */
  readonly on: readonly Op[];
  readonly off: readonly Op[];
  readonly start: readonly Op[];
  readonly stop: readonly Op[];
  /** From look to look at opening, ms. */
  readonly look: number;
  /** ms. */
  readonly settling: number;
  /** s. */
  readonly railTimeout: number;
  /** What the channel stands for, offset in V: with others it is another record. */
  readonly record: {
    readonly sampleRate: number;
    readonly gain: number;
    readonly supply: number;
    readonly offset: number;
    readonly electrodes: number;
  };
}

/** What the levels of the inputs mean; those that are not wired mean nothing. */
export const leadsOf = (setup: Ad8232Setup, inputs: number): Leads => setup.leads[inputs & (setup.leads.length - 1)];

/** Does nothing that is powered drive the line, at any of the samples? */
export const isDead = (setup: Ad8232Setup, samples: Int32Array, count: number): boolean => {
  for (let i = 0; i < count; i++) {
    if (samples[i] > setup.deadLow && samples[i] < setup.deadHigh) return false;
  }
  return true;
};

/** Mean of the output, V: a code stands for a step's width above it. */
export const meanOf = (setup: Ad8232Setup, sampled: Sampled): number => {
  let sum = 0;
  for (let i = 0; i < sampled.count; i++) sum += sampled.samples[i];
  return (sum / sampled.count + 1 / 2) * setup.step;
};

/** Switches the chip on where SDN is wired, lets it settle, then `next`; `failed` where the board could not. */
export const awake = (setup: Ad8232Setup, next: Step, failed: Step | null): Step =>
  setup.on.length === 0
    ? next
    : { ops: setup.on, pause: setup.settling, next: (outcome) => (outcome.error !== null ? failed : next) };

/**
 * From any state to a converter that runs: the chip is switched on and left to settle, `keep` is handed what came up to
 * now, and the line is looked at. Sets frame.identity: plausible, or refused where nothing drives the line.
 */
export const opening = (setup: Ad8232Setup, keep: (sampled: Sampled) => void): Step => {
  const pause = setup.look;
  const stop: Step = { ops: setup.stop };
  let looks = 0;

  const refused = (frame: Frame, read: string, what: string): Step => {
    frame.identity = { verdict: "refused", read: read };
    tell(frame, FAULT_IDENTITY, r.MODEL, `${read}: ${what}`);
    return stop;
  };
  const look: NonNullable<Step["next"]> = (outcome, frame) => {
    if (outcome.error !== null) return stop;
    const sampled = outcome.sampled;
    if (sampled === undefined || sampled.count === 0) {
      looks++;
      if (looks < r.LOOKS) return { ops: [], pause: pause, next: look };
      const what = `the board gave none in ${r.LOOKS} looks, ${pause} ms apart`;
      return refused(frame, "no sample", `${what}; check the analog pin and its rate`);
    }
    const leads = leadsOf(setup, sampled.inputs);
    const output = `output at ${Math.round(meanOf(setup, sampled) * 1000)} mV`;
    const read = `analog, no identification; ${output}, ${leads.levels}`;
    if (leads.off === "" && isDead(setup, sampled.samples, sampled.count)) {
      return refused(frame, read, "nothing drives it; check power, the analog pin and SDN");
    }
    frame.identity = { verdict: "plausible", read: read };
    keep(sampled);
    return null;
  };
  const start: Step = {
    ops: setup.start,
    pause: pause,
    next: (outcome) => (outcome.error !== null ? stop : { ops: [], next: look }),
  };
  return awake(setup, start, null);
};
