/**
 * How much the rhythm looks like atrial fibrillation, from beats alone: symbolic dynamics and Shannon entropy over 127
 * words of three beats. Zhou, Ding, Wu and Zhang, PLoS ONE 10(9):e0136544 (2015): the rate of every interval in steps of
 * 5 a minute is a symbol, three symbols in a row are a word, and with k different words among N = 127, of frequencies p,
 *
 *   entropy = -k / (N log2 N) x sum of p log2 p        0 (always the same word) to 1 (never the same twice)
 *
 * Words come and go one at a time, so each beat changes two terms of the sum; the terms are integers from a table.
 */

/** Words in the window. The first value comes with beat 130: three intervals to a word, two beats to an interval. */
const WORDS = 127;
/** Above it is atrial fibrillation: the paper's threshold, found there on the Long-Term AF Database. */
export const FIBRILLATION_THRESHOLD = 639 / 1000;

export interface FibrillationMeter {
  /** A beat at a time that is not before the last one's. */
  beat(at: number): void;
  /** The next beat does not follow the last one: no interval between them, no word across. The window is kept. */
  gap(): void;
  /** Entropy, 0 to 1, to hold against FIBRILLATION_THRESHOLD; null before there are 127 words. No probability. */
  read(): number | null;
  /** Share of the window that is filled, 0 to 1: what can be shown before the first value. */
  progress(): number;
  reset(): void;
}

/** Symbols above: 315 a minute and faster are one. An interval of more than 4 s (15 a minute) is taken for a gap. */
const FASTEST = 63;
const SYMBOL = 5;
const LONGEST = 4;
const BUCKETS = 128;
/** Steps of the table from 0 to 1. Any sum of its terms stays below 2^31. */
const UNIT = 16777216;

/** Terms of the sum by how often a word occurs: -p log2 p / log2 N in units of 1 / UNIT. */
const makeTerms = (): Int32Array => {
  const terms = new Int32Array(WORDS + 1);
  for (let n = 1; n <= WORDS; n++)
    terms[n] = Math.round((((n * Math.log(WORDS / n)) / Math.log(WORDS)) * UNIT) / WORDS);
  return terms;
};

/**
 * `perSecond`: how many units of time make a second (1000 for ms, the sampling rate for indices).
 * Throws Error where it is not above 0.
 */
export function createFibrillationMeter(perSecond: number): FibrillationMeter {
  if (!(perSecond > 0)) throw new Error(`fibrillation: ${perSecond} units a second is not above 0`);
  const terms = makeTerms();
  /** The window: which entry of the dictionary each word is, the oldest one at `oldest`. */
  const window = new Int16Array(WORDS);
  /** The dictionary: different words, how often each occurs, the next one of its bucket or of those that are free. */
  const words = new Int32Array(WORDS + 1);
  const occurs = new Int16Array(WORDS + 1);
  const next = new Int16Array(WORDS + 1);
  const buckets = new Int16Array(BUCKETS);
  let free = 0;
  let filled = 0;
  let oldest = 0;
  let different = 0;
  let sum = 0;
  let last = 0;
  /** Beats since the start or the last gap, 4 at most; the last three symbols, 6 bits each. */
  let run = 0;
  let word = 0;

  const bucketOf = (value: number): number => (value ^ (value >> 5) ^ (value >> 11)) & (BUCKETS - 1);

  const add = (value: number): number => {
    const bucket = bucketOf(value);
    let entry = buckets[bucket];
    while (entry >= 0 && words[entry] !== value) entry = next[entry];
    if (entry < 0) {
      entry = free;
      free = next[entry];
      words[entry] = value;
      occurs[entry] = 0;
      next[entry] = buckets[bucket];
      buckets[bucket] = entry;
      different++;
    }
    const n = occurs[entry];
    sum += terms[n + 1] - terms[n];
    occurs[entry] = n + 1;
    return entry;
  };

  const remove = (entry: number): void => {
    const n = occurs[entry];
    sum += terms[n - 1] - terms[n];
    occurs[entry] = n - 1;
    if (n > 1) return;
    const bucket = bucketOf(words[entry]);
    if (buckets[bucket] === entry) buckets[bucket] = next[entry];
    else {
      let before = buckets[bucket];
      while (next[before] !== entry) before = next[before];
      next[before] = next[entry];
    }
    next[entry] = free;
    free = entry;
    different--;
  };

  const reset = (): void => {
    buckets.fill(-1);
    for (let i = 0; i <= WORDS; i++) next[i] = i + 1;
    free = filled = oldest = different = sum = run = word = 0;
  };
  reset();

  return {
    beat: (at) => {
      const interval = (at - last) / perSecond;
      last = at;
      if (run === 0 || interval > LONGEST) {
        run = 1;
        return;
      }
      const symbol = interval * SYMBOL * FASTEST <= 60 ? FASTEST : Math.floor(60 / (SYMBOL * interval));
      word = ((word & 4095) << 6) | symbol;
      if (run < 3) {
        run++;
        return;
      }
      if (filled === WORDS) remove(window[oldest]);
      else filled++;
      window[oldest] = add(word);
      oldest = oldest + 1 === WORDS ? 0 : oldest + 1;
    },
    gap: () => {
      run = 0;
    },
    read: () => (filled < WORDS ? null : (different * sum) / (UNIT * WORDS)),
    progress: () => filled / WORDS,
    reset,
  };
}
