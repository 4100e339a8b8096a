/** Moving averages: of any length by a running sum of integers, exact however long it runs; of a mains period by a FIR. */
import { mains50Taps, mains60Taps, RATES, TAP_SCALE } from "./designs.ts";
import { type Filter, refusal, requireRoom } from "./filter.ts";
import { createFir } from "./fir.ts";

/**
 * Mean of the last `milliseconds`, rounded to the nearest count (halves up). `delay`: half of one sample less than that.
 * Throws Error where `rate` is not above 0, and where the time is not a whole number of samples, 1 to 4096.
 */
export function createAverage(rate: number, milliseconds: number): Filter {
  if (!(rate > 0)) throw new Error(`moving average: rate ${rate} hz is not above 0; take it from the channel`);
  const length = (rate * milliseconds) / 1000;
  if (!(length >= 1 && length <= 4096 && Math.floor(length) === length))
    throw new Error(
      `moving average: ${milliseconds} ms are ${length} samples of ${rate} hz, not a whole number from 1 to 4096; choose a multiple of ${1000 / rate} ms`,
    );
  const kept = new Int32Array(length);
  let started = false;
  let at = 0;
  let sum = 0;

  return {
    rate,
    delay: (length - 1) / 2,
    push: (samples, count, out) => {
      requireRoom("moving average", out, count);
      if (!started && count > 0) {
        started = true;
        kept.fill(samples[0]);
        sum = samples[0] * length;
      }
      for (let i = 0; i < count; i++) {
        const x = samples[i];
        sum += x - kept[at];
        kept[at] = x;
        at = at + 1 === length ? 0 : at + 1;
        out[i] = Math.floor(sum / length + 1 / 2);
      }
      return count;
    },
    reset: () => {
      started = false;
      at = 0;
    },
  };
}

/**
 * Mean of about one period of the mains, with its zero there. For detection only: it takes a tenth of a narrow QRS, and is
 * no display filter. Where a period is no whole number of samples, as many whole ones as fit in it have one weight, and
 * one more on either side a smaller one that puts the zero on the mains; nothing is resampled. `delay` may be a half.
 * Throws Error for a rate that is none of 125, 128, 250, 256, 360, 500, 512, and for mains other than 50 and 60 hz.
 */
export function createMainsAverage(rate: number, mains: number): Filter {
  if (mains !== 50 && mains !== 60) throw new Error(`mains average: mains ${mains} hz is none of 50, 60; choose one`);
  const taps = mains === 50 ? mains50Taps(rate) : mains60Taps(rate);
  if (taps === null) throw refusal("mains average", rate, RATES);
  const fir = createFir({ name: "mains average", taps, scale: TAP_SCALE, factor: 1 });
  return { rate, delay: fir.delay, push: fir.push, reset: fir.reset };
}
