/** What an oximeter is told, what it gives, and SpO2 from the ratio of ratios R. */

/** SpO2 = square R^2 + linear R + constant, percent. It belongs to one device: it is found by calibrating that one. */
export interface CalibrationCurve {
  readonly square: number;
  readonly linear: number;
  readonly constant: number;
}

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

/**
 * SpO2 in percent on the falling branch of the curve: an R beyond the turning point counts as the turning point's. Never
 * above 100; null where the curve is below 0, for an R that no blood has.
 */
export function spo2Of(ratio: number, curve: CalibrationCurve): number | null {
  const square = curve.square;
  const turn = -curve.linear / (2 * square);
  let r = ratio;
  if (square < 0) r = Math.max(r, turn);
  else if (square > 0) r = Math.min(r, turn);
  const value = (square * r + curve.linear) * r + curve.constant;
  return value < 0 ? null : Math.min(value, 100);
}
