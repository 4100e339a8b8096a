/**
 * Reference beats for a pulse where nobody has annotated any: R peaks of the ECG beside it, where two detectors that have
 * nothing in common agree within 50 ms. Where they do not, from the agreed beat before to the one after, time is excluded.
 *
 * From R to the pulse is as long as a vessel is, and as a monitor takes to show it: one delay a recording and a detector,
 * fixed on the first minute, and never touched again.
 */
import { MATCH_WINDOW, type Score, scoreBeats } from "./score.ts";

/** Farthest that two detectors may be apart for one beat, s. */
const AGREEMENT = 0.05;
/** Nobody knows what a gap that long holds, s. */
const LONGEST_GAP = 3;
/** What the delay is fixed on, s, where it is looked for, and how finely. */
const LEARN = 60;
const EARLIEST = 0.1;
const LATEST = 1;
const STEP = 0.01;
/** Ends of excluded time belong to the beats there, s. */
const APART = 0.001;

export interface PulseReference {
  /** R peaks where the first detector has them, s. */
  readonly beats: readonly number[];
  /** Stretches between agreed beats, s, of the ECG's time. */
  readonly excluded: readonly (readonly [number, number])[];
  /** Their length until `until`, s. */
  readonly excludedTime: number;
  /** End of the recording, s. */
  readonly until: number;
}

/** Agreement of two detectors' R peaks, each in any order, s. The beats are the first one's, whose times may be the finer. */
export function agreedBeats(one: readonly number[], other: readonly number[], until: number): PulseReference {
  const a = one.toSorted((x, y) => x - y);
  const b = other.toSorted((x, y) => x - y);
  const beats: number[] = [];
  const excluded: [number, number][] = [];
  let before = 0;
  let doubtful = true;
  const agreed = (time: number) => {
    if (doubtful || time - before > LONGEST_GAP) excluded.push([before, time]);
    beats.push(time);
    before = time;
    doubtful = false;
  };
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const first = a[i] ?? Number.POSITIVE_INFINITY;
    const second = b[j] ?? Number.POSITIVE_INFINITY;
    const apart = Math.abs(first - second);
    if (apart <= AGREEMENT) {
      agreed(first);
      i++;
      j++;
      continue;
    }
    doubtful = true;
    if (first < second) i++;
    else j++;
  }
  if (doubtful || until - before > LONGEST_GAP) excluded.push([before, until]);
  const excludedTime = excluded.reduce((sum, [from, to]) => sum + Math.min(to, until) - Math.min(from, until), 0);
  return { beats, excluded, excludedTime, until };
}

/** Score of pulse beats against the reference `delay` s later. */
export function scorePulse(times: readonly number[], reference: PulseReference, delay: number): Score {
  const excluded = reference.excluded.map(([from, to]): [number, number] => [
    from === 0 ? Number.NEGATIVE_INFINITY : from + delay + APART,
    to >= reference.until ? Number.POSITIVE_INFINITY : to + delay - APART,
  ]);
  const expected = reference.beats.map((time) => time + delay);
  return scoreBeats(expected, times, { window: MATCH_WINDOW, until: reference.until, excluded });
}

/**
 * The delay from R to a detector's beat, s: of all in steps of 10 ms the one at which the beats of the first minute come
 * closest to their reference (each counts 1 where they meet, 0 from 150 ms on), the smallest of several; then the median of
 * what those that match are apart. 0 where none does.
 */
export function pulseDelay(times: readonly number[], reference: PulseReference): number {
  const beats = reference.beats.filter((time) => time < LEARN);
  const own = times.filter((time) => time < LEARN + LATEST).sort((a, b) => a - b);
  let best = 0;
  let most = 0;
  for (let step = 0; EARLIEST + step * STEP <= LATEST; step++) {
    const delay = EARLIEST + step * STEP;
    let closeness = 0;
    for (const apart of distances(beats, own, delay)) closeness += 1 - Math.abs(apart) / MATCH_WINDOW;
    if (closeness <= most) continue;
    most = closeness;
    best = delay;
  }
  const apart = distances(beats, own, best).sort((a, b) => a - b);
  return apart.length === 0 ? 0 : best + apart[apart.length >> 1]!;
}

/** From each beat plus `delay` to the nearest of `own`, both ascending, s, where it is within the window. */
function distances(beats: readonly number[], own: readonly number[], delay: number): number[] {
  const found: number[] = [];
  let k = 0;
  for (const beat of beats) {
    const expected = beat + delay;
    while (k + 1 < own.length && Math.abs(own[k + 1]! - expected) <= Math.abs(own[k]! - expected)) k++;
    const apart = (own[k] ?? Number.POSITIVE_INFINITY) - expected;
    if (Math.abs(apart) < MATCH_WINDOW) found.push(apart);
  }
  return found;
}
