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
 * The paper has the whole recording at hand. As a stream: the filter runs forwards only and its delay in mid-band is taken
 * off; both means are centred by waiting for half of W2; the mean of all squares is that of the squares until now. It is
 * designed for whatever rate the signal has.
 *
 * The paper has no refractory period. Other detectors have one of 200 ms (Pan and Tompkins 1985, Hamilton 2002), so there
 * is a second one here that drops what comes sooner after a beat: it does better, and is the stronger one to be held against.
 */
import type { DetectorFactory } from "../../simulator/evaluate/detections.ts";
import { createBandPass } from "./band-pass.ts";
import { createDelay, createMean, requireSignal } from "./moving.ts";

/** Band, hz. */
const LOW = 8;
const HIGH = 20;
/** W1 and W2, s. */
const QRS = 0.097;
const BEAT = 0.611;
/** beta */
const OFFSET = 0.08;

/** Where there is one, s. */
const REFRACTORY = 0.2;

const odd = (samples: number) => 2 * Math.round((samples - 1) / 2) + 1;

const create =
  (refractory: number): DetectorFactory =>
  (rate, microvoltsPerCount, onBeat) => {
    requireSignal("Elgendi", rate, microvoltsPerCount);
    const w1 = odd(QRS * rate);
    const w2 = odd(BEAT * rate);
    const half = (w2 - 1) / 2;
    const filter = createBandPass(LOW, HIGH, rate);
    const qrs = createMean(w1);
    const beat = createMean(w2);
    const centredQrs = createDelay((w2 - w1) / 2);
    const centred = createDelay(half);
    let now = 0;
    let total = 0;
    let length = 0;
    let highest = 0;
    let highestAt = 0;
    let last = Number.NEGATIVE_INFINITY;

    const blockEnds = () => {
      if (length >= w1 && highestAt - last > refractory * rate) {
        last = highestAt;
        onBeat(Math.max(0, highestAt - filter.delay), now);
      }
      length = 0;
    };

    return {
      push(samples, count) {
        for (let i = 0; i < count; i++, now++) {
          const value = filter.push(samples[i]!);
          const square = value * value;
          total += square;
          const threshold = beat(square) + (OFFSET * total) / (now + 1);
          const height = Math.abs(centred(value));
          if (centredQrs(qrs(square)) <= threshold) {
            blockEnds();
            continue;
          }
          if (length === 0) highest = -1;
          length++;
          if (height > highest) {
            highest = height;
            highestAt = now - half;
          }
        }
      },
    };
  };

/** See DetectorFactory. Throws Error for a rate that is not 100 to 1000 hz. */
export const createElgendiDetector = create(0);

/** The same with a refractory period of 200 ms. */
export const createRefractoryElgendiDetector = create(REFRACTORY);
