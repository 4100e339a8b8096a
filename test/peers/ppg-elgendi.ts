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
 * The paper has the whole recording at hand; as a stream in two-averages.ts, with a filter of third order (there of second). The
 * light is turned over first: the paper's pulse rises with blood.
 */
import type { PulseFactory } from "../../simulator/evaluate/pulse.ts";
import { createTwoAverages, type TwoAverages } from "./two-averages.ts";

const NUMBERS: TwoAverages = {
  low: 0.5,
  high: 8,
  wave: 0.111,
  beat: 0.667,
  offset: 0.02,
  squareOf: (value) => (value > 0 ? value * value : 0),
  heightOf: (value) => value,
  lowest: 0,
};

/** See PulseFactory. Throws Error for a rate that is not 25 to 1000 hz. */
export const createElgendiPulseDetector: PulseFactory = (rate, onBeat) => {
  if (!(rate >= 25 && rate <= 1000)) throw new Error(`Elgendi: rate ${rate} hz is not 25 to 1000; resample`);
  const averages = createTwoAverages(rate, NUMBERS, (peakAt, now, height) =>
    onBeat(Math.max(0, peakAt - averages.delay), now, height),
  );
  return {
    push(samples, count) {
      for (let i = 0; i < count; i++) averages.push(-samples[i]!);
    },
  };
};
