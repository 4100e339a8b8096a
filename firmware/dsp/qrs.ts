/**
 * QRS detection by slope energy: lagged differences of a smoothed signal, rectified and summed over a moving window.
 *
 *   x     -> boxcar of 3 samples, less itself 3 samples ago: d        (23 ms each at 128 sps)
 *   |d|   -> moving sum over 21 samples: energy                       (164 ms)
 *
 * A QRS is a hump of the energy. Its score is the height above the valley before it, a fifth of that where the slopes went
 * one way only (a step, not a wave). A score is held against levels of signal and noise that are order statistics of the
 * last eight, by a threshold that falls with the time since the last beat. What was below it is looked back for when a
 * beat is overdue. Rectified slopes in a moving window, two running levels, refractory period, T-wave discrimination and
 * search-back: Pan and Tompkins, IEEE Trans. Biomed. Eng. 32:230 (1985); Hamilton and Tompkins, same, 33:1157 (1986).
 */
import { median, ranked } from "./rank.ts";

export interface QrsDetector {
  /** The next `count` samples, in counts. May be split in any way. */
  push(samples: Int32Array, count: number): void;
  /** Forgets everything: the next sample has index 0. Call it after a gap. */
  reset(): void;
}

/** Length of the energy's window, and the longest time a hump may take to come down again, internal samples. */
const WINDOW = 21;
const PLATEAU = 20;
/** From the steepest difference back to the middle of what was differenced, internal samples: (3 - 1) / 2 + 3 / 2. */
const DELAY = 5 / 2;
/** Input samples kept for finding R: 0.5 s of 256 sps, and those that are copied in at a time. Even. */
const CHUNK = 64;
const KEPT = 128 + CHUNK;
/** How many levels, intervals and first humps are kept. */
const LEVELS = 8;
const EARLY = 8;
/** Signals below this, uV peak to peak, are no beats (ANSI/AAMI EC13: 150 uV need not be seen). */
const FLOOR = 80;

/**
 * Makes a detector for `rate` 125, 128, 250 or 256 hz (the last two are summed in pairs on the way in).
 * `onBeat` is called from within `push`: `index`, fractional, of the R peak, and `emittedAt`, the sample at which it was
 * sure; both count input samples since the start or the last reset.
 * Throws Error for another rate, and for a scale that is not above 0.
 */
