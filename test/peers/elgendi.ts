/**
 * Two moving averages: Elgendi, "Fast QRS detection with an optimized knowledge-based method: evaluation on 11 standard ECG
 * databases", PLoS ONE 8:e73557 (2013), after Elgendi, Jonkman and De Boer, BIOSIGNALS 2010, 428.
 *
 *   x -> Butterworth band-pass 8 to 20 hz, third order -> square -> mean over a QRS (W1 = 97 ms, 35 samples of 360 hz)
 *                                                              -> mean over a beat (W2 = 611 ms, 220 samples)
 *
 * A block of interest is where the first mean exceeds the second one by alpha = 8 % of the mean of all squares; one that is
 * at least W1 long is a QRS, and R the largest filtered value in it. All numbers are the paper's (its optimum).
 *
 * The paper has the whole recording at hand; as a stream in two-averages.ts. It is designed for whatever rate the signal has.
 *
 * The paper has no refractory period. Other detectors have one of 200 ms (Pan and Tompkins 1985, Hamilton 2002), so there
 * is a second one here that drops what comes sooner after a beat: it does better, and is the stronger one to be held against.
 */
import type { DetectorFactory } from "../../simulator/evaluate/detections.ts";
import { requireSignal } from "./moving.ts";
import { createTwoAverages, type TwoAverages } from "./two-averages.ts";

const NUMBERS: TwoAverages = {
  low: 8,
  high: 20,
  wave: 0.097,
  beat: 0.611,
  offset: 0.08,
  squareOf: (value) => value * value,
  heightOf: Math.abs,
  lowest: -1,
};

/** Where there is one, s. */
const REFRACTORY = 0.2;

const create =
  (refractory: number): DetectorFactory =>
  (rate, microvoltsPerCount, onBeat) => {
    requireSignal("Elgendi", rate, microvoltsPerCount);
    let last = Number.NEGATIVE_INFINITY;
    const averages = createTwoAverages(rate, NUMBERS, (peakAt, now) => {
      if (peakAt - last <= refractory * rate) return;
      last = peakAt;
      onBeat(Math.max(0, peakAt - averages.delay), now);
    });
    return {
      push(samples, count) {
        for (let i = 0; i < count; i++) averages.push(samples[i]!);
      },
    };
  };

/** See DetectorFactory. Throws Error for a rate that is not 100 to 1000 hz. */
export const createElgendiDetector = create(0);

/** The same with a refractory period of 200 ms. */
export const createRefractoryElgendiDetector = create(REFRACTORY);
