/**
 * AD8232: it has no registers. Its figures, its pins and a configuration, turned into what a converter's codes mean
 * (Analog Devices, data sheet Rev. A; figures of table 1: README.md). Device side: constants stand above everything else.
 */
import type { Converter, Wiring } from "../driver.ts";

/** Pins that a board may drive, and those that it may read, as the modules print them. */
export const SHUTDOWN = "shutdown"; // SDN, active low
export const LO_PLUS = "LO+"; // high: the electrode at +IN is off (p. 18)
export const LO_MINUS = "LO-"; // high: the electrode at -IN is off; not used with two electrodes

/** The output comes this close to either rail for sure, V: 1 / 10 (table 1, output swing). */
export const SWING_PER_VOLT = 10;
/** Nothing that is powered stays this close to a rail, V: 1 / 100. The driver's own figure. */
export const DEAD_PER_VOLT = 100;
/** Noise between the electrodes, 0.5 to 40 hz, V peak to peak: 14 / 10^6 (table 1). */
export const NOISE_MICROVOLTS = 14;
/** Fast restore closes its switches for so long, ms (table 1): S1 (feedback) and S2 (filter). */
export const RESTORE_S1 = 110;
export const RESTORE_S2 = 55;
/** Gain of the instrumentation amplifier alone (p. 1). */
export const AMPLIFIER_GAIN = 100;

// The driver's own numbers.
/** Samples at which a poll is due. */
export const POLL_SAMPLES = 64;
/** Samples that open() looks at, and hands over with the first poll, at most; looks, so many samples apart. */
export const KEPT = 64;
export const LOOK_SAMPLES = 8;
export const LOOKS = 5;
/** Self-test: time for which the output is watched, awake and in shutdown, and for the latter to settle first, ms. */
export const WATCH = 200;
export const FALL = 100;
/** Highest gain, and coarsest step between the electrodes that still draws an ECG, uV. */
const GAIN_LIMIT = 5000;
const COARSEST = 50;
/** Digits of mul before its zeros are dropped: 10^12 or more. */
const MUL_LEAST = 1000000000000;

export const MODEL = "AD8232";
export const PINS = [SHUTDOWN];
export const INPUTS = [LO_PLUS, LO_MINUS];

/** How the chip is wired and how often it is sampled. */
export interface Ad8232Configuration {
  /** Samples a second, whole hz: 125 to 1000. */
  readonly sampleRate: number;
  /** V/V from the electrodes to OUT: 100 of the chip x its board's filter stage. 100 to 5000. */
  readonly gain: number;
  /** V at +VS: 2.0 to 3.5 (p. 1). */
  readonly supply: number;
  /** V at REFOUT: what OUT shows at 0 V between the electrodes; null: half of the supply. */
  readonly offset: number | null;
  /** 3: a driven electrode, direct-current lead-off; 2: none, lead-off by alternating current (p. 18). */
  readonly electrodes: number;
  /** What follows a lead that came back, or a rail, is not to be trusted for so long, ms: 0 to 10,000. */
  readonly settling: number;
  /** An output at a rail for so long, with no lead off, is a fault, s: 1 to 3600. */
  readonly railTimeout: number;
}

export const DEFAULTS: Ad8232Configuration = {
  sampleRate: 250,
  gain: 1100,
  supply: 33 / 10,
  offset: null,
  electrodes: 3,
  settling: RESTORE_S1 + RESTORE_S2,
  railTimeout: 5,
};

/** V at REFOUT. */
export const offsetOf = (c: Ad8232Configuration): number => c.offset ?? c.supply / 2;

/** Code of a voltage, as the board's converter makes it. */
export const codeOf = (volts: number, converter: Converter): number => {
  const full = 1 << converter.bits;
  return Math.max(0, Math.min(full - 1, Math.floor((volts / converter.reference) * full)));
};

/** Mean voltage behind codes whose mean is this one: a code stands for a step's width above it. */
export const voltsOf = (code: number, converter: Converter): number =>
  ((code + 1 / 2) * converter.reference) / (1 << converter.bits);

/**
 * Scale of the channel, (code + offset) x mul x 10^exp10 in V between the electrodes: 13 significant digits, so exact
 * where 13 are enough (3.3 V, 12 bits, 1100: 732421875 x 10^-15), else within 5 x 10^-13 of it.
 */
export const scaleOf = (
  c: Ad8232Configuration,
  converter: Converter,
): { offset: number; mul: number; exp10: number } => {
  const steps = (1 << converter.bits) * c.gain;
  let power = 1;
  let exp10 = 0;
  while ((converter.reference * power) / steps < MUL_LEAST) {
    power *= 10;
    exp10--;
  }
  let mul = Math.round((converter.reference * power) / steps);
  while (mul % 10 === 0) {
    mul /= 10;
    exp10++;
  }
  return { offset: -codeOf(offsetOf(c), converter), mul: mul, exp10: exp10 };
};

const refuse = (what: string): never => {
  throw new Error(`${MODEL}: ${what}`);
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

const checkConverter = (c: Ad8232Configuration, converter: Converter): void => {
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
export const check = (c: Ad8232Configuration, wiring: Wiring): Converter => {
  const converter = wiring.converter;
  const inputs = wiring.inputs ?? [];
  if (converter === undefined) {
    return refuse(
      "no converter, and its output is a voltage; take io from board.analog(), or give { bits, reference }",
    );
  }
  whole("sampleRate", c.sampleRate, 125, 1000, " hz");
  within("gain", c.gain, AMPLIFIER_GAIN, GAIN_LIMIT, " V/V");
  within("supply", c.supply, 2, 7 / 2, " V");
  within("settling", c.settling, 0, 10000, " ms");
  within("railTimeout", c.railTimeout, 1, 3600, " s");
  whole("electrodes", c.electrodes, 2, 3, "");
  known("pins", wiring.pins ?? [], PINS);
  known("inputs", inputs, INPUTS);
  if (c.electrodes === 2 && inputs.indexOf(LO_MINUS) >= 0) {
    refuse(
      "electrodes 2 and the input LO- fight: with two only LO+ tells of a lead that is off (p. 18); choose 3, or leave " +
        "LO- out of inputs",
    );
  }
  const offset = offsetOf(c);
  if (!(offset * SWING_PER_VOLT >= 1 && (c.supply - offset) * SWING_PER_VOLT >= 1)) {
    refuse(
      `offset ${offset} V and supply ${c.supply} V fight: the output stays 0.1 V from either rail; ` +
        "choose null for half of the supply",
    );
  }
  checkConverter(c, converter);
  return converter;
};
