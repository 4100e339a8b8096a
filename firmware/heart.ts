/** The heart as one ECG shows it: rate, rhythm, and how far they can be trusted. */
import {
  type Block,
  type Channel,
  FLAG_BUS_FAULT,
  FLAG_LEAD_OFF,
  FLAG_MOTION,
  FLAG_SATURATED,
  FLAG_SETTLING,
  FLAG_TEST_SIGNAL,
} from "../drivers/driver.ts";
import { createEcgNoise } from "./dsp/ecg-noise.ts";
import { createFibrillationMeter } from "./dsp/fibrillation.ts";
import { createFlutterGuard } from "./dsp/flutter.ts";
import { createHeartRateMeter, type Rate } from "./dsp/heart-rate.ts";
import { createQrsDetector, QRS_RATES } from "./dsp/qrs.ts";
import { createQualityMeter } from "./dsp/quality.ts";
import { createRhythmMonitor, type OnRhythm, RHYTHM_ASYSTOLE } from "./dsp/rhythm.ts";
import { createRrSeries, RR_ARTEFACT } from "./dsp/rr.ts";
import { GAP, MICROSECONDS, SILENCE } from "./vitals/source.ts";

export interface Heart {
  /** A block of the channel, in order. */
  take(block: Block): void;
  /** What comes does not follow what came. `why`: flags of the rate until the next block; 0: it begins anew. */
  interrupted(why: number): void;
  /**
   * The rate as of `now`, board clock, us, filled in place: beats a minute, or null with at least one flag. Saturated: no
   * rate between 15 and 300, be it too fast, asystole, or fibrillation, which has none; or the converter is at its end.
   * Motion: noise drowns the signal. Bus fault: nothing has come for 3 s.
   */
  read(now: number, rate: Rate): void;
  /**
   * Hands over the intervals from beat to beat since the last call, at most the newest 32: the time of the beat that ends
   * it, board clock, us, its length, ms, and its flags: motion where noise may have made or moved one of its beats. It is known
   * with the next beat. None across a loss, none outside 0.2 to 4 s, none while waves cannot be counted or noise drowns them.
   */
  takeIntervals(emit: (at: number, milliseconds: number, flags: number) => void): void;
  /** What is known of the signal, besides what its blocks say: flags. */
  flags(): number;
  /** Signal quality of the last whole 10 s, 0 to 100 (quality.ts); null where it is unknown. */
  quality(): number | null;
}

/** Rhythm and quality are looked at this often, us. */
const REVIEW = MICROSECONDS / 2;
/** Intervals that wait at most. */
const WAITING = 32;
/** No QRS reaches an end of so wide a range, uV (up to 5 mV: IEC 60601-2-27), nor is it so long beyond a narrower one, s. */
const WIDE = 16000;
const CLIPPED = 1 / 25;
/** A beat so soon after the beginning may have lost a part, us. */
const EARLY = MICROSECONDS / 2;

/** Rates, hz, at which an ECG can have a heart. */
export const HEART_RATES: readonly number[] = QRS_RATES;

/**
 * `ecg`: the channel, in V, at one of HEART_RATES. `onRhythm` is told when a state of the rhythm begins and ends
 * (rhythm.ts), by the board's clock, us.
 */
