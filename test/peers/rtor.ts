/**
 * The principle of the R-to-R block in the MAX30003 and MAX30001: "an adaptation of Pan-Tompkins" (MAX30001G data sheet
 * 19-101070, p. 28) with registers (CNFG_RTOR1, CNFG_RTOR2, p. 59 and 60); a differentiator, an integrator, and a search for
 * a peak between the crossings of a threshold (Analog Devices, ez.analog.com 28797). What lies between those words, how it
 * learns, and when it begins anew, is assumed; so this tells what the principle does, not what silicon finds.
 *
 * Taken from Pan and Tompkins (IEEE Trans. Biomed. Eng. 32:230, 1985): their differentiator (eq. 9, 10) and the square after
 * it (without the square, +P on 24 MIT-BIH records is 91 % instead of 99). Registers are as after power-on, but for RHSF: its
 * 4/8 of an average interval never lets go of a bigeminy, whose early beats come sooner (Se 95 % instead of 98.5).
 * The emulator of the chip, ../../drivers/max30003/emulator-rtor.ts, has neither that differentiator nor the square: it tests a driver.
 *
 * The block steps 128 (125) times a second. Higher rates are averaged down (250 and 256 hz in pairs, 360 in threes to 120,
 * 500 and 512 in fours); the numbers in the registers stay what they are.
 */
import type { DetectorFactory } from "../../simulator/evaluate/detections.ts";
import { createDelay, createDifference, createMean, requireSignal } from "./moving.ts";

/** WNDW: steps over which squares are averaged. */
const WINDOW = 12;
/** PTSF: threshold over average peak. */
const THRESHOLD = 4 / 16;
/** PAVG: the newest peak is one of so many. */
const PEAKS = 8;
/** HOFF: steps after an R in which there is no other. RHSF is 0. */
const HOLD_OFF = 32;
/** Steps (assumed): the first threshold is learned from so many; after so many without an R it is learned anew. */
const LEARN = 256;
const DEAF = 512;

/** See DetectorFactory. Throws Error for a rate that is not 100 to 1000 hz. */
export const createRtorDetector: DetectorFactory = (rate, microvoltsPerCount, onBeat) => {
  requireSignal("RTOR", rate, microvoltsPerCount);
  const step = Math.max(1, Math.round(rate / 128));
  const outer = createDifference(4);
  const inner = createDifference(2);
  const late = createDelay(1);
  const mean = createMean(WINDOW);
  /** From the middle of what is averaged to the newest step. */
  const delay = (WINDOW - 1) / 2 + 2;
  let pushed = 0;
  let sum = 0;
  let tick = 0;
  /** Since when it learns, or had its last R. */
  let since = 0;
  let learned = 0;
  let peaks = 0;
  let lastR = -1;
  /** It was below the threshold since it learned: a peak is seen from its beginning. */
  let below = false;
  let searching = false;
  let peak = 0;
  let peakAt = 0;

  const found = () => {
    peaks += (peak - peaks) / PEAKS;
    lastR = since = peakAt;
    searching = false;
    // a block of `step` samples has its middle (step - 1) / 2 before its end
    onBeat(Math.max(0, (peakAt - delay) * step + (step - 1) / 2), pushed - 1);
  };

  const advance = (value: number) => {
    const slope = (outer(value) + 2 * late(inner(value))) / 8;
    const level = mean(slope * slope);
    if (tick - since >= DEAF && !searching) {
      peaks = learned = 0;
      since = tick;
    }
    if (peaks === 0) {
      learned = Math.max(learned, level);
      if (tick - since >= LEARN) peaks = learned;
      below = false;
    } else {
      const threshold = peaks * THRESHOLD;
      // a peak that begins within the hold-off is none, also where it outlasts it
      if (level <= threshold) below = true;
      else if (below && !searching) {
        below = false;
        searching = lastR < 0 || tick - lastR > HOLD_OFF;
        peak = 0;
      }
      if (searching && level > peak) {
        peak = level;
        peakAt = tick;
      }
      if (searching && level <= threshold) found();
    }
    tick++;
  };

  return {
    push(samples, count) {
      for (let i = 0; i < count; i++) {
        sum += samples[i]!;
        pushed++;
        if (pushed % step !== 0) continue;
        advance(sum / step);
        sum = 0;
      }
    },
  };
};
