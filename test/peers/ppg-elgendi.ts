/**
 * Systolic peaks by two moving averages: Elgendi, Norton, Brearley, Abbott and Schuurmans, "Systolic peak detection in
 * acceleration photoplethysmograms measured from emergency responders in tropical conditions", PLoS ONE 8:e76585 (2013).
 *
 *   pulse -> Butterworth band-pass 0.5 to 8 hz -> what is above 0, squared -> mean over a peak (W1 = 111 ms)
 *                                                                       -> mean over a beat (W2 = 667 ms)
 *
 * A block of interest is where the first mean exceeds the second one by beta = 2 % of the mean of all squares; one at least W1
 * long is a beat, and the peak the largest filtered value in it. The numbers are the paper's optimum.
 *
 * The paper has the whole recording at hand. As a stream: the filter (here of third order, there of second) runs forwards only
 * and its delay in mid-band is taken off; both means are centred by waiting for half of W2; the mean of all squares is that
 * until now. The light is turned over first: the paper's pulse rises with blood.
 */
import type { PulseFactory } from "../../simulator/evaluate/pulse.ts";
import { createBandPass } from "./band-pass.ts";
import { createDelay, createMean } from "./moving.ts";

/** Band, hz. */
const LOW = 0.5;
const HIGH = 8;
/** W1 and W2, s. */
const PEAK = 0.111;
const BEAT = 0.667;
/** beta */
const OFFSET = 0.02;

const odd = (samples: number) => 2 * Math.round((samples - 1) / 2) + 1;

/** See PulseFactory. Throws Error for a rate that is not 25 to 1000 hz. */
export const createElgendiPulseDetector: PulseFactory = (rate, onBeat) => {
  if (!(rate >= 25 && rate <= 1000)) throw new Error(`Elgendi: rate ${rate} hz is not 25 to 1000; resample`);
  const w1 = odd(PEAK * rate);
  const w2 = odd(BEAT * rate);
  const half = (w2 - 1) / 2;
  const filter = createBandPass(LOW, HIGH, rate);
  const peak = createMean(w1);
  const beat = createMean(w2);
  const centredPeak = createDelay((w2 - w1) / 2);
  const centred = createDelay(half);
  let now = 0;
  let total = 0;
  let length = 0;
  let highest = 0;
  let highestAt = 0;

  return {
    push(samples, count) {
      for (let i = 0; i < count; i++, now++) {
        const value = filter.push(-samples[i]!);
        const square = value > 0 ? value * value : 0;
        total += square;
        const threshold = beat(square) + (OFFSET * total) / (now + 1);
        const height = centred(value);
        if (centredPeak(peak(square)) > threshold) {
          if (length === 0) highest = 0;
          length++;
          if (height > highest) {
            highest = height;
            highestAt = now - half;
          }
          continue;
        }
        if (length >= w1) onBeat(Math.max(0, highestAt - filter.delay), now, highest);
        length = 0;
      }
    },
  };
};