export function createHeart(ecg: Channel, onRhythm: OnRhythm): Heart {
  const interval = MICROSECONDS / ecg.rate;
  const meter = createHeartRateMeter(MICROSECONDS);
  const fibrillation = createFibrillationMeter(MICROSECONDS);
  const rhythm = createRhythmMonitor(MICROSECONDS, onRhythm);
  const quality = createQualityMeter(MICROSECONDS);
  const shown: Rate = { value: null, flags: 0 };
  // The detector thinks in uV; the channel's unit is V.
  let microvolts = ecg.mul;
  for (let i = ecg.exp10 + 6; i < 0; i++) microvolts /= 10;
  const guard = createFlutterGuard(ecg.rate, microvolts);
  const noise = createEcgNoise(ecg.rate, microvolts);
  let pushed = 0;
  /** Board time of the detector's sample 0, us. */
  let origin = 0;
  /** Board time of the first sample, us. */
  let began = 0;
  /** Board time after the last sample, us, and at the last review. */
  let heard = 0;
  let reviewed = 0;
  /** What makes the last block no patient's. */
  let barred = 0;
  let uncountable = false;
  /** Noise drowns it. */
  let noisy = false;
  let noisySince = 0;
  const series = createRrSeries(MICROSECONDS);
  const ends = new Float64Array(WAITING);
  const lengths = new Float64Array(WAITING);
  const doubts = new Uint8Array(WAITING);
  /** Intervals so far, and those that were handed over; one more may wait for the next beat. */
  let found = 0;
  let given = 0;
  let isHeld = false;
  /** The beat before was in doubt. */
  let wasDoubtful = false;

  const detector = createQrsDetector(ecg.rate, microvolts, (index, _emittedAt, isDoubtful) => {
    const at = origin + index * interval;
    meter.beat(at, isDoubtful);
    rhythm.beat(at);
    quality.beat(at);
    if (uncountable || noisy) return;
    fibrillation.beat(at);
    if (at < began + EARLY) return;
    const kind = series.beat(at);
    if (isHeld) {
      if (isDoubtful) doubts[found % WAITING] = FLAG_MOTION;
      found++;
    }
    isHeld = series.interval() > 0 && kind !== RR_ARTEFACT;
    if (isHeld) {
      ends[found % WAITING] = at;
      lengths[found % WAITING] = series.interval() / 1000;
      doubts[found % WAITING] = isDoubtful || wasDoubtful ? FLAG_MOTION : 0;
    }
    wasDoubtful = isDoubtful;
  });

  /** The signal has ended; what comes is another one. */
  const end = (): void => {
    if (pushed > 0) rhythm.gap(heard);
    detector.reset();
    guard.reset();
    meter.reset();
    fibrillation.gap();
    series.gap();
    if (isHeld && barred === 0) found++;
    isHeld = wasDoubtful = false;
    quality.begin(heard);
    pushed = 0;
    uncountable = noisy = false;
  };

  /** The converter was at an end of its range, and not for the top of a QRS: nothing of the block is the heart's. */
  const isRailed = (block: Block): boolean => {
    if ((block.flags & FLAG_SATURATED) === 0) return false;
    if ((ecg.maximum - ecg.minimum) * microvolts > WIDE) return true;
    let ended = 0;
    for (let i = 0; i < block.count; i++)
      if (block.samples[i] <= ecg.minimum + 1 || block.samples[i] >= ecg.maximum) ended++;
    return ended > CLIPPED * ecg.rate;
  };

  const read = (now: number, rate: Rate): void => {
    if (barred !== 0 || now - heard > SILENCE) {
      rate.value = null;
      rate.flags = barred === 0 ? FLAG_BUS_FAULT : barred;
      return;
    }
    meter.read(now, rate);
    if (!guard.ready()) {
      rate.value = null;
      rate.flags = FLAG_SETTLING;
      return;
    }
    if (noisy) {
      rate.flags = FLAG_MOTION;
      if (uncountable) rate.value = null;
      return;
    }
    const contradicted = uncountable || (rate.value !== null && !guard.admits(rate.value));
    if (!contradicted && (rate.value !== null || (rhythm.state() & RHYTHM_ASYSTOLE) === 0)) return;
    rate.value = null;
    rate.flags = FLAG_SATURATED;
  };

  const review = (): void => {
    reviewed = heard;
    const drowned = noise.drowns(noisy);
    // an interval that waits may be the noise's already
    if (drowned && !noisy) {
      given = found;
      isHeld = false;
    }
    if (noisy && !drowned) {
      // what the detector learned in it, and counted, is of no use
      if (heard - noisySince > (REVIEW * 5) / 2) {
        end();
        return;
      }
      meter.interrupt();
      series.gap();
      isHeld = wasDoubtful = false;
    }
    if (!noisy) noisySince = heard;
    noisy = drowned;
    // beats from within the waves are none
    if (uncountable && !guard.uncountable()) meter.reset();
    if (!uncountable && guard.uncountable()) {
      fibrillation.gap();
      series.gap();
      isHeld = wasDoubtful = false;
    }
    uncountable = guard.uncountable();
    read(heard, shown);
    rhythm.update(heard, shown.value, fibrillation.read(), uncountable);
    quality.update(heard, detector.noiseRatio(), guard.restlessness());
  };

  return {
    take(block) {
      // a chip that waits for its electrodes has a flag and no samples
      if (block.count === 0 && block.lost === 0 && (block.flags & FLAG_LEAD_OFF) === 0) return;
      const was = barred;
      barred = block.flags & (FLAG_LEAD_OFF | FLAG_TEST_SIGNAL) || (isRailed(block) ? FLAG_SATURATED : 0);
      const late = pushed > 0 && block.count > 0 && block.time - heard > GAP;
      if (late || block.lost !== 0 || (barred !== 0 && was === 0)) end();
      if (barred !== 0) {
        // behind a rail it is still the same patient
        if (barred !== FLAG_SATURATED) fibrillation.reset();
        return;
      }
      if (block.count === 0) return;
      if (pushed === 0) {
        rhythm.begin(block.time);
        quality.begin(block.time);
        began = reviewed = block.time;
      }
      origin = block.time - pushed * interval;
      pushed += block.count;
      heard = block.time + block.count * interval;
      noise.push(block.samples, block.count);
      guard.push(block.samples, block.count);
      detector.push(block.samples, block.count);
      if (heard - reviewed >= REVIEW) review();
    },
    interrupted(why) {
      barred = why;
      end();
      fibrillation.reset();
    },
    read,
    takeIntervals(emit) {
      for (let i = Math.max(given, found - WAITING); i < found; i++)
        emit(ends[i % WAITING], lengths[i % WAITING], doubts[i % WAITING]);
      given = found;
    },
    flags: () => (noisy ? FLAG_MOTION : 0),
    quality: () => (barred !== 0 || pushed === 0 ? null : quality.read()),
  };
}
