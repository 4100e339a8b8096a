/** Moving averages: running sums of integers, exact for samples of up to 31 bits, however long they run. */
import { mainsWindows, RATES } from "./designs.ts";
import { type Filter, refusal, requireRoom } from "./filter.ts";

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
        sum += samples[i] - kept[at];
        kept[at] = samples[i];
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
 * Mean of about one period of the mains, with its zero exactly there. For detection only: it takes a tenth of a narrow
 * QRS, and is no display filter. Where a period is no whole number of samples, as many whole ones as fit in it have one
 * weight, and one more on either side a smaller one that puts the zero on the mains; nothing is resampled. `delay` may be
 * a half. Throws Error for a rate that is none of 125, 128, 250, 256, 360, 500, 512, and for mains other than 50 and 60 hz.
 */
export function createMainsAverage(rate: number, mains: number): Filter {
  const windows = mainsWindows(rate);
  if (windows === null) throw refusal("mains average", rate, RATES);
  if (mains !== 50 && mains !== 60) throw new Error(`mains average: mains ${mains} hz is none of 50, 60; choose one`);
  const first = mains === 50 ? 0 : 3;
  const whole = windows[first];
  const inner = windows[first + 1];
  const end = windows[first + 2];
  const weight = whole * inner + 2 * end;
  /** The inner ones and one end; without ends the inner ones are all. */
  const length = end === 0 ? whole : whole + 1;
  const kept = new Int32Array(length);
  let started = false;
  let at = 0;
  /** Of the inner ones. */
  let sum = 0;

  return {
    rate,
    delay: end === 0 ? (whole - 1) / 2 : (whole + 1) / 2,
    push: (samples, count, out) => {
      requireRoom("mains average", out, count);
      if (!started && count > 0) {
        started = true;
        kept.fill(samples[0]);
        sum = samples[0] * whole;
      }
      for (let i = 0; i < count; i++) {
        const x = samples[i];
        const oldest = kept[at];
        if (end === 0) sum += x - oldest;
        out[i] = Math.floor((sum * inner + (x + oldest) * end) / weight + 1 / 2);
        kept[at] = x;
        at = at + 1 === length ? 0 : at + 1;
        // The newest end comes in, the oldest inner one becomes the other end.
        if (end !== 0) sum += x - kept[at];
      }
      return count;
    },
    reset: () => {
      started = false;
      at = 0;
    },
  };
}
