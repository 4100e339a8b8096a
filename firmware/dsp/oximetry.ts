/** What an oximeter is told, what it gives, and SpO2 from the ratio of ratios R. */

import type { Calibration } from "./calibration.ts";

export { type CalibrationCurve, spo2Of } from "./calibration.ts";

export interface OximeterOptions {
  /** 25 to 400 hz. */
  readonly rate: number;
  /** null: it is uncalibrated, R is given and no SpO2. */
  readonly calibration: Calibration | null;
  /** Infrared counts below which there is no finger. */
  readonly offBodyBelow: number;
  /** Counts of either channel from which on the converter is at its end. */
  readonly saturatedAbove: number;
  /**
   * Called from within `push` for every beat, good or not: `index`, fractional, of the sample at which the light falls the
   * fastest, from the last reset on; how far it fell, and how bright it was before, in the same counts.
   */
  readonly onBeat?: (index: number, height: number, brightness: number) => void;
}

/** What is measured now; null, with at least one flag, is what cannot be. Filled in place. */
export interface Oximetry {
  /** Beats a minute, 15..300. */
  pulseRate: number | null;
  /** Percent, 48..100. */
  spo2: number | null;
  /** Pulse of infrared over its DC, peak to peak, percent. */
  perfusionIndex: number | null;
  /** Ratio of ratios R, no unit. */
  ratio: number | null;
  /** Bits of drivers/driver.ts: settling, off body, motion, low perfusion, saturated, uncalibrated. */
  flags: number;
  /** Those of them that concern the pulse rate, and the perfusion index where there is one; the others, SpO2 and R alone. */
  pulseFlags: number;
  /** Of the light, 0..100: how much of the last seconds were good beats, and how sure R is of them. null: no light to judge. */
  quality: number | null;
  /** R is that of red and infrared taken for each other, which no blood has: spo2 is null then, flagged uncalibrated. */
  swapped: boolean;
}

export interface Oximeter {
  /** As of the last sample. It is computed when it is asked for, into one object: ask once, then look. */
  readonly result: Oximetry;
  /** What is known of the light itself, as of the last sample: flags off body, saturated, settling, motion. */
  readonly light: number;
  /**
   * The next `count` samples of each light, in counts; may be split in any way. `red` null: there is infrared alone (or green in
   * its place), and pulse rate and perfusion index of it; R and SpO2 are null, flagged uncalibrated.
   */
  push(red: Int32Array | null, infrared: Int32Array, count: number): void;
  /** Forgets everything. Call it after a gap and after a change of LED current. */
  reset(): void;
}
