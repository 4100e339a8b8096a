/**
 * Pulse oximetry from red and infrared light that comes back from tissue: pulse rate, perfusion index, SpO2.
 *
 * Samples are added up to 50 a second on the way in. Of those, in infrared and red alike:
 *   boxcar of 5, 5 samples ago, less itself: how much the light falls in 100 ms (systole makes it less)
 *   the same less its one-pole mean of 0.16 s: without breathing and drift
 *   one-pole mean of 1.3 s: DC
 * Beats: humps of the infrared fall against the level of the last eight. The ratio of ratios R is the slope of the
 * least-squares line through the falls (infrared, red) of 2 s, over DC: it uses every sample, where peak and valley use
 * two of a beat. SpO2 is the median of the last three R through the curve of calibration.
 */
import {
  FLAG_LOW_PERFUSION,
  FLAG_MOTION,
  FLAG_OFF_BODY,
  FLAG_SATURATED,
  FLAG_SETTLING,
  FLAG_UNCALIBRATED,
} from "../../drivers/driver.ts";
import { type CalibrationCurve, spo2Of } from "./calibration.ts";
import { createHeartRateMeter, type Rate } from "./heart-rate.ts";
import { median } from "./rank.ts";

export interface OximeterOptions {
  /** 50, 100 or 200 hz. */
  readonly rate: number;
  /** null: uncalibrated, R is given and no SpO2. */
  readonly curve: CalibrationCurve | null;
  /** Infrared counts below which there is no finger. */
  readonly offBodyBelow: number;
  /** Counts of either channel from which on the converter is at its end. */
  readonly saturatedAbove: number;
}

/** What is measured now; null, with at least one flag, is what cannot be. Filled in place. */
export interface Oximetry {
  /** Beats a minute, 15..300. */
  pulseRate: number | null;
  /** Percent, 0..100. */
  spo2: number | null;
  /** Pulse of infrared over its DC, peak to peak, percent. */
  perfusionIndex: number | null;
  /** Ratio of ratios R, no unit. */
  ratio: number | null;
  /** Bits of drivers/driver.ts: settling, off body, motion, low perfusion, saturated, uncalibrated. */
  flags: number;
}

export interface Oximeter {
  readonly result: Oximetry;
  /** The next `count` samples of each channel, in counts. May be split in any way; `result` is as of the last sample. */
  push(red: Int32Array, infrared: Int32Array, count: number): void;
  /** Forgets everything. Call it after a gap and after a change of LED current. */
  reset(): void;
}

/** Internal samples a second, and what is counted in them: a boxcar, and what R is found over. */
const FREQUENCY = 50;
const BOX = 5;
const SPAN = 100;
/** Skipped after contact or saturation: the finger is still being put down, the means have to be found. */
const LANDING = 50;
/** So many in a row on the other side of the floor make or break contact. */
const CONTACT = 10;
/** No two beats within 0.18 s. */
const REFRACTORY = 9;
/** No beat for so long: what was measured before does not count any more. */
const SILENCE = 175;
/** How many of each the medians are taken over: humps, pulses, stretches of 2 s, their R. */
const LEVELS = 8;
const HEIGHTS = 5;
const SPANS = 5;
const RATIOS = 3;
/** Percent. */
const LOW_PERFUSION = 1 / 10;

