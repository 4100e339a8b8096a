/** Fast recovery of the MAX30003 emulator (MAX30001G data sheet p. 26, 27, 45): when samples are tagged as such. */
import { fastSamples, type Get, rateOf } from "./emulator-analog.ts";
import * as r from "./registers.ts";

/** The output must be beyond the threshold so long in all, and is forgiven when it was within it for so long, s. */
const SATURATION_TIME = 0.125;

export interface Recovery {
  reset(): void;
  /** One conversion: whether it is taken in fast recovery. */
  follow(code: number): boolean;
}

export function createRecovery(get: Get): Recovery {
  /** Samples: beyond the threshold, within it since then, left of a recovery. */
  let beyond = 0;
  let within = 0;
  let left = 0;
  return {
    reset() {
      beyond = within = left = 0;
    },
    follow(code) {
      const mode = (get(r.MNGR_DYN) >> r.FAST_SHIFT) & 3;
      if (mode !== 2) {
        beyond = within = left = 0;
        return mode === 1;
      }
      if (left > 1) {
        left--;
        return true;
      }
      left = 0;
      const limit = SATURATION_TIME * rateOf(get);
      if (Math.abs(code) > 2048 * ((get(r.MNGR_DYN) >> r.FAST_TH_SHIFT) & 63)) {
        beyond++;
        within = 0;
      } else if (++within >= limit) beyond = 0;
      // The first of them begins the time, it does not add to it.
      if (beyond - 1 <= limit) return false;
      beyond = within = 0;
      left = fastSamples(get);
      return true;
    },
  };
}
