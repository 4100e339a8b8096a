/**
 * Beat-by-beat scoring after ANSI/AAMI EC57: one detection matches one reference beat within 150 ms. Pure; times in
 * seconds. The pairing rule is that of EC57's comparator (bxb of the WFDB Applications Guide), where equal distances pair.
 */

/** EC57: widest distance of a match, s. */
export const MATCH_WINDOW = 0.15;
/** EC57: the first five minutes are for learning, s. */
export const LEARNING_TIME = 300;

const ROUNDING = 1e-9; // s; sample numbers over rates are not exact, and 150 ms sharp counts

export interface ScoreOptions {
  /** Widest distance of a match, s; MATCH_WINDOW where absent. */
  readonly window?: number;
  /** Nothing before this time counts, s. */
  readonly from?: number;
  /** Nothing from this time on counts, s. */
  readonly until?: number;
  /** Stretches [start, end], both included, s: reference beats and unmatched detections inside do not count. */
  readonly excluded?: readonly (readonly [number, number])[];
}

/** Reference beats that remain, those found, those missed, and detections without a beat. beats = tp + fn. */
export interface Score {
  beats: number;
  tp: number;
  fn: number;
  fp: number;
}

/** Percent with 3 decimals; null where nothing could be counted (no beats, or no detections). */
export interface Statistics {
  /** Sensitivity tp / (tp + fn). */
  readonly se: number | null;
  /** Positive predictivity tp / (tp + fp). */
  readonly ppv: number | null;
  /** Detection error rate (fn + fp) / (tp + fn). */
  readonly der: number | null;
}

const sorted = (times: readonly number[]) => Float64Array.from(times).sort();

/**
 * Matches detections to reference beats one to one, in order of time, whatever order they come in.
 * Going through both in time: the earlier of the two heads is paired with the other where they lie within the window
 * and no neighbour suits better, and is missed (or false) otherwise. A pair counts where its reference beat counts; so a
 * detection just outside an excluded stretch, or before `from`, can still match a beat that counts, and the other way
 * round is no false detection. Throws Error for a time that is not a number.
 */
export function scoreBeats(
  reference: readonly number[],
  detected: readonly number[],
  options: ScoreOptions = {},
): Score {
  const {
    window = MATCH_WINDOW,
    from = Number.NEGATIVE_INFINITY,
    until = Number.POSITIVE_INFINITY,
    excluded = [],
  } = options;
  for (const times of [reference, detected]) {
    const at = times.findIndex((time) => !Number.isFinite(time));
    if (at >= 0) throw new Error(`beat ${at} of ${times.length}: time ${times[at]} is not a number of seconds`);
  }
  const inside = (time: number) => excluded.some(([start, end]) => time >= start && time <= end);
  const beats = sorted(reference.filter((time) => !inside(time) && time < until));
  const found = sorted(detected);
  const score: Score = { beats: 0, tp: 0, fn: 0, fp: 0 };
  const distance = (beat: number, detection: number) =>
    beat < beats.length && detection < found.length
      ? Math.abs(beats[beat]! - found[detection]!)
      : Number.POSITIVE_INFINITY;
  let b = 0;
  let d = 0;
  while (b < beats.length || d < found.length) {
    const beatFirst = d >= found.length || (b < beats.length && beats[b]! <= found[d]!);
    const apart = distance(b, d);
    // The pair that the later head would make with the next one of the other kind, unless that one has a closer partner.
    const rival = beatFirst ? distance(b + 1, d) : distance(b, d + 1);
    if (apart <= window + ROUNDING && (apart <= rival + ROUNDING || distance(b + 1, d + 1) < rival)) {
      if (beats[b]! >= from) score.tp++;
      b++;
      d++;
    } else if (beatFirst) {
      if (beats[b]! >= from) score.fn++;
      b++;
    } else {
      const time = found[d]!;
      if (time >= from && time < until && !inside(time)) score.fp++;
      d++;
    }
  }
  score.beats = score.tp + score.fn;
  return score;
}

const percent = (part: number, whole: number) => (whole === 0 ? null : Math.round((part / whole) * 1e5) / 1e3);

/** Se, +P and DER of one score. */
export function statistics({ beats, tp, fn, fp }: Score): Statistics {
  return { se: percent(tp, beats), ppv: percent(tp, tp + fp), der: percent(fn + fp, beats) };
}

/** Gross statistics: of the counts of all records together, so long records weigh more. */
export function gross(scores: readonly Score[]): Statistics {
  const sum: Score = { beats: 0, tp: 0, fn: 0, fp: 0 };
  for (const score of scores) {
    sum.beats += score.beats;
    sum.tp += score.tp;
    sum.fn += score.fn;
    sum.fp += score.fp;
  }
  return statistics(sum);
}

/** Average statistics: the unweighted mean over the records that have a value. */
export function average(scores: readonly Score[]): Statistics {
  const mean = (pick: (score: Score) => [number, number]) => {
    const ratios = scores.map(pick).filter(([, whole]) => whole > 0);
    return percent(
      ratios.reduce((sum, [part, whole]) => sum + part / whole, 0),
      ratios.length,
    );
  };
  return {
    se: mean(({ tp, beats }) => [tp, beats]),
    ppv: mean(({ tp, fp }) => [tp, tp + fp]),
    der: mean(({ fn, fp, beats }) => [fn + fp, beats]),
  };
}
