/** Calibration curves of pulse oximeters, turned about: which R a simulated finger must have for a given SpO2. */

/** SpO2 = square R^2 + linear R + constant, percent, on the branch where SpO2 falls with R. */
export interface Spo2Curve {
  readonly name: string;
  readonly square: number;
  readonly linear: number;
  readonly constant: number;
}

/** Maxim's MAXREFDES117 (RD117) reference design. Its maximum, 99.957 %, lies at R 0.337. */
export const referenceDesignCurve: Spo2Curve = {
  name: "reference-design",
  square: -45.06,
  linear: 30.354,
  constant: 94.845,
};

/** Maxim application note 6845, table 1 (MAX30101 at a finger). */
export const an6845Curve: Spo2Curve = {
  name: "an6845",
  square: 1.5958422,
  linear: -34.6596622,
  constant: 112.6898759,
};

/**
 * R for an SpO2 in percent, 0..100; what lies beyond the curve's turning point is clamped to it. Throws RangeError for an
 * SpO2 outside 0..100, and for a curve that does not fall to it.
 */
export function ratioOf(spo2: number, curve: Spo2Curve): number {
  if (!(spo2 >= 0 && spo2 <= 100)) throw new RangeError(`spo2 ${spo2} is outside 0..100 percent`);
  const { square, linear, constant } = curve;
  if (square === 0 && linear < 0) return (spo2 - constant) / linear;
  const discriminant = linear * linear - 4 * square * (constant - spo2);
  // the root where the slope, minus the square root, is not positive
  const ratio = (-linear - Math.sqrt(square < 0 ? Math.max(discriminant, 0) : discriminant)) / (2 * square);
  if (!(ratio > 0)) throw new RangeError(`curve ${curve.name} does not fall to ${spo2} percent at an R above 0`);
  return ratio;
}

/** SpO2 in percent for R. */
export function spo2Of(ratio: number, curve: Spo2Curve): number {
  return (curve.square * ratio + curve.linear) * ratio + curve.constant;
}
