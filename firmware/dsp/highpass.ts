/**
 * The lower end of the band that a monitor shows: two ways to take the baseline away. For display and storage: never in
 * front of the detector.
 */
import { followerShare, RATES, SECTION_SCALE } from "./designs.ts";
import { type Filter, refusal, requireRoom } from "./filter.ts";

/**
 * Linear phase: the signal 0.8 s ago less its moving average of 0.8 s, taken twice: -3 dB at 0.73 hz, within 6 % from 1
 * hz on, 0 at 0 hz exactly. Waves keep their shape, but what is around them weighs on both sides: ST against PQ in
 * recorded beats is off by 0 +- 27 uV, and 3 mV for 100 ms leave troughs of 0.35 mV. Running sums of integers: exact
 * for samples of up to 31 bits, however long it runs. `delay`: 0.8 s. Throws Error for a rate that is none of 125, 128,
 * 250, 256, 360, 500, 512.
 */
export function createHighPass(rate: number): Filter {
  if (!RATES.includes(rate)) throw refusal("high-pass", rate, RATES);
  const delay = Math.round((rate * 4) / 5);
  const length = delay + 1;
  const area = length * length;
  /** The last samples, and the last sums over as many of them. */
  const kept = new Int32Array(length);
  const sums = new Float64Array(length);
  let started = false;
  let at = 0;
  let once = 0;
  let twice = 0;

  return {
    rate,
    delay,
    push: (samples, count, out) => {
      requireRoom("high-pass", out, count);
      if (!started && count > 0) {
        started = true;
        kept.fill(samples[0]);
        once = samples[0] * length;
        sums.fill(once);
        twice = once * length;
      }
      for (let i = 0; i < count; i++) {
        const x = samples[i];
        once += x - kept[at];
        twice += once - sums[at];
        kept[at] = x;
        sums[at] = once;
        at = at === delay ? 0 : at + 1;
        // The oldest one there is went in `delay` samples ago.
        out[i] = kept[at] - Math.floor(twice / area + 1 / 2);
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
 * ST mode: the signal less what a one-pole mean of 0.05 hz follows. No delay. 3 mV for 100 ms leave less than 100 uV
 * behind, falling off by less than 300 uV/s: evidence towards the impulse test of the standards for electrocardiographs
 * and monitors (0.3 mV s: IEC 60601-2-25, 60601-2-27, 60601-2-51, ANSI/AAMI EC11). ST against PQ in recorded beats is
 * off by -5 +- 10 uV. The price is a baseline that wanders: a step takes 3.2 s to fall to 37 %. Throws Error for a rate
 * that is none of 125, 128, 250, 256, 360, 500, 512.
 */
export function createStHighPass(rate: number): Filter {
  const shares = followerShare(rate);
  if (shares === null) throw refusal("ST high-pass", rate, RATES);
  const share = shares[0] / SECTION_SCALE;
  let started = false;
  let mean = 0;

  return {
    rate,
    delay: 0,
    push: (samples, count, out) => {
      requireRoom("ST high-pass", out, count);
      if (!started && count > 0) {
        started = true;
        mean = samples[0];
      }
      for (let i = 0; i < count; i++) {
        const x = samples[i];
        mean += (x - mean) * share;
        out[i] = Math.floor(x - mean + 1 / 2);
      }
      return count;
    },
    reset: () => {
      started = false;
    },
  };
}