/** Throws Error (option, value, what to do) for a rate other than 50, 100, 200, and unless 0 < offBodyBelow < saturatedAbove. */
export function createOximeter(options: OximeterOptions): Oximeter {
  const rate = options.rate;
  const curve = options.curve;
  const saturatedAbove = options.saturatedAbove;
  if (rate !== 50 && rate !== 100 && rate !== 200)
    throw new Error(`oximeter: rate ${rate} hz is none of 50, 100, 200; choose another sampleRate`);
  if (!(options.offBodyBelow > 0 && options.offBodyBelow < saturatedAbove))
    throw new Error(
      `oximeter: offBodyBelow ${options.offBodyBelow} must be above 0 and below saturatedAbove ${saturatedAbove}`,
    );
  const step = rate / FREQUENCY;
  const absentBelow = options.offBodyBelow * step;

  const result: Oximetry = { pulseRate: null, spo2: null, perfusionIndex: null, ratio: null, flags: FLAG_SETTLING };
  const pulse: Rate = { value: null, flags: 0 };
  const meter = createHeartRateMeter(FREQUENCY);
  /** The last two boxes of each channel. */
  const infrareds = new Float64Array(2 * BOX);
  const reds = new Float64Array(2 * BOX);
  const levels = new Float64Array(LEVELS);
  const heights = new Float64Array(HEIGHTS);
  const ratios = new Float64Array(RATIOS);
  const energies = new Float64Array(SPANS);
  const scratch = new Float64Array(LEVELS);

  // carried from sample to sample
  let phase = 0;
  let infrared = 0;
  let red = 0;
  let clipped = false;
  let now = 0;
  let on = false;
  let across = 0;
  let landing = 0;
  let place = 0;
  let infraredDc = 0;
  let redDc = 0;
  let fall = 0;
  let redFall = 0;
  let fallBefore = 0;
  let x1 = 0;
  let x2 = 0;
  let slow = 0;
  let redSlow = 0;
  let squares = 0;
  let products = 0;
  let gathered = 0;
  let climbing = false;
  let top = 0;
  let topAt = 0;
  let topBefore = 0;
  let topAfter = 0;
  let brightest = 0;
  let crest = 0;
  let open = false;
  let counted = false;
  let limit = 0;
  let due = 0;
  // carried from beat to beat, and from 2 s to 2 s
  let level = 0;
  let beats = 0;
  let last = 0;
  let pulses = 0;
  let spans = 0;
  let found = 0;
  let moving = false;

  /** As if the light had always been what it is now. */
  const start = (): void => {
    infrareds.fill(infrared);
    reds.fill(red);
    infraredDc = x1 = x2 = infrared;
    redDc = red;
    fall = redFall = fallBefore = squares = products = gathered = slow = redSlow = beats = pulses = spans = found = 0;
    brightest = 3 * infrared;
    climbing = open = moving = false;
    meter.reset();
    level = 0;
    // a fall of 0.02 % in 100 ms
    limit = (infraredDc * BOX) / 5000;
    due = now + FREQUENCY;
  };

  /** Contact made or broken. */
  const touch = (): void => {
    on = !on;
    across = 0;
    landing = LANDING + 1;
  };

  const land = (): void => {
    landing--;
    if (landing > 0) return;
    clipped = false;
    start();
  };

  const setLimit = (): void => {
    limit = Math.max((infraredDc * BOX) / 5000, level / 2);
  };

  /** The light falls no more: the pulse has risen, by how much. */
  const close = (): void => {
    open = false;
    if (counted) {
      heights[pulses % HEIGHTS] = brightest - crest;
      pulses++;
    }
    brightest = crest;
  };

  /** The steepest fall is over. */
  const beat = (): void => {
    climbing = false;
    open = true;
    const bend = topBefore + topAfter - 2 * top;
    const at = bend < 0 ? topAt + (topBefore - topAfter) / (2 * bend) : topAt;
    const since = at - last;
    counted = beats === 0 || since >= REFRACTORY;
    if (!counted) return;
    if (beats > 0 && since > SILENCE) beats = pulses = found = 0;
    levels[beats % LEVELS] = beats > 2 ? Math.min(top, 2 * level) : top;
    beats++;
    level = median(levels, Math.min(beats, LEVELS), scratch);
    setLimit();
    due = now + (beats > 1 ? Math.min(since, FREQUENCY) : FREQUENCY);
    last = at;
    meter.beat(at);
  };

  /** No beat where one was due: the level sinks. */
  const overdue = (): void => {
    level = (level * 3) / 4;
    for (let i = 0; i < LEVELS; i++) levels[i] = (levels[i] * 3) / 4;
    setLimit();
    due = now + FREQUENCY / 2;
  };

  /** Every 2 s: R, unless there is no pulse, or these 2 s moved twice as much as is usual. */
  const span = (): void => {
    energies[spans % SPANS] = squares;
    spans++;
    moving = spans > 2 && squares > 4 * median(energies, Math.min(spans, SPANS), scratch);
    meter.read(now, pulse);
    if (pulse.value === null) found = 0;
    else if (!moving && products > 0) {
      ratios[found % RATIOS] = (products * infraredDc) / (squares * redDc);
      found++;
    }
    squares = products = gathered = 0;
  };

  const publish = (): void => {
    result.pulseRate = result.spo2 = result.perfusionIndex = result.ratio = null;
    if (!on || landing > 0) {
      result.flags = clipped ? FLAG_SATURATED : on ? FLAG_SETTLING : FLAG_OFF_BODY;
      return;
    }
    meter.read(now, pulse);
    result.flags = pulse.flags;
    if (pulse.value === null || pulses < 3) {
      result.flags |= FLAG_SETTLING;
      return;
    }
    const perfusionIndex = (100 * median(heights, Math.min(pulses, HEIGHTS), scratch)) / (3 * infraredDc);
    result.perfusionIndex = perfusionIndex;
    if (perfusionIndex < LOW_PERFUSION) {
      result.flags |= FLAG_LOW_PERFUSION;
      return;
    }
    result.pulseRate = pulse.value;
    if (curve === null) result.flags |= FLAG_UNCALIBRATED;
    if (moving) result.flags |= FLAG_MOTION;
    else if (found < 2) result.flags |= FLAG_SETTLING;
    else {
      result.ratio = median(ratios, Math.min(found, RATIOS), scratch);
      if (curve !== null) result.spo2 = spo2Of(result.ratio, curve);
      if (result.spo2 === null) result.flags |= FLAG_UNCALIBRATED;
    }
  };

  const reset = (): void => {
    phase = infrared = red = now = across = place = 0;
    clipped = false;
    // contact is believed until CONTACT samples say otherwise
    on = true;
    landing = LANDING;
    publish();
  };
  reset();

  return {
    result,
    push: (redSamples, infraredSamples, count) => {
      for (let i = 0; i < count; ) {
        for (; phase < step && i < count; phase++) {
          const a = infraredSamples[i];
          const b = redSamples[i];
          i++;
          infrared += a;
          red += b;
          if (a >= saturatedAbove || b >= saturatedAbove) {
            clipped = true;
            landing = LANDING + 1;
          }
        }
        if (phase < step) break;
        phase = 0;
        now++;
        across = on === infrared < absentBelow ? across + 1 : 0;
        if (across === CONTACT) touch();
        if (landing > 0) land();
        else if (on) {
          const middle = place < BOX ? place + BOX : place - BOX;
          fall += 2 * infrareds[middle] - infrareds[place] - infrared;
          redFall += 2 * reds[middle] - reds[place] - red;
          infrareds[place] = infrared;
          reds[place] = red;
          place = place + 1 === 2 * BOX ? 0 : place + 1;
          infraredDc += (infrared - infraredDc) / 64;
          redDc += (red - redDc) / 64;
          slow += (fall - slow) / 8;
          redSlow += (redFall - redSlow) / 8;
          squares += (fall - slow) * (fall - slow);
          products += (fall - slow) * (redFall - redSlow);
          const light = infrared + x1 + x2;
          x2 = x1;
          x1 = infrared;
          if (climbing || open) {
            if (light < crest) crest = light;
            if (open) {
              if (fall <= 0) close();
            } else if (fall > top) {
              topBefore = fallBefore;
              top = fall;
              topAt = now;
            } else {
              if (now === topAt + 1) topAfter = fall;
              if (fall * 2 < top) beat();
            }
          } else {
            if (light > brightest) brightest = light;
            if (fall > limit) {
              climbing = true;
              crest = light;
              topBefore = fallBefore;
              top = fall;
              topAt = now;
            } else if (now >= due) overdue();
          }
          fallBefore = fall;
          gathered++;
          if (gathered === SPAN) span();
        }
        infrared = 0;
        red = 0;
      }
      if (count > 0) publish();
    },
    reset,
  };
}
