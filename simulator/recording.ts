/** A recorded ECG as the input of a chip. */
import type { Signal } from "../drivers/emulator.ts";

/**
 * Plays samples (mV, `rate` in Hz) as V at the electrodes, by linear interpolation at `sinceStart`: the first sample stands
 * at the chip's start of conversion. The signal throws RangeError before the first and beyond the last sample, and at a
 * sample that is not a finite number (a gap of the record); this function does for an empty record and a rate that is not
 * above 0.
 */
export function recordingSignal(samples: Float64Array, rate: number): Signal {
  if (samples.length === 0) throw new RangeError("the recording has no samples");
  if (!(rate > 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`the recording's rate is ${rate} Hz: give a number above 0`);
  }
  const last = samples.length - 1;
  return (_time, sinceStart) => {
    const position = sinceStart * rate;
    // k / 256 * 360 may round up past the last sample, by far less than a millionth
    if (!(position >= 0 && position <= last + 1e-6)) {
      throw new RangeError(
        `the recording has no sample at ${sinceStart} s: it covers 0..${last / rate} s (${samples.length} samples at ${rate} Hz); ` +
          "simulate fewer seconds or give a longer record",
      );
    }
    const index = Math.min(Math.floor(position), last);
    const fraction = Math.min(position, last) - index;
    const here = samples[index]!;
    const millivolts = fraction === 0 ? here : here + (samples[index + 1]! - here) * fraction;
    if (!Number.isFinite(millivolts)) {
      throw new RangeError(
        `the recording has a gap at ${sinceStart} s (sample ${index}): choose a record without gaps`,
      );
    }
    return millivolts / 1000;
  };
}
