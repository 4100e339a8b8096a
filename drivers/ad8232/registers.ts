/**
 * AD8232: it has no registers. Its figures, its pins and what can be set (Analog Devices, data sheet Rev. A; figures of
 * table 1: README.md). Device side: constants stand above everything else.
 */

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
/** With the filter stage of the module, 1 + R9 / R8 = 11 (p. 25 says 1100). */
export const MODULE_GAIN = 1100;

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
