/** Another sampling rate by linear interpolation, as a stream. */

export interface Resampler {
  /**
   * Takes the next `count` samples and writes what they allow to `out`; returns how many that are, at most
   * `count x toRate / fromRate + 1`. Throws Error where `out` is shorter than what there is to write.
   */
  push(samples: ArrayLike<number>, count: number, out: Float64Array): number;
}

/**
 * Sample k of the output is the value at t = k / toRate on the straight line between the two samples around it; none
 * lies beyond the last sample. No filter goes before it: halving a rate (500 to 250 hz) takes every second sample.
 * The place is computed from k itself, so no error adds up. Throws Error for a rate that is not above 0.
 */
export function createLinearResampler(fromRate: number, toRate: number): Resampler {
  if (!(fromRate > 0 && toRate > 0 && fromRate < Number.POSITIVE_INFINITY && toRate < Number.POSITIVE_INFINITY)) {
    throw new Error(`cannot resample from ${fromRate} to ${toRate} hz; both must be above 0`);
  }
  let taken = 0; // samples pushed before this block
  let last = 0; // the last of them
  let k = 0;
  return {
    push(samples, count, out) {
      let written = 0;
      for (; ; k++) {
        const place = (k * fromRate) / toRate;
        const index = Math.floor(place);
        const fraction = place - index;
        if (index + (fraction > 0 ? 1 : 0) >= taken + count) break;
        if (written >= out.length)
          throw new Error(`output of ${out.length} samples is too short for a block of ${count}`);
        const left = index < taken ? last : samples[index - taken]!;
        out[written++] = fraction > 0 ? left + fraction * (samples[index + 1 - taken]! - left) : left;
      }
      if (count > 0) last = samples[count - 1]!;
      taken += count;
      return written;
    },
  };
}

/** All of a signal at once: see createLinearResampler. n samples give floor((n - 1) x toRate / fromRate) + 1. */
export function resampleLinear(samples: ArrayLike<number>, fromRate: number, toRate: number): Float64Array {
  const resampler = createLinearResampler(fromRate, toRate);
  const out = new Float64Array(Math.ceil((samples.length * toRate) / fromRate) + 1);
  return out.slice(0, resampler.push(samples, samples.length, out));
}
