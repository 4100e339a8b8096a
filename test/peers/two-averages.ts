/**
 * Two moving averages of a filtered signal's squares, as Elgendi finds QRS complexes and systolic peaks: a block of interest is
 * where the mean over a wave exceeds the mean over a beat by a part of the mean of all squares; one at least as long as a wave
 * is a beat, and its peak the largest filtered value in it.
 *
 * His papers have the whole recording at hand. As a stream: the filter runs forwards only and its delay in mid-band is taken
 * off; both means are centred by waiting for half of the longer one; the mean of all squares is that until now.
 */
import { createBandPass } from "./band-pass.ts";
import { createDelay, createMean } from "./moving.ts";

export interface TwoAverages {
  /** Band, hz. */
  readonly low: number;
  readonly high: number;
  /** W1, of a wave, and W2, of a beat, s. */
  readonly wave: number;
  readonly beat: number;
  /** beta: part of the mean of all squares. */
  readonly offset: number;
  /** What is taken of a filtered value, squared and as it is: all of it, or one side alone. */
  readonly squareOf: (value: number) => number;
  readonly heightOf: (value: number) => number;
  /** A height that a peak must be above. */
  readonly lowest: number;
}

const odd = (samples: number) => 2 * Math.round((samples - 1) / 2) + 1;

/** `onBlock`: index of the peak, not yet less `delay`; of the sample at which the block was over; its height. */
export function createTwoAverages(
  rate: number,
  numbers: TwoAverages,
  onBlock: (peakAt: number, now: number, height: number) => void,
) {
  const w1 = odd(numbers.wave * rate);
  const w2 = odd(numbers.beat * rate);
  const half = (w2 - 1) / 2;
  const filter = createBandPass(numbers.low, numbers.high, rate);
  const wave = createMean(w1);
  const beat = createMean(w2);
  const centredWave = createDelay((w2 - w1) / 2);
  const centred = createDelay(half);
  let now = 0;
  let total = 0;
  let length = 0;
  let highest = 0;
  let highestAt = 0;
  return {
    delay: filter.delay,
    push(sample: number) {
      const value = filter.push(sample);
      const square = numbers.squareOf(value);
      total += square;
      const threshold = beat(square) + (numbers.offset * total) / (now + 1);
      const height = numbers.heightOf(centred(value));
      if (centredWave(wave(square)) > threshold) {
        if (length === 0) highest = numbers.lowest;
        length++;
        if (height > highest) {
          highest = height;
          highestAt = now - half;
        }
      } else {
        if (length >= w1) onBlock(highestAt, now, highest);
        length = 0;
      }
      now++;
    },
  };
}
