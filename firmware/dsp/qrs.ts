/**
 * QRS detection: pacing pulses are taken out (spikes.ts), the humps of the slope energy found (humps.ts) and judged by what
 * they look like and when they come (judge.ts).
 */
import { RATES } from "./designs.ts";
import { createHumps } from "./humps.ts";
import { createBeatJudge, FEATURES } from "./judge.ts";
import { WEIGHTS } from "./qrs-weights.ts";
import { createSpikeFilter } from "./spikes.ts";

export interface QrsDetector {
  /** The next `count` samples, in counts. May be split in any way. */
  push(samples: Int32Array, count: number): void;
  /** Level of what is no beat over that of the beats, 0 (clean) to 1; 1 before the first beats. */
  noiseRatio(): number;
  /** Forgets everything: the next sample has index 0. Call it after a gap. */
  reset(): void;
}

/** Rates that a detector takes, hz. It works on 120 to 128 samples a second: the higher rates in twos, threes, fours. */
export const QRS_RATES = RATES;

/** Signals below this, uV peak to peak, are no beats; narrow ones (20 ms) need twice as much. */
const FLOOR = 40;

/** Samples that are cleaned at a time. */
const CHUNK = 64;

/** Log-odds that a hump is a beat. */
function scoreHump(features: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < FEATURES; i++) sum += features[i] * WEIGHTS[i];
  return sum / 1024;
}

/**
 * Makes a detector for one of QRS_RATES. `onBeat` is called from within `push`: `index`, fractional, of the R peak, and
 * `emittedAt`, the sample at which it was sure; both count input samples since the start or the last reset;
 * `isDoubtful`: noise may have made or moved it (judge.ts).
 * `score` is for programs that tune it. Throws Error for another rate, and for a scale that is not above 0.
 */
export function createQrsDetector(
  rate: number,
  microvoltsPerCount: number,
  onBeat: (index: number, emittedAt: number, isDoubtful: boolean) => void,
  score?: (features: Float64Array, hump: Float64Array) => number,
): QrsDetector {
  if (QRS_RATES.indexOf(rate) < 0)
    throw new Error(
      `QRS detector: rate ${rate} hz is none of ${QRS_RATES.join(", ")}; resample, or choose another one`,
    );
  if (!(microvoltsPerCount > 0))
    throw new Error(`QRS detector: ${microvoltsPerCount} uV a count is not above 0; take it from the channel`);
  const step = Math.round(rate / 125);
  // the energy of a hump is 2 x 3 x 3 times the wave that makes it
  const floor = ((FLOOR * step) / microvoltsPerCount) * 18;
  const spikes = createSpikeFilter(rate, microvoltsPerCount);
  const clean = new Int32Array(CHUNK);
  const judge = createBeatJudge(rate / step, step, floor, score ?? scoreHump, (r, now, isDoubtful) =>
    onBeat(r - spikes.delay, now * step + step - 1, isDoubtful),
  );
  const humps = createHumps(rate, step, judge.hump, judge.due);
  return {
    push: (samples, count) => {
      for (let taken = 0; taken < count; taken += CHUNK) {
        const part = samples.subarray(taken, Math.min(taken + CHUNK, count));
        humps.push(clean, spikes.push(part, part.length, clean));
      }
    },
    noiseRatio: judge.noiseRatio,
    reset: () => {
      spikes.reset();
      humps.reset();
      judge.reset();
    },
  };
}
