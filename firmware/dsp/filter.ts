/** What the filters have in common: blocks of counts in, blocks of counts out, at one sampling rate. */

export interface Filter {
  /** The sampling rate that it is made for, hz. */
  readonly rate: number;
  /** Group delay in input samples: what comes out now went in so long ago. May be a half. */
  readonly delay: number;
  /**
   * The next `count` samples, in counts, up to 31 bits and a sign; `out`, which may be `samples`, is filled from its
   * beginning. Returns how many were written. Blocks may be split in any way. The first sample counts as if it had always
   * been there: a filter begins without a step. Throws Error where `out` is too short.
   */
  push(samples: Int32Array, count: number, out: Int32Array): number;
  /** Forgets everything: as new. Call it after a gap. */
  reset(): void;
}

/** The Error for a sampling rate that is not among `rates`. `what`: whose. */
export function refusal(what: string, rate: number, rates: readonly number[]): Error {
  return new Error(`${what}: rate ${rate} hz is none of ${rates.join(", ")}; resample, or choose another sampleRate`);
}

/** Throws Error where `out` has no room for `count` samples: a board would drop them in silence. */
export function requireRoom(what: string, out: Int32Array, count: number): void {
  if (out.length < count)
    throw new Error(`${what}: out has room for ${out.length} of ${count} samples; make it longer`);
}
