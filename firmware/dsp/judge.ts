/**
 * Which humps of an ECG's slope energy are beats.
 *
 * Each hump becomes numbers between -1 and 1 (`FEATURES` of them): how high, steep, sharp and tall it is beside the last
 * eight beats and the last eight humps that were none, how like the beats so far, how long after the last one. Their
 * weighted sum is the logarithm of the odds that it is a beat; weights come from a regression over recordings
 * (tools/tune-qrs.ts writes qrs-weights.ts). Where the odds are not clear, the next hump is waited for: of two within
 * 0.27 s the better one is the beat (a P wave and its QRS). Where a beat is overdue, the best hump that was passed over is
 * looked at again with a bonus, once; then the levels sink.
 * Running levels, refractory period, search-back: Pan and Tompkins 1985; Hamilton and Tompkins, IEEE Trans. Biomed. Eng.
 * 33:1157 (1986).
 */
import { AMPLITUDE, AT, BALANCE, BEND, FORM, HEIGHT, HUMP, R, SHAPE, SLOPE, SQUARES, VALLEY } from "./humps.ts";
import { median, ranked } from "./rank.ts";

/** How many numbers a hump is judged by, the constant 1 among them. */
export const FEATURES = 30;

export interface BeatJudge {
  /** A hump has ended at internal sample `now`. Returns when `due` wants to be called, in internal samples. */
  hump(hump: Float64Array, now: number): number;
  due(now: number): number;
  /** Level of the humps that are none over that of the beats, 0 to 1; 1 before the first beats. */
  noiseRatio(): number;
  reset(): void;
}

/** How many levels, intervals and first humps are kept. */
const LEVELS = 8;
const EARLY = 8;
/** Odds (logarithm) above which nothing is waited for; and what they gain in looking back. */
const SURE = 5;
const BONUS = 9 / 4;
/**
 * A beat is in doubt whose hump did not come out of rest (parts of its height); which is much sharper than the last ones; which is
 * less like the beats so far than those are, and not for being broader, as a ventricular one is; or which comes after something
 * about half as sharp as it, which P and T waves are not. Found on the records that tune-qrs.ts names, and on drawn noise of 0.3 to
 * 3 mV for 0.2 to 5 s: of 4802 intervals that were wrong by more than 30 ms 28 lie between beats in no doubt, with no doubt of the next.
 */
const UNREST = 3 / 25;
const SHARPER = 5;
const UNLIKE = 1 / 5;
const BROADER = 3 / 4;
const BLUNT = 19 / 20;
const SHARP = 9 / 20;
/** What is soon after a beat is at most so much of an interval. */
const NEAR = 4 / 5;

/** `part` of `part + whole`, 0 to 1: a ratio that neither overflows nor needs a logarithm. */
const share = (part: number, whole: number): number => (part > 0 ? part / (part + whole) : 0);

/**
 * `frequency`: internal samples a second, of `step` input samples each. `floor`: humps that are no higher are no beats.
 * `score`: the log-odds of the FEATURES numbers given. `onBeat`: R of a beat, input samples, and the internal sample at
 * which it is sure; whether noise may have made or moved it; in order.
 */
