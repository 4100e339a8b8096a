/**
 * Pulse oximetry from red and infrared light that comes back from tissue: pulse rate, perfusion index, SpO2. Or from one light
 * alone: pulse rate and perfusion index.
 *
 * Light is looked at in blocks of 8 internal samples, 25 to 50 a second: is there a finger (contact.ts), what is its wave
 * (band.ts), where are the beats (pulse.ts). From beat to beat it is asked whether that was a pulse and nothing else
 * (motion.ts); of beats that were, those of the last 8 s give R (ratio.ts) and the intervals between them the pulse rate.
 * Nothing is computed for `result` but when it is read.
 *
 * How old what is shown can be: SpO2, R: of beats of the last 8 s, at least 2 s of them. Pulse rate: the newest good beat was
 * within 3 s, or 1.5 intervals where that is longer (6 s at 15 a minute). All of it is gone at once when the finger is, or the
 * converter is at its end, and 3 s (or 1.5 intervals) after the last beat of any kind.
 */
import { FLAG_LOW_PERFUSION, FLAG_MOTION, FLAG_SETTLING, FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { BLOCK, createBand, frameOf } from "./band.ts";
import { type Calibration, saturationOf } from "./calibration.ts";
import { createContact } from "./contact.ts";
import { createHeartRateMeter, type Rate } from "./heart-rate.ts";
import { type BeatShape, createMotionGate } from "./motion.ts";
import type { Oximeter, OximeterOptions, Oximetry } from "./oximetry.ts";
import { vectorsOrPlain } from "./plain-vectors.ts";
import { createPulseDetector } from "./pulse.ts";
import { createPulseQualityMeter } from "./pulse-quality.ts";
import { median } from "./rank.ts";
import { type BeatSums, createRatioMeter, type RatioReading } from "./ratio.ts";

export type { CalibrationCurve, Oximeter, OximeterOptions, Oximetry } from "./oximetry.ts";

export const LOWEST_RATE = 25;
export const HIGHEST_RATE = 400;
/** Seconds: longest beat, and the part of one before its steepest fall. */
const LONGEST = 17 / 4;
const LEAD = 3 / 10;
/** At least so long is judged in one: one beat, or two of a fast pulse; s. And so many beats at most. */
const SHORTEST = 2 / 5;
const HELD = 4;
/** Of a wave that is held against the one before, s; correlation squared that is like it. */
const SHAPE = 14 / 25;
const ALIKE = 1 / 2;
const SHIFTS = [0, -1, 1];
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
/** Variance of R that halves the quality. */
const DOUBTFUL = 1 / 4096;
/** Variance of R from which on it is not shown: some points of SpO2. */
const UNSURE = 1 / 512;
/** No blood has an R above; nor an SpO2 below, percent, that a sensor could show. */
const HIGHEST_RATIO = 2;
const LEAST_SPO2 = 40;
/** What a swapped sensor's wearer is taken to have, at least. */
const HEALTHY = 85;

/** Throws Error (option, value, what to do) for a rate that is not 25 to 400, and unless 0 < offBodyBelow < saturatedAbove. */
export function createOximeter(options: OximeterOptions): Oximeter {
  const rate = options.rate;
  if (!(rate >= LOWEST_RATE && rate <= HIGHEST_RATE))
    throw new Error(`oximeter: rate ${rate} hz is not ${LOWEST_RATE} to ${HIGHEST_RATE}; choose another sampleRate`);
  const curve = options.curve;
  let calibration: Calibration | null = options.calibration ?? null;
  if (calibration === null && curve !== undefined && curve !== null) calibration = { id: "curve", curve };
  const frame = frameOf(rate, LONGEST);
  const step = frame.step;
  const frequency = frame.frequency;
  const kept = frame.kept;
  const block = BLOCK * step;
  const lead = Math.round(LEAD * frequency);
  const shortest = SHORTEST * frequency;
  const shape = Math.round(SHAPE * frequency);
  const contact = createContact({
    offBodyBelow: options.offBodyBelow,
    saturatedAbove: options.saturatedAbove,
    landing: Math.ceil((LANDING * frequency) / BLOCK),
  });
  const infrared = createBand(frame);
  const red = createBand(frame);
  const meter = createHeartRateMeter(rate);
  const regularity = createPulseQualityMeter(rate);
  const ratios = createRatioMeter(frequency);
  const vectors = vectorsOrPlain();

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
  const beat: BeatShape = { span: 0, power: 0, rest: 0, alike: true, sure: false };
  const sums: BeatSums = { from: 0, span: 0, xx: 0, xy: 0, yy: 0, noise: 1 };
  /** How the wave of the last good beat begins, and that of the last one. */
  const templates = new Float64Array(shape);
  const recents = new Float64Array(shape);
  /** Beats not judged yet. */
  const times = new Float64Array(HELD);
  const heights = new Float64Array(HEIGHTS);
  const scratch = new Float64Array(HEIGHTS);

  const ones = new Float64Array(kept);
  ones.fill(1);

  /** Samples of the block that have come. */
  let filled = 0;
  let alone = false;
  /** Flags of the light; 0: it is measured. */
  let light = FLAG_SETTLING;
  let measuring = false;
  /** Where the newest internal sample ends in the bands, and where number 0 stood. */
  let end = 0;
  let origin = 0;
  // from beat to beat
  let beats = 0;
  let goods = 0;
  let held = 0;
  let opened = 0;
  let last = 0;
  let interval = 0;
  let follows = false;
  let mean = 0;
  /** How many beats in a row were not good. */
  let bad = 0;
  let template = templates.subarray(0, 0);
  let recent = recents.subarray(0, 0);

  /** Does the wave from place `start` on begin like another one? To the internal sample: beats lie between two. */
  const alike = (other: Float64Array, start: number): boolean => {
    const waves = infrared.waves;
    const common = Math.min(other.length, end - start - 1);
    if (common <= 0) return false;
    const before = other.subarray(0, common);
    const least = ALIKE * vectors.convolve(before, before, 0);
    for (let i = 0; i < SHIFTS.length; i++) {
      const from = Math.max(0, start + SHIFTS[i]);
      const both = vectors.convolve(before, waves, from);
      const wave = waves.subarray(from, from + common);
      if (both > 0 && both * both >= least * vectors.convolve(wave, wave, 0)) return true;
    }
    return false;
  };

  const gate = createMotionGate(() => alike(recent, origin + sums.from));

  /** Light of the beat from internal sample `from` to before `to`: sums, power, and its wave beside that of the beat before. */
  const measure = (from: number, to: number): void => {
    const length = to - from;
    const start = origin + from;
    const one = ones.subarray(0, length);
    const wave = infrared.waves.subarray(start, start + length);
    const x = vectors.convolve(one, infrared.lights, start) / length;
    const xx = vectors.convolve(wave, infrared.waves, start) / (x * x);
    mean = x / (step * step);
    sums.from = from;
    sums.span = length;
    beat.span = length / held;
    sums.xx = xx;
    beat.power = xx / length;
    beat.rest = sums.xy = sums.yy = 0;
    if (!alone) {
      const y = vectors.convolve(one, red.lights, start) / length;
      sums.xy = vectors.convolve(wave, red.waves, start) / (x * y);
      sums.yy = vectors.convolve(red.waves.subarray(start, start + length), red.waves, start) / (y * y);
      sums.noise = (x * x) / (y * y);
      if (xx > 0) beat.rest = (sums.yy - (sums.xy * sums.xy) / xx) / length;
    }
    beat.alike = goods === 0 || alike(template, start);
  };

  /** Of what the good beats gave. */
  const forget = (): void => {
    meter.reset();
    ratios.reset();
    goods = 0;
  };

  /** A beat at `index`, fractional. After SHORTEST or more the light since the first one not judged yet is judged. */
  const onBeat = (index: number, _emittedAt: number, height: number): void => {
    const edge = Math.ceil((index + 1 + frame.delay) / step) - 1 - lead;
    interval = index - last;
    last = index;
    beats++;
    // the first one was already under way when the light was found
    if (beats === 1) return;
    regularity.beat(index, height);
    if (held > 0 && edge - opened < shortest && held < HELD) {
      times[held] = index;
      held++;
      return;
    }
    const from = opened;
    const to = Math.max(from, Math.min(edge, end - origin));
    opened = to;
    let good = held > 0 && to > from && to - from <= kept && origin + from >= 0;
    if (good) {
      measure(from, to);
      good = gate.judge(beat);
      bad = good ? 0 : bad + 1;
      const begin = infrared.waves.subarray(origin + from, Math.min(origin + from + shape, end));
      recent = recents.subarray(0, begin.length);
      recent.set(begin, 0);
    }
    if (good) {
      template = templates.subarray(0, recent.length);
      template.set(recent, 0);
      ratios.add(sums);
      heights[goods % HEIGHTS] = height;
      goods++;
      if (!follows) {
        meter.interrupt();
        meter.beat(times[0]);
      }
      for (let i = 1; i < held; i++) meter.beat(times[i]);
      meter.beat(index);
    }
    if (!good && !beat.sure) forget();
    follows = good;
    times[0] = index;
    held = 1;
  };
  const pulse = createPulseDetector(rate, onBeat);

  /** As if the light had always been what it is now. */
  const start = (): void => {
    infrared.begin();
    red.begin();
    pulse.reset();
    forget();
    regularity.begin(0);
    gate.reset();
    beat.sure = false;
    end = origin = kept;
    bad = beats = held = opened = last = mean = 0;
    follows = false;
    recent = recents.subarray(0, 0);
    measuring = true;
  };

  const take = (): void => {
    light = contact.take(alone ? null : red.fresh, infrared.fresh);
    if (light !== 0) {
      measuring = false;
      return;
    }
    if (!measuring) start();
    if (end + BLOCK > frame.length) {
      infrared.move(end);
      if (!alone) red.move(end);
      origin -= end - kept;
      end = kept;
    }
    infrared.take(end);
    if (!alone) red.take(end);
    end += BLOCK;
    // what the band keeps of the block before stands before it
    pulse.push(infrared.fresh, block);
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

  const read = (): Oximetry => {
    const seen = contact.look(alone ? null : red.fresh.subarray(0, filled), infrared.fresh.subarray(0, filled));
    const now = seen !== 0 ? seen : light;
    if (now !== 0) return nothing(now);
    nothing(0);
    const at = (end - origin) * step + filled;
    if (beats === 0 || at - last > Math.max(SILENCE * rate, interval * LATE)) return nothing(FLAG_SETTLING);
    if (!beat.sure) return nothing(bad > 0 ? FLAG_MOTION : FLAG_SETTLING);
    meter.read(at, pulseReading);
    ratios.read(at / step, ratioReading);
    const sure = (100 * Math.min(1, ratioReading.seconds / FULL) * DOUBTFUL) / (DOUBTFUL + ratioReading.variance);
    const regular = regularity.read(at);
    shown.quality = Math.round(regular === null ? sure : Math.min(sure, regular));
    let flags = bad >= SEVERAL ? FLAG_MOTION : 0;
    if (goods > 0) {
      const perfusionIndex = (100 * median(heights, Math.min(goods, HEIGHTS), scratch)) / mean;
      if (perfusionIndex < LOW_PERFUSION) flags |= FLAG_LOW_PERFUSION;
      if (perfusionIndex < NO_PERFUSION) {
        nothing(FLAG_LOW_PERFUSION);
        shown.perfusionIndex = perfusionIndex;
        return shown;
      }
      if (pulseReading.value !== null) shown.perfusionIndex = perfusionIndex;
    }
    shown.pulseRate = pulseReading.value;
    if (pulseReading.value === null) flags |= bad > 0 ? FLAG_MOTION : pulseReading.flags;
    shown.pulseFlags = flags;
    shown.flags = flags | saturate();
    return shown;
  };

  const reset = (): void => {
    contact.reset();
    filled = 0;
    light = FLAG_SETTLING;
    measuring = false;
  };

  return {
    get result() {
      return read();
    },
    push: (redSamples, infraredSamples, count) => {
      if ((redSamples === null) !== alone) {
        alone = redSamples === null;
        reset();
      }
      for (let taken = 0; taken < count; ) {
        const part = Math.min(count - taken, block - filled);
        infrared.fresh.set(infraredSamples.subarray(taken, taken + part), filled);
        if (redSamples !== null) red.fresh.set(redSamples.subarray(taken, taken + part), filled);
        taken += part;
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
