/**
 * What an AD8232 must show, which nobody can ask who it is: at opening, a line that somebody drives; in the self-test, a
 * baseline at REFOUT that is alive, and that falls when SDN does. Device side.
 */
import type { Converter, Frame, Outcome, Sampled, Step } from "../driver.ts";
import { FAULT_DATA, FAULT_IDENTITY, measure } from "../driver.ts";
import * as r from "./registers.ts";

/** Puts a fault into the frame; null ends the chain. */
export const fault = (frame: Frame, code: number, message: string): null => {
  frame.faults.push({ code: code, message: `${r.MODEL}: ${message}` });
  return null;
};

/** What the driver's parts must know of each other. */
export interface Setup {
  readonly settings: r.Ad8232Configuration;
  readonly converter: Converter;
  /** Bits of LO+ and LO- in `inputs`; 0 where not wired. */
  readonly plus: number;
  readonly minus: number;
  /** Codes at and below which, at and above which nothing powered drives the line. */
  readonly deadLow: number;
  readonly deadHigh: number;
  /** Operations that switch the chip on and off: none where SDN is not wired. */
  readonly on: Step["ops"];
  readonly off: Step["ops"];
  /** Starts the converter. */
  readonly sample: Step["ops"];
}

const millivolts = (volts: number): number => Math.round(volts * 1000);

/** Levels for a person: "LO+ high, LO- low". */
const levels = (setup: Setup, inputs: number): string => {
  const plus = setup.plus === 0 ? "LO+ not wired" : (inputs & setup.plus) !== 0 ? "LO+ high" : "LO+ low";
  if (setup.settings.electrodes === 2) return plus;
  return `${plus}, ${setup.minus === 0 ? "LO- not wired" : (inputs & setup.minus) !== 0 ? "LO- high" : "LO- low"}`;
};

interface Watched {
  /** V at the output. */
  readonly mean: number;
  readonly peakToPeak: number;
}

const watch = (sampled: Sampled, converter: Converter): Watched => {
  let sum = 0;
  let lowest = sampled.samples[0];
  let highest = lowest;
  for (let i = 0; i < sampled.count; i++) {
    const code = sampled.samples[i];
    sum += code;
    if (code < lowest) lowest = code;
    if (code > highest) highest = code;
  }
  const step = converter.reference / (1 << converter.bits);
  return { mean: r.voltsOf(sum / sampled.count, converter), peakToPeak: (highest - lowest) * step };
};

/**
 * From any state to a converter that runs: the chip is switched on and left to settle, `keep` is handed what came up to
 * now, and the line is looked at. Sets frame.identity: plausible, or refused where nothing drives the line.
 */
export const opening = (setup: Setup, keep: (sampled: Sampled) => void): Step => {
  const settings = setup.settings;
  const converter = setup.converter;
  const pause = Math.ceil((r.LOOK_SAMPLES * 1000) / settings.sampleRate);
  const stop: Step = { ops: [{ sample: 0 } as Step["ops"][0]].concat(setup.off) };
  let looks = 0;

  const refused = (frame: Frame, read: string, what: string): Step => {
    frame.identity = { verdict: "refused", read: read };
    fault(frame, FAULT_IDENTITY, `${read}: ${what}`);
    return stop;
  };
  const judge = (sampled: Sampled, frame: Frame): Step | null => {
    let dead = 0;
    for (let i = 0; i < sampled.count; i++) {
      const code = sampled.samples[i];
      if (code <= setup.deadLow || code >= setup.deadHigh) dead++;
    }
    const output = `output at ${millivolts(watch(sampled, converter).mean)} mV`;
    const read = `analog, no identification; ${output}, ${levels(setup, sampled.inputs)}`;
    if (dead === sampled.count && (sampled.inputs & (setup.plus | setup.minus)) === 0) {
      return refused(frame, read, "nothing drives it; check power, the analog pin and SDN");
    }
    frame.identity = { verdict: "plausible", read: read };
    keep(sampled);
    return null;
  };
  const look: NonNullable<Step["next"]> = (outcome, frame) => {
    if (outcome.error !== null) return stop;
    const sampled = outcome.sampled;
    if (sampled !== undefined && sampled.count > 0) return judge(sampled, frame);
    looks++;
    if (looks < r.LOOKS) return { ops: [], pause: pause, next: look };
    const what = `the board gave none in ${r.LOOKS} looks, ${pause} ms apart`;
    return refused(frame, "no sample", `${what}; check the analog pin and its rate`);
  };
  const start: Step = {
    ops: setup.sample,
    pause: pause,
    next: (outcome) => (outcome.error !== null ? stop : { ops: [], next: look }),
  };
  if (setup.on.length === 0) return start;
  return { ops: setup.on, pause: settings.settling, next: (outcome) => (outcome.error !== null ? null : start) };
};