export function createBeatJudge(
  frequency: number,
  step: number,
  floor: number,
  score: (features: Float64Array, hump: Float64Array) => number,
  onBeat: (r: number, now: number, isDoubtful: boolean) => void,
): BeatJudge {
  /** Input samples from R to R; 300 beats a minute are 200 ms apart. In all that follows: internal samples. */
  const refractory = (frequency * step * 4) / 25;
  const near = (frequency * 21) / 50;
  const previous = (frequency * 2) / 5;
  const rival = (frequency * 27) / 100;
  const patience = (frequency * 21) / 50;

  const heights = new Float64Array(LEVELS);
  const slopes = new Float64Array(LEVELS);
  const bends = new Float64Array(LEVELS);
  const amplitudes = new Float64Array(LEVELS);
  const noises = new Float64Array(LEVELS);
  const intervals = new Float64Array(LEVELS);
  const scratch = new Float64Array(LEVELS);
  const features = new Float64Array(FEATURES);
  const template = new Float64Array(SHAPE);
  /** Humps of the first seconds, one that waits for a better one, and the best that was passed over since the last beat. */
  const early = new Float64Array(EARLY * HUMP);
  const waiting = new Float64Array(HUMP);
  const missed = new Float64Array(HUMP);

  let learning = true;
  let earlyCount = 0;
  let height = 0;
  let slope = 0;
  let bend = 0;
  let amplitude = 0;
  let noise = 0;
  let signalAt = 0;
  let noiseAt = 0;
  let beats = 0;
  let last = 0;
  let lastR = 0;
  let lastSlope = 0;
  let lastHump = 0;
  let lastHumpHeight = 0;
  let passed = 0;
  /** Sharpest bend since the last beat of what is none. */
  let sharpest = 0;
  /** How like the beats so far the last ones are: mean of `likeness`. */
  let alike = 0;
  let interval = 0;
  let due = 0;
  let isWaiting = false;
  let waitingOdds = 0;
  let isMissed = false;
  let missedOdds = 0;

  /** How like the beats so far a hump is: the square of the cosine between them, with its sign; 0 where there are none. */
  const likeness = (hump: Float64Array): number => {
    let products = 0;
    let squares = 0;
    for (let i = 0; i < SHAPE; i++) {
      const value = template[i];
      products += value * hump[FORM + i];
      squares += value * value;
    }
    const lengths = squares * hump[SQUARES];
    return lengths > 0 ? (products * (products < 0 ? -products : products)) / lengths : 0;
  };

  const describe = (hump: Float64Array): Float64Array => {
    const since = hump[AT] - last;
    const high = hump[HEIGHT];
    const rest = Math.max(noise, floor / 4);
    const level = share(high, height);
    const steep = share(hump[SLOPE], slope);
    const sharp = share(hump[BEND], bend);
    const like = likeness(hump);
    const noisy = share(rest, height);
    const elapsed = beats > 0 ? Math.min(since / interval, 1) : 1;
    const soon = beats > 0 ? Math.max(0, 1 - since / Math.min(near, interval * NEAR)) : 0;
    const after = Math.max(0, 1 - (hump[AT] - lastHump) / Math.min(previous, interval * NEAR));
    features[0] = 1;
    features[1] = level;
    features[2] = steep;
    features[3] = share(high, rest);
    features[4] = hump[BALANCE];
    features[5] = like;
    features[6] = elapsed;
    features[7] = beats > 0 ? Math.min(Math.max(since / interval - 1, 0), 1) : 0;
    features[8] = soon;
    features[9] = soon * share(hump[SLOPE], lastSlope);
    features[10] = soon * like;
    features[11] = (1 - elapsed) * level;
    features[12] = noisy;
    features[13] = level * like;
    features[14] = level * level;
    features[15] = after * share(high, lastHumpHeight);
    features[16] = after;
    features[17] = steep * steep;
    features[18] = sharp;
    features[19] = share(hump[BEND], hump[SLOPE]);
    features[20] = share(hump[AMPLITUDE], amplitude);
    features[21] = soon * sharp;
    features[22] = sharp * sharp;
    features[23] = soon * level;
    features[24] = hump[VALLEY];
    features[25] = Math.min(1, passed / 6);
    features[26] = Math.min(1, hump[BALANCE] * 5);
    features[27] = noisy * level;
    features[28] = noisy * like;
    features[29] = noisy * sharp;
    return features;
  };

  const setLevels = (): void => {
    height = ranked(heights, LEVELS, 3, scratch);
    slope = ranked(slopes, LEVELS, 3, scratch);
    bend = ranked(bends, LEVELS, 3, scratch);
    amplitude = ranked(amplitudes, LEVELS, 3, scratch);
  };

  const pass = (hump: Float64Array): void => {
    if (hump[HEIGHT] > floor && hump[BEND] > sharpest) sharpest = hump[BEND];
  };

  const isDoubtful = (hump: Float64Array): boolean => {
    if (beats === 0) return false;
    const sharp = hump[BEND];
    const like = likeness(hump);
    const unlike = like < alike - UNLIKE;
    alike += (Math.max(like, 0) - alike) / 16;
    if (hump[VALLEY] > UNREST || sharp > bend * SHARPER || sharpest > bend * SHARP) return true;
    const narrow = sharp > hump[SLOPE] * BLUNT && sharp * slope > hump[SLOPE] * bend * BROADER;
    return unlike && narrow && sharp > bend * SHARP;
  };

  const accept = (hump: Float64Array, now: number): void => {
    const at = hump[AT];
    const since = at - last;
    if (isMissed && hump !== missed) pass(missed);
    const doubtful = isDoubtful(hump);
    sharpest = 0;
    // the first beat is the template, each later one an eighth of it; one that is much larger does not take it over
    let part = 1 / 8;
    if (beats === 0) part = 1;
    else {
      let squares = 0;
      for (let i = 0; i < SHAPE; i++) squares += template[i] * template[i];
      if (hump[SQUARES] > squares * 4) part *= Math.sqrt((squares * 4) / hump[SQUARES]);
    }
    for (let i = 0; i < SHAPE; i++) template[i] += (hump[FORM + i] - template[i]) * part;
    if (beats > 0 && since < 5 * frequency) {
      intervals[(beats - 1) % LEVELS] = since;
      const count = Math.min(beats, LEVELS);
      interval = median(intervals, count, scratch);
      if (count < 3) interval = (interval + (frequency * 4) / 5) / 2;
      beats++;
    } else if (beats === 0) beats = 1;
    last = at;
    lastR = hump[R];
    lastSlope = hump[SLOPE];
    heights[signalAt] = hump[HEIGHT];
    slopes[signalAt] = lastSlope;
    bends[signalAt] = hump[BEND];
    amplitudes[signalAt] = hump[AMPLITUDE];
    signalAt = (signalAt + 1) % LEVELS;
    setLevels();
    isMissed = false;
    passed = 0;
    due = Math.max(at + (interval * 127) / 100, now + 1);
    onBeat(lastR, now, doubtful);
  };

  const reject = (hump: Float64Array): void => {
    noises[noiseAt] = Math.min(hump[HEIGHT], height);
    noiseAt = (noiseAt + 1) % LEVELS;
    noise = ranked(noises, LEVELS, 3, scratch);
    passed++;
  };

  const isRefractory = (hump: Float64Array): boolean => beats > 0 && hump[R] - lastR < refractory;

  const stopWaiting = (now: number): void => {
    isWaiting = false;
    accept(waiting, now);
  };

  const classify = (hump: Float64Array, now: number): void => {
    if (isRefractory(hump)) {
      pass(hump);
      return;
    }
    if (isWaiting) {
      const better =
        hump[AT] - waiting[AT] < Math.min(rival, (interval * 9) / 20) &&
        hump[HEIGHT] > floor &&
        score(describe(hump), hump) > waitingOdds;
      if (better) {
        reject(waiting);
        pass(waiting);
        isWaiting = false;
      } else {
        stopWaiting(now);
        if (isRefractory(hump)) {
          pass(hump);
          return;
        }
      }
    }
    const high = hump[HEIGHT] > floor;
    const odds = high ? score(describe(hump), hump) : -Infinity;
    if (odds > SURE) accept(hump, now);
    else if (odds > 0) {
      waiting.set(hump);
      waitingOdds = odds;
      isWaiting = true;
      if (isMissed) pass(missed);
      isMissed = false;
      due = Math.ceil(hump[AT] + patience);
    } else {
      reject(hump);
      if (high && (!isMissed || odds > missedOdds)) {
        if (isMissed) pass(missed);
        missed.set(hump);
        missedOdds = odds;
        isMissed = true;
      } else pass(hump);
    }
    lastHump = hump[AT];
    lastHumpHeight = hump[HEIGHT];
  };

  /** After 1.5 s from the first hump: levels from the highest one, then all of them are judged. */
  const learn = (now: number): void => {
    learning = false;
    for (let i = 0; i < earlyCount * HUMP; i += HUMP) {
      height = Math.max(height, (early[i + HEIGHT] * 4) / 5);
      slope = Math.max(slope, (early[i + SLOPE] * 4) / 5);
      bend = Math.max(bend, (early[i + BEND] * 4) / 5);
      amplitude = Math.max(amplitude, (early[i + AMPLITUDE] * 4) / 5);
    }
    heights.fill(height);
    slopes.fill(slope);
    bends.fill(bend);
    amplitudes.fill(amplitude);
    due = now + (frequency * 3) / 2;
    for (let i = 0; i < earlyCount; i++) classify(early.subarray(i * HUMP, (i + 1) * HUMP), now);
  };

  const sink = (values: Float64Array): void => {
    for (let i = 0; i < LEVELS; i++) values[i] = (values[i] * 17) / 20;
  };

  /** No beat where one was due: the best hump since the last one, else the levels sink, down to the floor. */
  const overdue = (now: number): void => {
    if (isMissed && missedOdds + BONUS > 0) {
      accept(missed, now);
      due = Math.max(due, now + (frequency * 13) / 128);
      return;
    }
    if (height > floor) {
      sink(heights);
      sink(slopes);
      sink(bends);
      sink(amplitudes);
      setLevels();
    }
    due = now + (interval * 2) / 5;
  };

  const clear = (): void => {
    noises.fill(0);
    learning = true;
    earlyCount = height = slope = bend = amplitude = noise = signalAt = noiseAt = beats = last = lastR = lastSlope = 0;
    lastHump = lastHumpHeight = passed = sharpest = waitingOdds = missedOdds = 0;
    alike = 9 / 10;
    template.fill(0);
    isWaiting = isMissed = false;
    interval = (frequency * 4) / 5;
    due = Infinity;
  };
  clear();

  return {
    hump: (hump, now) => {
      // slopes that go one way only are a step, not a wave
      if (hump[BALANCE] * 5 < 1) hump[HEIGHT] /= 5;
      if (!learning) classify(hump, now);
      else if (hump[HEIGHT] > floor && earlyCount < EARLY) {
        if (earlyCount === 0) due = now + (frequency * 3) / 2;
        early.set(hump, earlyCount * HUMP);
        earlyCount++;
      }
      return due;
    },
    due: (now) => {
      if (learning) learn(now);
      else if (isWaiting) stopWaiting(now);
      else overdue(now);
      return due;
    },
    noiseRatio: () => (height > 0 ? Math.min(1, noise / height) : 1),
    reset: clear,
  };
}
