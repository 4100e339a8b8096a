/**
 * AD8232 as a voltage (Analog Devices, data sheet Rev. A): reference, gain, output swing, lead-off by direct and by
 * alternating current, fast restore, shutdown, brown-out. Filters are off: what is fed is what the high-pass would let
 * through. What no source settles, and is assumed here: README.md.
 */
import {
  type AnalogEmulator,
  type EmulatedChip,
  type EmulatorOptions,
  type Input,
  type Signal,
  setSignal,
} from "../emulator.ts";
import * as r from "./registers.ts";

/** How its board is built. */
export interface Ad8232EmulatorOptions extends EmulatorOptions {
  /** 3 where absent: a driven electrode, pull-ups to the supply, AC/DC low. 2: bias to REFOUT, AC/DC high. */
  readonly electrodes?: 2 | 3;
  /** V/V from the electrodes to OUT; 1100 where absent. */
  readonly gain?: number;
  /** V at REFOUT; half of the supply where absent. */
  readonly offset?: number;
}

/** Of the module, V. */
const SUPPLY = 3.3;
/** Supply below which it does not work, V (p. 1: 2.0 to 3.5 V). */
const LEAST_SUPPLY = 2;
const SWING = 1 / r.SWING_PER_VOLT;
/** Fast restore looks for an amplifier output this close to a rail, V (table 1, window comparator). */
const WINDOW = 0.05;
/** Noise between the electrodes, V rms: peak to peak taken for 6.6 standard deviations. */
const NOISE = (r.NOISE_MICROVOLTS * 1e-6) / 6.6;

const inputs: Record<string, Input<r.Ad8232Configuration>> = {
  /** Between the electrodes, V. Range: what comes through at 3.3 V, gain 1100 and the swing that is sure. */
  ecg: {
    channel: "ecg",
    unit: "V",
    minimum: -0.0014,
    maximum: 0.0014,
    // A step of 12 bits and 3.3 V: the converter is its board's.
    epsilon: ({ gain }) => 3.3 / 4096 / gain,
  },
  /** 1: the electrode at +IN, at -IN is off. */
  leadOffPlus: { unit: "1", minimum: 0, maximum: 1, epsilon: 0 },
  leadOffMinus: { unit: "1", minimum: 0, maximum: 1, epsilon: 0 },
  /** V at +VS; below 2 it is off. */
  supply: { unit: "V", minimum: 0, maximum: 3.5, epsilon: 0 },
};

function create(options: Ad8232EmulatorOptions): AnalogEmulator {
  const alternating = options.electrodes === 2;
  const gain = options.gain ?? r.MODULE_GAIN;
  const restoreTime = (r.RESTORE_S1 * 1000) / (options.oscillator ?? 1);
  const signals: Record<string, Signal> = {
    ecg: () => 0,
    leadOffPlus: () => 0,
    leadOffMinus: () => 0,
    supply: () => SUPPLY,
  };
  let now = 0;
  let bornAt = 0;
  /** SDN: a pull-up holds it. */
  let enabled = true;
  let noise = 0;
  // What holds at `now`.
  let supply = 0;
  let on = false;
  let plusOff = false;
  let minusOff = false;
  /** The amplifier's output is at a rail because of what it is fed, or because an input is at the supply. */
  let overdriven = false;
  let pulled = false;
  /** The switches of fast restore are closed until then, us; they open sooner only where it is switched off. */
  let restoredAt = Number.NEGATIVE_INFINITY;

  const input = (name: string) => signals[name](now / 1e6, (now - bornAt) / 1e6);
  const reference = () => options.offset ?? supply / 2;
  const restoring = () => now < restoredAt;

  /** The amplifier before the filter stage, within its window? */
  const isOverdriven = () => {
    const output = reference() + r.AMPLIFIER_GAIN * input("ecg");
    return output < WINDOW || output > supply - WINDOW;
  };

  /** Looks at the inputs at `now`. */
  const settle = () => {
    const wasOn = on;
    const wasPulled = pulled;
    supply = input("supply");
    on = enabled && supply >= LEAST_SUPPLY;
    plusOff = on && input("leadOffPlus") >= 0.5;
    minusOff = on && input("leadOffMinus") >= 0.5;
    // Direct current: one input at the supply drives the amplifier to a rail; both there cancel.
    pulled = !alternating && plusOff !== minusOff;
    const connected = on && !plusOff && !minusOff;
    overdriven = connected && isOverdriven();
    if (!connected) restoredAt = Number.NEGATIVE_INFINITY;
    // Capacitors are charged when it wakes, and when a lead comes back that held the amplifier at a rail (p. 17, 18).
    else if (!restoring() && (overdriven || !wasOn || wasPulled)) restoredAt = now + restoreTime;
  };

  const emulator: AnalogEmulator = {
    model: r.MODEL,
    output: "ecg",
    inputs: inputs as Readonly<Record<string, Input<never>>>,
    interrupt: 0,
    onInterrupt: null,
    onConvert: null,
    get nextAt() {
      return restoring() ? restoredAt : Number.POSITIVE_INFINITY;
    },
    get levels() {
      if (alternating) return plusOff || minusOff ? 1 : 0;
      return (plusOff ? 1 : 0) | (minusOff ? 2 : 0);
    },
    set(name, value) {
      setSignal(r.MODEL, signals, name, value);
    },
    powerOn(at) {
      now = bornAt = at;
      on = pulled = false;
      restoredAt = Number.NEGATIVE_INFINITY;
      settle();
    },
    advance(to) {
      if (to < now) return;
      if (options.noise !== undefined && to > now) noise = options.noise() * NOISE;
      now = to;
      settle();
    },
    voltage() {
      if (!on) return 0;
      const top = supply - SWING;
      const limit = (volts: number) => Math.max(SWING, Math.min(top, volts));
      if (pulled) return plusOff ? top : SWING;
      // Nothing between the inputs: both at the supply, or biased to REFOUT, or drained by fast restore.
      if (plusOff || minusOff || (restoring() && !overdriven)) return limit(reference() + gain * noise);
      return limit(reference() + gain * (input("ecg") + noise));
    },
    pin(name, level) {
      if (name !== r.SHUTDOWN) throw new Error(`${r.MODEL} emulator: no pin "${name}"; it has ${r.SHUTDOWN}`);
      enabled = level === 1;
      settle();
    },
  };
  return emulator;
}

export const emulated = { model: r.MODEL, bus: "analog", create } satisfies EmulatedChip;
