/** What an AD8232 must show: a baseline at REFOUT that is alive, and that falls when SDN does. Device side. */
import type { Frame, Outcome, Sampled, Step } from "../driver.ts";
import { FAULT_DATA, measure, tell } from "../driver.ts";
import type { Ad8232Core, Ad8232Setup } from "./driver.ts";
import { awake, leadsOf, meanOf } from "./opening.ts";
import * as r from "./registers.ts";

/** What was sampled while the output was watched; null where there is none. */
const seen = (outcome: Outcome, frame: Frame): Sampled | null => {
  const sampled = outcome.sampled;
  if (outcome.error !== null) return null;
  if (sampled !== undefined && sampled.count > 0) return sampled;
  const what = `the board gave no sample in ${r.WATCH} ms`;
  return tell(frame, FAULT_DATA, r.MODEL, `${what}; check the analog pin and its rate`);
};

/** Span of the output, V. */
const spanOf = (setup: Ad8232Setup, sampled: Sampled): number => {
  let lowest = sampled.samples[0];
  let highest = lowest;
  for (let i = 0; i < sampled.count; i++) {
    lowest = Math.min(lowest, sampled.samples[i]);
    highest = Math.max(highest, sampled.samples[i]);
  }
  return (highest - lowest) * setup.step;
};

/** Lead off while it was watched: then the baseline says nothing. */
const leadIsOff = (setup: Ad8232Setup, sampled: Sampled, frame: Frame): boolean => {
  const leads = leadsOf(setup, sampled.inputs);
  if (leads.off === "") return false;
  const what = `a lead is off (${leads.levels}), so its baseline says nothing`;
  tell(frame, FAULT_DATA, r.MODEL, `${what}; put the electrodes on, or hold them together`);
  return true;
};

/**
 * "baseline": mean of the output, V, within a quarter of the supply of REFOUT. "activity": its span, V, more than none
 * where the data sheet's noise is two steps of the converter. "shutdown", where SDN is wired: by how much the mean falls
 * when SDN is low, V, half of REFOUT at least. Then the chip is on again, settles, and samples.
 */
export const selfTest = (driver: Ad8232Core): Step => {
  const setup = driver.configuration;
  const supply = setup.record.supply;
  const offset = setup.record.offset;
  const lively = (r.NOISE_MICROVOLTS / 1000000) * setup.record.gain >= 2 * setup.step;
  const begun = driver.again;
  const wake = driver.resume();
  /** Mean while it was awake, V; null: not measured. */
  let mean: number | null = null;

  const asleep: Step = {
    ops: [],
    next: (outcome, frame) => {
      const sampled = seen(outcome, frame);
      if (sampled !== null && mean !== null) {
        measure(frame, "shutdown", mean - meanOf(setup, sampled), "V", offset / 2, supply);
      }
      return wake;
    },
  };
  const fall: Step = { ops: setup.start, pause: r.WATCH, next: () => asleep };
  const rest: Step = { ops: setup.off, pause: r.FALL, next: (outcome) => (outcome.error !== null ? wake : fall) };
  const judge: Step = {
    ops: [],
    next: (outcome, frame) => {
      const sampled = seen(outcome, frame);
      if (sampled !== null && !leadIsOff(setup, sampled, frame)) {
        mean = meanOf(setup, sampled);
        measure(frame, "baseline", mean, "V", offset - supply / 4, offset + supply / 4);
        measure(frame, "activity", spanOf(setup, sampled), "V", lively ? setup.step : 0, supply);
      }
      return setup.off.length === 0 || mean === null ? begun : rest;
    },
  };
  const observe: Step = {
    ops: setup.start,
    pause: r.WATCH,
    next: (outcome) => (outcome.error !== null ? begun : judge),
  };
  return awake(setup, observe, begun);
};
