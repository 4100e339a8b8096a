/**
 * The R-to-R detector of the MAX30003 emulator. The data sheet says "an adaptation of Pan-Tompkins" and gives the
 * parameters (MAX30001G, p. 28, 59, 60); Analog Devices' note on them (ez.analog.com 28797) says differentiator,
 * integrator, and a search for a peak between the crossings of a threshold. What is between those words is this file's:
 *
 * 128 (125) times a second: the difference of two codes, its magnitude, averaged over WNDW. Where that is above the
 * threshold, PTSF of the average peak, and the hold-off since the last R is over, its largest value is searched; when it
 * falls below, that was an R event. The first peak average is the largest value of the first two seconds, and again where
 * nothing was found for four. RGAIN changes nothing: numbers here have no width.
 */
import { type Get, masterHz } from "./emulator-analog.ts";
import * as r from "./registers.ts";

const WEIGHTS = [2, 4, 8, 16];
const LEARN = 256;
const DEAF = 512;

export interface RtorDetector {
  /** SYNCH, or the detector was switched on. */
  reset(): void;
  /** The code at a moment, s since SYNCH (k / rate): true where an R event is found or the timer goes over. */
  follow(code: number, sinceStart: number): boolean;
  /** What RTOR holds: steps between the last two R events, or 0x3FFF. */
  readonly value: number;
  /** That value is an interval between two R events. */
  readonly interval: boolean;
  /** RTOR was read: an overflow is forgotten (p. 64). */
  read(): void;
}

export function createRtorDetector(get: Get): RtorDetector {
  const field = (register: number, shift: number, mask: number) => (get(register) >> shift) & mask;
  let tick = 0;
  let last = 0;
  let differences: number[] = [];
  let learned = 0;
  let learnedAt = 0;
  let peakAverage = 0;
  let intervalAverage = 0;
  /** Tick of the last R event, or of what the timer counts from. */
  let countedFrom = 0;
  let events = 0;
  /** It was below the threshold since it learned: a peak is seen from its beginning. */
  let below = false;
  let searching = false;
  let peak = 0;
  let peakAt = 0;
  let value = 0;
  let interval = false;

  const reset = () => {
    tick =
      last =
      learned =
      learnedAt =
      peakAverage =
      intervalAverage =
      countedFrom =
      events =
      peak =
      peakAt =
      value =
        0;
    differences = [];
    searching = interval = below = false;
  };

  /** An R event at `peakAt`. */
  const found = () => {
    const length = peakAt - countedFrom;
    countedFrom = learnedAt = peakAt;
    searching = false;
    const average = (one: number, all: number, weight: number) =>
      all === 0 ? one : (one + (weight - 1) * all) / weight;
    peakAverage = average(peak, peakAverage, WEIGHTS[field(r.CNFG_RTOR1, r.AVG_SHIFT, 3)]);
    value = length & r.RTOR_OVERFLOW;
    interval = events > 0 && length < r.RTOR_OVERFLOW;
    if (interval) intervalAverage = average(length, intervalAverage, WEIGHTS[field(r.CNFG_RTOR2, r.AVG_SHIFT, 3)]);
    events++;
    return true;
  };

  const step = (code: number): boolean => {
    tick++;
    differences.push(Math.abs(code - last));
    last = code;
    const window = 6 + 2 * field(r.CNFG_RTOR1, r.WNDW_SHIFT, 15);
    if (differences.length > window) differences.shift();
    const level = differences.reduce((sum, one) => sum + one, 0) / window;
    // Interrupt modes tell of an overflow, indicator modes roll over (p. 64).
    if (tick - countedFrom >= r.RTOR_OVERFLOW && field(r.MNGR_INT, 5, 1) === 0) {
      countedFrom = tick;
      events = 0;
      value = r.RTOR_OVERFLOW;
      interval = searching = below = false;
      return true;
    }
    if (tick - learnedAt >= DEAF && !searching) {
      peakAverage = learned = 0;
      learnedAt = tick;
    }
    if (peakAverage === 0) {
      learned = Math.max(learned, level);
      if (tick - learnedAt >= LEARN) peakAverage = learned;
      below = false;
      return false;
    }
    const threshold = (peakAverage * (field(r.CNFG_RTOR1, r.PTSF_SHIFT, 15) + 1)) / 16;
    const holdOff = Math.max(
      field(r.CNFG_RTOR2, r.HOFF_SHIFT, 63),
      (intervalAverage * field(r.CNFG_RTOR2, r.RHSF_SHIFT, 7)) / 8,
    );
    // A peak that begins within the hold-off is none, also where it outlasts it.
    if (level <= threshold) below = true;
    else if (below && !searching) {
      below = false;
      searching = events === 0 || tick - countedFrom > holdOff;
      peak = 0;
    }
    if (!searching) return false;
    if (level > peak) {
      peak = level;
      peakAt = tick;
    }
    return level <= threshold && found();
  };

  return {
    reset,
    follow(code, sinceStart) {
      const now = Math.floor((sinceStart * masterHz(get)) / 256 + 1e-6);
      let event = false;
      while (tick < now) event = step(code) || event;
      return event;
    },
    get value() {
      return value;
    },
    get interval() {
      return interval;
    },
    read() {
      if (value === r.RTOR_OVERFLOW) value = 0;
    },
  };
}
