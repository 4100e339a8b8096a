/** The upper end of the band that a monitor shows. For display and storage: never in front of the detector. */
import { lowPassTaps, RATES, TAP_SCALE } from "./designs.ts";
import { type Filter, refusal } from "./filter.ts";
import { createFir, mirrored } from "./fir.ts";

/**
 * Linear-phase low-pass, -3 dB at 40 hz, flat within 0.6 % to 30 hz, 46 dB down from 55 hz on: takes muscle noise and
 * most of the mains. Delay 60 to 65 ms. Throws Error for a rate that is none of 125, 128, 250, 256, 360, 500, 512.
 */
export function createLowPass(rate: number): Filter {
  const half = lowPassTaps(rate);
  if (half === null) throw refusal("low-pass", rate, RATES);
  const fir = createFir({ name: "low-pass", taps: mirrored(half), scale: TAP_SCALE, factor: 1 });
  return { rate, delay: fir.delay, push: fir.push, reset: fir.reset };
}
