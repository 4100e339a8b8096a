/** Light to codes: what a MAX30102 or MAX30101 emulator is fed with, and its converter. */
import type { Input } from "../emulator.ts";
import * as reg from "./registers.ts";

/**
 * Assumption: the data sheet has no noise figure. One published measurement (README.md) found 51 pA and 1.6 codes of
 * 18 bits, root mean square, in means of four conversions; one conversion has twice that, here at any pulse width. nA, codes.
 */
const NOISE_CURRENT = 0.102;
const NOISE_CODES = 3.2;
/** Assumption: ambient photocurrent that can be taken away, uA. Beyond it ALC_OVF comes, and the rest is in the codes. */
export const AMBIENT_LIMIT = 200;
/** Steps of LED current in a milliampere (Table 8). */
const LED_STEPS = 5;

/** What a constant photocurrent must read as, in counts. `current`: nA per mA of LED current. */
const expected = (led: string) => (current: number, c: reg.Configuration) => {
  const top = reg.highestCode(reg.WIDTHS.indexOf(c.pulseWidth));
  const milliamperes = (c.ledCurrent as Readonly<Record<string, number>>)[led];
  return Math.min(top, (current * milliamperes * (top + 1)) / c.adcRange);
};

/** Inputs of a chip with these LEDs. */
export function createInputs(leds: readonly string[]): Readonly<Record<string, Input<never>>> {
  const inputs: Record<string, Input<never>> = {};
  for (const led of leds) {
    // Photocurrent by this LED, per mA of its current; half a code is the converter's rounding.
    inputs[led] = { channel: led, unit: "nA/mA", minimum: 0, maximum: 1500, epsilon: 0.5, expected: expected(led) };
  }
  // Of the die; p4: range of the sensor, p9: its resolution.
  inputs.temperature = { channel: "dieTemperature", unit: "Cel", minimum: -40, maximum: 85, epsilon: 1 / 32 };
  // Photocurrent without any LED.
  inputs.ambient = { unit: "uA", minimum: 0, maximum: 1000, epsilon: 0 };
  return inputs;
}

/**
 * A code, right-justified. `perMilliampere`: photocurrent in nA per mA times steps of LED current; `ambient`: uA;
 * `setting`: SPO2_CONFIG; `noise`: standard normal deviates.
 */
export function convert(
  perMilliampere: number,
  ambient: number,
  setting: number,
  noise: (() => number) | undefined,
): number {
  const range = reg.RANGES[(setting >> 5) & 3];
  const top = reg.highestCode(setting & 3);
  let current = perMilliampere / LED_STEPS + Math.max(0, ambient - AMBIENT_LIMIT) * 1000;
  if (noise !== undefined) current += noise() * Math.hypot(NOISE_CURRENT, (NOISE_CODES * range) / 2 ** 18);
  return Math.max(0, Math.min(top, Math.round((current * (top + 1)) / range)));
}
