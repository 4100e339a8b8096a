/** What of an AD8232's configuration and wiring goes together. Device side, for boards that take configurations. */
import type { Converter, Wiring } from "../driver.ts";
import * as r from "./registers.ts";

/** Highest gain, and coarsest step between the electrodes that still draws an ECG, uV. */
const GAIN_LIMIT = 5000;
const COARSEST = 50;

/** V at REFOUT. */
export const offsetOf = (c: r.Ad8232Configuration): number => c.offset ?? c.supply / 2;

const refuse = (what: string): never => {
  throw new Error(`${r.MODEL}: ${what}`);
};

const within = (name: string, value: number, low: number, high: number, unit: string): void => {
  if (!(value >= low && value <= high)) refuse(`${name} is ${value}; choose ${low} to ${high}${unit}`);
};

const whole = (name: string, value: number, low: number, high: number, unit: string): void => {
  within(name, value, low, high, unit);
  if (value % 1 !== 0) refuse(`${name} is ${value}; choose a whole number`);
};

const known = (setting: string, names: readonly string[], list: readonly string[]): void => {
  for (let i = 0; i < names.length; i++) {
    if (list.indexOf(names[i]) < 0 || names.indexOf(names[i]) < i) {
      refuse(`${setting} is ${names.join(", ")}; choose of ${list.join(", ")}, each once`);
    }
  }
};

const checkConverter = (c: r.Ad8232Configuration, converter: Converter): void => {
  const bits = converter.bits;
  const reference = converter.reference;
  whole("converter.bits", bits, 8, 24, "");
  within("converter.reference", reference, 1 / 2, 10, " V");
  const offset = offsetOf(c);
  if (offset >= reference) {
    refuse(
      `offset ${offset} V and converter.reference ${reference} V fight: above all codes; ` +
        "choose a higher reference or a lower supply",
    );
  }
  const step = (reference * 1000000) / (1 << bits) / c.gain;
  if (step > COARSEST) {
    refuse(
      `gain ${c.gain} and a converter of ${bits} bits, ${reference} V fight: ${Math.round(step)} uV a step, ` +
        `at most ${COARSEST} draw an ECG; choose more of one`,
    );
  }
};

/** Checks a configuration and how the chip is wired; returns its converter. Throws Error: setting, value, what to do. */
export const check = (c: r.Ad8232Configuration, wiring: Wiring): Converter => {
  const converter = wiring.converter;
  const inputs = wiring.inputs ?? [];
  if (converter === undefined) {
    return refuse(
      "no converter, and its output is a voltage; take io from board.analog(), or give { bits, reference }",
    );
  }
  whole("sampleRate", c.sampleRate, 125, 1000, " hz");
  within("gain", c.gain, r.AMPLIFIER_GAIN, GAIN_LIMIT, " V/V");
  within("supply", c.supply, 2, 7 / 2, " V");
  within("settling", c.settling, 0, 10000, " ms");
  within("railTimeout", c.railTimeout, 1, 3600, " s");
  whole("electrodes", c.electrodes, 2, 3, "");
  known("pins", wiring.pins ?? [], r.PINS);
  known("inputs", inputs, r.INPUTS);
  if (c.electrodes === 2 && inputs.indexOf(r.LO_MINUS) >= 0) {
    refuse(
      "electrodes 2 and the input LO- fight: with two only LO+ tells of a lead that is off (p. 18); choose 3, or leave " +
        "LO- out of inputs",
    );
  }
  const offset = offsetOf(c);
  if (!(offset * r.SWING_PER_VOLT >= 1 && (c.supply - offset) * r.SWING_PER_VOLT >= 1)) {
    refuse(
      `offset ${offset} V and supply ${c.supply} V fight: the output stays 0.1 V from either rail; ` +
        "choose null for half of the supply",
    );
  }
  checkConverter(c, converter);
  return converter;
};
