/** From higher sampling rates down to the detector's 120 to 128 sps. */
import { DECIMATED, decimatorTaps, TAP_SCALE } from "./designs.ts";
import { type Filter, refusal } from "./filter.ts";
import { createFir, mirrored } from "./fir.ts";

export interface Decimator extends Filter {
  /** Input samples for one output. */
  readonly factor: number;
  /** hz. */
  readonly outputRate: number;
}

/**
 * 250 to 125, 256 to 128, 360 to 120, 500 to 125, 512 to 128 sps. Flat to 40 hz within 0.7 %, what would fold onto that
 * is 46 dB down; 50 and 60 hz lie in between and pass in part. The one filter that may stand in front of the detector.
 * Output m, counted from the start or the last reset, is the signal at input sample m x factor - delay.
 * Throws Error for another rate: one of 125 or 128 hz needs none.
 */
export function createDecimator(rate: number): Decimator {
  const half = decimatorTaps(rate);
  if (half === null) throw refusal("decimator", rate, DECIMATED);
  const factor = Math.round(rate / 125);
  const fir = createFir({ name: "decimator", taps: mirrored(half), scale: TAP_SCALE, factor });
  return { rate, outputRate: rate / factor, factor, delay: fir.delay, push: fir.push, reset: fir.reset };
}
