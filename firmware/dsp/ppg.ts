/**
 * Pulse oximetry from red and infrared light that comes back from tissue: pulse rate, perfusion index, SpO2. Or from one light
 * alone: pulse rate and perfusion index.
 *
 * Light is looked at in blocks of 8 internal samples, 25 to 50 a second: is there a finger (contact.ts), what is its wave
 * (band.ts), where are the beats (pulse.ts). From beat to beat it is asked whether that was a pulse and nothing else
 * (beats.ts, motion.ts); of beats that were, those of the last 8 s give R (ratio.ts), and the intervals between them the pulse
 * rate. What is shown is computed when it is read.
 *
 * How old what is shown can be. SpO2 and R: of beats of the last 8 s (9 s at 15 a minute), at least 1.25 s of them, none of
 * them from before a gap of 2 s where there are enough after it. Pulse rate: the newest good beat was within 3 s, or 1.5
 * intervals where that is longer (6 s at 15 a minute). All is gone at once when the finger is, or the converter is at its end,
 * and after 3 s (or 1.5 intervals) without a beat of any kind.
 */
import { FLAG_LOW_PERFUSION, FLAG_MOTION, FLAG_SETTLING, FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { BLOCK } from "./band.ts";
import { createBeats } from "./beats.ts";
import { createBelief } from "./belief.ts";
import { saturationOf } from "./calibration.ts";
import { createContact } from "./contact.ts";
import { createHeartRateMeter, type Rate } from "./heart-rate.ts";
import { createMotionGate } from "./motion.ts";
import type { Oximeter, OximeterOptions, Oximetry } from "./oximetry.ts";
import { createPulseDetector } from "./pulse.ts";
import { createPulseQualityMeter } from "./pulse-quality.ts";
import { median } from "./rank.ts";
import { createRatioMeter, type RatioReading, SHARED } from "./ratio.ts";

export type { Oximeter, OximeterOptions, Oximetry } from "./oximetry.ts";

/** Rates of the light that it takes, hz. */
export const LOWEST_RATE = 25;
export const HIGHEST_RATE = 400;
/** At least so long is judged in one: one beat, or two of a fast pulse; s. And so many beats at most. */
const SHORTEST = 2 / 5;
const HELD = 4;
/** Light that is skipped after contact or saturation, s. */
const LANDING = 1;
/** So many beats in a row that are not good are motion: one may be out of rhythm. */
const SEVERAL = 2;
/** How many beats' heights the perfusion index is the median of. */
const HEIGHTS = 5;
/** Percent: flagged, and so low that nothing else is shown. */
const LOW_PERFUSION = 1 / 10;
const NO_PERFUSION = 1 / 20;
/** s, or intervals where that is longer: without any beat for so long there is no pulse. */
const SILENCE = 3;
const LATE = 3 / 2;
/** Seconds of good beats out of 8 that are as good as all: the newest ones are not over yet. */
const FULL = 6;
/** Variance of R that halves the quality, and from which on R is not shown: some points of SpO2. */
const DOUBTFUL = 1 / 4096;
const UNSURE = 1 / 512;
/** No blood has an R above; nor an SpO2 below, percent, that a sensor could show. */
const HIGHEST_RATIO = 2;
const LEAST_SPO2 = 48;
/** Variances of a beat's own R, squared distance of another one. */
const CLEARLY = 16;
/** What a swapped sensor's wearer is taken to have, at least. */
const HEALTHY = 85;

/** Throws Error (option, value, what to do) for a rate that is not 25 to 400, and unless 0 < offBodyBelow < saturatedAbove. */
export function createOximeter(options: OximeterOptions): Oximeter {
  const rate = options.rate;
  if (!(rate >= LOWEST_RATE && rate <= HIGHEST_RATE))
    throw new Error(`oximeter: rate ${rate} hz is not ${LOWEST_RATE} to ${HIGHEST_RATE}; choose another sampleRate`);
  const calibration = options.calibration;
  const onBeat = options.onBeat;
  const lights = createBeats(rate);
  const step = lights.step;
  const frequency = lights.frequency;
  const block = BLOCK * step;
  /** How many times a sample is in a thinned one. */
  const sum = step * step;
  const contact = createContact({
    offBodyBelow: options.offBodyBelow,
    saturatedAbove: options.saturatedAbove,
    landing: Math.ceil((LANDING * frequency) / BLOCK),
  });
  // times are internal samples
  const meter = createHeartRateMeter(frequency);
  const regularity = createPulseQualityMeter(frequency);
  const ratios = createRatioMeter(frequency);
  const gate = createMotionGate(lights.follows);
  const belief = createBelief(frequency);
  const beat = lights.beat;

  const shown: Oximetry = {
    pulseRate: null,
    spo2: null,
    perfusionIndex: null,
    ratio: null,
    flags: FLAG_SETTLING,
    pulseFlags: FLAG_SETTLING,
    quality: null,
    swapped: false,
  };
  const pulseReading: Rate = { value: null, flags: 0 };
  const ratioReading: RatioReading = { ratio: null, variance: 0, seconds: 0 };
  /** Beats not judged yet. */
  const times = new Float64Array(HELD);
  const heights = new Float64Array(HEIGHTS);
  const scratch = new Float64Array(HEIGHTS);

  /** Samples of the block that have come. */
  let filled = 0;
  let alone = false;
  /** Flags of the light; 0: it is measured. */
  let light = FLAG_SETTLING;
  let measuring = false;
  /** Samples of whole blocks since the last reset, and of those before it was measured. */
  let taken = 0;
  let skipped = 0;
  // from beat to beat
  let beats = 0;
  let goods = 0;
  /** How many in a row were not good. */
  let bad = 0;
  let held = 0;
  let opened = 0;
  let last = 0;
  let interval = 0;
  let follows = false;
  /** Until then the finger was being put down, and nothing counts. */
  let landed = 0;
  /** R of the beats lately, 0: there was none; and how many in a row had another one. */
  let usual = 0;
  let others = 0;

  /** What the good beats gave. */
  const forget = (): void => {
    meter.reset();
    ratios.reset();
    goods = usual = others = 0;
  };

  /**
   * R of a good beat, and how high it is: blood does not change at once, so another R that stays is of other LEDs, or of another
   * finger.
   */
  const addRatio = (height: number): void => {
    const sums = lights.sums;
    const apart = Math.abs(beat.ratio - usual);
    const variance = (SHARED * sums.rest) / (sums.xx * sums.span);
    if (usual > 0 && apart * 2 > Math.min(usual, beat.ratio) && apart * apart > CLEARLY * variance) {
      others++;
      if (others < SEVERAL && follows) return;
      ratios.reset();
      usual = goods = 0;
    }
    others = 0;
    heights[goods % HEIGHTS] = height;
    goods++;
    usual = usual === 0 ? beat.ratio : usual + (beat.ratio - usual) / 4;
    ratios.add(sums);
  };

  /** The light from the first beat not judged yet to `to`, where the one at `index` begins. */
  const judge = (to: number, index: number): void => {
    const height = lights.measure(opened, to, held, times[0]);
    const good = height > 0 && gate.judge(beat);
    if (height > 0) lights.keep(good && beat.model);
    bad = good ? 0 : bad + 1;
    if (good) {
      if (belief.good(beat, index)) forget();
      addRatio(height);
      if (!follows) {
        meter.interrupt();
        meter.beat(times[0]);
      }
      for (let i = 1; i < held; i++) meter.beat(times[i]);
      meter.beat(index);
    } else {
      belief.bad();
      if (!beat.sure) forget();
    }
    follows = good;
  };

  const pulse = createPulseDetector(frequency, (index, _emittedAt, height, brightness) => {
    interval = index - last;
    last = index;
    beats++;
    regularity.beat(index, height);
    if (onBeat !== undefined) onBeat(skipped + index * step, height / sum, brightness / sum);
    const edge = lights.edge(index);
    if (edge < landed) return;

    if (held > 0) {
      if (edge - opened < SHORTEST * frequency && held < HELD) {
        times[held] = index;
        held++;
        return;
      }
      judge(edge, index);
    }
    opened = edge;
    times[0] = index;
    held = 1;
  });

  /** As if the light had always been what it is now. */
  const start = (): void => {
    lights.begin();
    pulse.reset();
    regularity.begin(0);
    gate.reset();
    belief.reset();
    forget();
    beats = bad = held = opened = last = interval = landed = 0;
    follows = false;
    measuring = true;
    skipped = taken;
  };

  const take = (): void => {
    const flags = contact.look(alone ? null : lights.red, lights.infrared);
    light = contact.land(flags);
    if (flags !== 0) measuring = false;
    else {
      if (!measuring) start();
      const thinned = lights.take(alone);
      if (light !== 0) landed = lights.count();
      pulse.push(thinned, BLOCK);
    }
    taken += block;
  };

  const nothing = (flags: number): Oximetry => {
    shown.pulseRate = shown.spo2 = shown.perfusionIndex = shown.ratio = shown.quality = null;
    shown.swapped = false;
    shown.flags = shown.pulseFlags = flags;
    return shown;
  };

  /** R and SpO2 of the good beats so far; returns flags. */
  const saturate = (): number => {
    const ratio = ratioReading.ratio;
    if (alone) return FLAG_UNCALIBRATED;
    if (ratio === null) return bad > 0 ? FLAG_MOTION : FLAG_SETTLING;
    if (ratioReading.variance > UNSURE) return FLAG_LOW_PERFUSION;
    shown.ratio = ratio;
    if (calibration === null) {
      shown.swapped = ratio > HIGHEST_RATIO;
      return FLAG_UNCALIBRATED;
    }
    const percent = ratio > HIGHEST_RATIO ? null : saturationOf(ratio, calibration);
    if (percent !== null && percent >= LEAST_SPO2) {
      shown.spo2 = percent;
      return 0;
    }
    const other = saturationOf(1 / ratio, calibration);
    shown.swapped = other !== null && other >= HEALTHY;
    return FLAG_UNCALIBRATED;
  };

  /** Flags of the light up to its last sample. */
  const seen = (): number => {
    const newest = contact.look(alone ? null : lights.red.subarray(0, filled), lights.infrared.subarray(0, filled));
    return newest !== 0 ? newest : light;
  };

  const read = (): Oximetry => {
    const now = seen();
    if (now !== 0) return nothing(now);
    nothing(0);
    const at = lights.count() + filled / step;
    if (beats === 0 || at - last > Math.max(SILENCE * frequency, interval * LATE)) return nothing(FLAG_SETTLING);
    if (!beat.sure) return nothing(bad > 0 ? FLAG_MOTION : FLAG_SETTLING);
    const perfusionIndex = goods === 0 ? 0 : median(heights, Math.min(goods, HEIGHTS), scratch);
    if (goods > 0 && perfusionIndex < NO_PERFUSION) {
      nothing(FLAG_LOW_PERFUSION);
      shown.perfusionIndex = perfusionIndex;
      return shown;
    }
    meter.read(at, pulseReading);
    ratios.read(at, ratioReading);
    const sure = (100 * Math.min(1, ratioReading.seconds / FULL) * DOUBTFUL) / (DOUBTFUL + ratioReading.variance);
    const regular = regularity.read(at);
    shown.quality = Math.round(regular === null ? sure : Math.min(sure, regular));
    let flags = (bad >= SEVERAL ? FLAG_MOTION : 0) | (belief.doubts() ? FLAG_SETTLING : 0);
    if (goods > 0 && perfusionIndex < LOW_PERFUSION) flags |= FLAG_LOW_PERFUSION;
    shown.pulseRate = pulseReading.value;
    if (pulseReading.value === null) flags |= bad > 0 ? FLAG_MOTION : pulseReading.flags;
    shown.pulseFlags = flags;
    shown.flags = flags | saturate();
    // it is of the beats that R is of, and of infrared
    const known = (alone || ratioReading.ratio !== null) && !shown.swapped;
    if (pulseReading.value !== null && known) shown.perfusionIndex = perfusionIndex;
    return shown;
  };

  const reset = (): void => {
    contact.reset();
    filled = taken = skipped = 0;
    light = FLAG_SETTLING;
    measuring = false;
  };

  return {
    get result() {
      return read();
    },
    get light() {
      const now = seen();
      return now === 0 && (bad >= SEVERAL || (bad > 0 && !beat.sure)) ? FLAG_MOTION : now;
    },
    push: (red, infrared, count) => {
      if ((red === null) !== alone) {
        alone = red === null;
        reset();
      }
      for (let done = 0; done < count; ) {
        const part = Math.min(count - done, block - filled);
        lights.infrared.set(infrared.subarray(done, done + part), filled);
        if (red !== null) lights.red.set(red.subarray(done, done + part), filled);
        done += part;
        filled += part;
        if (filled === block) {
          filled = 0;
          take();
        }
      }
    },
    reset,
  };
}
