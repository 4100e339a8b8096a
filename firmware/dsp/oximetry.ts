/** What an oximeter is told, what it gives, and SpO2 from the ratio of ratios R. */

import type { CalibrationCurve } from "./calibration.ts";

export { type CalibrationCurve, spo2Of } from "./calibration.ts";

export interface OximeterOptions {
  /** 50, 100 or 200 hz. */
  readonly rate: number;
  /** null: uncalibrated, R is given and no SpO2. */
  readonly curve: CalibrationCurve | null;
  /** Infrared counts below which there is no finger. */
  readonly offBodyBelow: number;
  /** Counts of either channel from which on the converter is at its end. */
  readonly saturatedAbove: number;
}

/** What is measured now; null, with at least one flag, is what cannot be. Filled in place. */
export interface Oximetry {
  /** Beats a minute, 15..300. */
  pulseRate: number | null;
  /** Percent, 0..100. */
  spo2: number | null;
  /** Pulse of infrared over its DC, peak to peak, percent. */
  perfusionIndex: number | null;
  /** Ratio of ratios R, no unit. */
  ratio: number | null;
  /** Bits of drivers/driver.ts: settling, off body, motion, low perfusion, saturated, uncalibrated. */
  flags: number;
}

export interface Oximeter {
  readonly result: Oximetry;
  /** The next `count` samples of each channel, in counts. May be split in any way; `result` is as of the last sample. */
  push(red: Int32Array, infrared: Int32Array, count: number): void;
  /** Forgets everything. Call it after a gap and after a change of LED current. */
  reset(): void;
}
