/** SpO2 from the ratio of ratios R. */

/** SpO2 = square R^2 + linear R + constant, percent. It belongs to one device: it is found by calibrating that one. */
export interface CalibrationCurve {
  readonly square: number;
  readonly linear: number;
  readonly constant: number;
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