/** Lead off while it was watched: then the baseline says nothing. */
const leadIsOff = (setup: Setup, sampled: Sampled, frame: Frame): boolean => {
  if ((sampled.inputs & (setup.plus | setup.minus)) === 0) return false;
  const what = `a lead is off (${levels(setup, sampled.inputs)}), so its baseline says nothing`;
  fault(frame, FAULT_DATA, `${what}; put the electrodes on, or hold them together`);
  return true;
};

/**
 * "baseline": mean of the output, V, within a quarter of the supply of REFOUT. "activity": its span, V, more than none
 * where the data sheet's noise is two steps of the converter. "shutdown", where SDN is wired: by how much the mean falls
 * when SDN is low, V, half of REFOUT at least. Then the chip is on again, settles, and `begun` ends the chain.
 */
export const selfTest = (setup: Setup, begun: Step): Step => {
  const settings = setup.settings;
  const converter = setup.converter;
  const offset = r.offsetOf(settings);
  const step = converter.reference / (1 << converter.bits);
  const lively = (r.NOISE_MICROVOLTS / 1000000) * settings.gain >= 2 * step;
  let awake: Watched | null = null;

  const seen = (outcome: Outcome, frame: Frame): Sampled | null => {
    const sampled = outcome.sampled;
    if (outcome.error !== null) return null;
    if (sampled !== undefined && sampled.count > 0) return sampled;
    return fault(frame, FAULT_DATA, `the board gave no sample in ${r.WATCH} ms; check the analog pin and its rate`);
  };
  const wake: Step = { ops: setup.on, pause: settings.settling, next: () => begun };
  const asleep: Step = {
    ops: [],
    next: (outcome, frame) => {
      const sampled = seen(outcome, frame);
      if (sampled !== null && awake !== null) {
        const fallen = awake.mean - watch(sampled, converter).mean;
        measure(frame, "shutdown", fallen, "V", offset / 2, settings.supply);
      }
      return wake;
    },
  };
  const fall: Step = { ops: setup.sample, pause: r.WATCH, next: () => asleep };
  const rest: Step = { ops: setup.off, pause: r.FALL, next: (outcome) => (outcome.error !== null ? wake : fall) };
  const judge: Step = {
    ops: [],
    next: (outcome, frame) => {
      const sampled = seen(outcome, frame);
      if (sampled !== null && !leadIsOff(setup, sampled, frame)) {
        const quarter = settings.supply / 4;
        awake = watch(sampled, converter);
        measure(frame, "baseline", awake.mean, "V", offset - quarter, offset + quarter);
        measure(frame, "activity", awake.peakToPeak, "V", lively ? step : 0, settings.supply);
      }
      return setup.off.length === 0 || awake === null ? begun : rest;
    },
  };
  const observe: Step = {
    ops: setup.sample,
    pause: r.WATCH,
    next: (outcome) => (outcome.error !== null ? begun : judge),
  };
  if (setup.on.length === 0) return observe;
  return { ops: setup.on, pause: settings.settling, next: (outcome) => (outcome.error !== null ? begun : observe) };
};
