/**
 * Whether noise drowns an ECG: muscle, a loose electrode, a bad joint. What a heart makes bends slowly, from the wave of a
 * fibrillation to a QRS complex, which bends by some 50 uV from sample to sample for a tenth of the time; noise bends always.
 * So some samples of a signal are enough, and no beats are needed.
 */

export interface EcgNoise {
  /** The next `count` samples, in counts. */
  push(samples: Int32Array, count: number): void;
  /** Is there so much of it in what came since the last call? `before`: was there? Where too little came, as before. */
  drowns(before: boolean): boolean;
}

/** Looks a second, and those that are needed. */
const LOOKS = 32;
const NEEDED = 8;
/**
 * How far a sample may be beside the middle of its neighbours, twice that, uV, from 256 hz on: normal noise of 0.12 mV is
 * further half the time. A QRS complex bends more from sample to sample where they are fewer.
 */
const BENT = 200;
const DENSE = 256;
/** Part of the looks that find it bent: more than this and it begins, less and it ends. */
const BEGINS = 1 / 2;
const ENDS = 1 / 4;

/** `rate`: samples a second. */
export function createEcgNoise(rate: number, microvoltsPerCount: number): EcgNoise {
  const stride = Math.max(1, Math.round(rate / LOOKS));
  const limit = (BENT * Math.max(1, DENSE / rate)) / microvoltsPerCount;
  /** Where in the next samples it looks next. */
  let next = 2;
  let looks = 0;
  let bent = 0;
  return {
    push: (samples, count) => {
      let i = next;
      for (; i < count; i += stride) {
        const bend = samples[i] - 2 * samples[i - 1] + samples[i - 2];
        looks++;
        if (bend > limit || bend < -limit) bent++;
      }
      next = Math.max(2, i - count);
    },
    drowns: (before) => {
      const does = looks < NEEDED ? before : bent > looks * (before ? ENDS : BEGINS);
      looks = bent = 0;
      return does;
    },
  };
}
