/** What disturbs the physical quantities that a chip is fed with: between the patient and the emulator's inputs. */
import type { Input, Signal } from "../../drivers/emulator.ts";
import { createLightArtefacts, type LightArtefact } from "../light-artefacts.ts";
import type { Random } from "../random.ts";
import type { Fault } from "./plan.ts";
import type { Span } from "./schedule.ts";

export type Inputs = Readonly<Record<string, Pick<Input<never>, "unit" | "channel" | "maximum">>>;

/** About the light of the finger: percent; what comes back without a finger, nA per mA. */
export interface Light {
  readonly perfusionIndex: number;
  readonly open: number;
}

/** Changes inputs while its span lasts. */
export interface Disturbance {
  readonly span: Span;
  /** What the input has instead of `value` at a time, s; `own`: what any input would have undisturbed. */
  change(name: string, time: number, value: number, own: (name: string) => number): number;
  /** The converter has no noise meanwhile. */
  readonly still?: boolean;
}

/** RMS of a noise burst, by unit. */
const NOISE: Readonly<Record<string, number>> = { "nA/mA": 20, V: 0.001, Cel: 2 };

/** The names of those that measure the patient: light, else voltages, else temperatures. */
export function measuringInputs(inputs: Inputs): string[] {
  const names = Object.keys(inputs);
  for (const unit of Object.keys(NOISE)) {
    const found = names.filter((name) => inputs[name]!.unit === unit && inputs[name]!.channel !== undefined);
    if (found.length > 0) return found;
  }
  return [];
}

const SIDES = {
  positive: ["leadOffPositive", "leadOffPlus"],
  negative: ["leadOffNegative", "leadOffMinus"],
} as const;

/** The names of the inputs by which electrodes come off. */
export function electrodeInputs(inputs: Inputs, electrode: "positive" | "negative" | "both"): string[] {
  const has = (name: string) => name in inputs;
  if (electrode !== "both") return SIDES[electrode].filter(has);
  return has("leadOff") ? ["leadOff"] : [...SIDES.positive, ...SIDES.negative].filter(has);
}

/** The disturbance that a fault is on a chip's inputs; null: it is of another sort. */
export function disturbanceOf(
  fault: Fault,
  span: Span,
  inputs: Inputs,
  light: Light,
  random: Random,
): Disturbance | null {
  const measuring = measuringInputs(inputs);
  const artefact = (special: LightArtefact): Disturbance => {
    const { red, infrared } = createLightArtefacts([special], { ...light, random });
    // The artefact knows the planned end; `span` says where the world ends before.
    return {
      span,
      change(name, time, value) {
        if (name === "red") return red(time, value);
        return inputs[name]!.unit === "nA/mA" ? infrared(time, value) : value;
      },
    };
  };
  const between = { from: span.from / 1e6, to: span.to / 1e6 };
  switch (fault.kind) {
    case "swapped-leds": {
      const other: Record<string, string> = { red: "infrared", infrared: "red" };
      return { span, change: (name, _time, value, own) => (name in other ? own(other[name]!) : value) };
    }
    case "lead-off": {
      const off = electrodeInputs(inputs, fault.electrode);
      const voltage = fault.electrode === "negative" ? -fault.voltage : fault.voltage;
      return {
        span,
        change(name, _time, value) {
          if (off.includes(name)) return inputs[name]!.maximum;
          return measuring.includes(name) && inputs[name]!.unit === "V" ? voltage : value;
        },
      };
    }
    case "saturation": {
      const added: Record<string, number> = { "nA/mA": fault.light, V: fault.voltage };
      return {
        span,
        change: (name, _time, value) => (measuring.includes(name) ? value + added[inputs[name]!.unit]! : value),
      };
    }
    case "ambient-light": {
      const { constant, drift, flicker, mains, current } = fault;
      const rest = artefact({ kind: "ambient", ...between, constant, drift, flicker, mains });
      return {
        span,
        change: (name, time, value, own) =>
          inputs[name]!.unit === "uA" ? value + current : rest.change(name, time, value, own),
      };
    }
    case "stuck-value": {
      const held: Record<string, number> = {};
      return {
        span,
        still: true,
        change(name, _time, value) {
          held[name] ??= value;
          return held[name]!;
        },
      };
    }
    case "noise-burst":
      return {
        span,
        change: (name, _time, value) =>
          measuring.includes(name) ? value + random.normal() * (fault.amplitude ?? NOISE[inputs[name]!.unit]!) : value,
      };
    case "motion":
      return artefact({ kind: "motion", ...between, amplitude: fault.amplitude, difference: fault.difference });
    case "finger-off":
      return artefact({ kind: "finger off", ...between });
    default:
      return null;
  }
}

/** Inputs that can be disturbed. */
export interface DisturbedInputs {
  /** In the order in which they act. */
  readonly disturbances: Disturbance[];
  /** The converter has no noise for what was asked last. */
  readonly still: boolean;
  /** The same signal, disturbed; it stands for the input's own from now on. */
  through(name: string, signal: Signal): Signal;
}

export function createDisturbedInputs(): DisturbedInputs {
  const own: Record<string, Signal> = {};
  const disturbances: Disturbance[] = [];
  let still = false;
  return {
    disturbances,
    get still() {
      return still;
    },
    through(name, signal) {
      own[name] = signal;
      return (time, sinceStart) => {
        still = false;
        let value = signal(time, sinceStart);
        for (const { span, change, still: holds } of disturbances) {
          if (time * 1e6 < span.from || time * 1e6 >= span.to) continue;
          still ||= holds === true;
          value = change(name, time, value, (other) => own[other]?.(time, sinceStart) ?? value);
        }
        return value;
      };
    },
  };
}