export function createQrsDetector(
  rate: number,
  microvoltsPerCount: number,
  onBeat: (index: number, emittedAt: number) => void,
): QrsDetector {
  if (rate !== 125 && rate !== 128 && rate !== 250 && rate !== 256)
    throw new Error(`QRS detector: rate ${rate} hz is none of 125, 128, 250, 256; resample, or choose another one`);
  if (!(microvoltsPerCount > 0))
    throw new Error(`QRS detector: ${microvoltsPerCount} uV a count is not above 0; take it from the channel`);
  const step = rate > 200 ? 2 : 1;
  const pairs = step === 2;
  const frequency = rate / step;
  /** A hump of the energy is 2 x 3 x 3 times the wave that makes it; half of that passes at least. */
  const floor = ((FLOOR * step) / microvoltsPerCount) * 18;
  /** Input samples from R to R. Short, since the window already makes one hump of what is closer than 0.18 s. */
  const refractory = (rate * 13) / 100;
  /** Internal samples. */
  const twave = (frequency * 2) / 5;
  const reach = Math.round((rate * 7) / 100);

  const raw = new Int32Array(KEPT);
  const slopes = new Int32Array(WINDOW);
  const signals = new Float64Array(LEVELS);
  const noises = new Float64Array(LEVELS);
  const intervals = new Float64Array(LEVELS);
  const scratch = new Float64Array(LEVELS);
  /** Humps of the first seconds, four numbers each: when, score, slope, R. */
  const early = new Float64Array(EARLY * 4);

  // carried from sample to sample: `now` counts internal samples; the others are places, in `raw` where the next input
  // sample goes and where the next internal one is made of, in `slopes` where it goes
  let now = 0;
  let write = 0;
  let read = 0;
  let turn = 0;
  let x1 = 0;
  let x2 = 0;
  let x3 = 0;
  let x4 = 0;
  let x5 = 0;
  let energy = 0;
  let rising = false;
  let top = 0;
  let topAt = 0;
  let bottom = 0;
  let lift = 0;
  let up = 0;
  let down = 0;
  let steepAt = 0;
  // carried from hump to hump
  let learning = true;
  let earlyCount = 0;
  let signal = 0;
  let noise = 0;
  let signalAt = 0;
  let noiseAt = 0;
  let beats = 0;
  let last = 0;
  let lastSlope = 0;
  let lastR = 0;
  let interval = 0;
  let due = 0;
  let missedScore = 0;
  let missedAt = 0;
  let missedSlope = 0;
  let missedR = 0;

  /**
   * R near the steepest place: the sample farthest from the line between the ends, then the parabola through it.
   * Input samples since the start; `back` counts them from the newest one backwards.
   */
  const locate = (at: number): number => {
    const newest = now * step + step - 1;
    const end = KEPT + read + step - 1;
    const middle = newest - Math.round((at - DELAY) * step + (step - 1) / 2);
    const from = Math.min(middle + reach, newest, KEPT - CHUNK - 1);
    const to = Math.max(middle - reach, 0);
    const base = (raw[(end - from) % KEPT] + raw[(end - to) % KEPT]) / 2;
    let farthest = -1;
    let peak = from;
    for (let back = from; back >= to; back--) {
      const distance = Math.abs(raw[(end - back) % KEPT] - base);
      if (distance > farthest) {
        farthest = distance;
        peak = back;
      }
    }
    if (peak === from || peak === to) return newest - peak;
    const before = raw[(end - peak - 1) % KEPT];
    const after = raw[(end - peak + 1) % KEPT];
    const bend = before + after - 2 * raw[(end - peak) % KEPT];
    return bend === 0 ? newest - peak : newest - peak + (before - after) / (2 * bend);
  };

  const accept = (at: number, score: number, slope: number, r: number): void => {
    const since = at - last;
    if (beats > 0 && since < 3 * frequency) {
      intervals[(beats - 1) % LEVELS] = since;
      const count = Math.min(beats, LEVELS);
      interval = median(intervals, count, scratch);
      if (count < 3) interval = (interval + (frequency * 4) / 5) / 2;
      beats++;
    } else if (beats === 0) beats = 1;
    last = at;
    lastSlope = slope;
    lastR = r;
    signals[signalAt] = score;
    signalAt = (signalAt + 1) % LEVELS;
    signal = ranked(signals, LEVELS, 3, scratch);
    missedScore = 0;
    due = Math.max(at + (interval * 27) / 20, now + 1);
    onBeat(r, now * step + step - 1);
  };

  const reject = (score: number): void => {
    noises[noiseAt] = score;
    noiseAt = (noiseAt + 1) % LEVELS;
    noise = ranked(noises, LEVELS, 3, scratch);
  };

  /** The threshold's place between noise and signal, in 80ths: 44 until 0.6 of an interval has gone by, 32 after a whole one. */
  const threshold = (part: number): number => {
    const base = Math.min(noise, signal / 2);
    return Math.max(floor, base + ((signal - base) * part) / 80);
  };

  const classify = (at: number, score: number, slope: number, r: number): void => {
    const since = at - last;
    let part = 32;
    if (beats > 0) {
      if (r - lastR < refractory) return;
      // a T wave: within 400 ms and less than half as steep (Pan and Tompkins)
      if (since < twave && slope * 2 < lastSlope) {
        reject(Math.min(score, signal / 2));
        return;
      }
      const elapsed = since / interval;
      if (elapsed < 1) part = 44 - Math.max(0, elapsed * 30 - 18);
    }
    if (score > threshold(part)) {
      accept(at, score, slope, r);
      return;
    }
    reject(score);
    if (score > missedScore) {
      missedScore = score;
      missedAt = at;
      missedSlope = slope;
      missedR = r;
    }
  };

  const climb = (): void => {
    rising = true;
    top = energy;
    topAt = now;
  };

  /** A hump of the energy is over. */
  const judge = (): void => {
    const height = top - bottom;
    const slope = Math.max(up, down);
    const score = Math.min(up, down) * 5 < slope ? height / 5 : height;
    const r = locate(steepAt);
    if (!learning) {
      classify(steepAt, score, slope, r);
      return;
    }
    if (score <= floor || earlyCount === EARLY) return;
    if (earlyCount === 0) due = now + (frequency * 3) / 2;
    const place = earlyCount * 4;
    early[place] = steepAt;
    early[place + 1] = score;
    early[place + 2] = slope;
    early[place + 3] = r;
    earlyCount++;
  };

  const hump = (): void => {
    // less than an eighth of the energy is a ripple: noise, or waves closer together than the window
    if ((top - bottom) * 8 > top) judge();
    rising = false;
    lift = (top * 3) / 50;
    bottom = energy;
    up = down = 0;
  };

  /** After 1.5 s from the first hump: levels from the highest one, then all of them are judged. */
  const learn = (): void => {
    learning = false;
    let highest = 0;
    for (let i = 0; i < earlyCount; i++) highest = Math.max(highest, early[i * 4 + 1]);
    signal = (highest * 4) / 5;
    signals.fill(signal);
    due = now + (frequency * 3) / 2;
    for (let i = 0; i < earlyCount * 4; i += 4) classify(early[i], early[i + 1], early[i + 2], early[i + 3]);
  };

  /** A beat is overdue: the best hump since the last one at a lower threshold, else the level sinks, down to the floor. */
  const overdue = (): void => {
    if (missedScore > threshold((32 * 3) / 5)) {
      accept(missedAt, missedScore, missedSlope, missedR);
      due = Math.max(due, now + WINDOW);
      return;
    }
    if (signal > floor) {
      signal = (signal * 17) / 20;
      for (let i = 0; i < LEVELS; i++) signals[i] = (signals[i] * 17) / 20;
    }
    due = now + (interval * 2) / 5;
  };

  const attend = (): void => {
    if (learning) learn();
    else overdue();
  };

  const clear = (): void => {
    slopes.fill(0);
    noises.fill(0);
    now = write = read = turn = energy = top = topAt = bottom = lift = up = down = steepAt = 0;
    rising = false;
    learning = true;
    earlyCount = signal = noise = signalAt = noiseAt = beats = last = lastSlope = lastR = missedScore = 0;
    interval = (frequency * 4) / 5;
    due = Infinity;
  };
  clear();

  return {
    push: (samples, count) => {
      // as if the first sample had always been there
      if (now === 0 && write === 0 && count > 0) x1 = x2 = x3 = x4 = x5 = samples[0] * step;
      for (let taken = 0; taken < count; ) {
        const part = Math.min(count - taken, CHUNK, KEPT - write);
        raw.set(samples.subarray(taken, taken + part), write);
        taken += part;
        write += part;
        for (; read + step <= write; read += step) {
          const x = pairs ? raw[read] + raw[read + 1] : raw[read];
          const d = x + x1 + x2 - x3 - x4 - x5;
          x5 = x4;
          x4 = x3;
          x3 = x2;
          x2 = x1;
          x1 = x;
          const a = d < 0 ? -d : d;
          energy += a - slopes[turn];
          slopes[turn] = a;
          turn = turn + 1 === WINDOW ? 0 : turn + 1;
          if (!rising && energy < bottom) {
            bottom = energy;
            up = down = 0;
          }
          if (a > up && a > down) steepAt = now;
          if (d > up) up = d;
          else if (a > down && d < 0) down = a;
          if (!rising) {
            if (energy - bottom > lift) climb();
          } else if (energy >= top) climb();
          else if ((top - energy) * 5 > (top - bottom) * 3 || now - topAt > PLATEAU) hump();
          if (now >= due) attend();
          now++;
        }
        if (write === KEPT) write = read = 0;
      }
    },
    reset: clear,
  };
}
