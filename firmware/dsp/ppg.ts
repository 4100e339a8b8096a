/**
 * Pulse oximetry from red and infrared light that comes back from tissue: pulse rate, perfusion index, SpO2.
 *
 * Samples are added up to 50 a second on the way in. Of those, in infrared and red alike:
 *   boxcar of 5, 5 samples ago, less itself: how much the light falls in 100 ms (systole makes it less)
 *   the same less its one-pole mean of 0.16 s: without breathing and drift
 *   one-pole mean of 1.3 s: DC
 * Beats: humps of the infrared fall against the level of the last eight. The ratio of ratios R is the slope of the
 * least-squares line through the falls (infrared, red) of 2 s or more, over DC: it uses every sample, where peak and valley use
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
import { createHeartRateMeter, type Rate } from "./heart-rate.ts";
import { type Oximeter, type OximeterOptions, type Oximetry, spo2Of } from "./oximetry.ts";
import { median, ranked } from "./rank.ts";

export type { CalibrationCurve, Oximeter, OximeterOptions, Oximetry } from "./oximetry.ts";

/** Internal samples a second, and what is counted in them: a boxcar, and what R is found over, or more until a beat. */
const FREQUENCY = 50;
const BOX = 5;
const SPAN = 100;
/** Longest wait for a beat, 4 s, before the level begins to sink. */
const PATIENCE = 200;
/** Skipped after contact or saturation: the finger is still being put down, the means have to be found. */
const LANDING = 50;
/** So many in a row on the other side of the floor make or break contact. */
const CONTACT = 10;
/** How many of each the medians are taken over: humps, pulses, stretches, their R. */
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
  let beating = false;
  let climbing = false;
  let top = 0;
  let topAt = 0;
  let topBefore = 0;
  let topAfter = 0;
  let brightest = 0;
  let crest = 0;
  let limit = 0;
  let due = 0;
  // carried from beat to beat, and from 2 s to 2 s
  let level = 0;
  let beats = 0;
  let last = 0;
  let spans = 0;
  let found = 0;
  let moving = false;

  /** As if the light had always been what it is now. */
  const start = (): void => {
    infrareds.fill(infrared);
    reds.fill(red);
    infraredDc = x1 = x2 = infrared;
    redDc = red;
    fall = redFall = fallBefore = squares = products = gathered = slow = redSlow = beats = spans = found = 0;
    brightest = 3 * infrared;
    climbing = beating = moving = false;
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

  /** The light falls no more: the pulse has risen. It was steepest at `topAt`, or between two samples beside it. */
  const beat = (): void => {
    climbing = false;
    const bend = topBefore + topAfter - 2 * top;
    const at = bend < 0 ? topAt + (topBefore - topAfter) / (2 * bend) : topAt;
    heights[beats % HEIGHTS] = brightest - crest;
    brightest = crest;
    levels[beats % LEVELS] = top;
    beats++;
    level = median(levels, Math.min(beats, LEVELS), scratch);
    setLimit();
    due = now + (beats > 1 ? Math.min(((at - last) * 5) / 4, PATIENCE) : FREQUENCY);
    beating = true;
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

  /** R, unless there is no pulse, or the light moved twice as much as in the quieter stretches before. */
  const span = (): void => {
    energies[spans % SPANS] = squares;
    spans++;
    const kept = Math.min(spans, SPANS);
    moving = squares > 4 * ranked(energies, kept, kept >> 2, scratch);
    meter.read(now, pulse);
    if (pulse.value === null || moving || !(products > 0)) found = 0;
    else {
      ratios[found % RATIOS] = (products * infraredDc) / (squares * redDc);
      found++;
    }
    squares = products = gathered = 0;
    beating = false;
  };

  const publish = (): void => {
    result.pulseRate = result.spo2 = result.perfusionIndex = result.ratio = null;
    if (!on || across > 0 || landing > 0) {
      result.flags = clipped ? FLAG_SATURATED : on && across === 0 ? FLAG_SETTLING : FLAG_OFF_BODY;
      return;
    }
    meter.read(now, pulse);
    result.flags = pulse.flags;
    if (pulse.value === null) return;
    const perfusionIndex = (100 * median(heights, Math.min(beats, HEIGHTS), scratch)) / (3 * infraredDc);
    result.perfusionIndex = perfusionIndex;
    if (perfusionIndex < LOW_PERFUSION) {
      result.flags |= FLAG_LOW_PERFUSION;
      return;
    }
    result.pulseRate = pulse.value;
    if (curve === null) result.flags |= FLAG_UNCALIBRATED;
    if (moving) result.flags |= FLAG_MOTION;
    else if (found === 0) result.flags |= FLAG_SETTLING;
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
          if (climbing) {
            if (light < crest) crest = light;
            if (fall > top) {
              topBefore = fallBefore;
              top = fall;
              topAt = now;
            } else if (now === topAt + 1) topAfter = fall;
            if (fall <= 0) beat();
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
          if (gathered >= SPAN && beating) span();
        }
        infrared = 0;
        red = 0;
      }
      if (count > 0) publish();
    },
    reset,
  };
}
