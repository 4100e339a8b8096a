/**
 * Pauses, bradycardia and tachycardia held against reference beats.
 *
 * A pause is an RR interval of 3 s or more outside ventricular flutter; a pause of ours is the reference's where they share
 * more than half of the longer one. Bradycardia (below 50 a minute) and tachycardia (above 100) are scored by seconds: those in
 * which the reference beats of the 10 s before have such a rate. `beats`: the same by own beats. `shown`: the state of the
 * rhythm that ships, delay included; since it lasts until 52 and 98 a minute, seconds up to there are not false.
 */
import { RHYTHM_BRADYCARDIA, RHYTHM_PAUSE, RHYTHM_TACHYCARDIA } from "../../firmware/dsp/rhythm.ts";
import type { Episode } from "./heart.ts";
import type { RateSecond } from "./heart-rate.ts";
import type { ReferenceBeats } from "./reference.ts";
import { gross, type Score } from "./score.ts";

export const PAUSE = 3; // s
export const SLOW = 50; // beats/min
export const FAST = 100;
const NO_LONGER_SLOW = 52;
const NO_LONGER_FAST = 98;

/** Counts of events or seconds: as for beats. */
export interface EventScores {
  readonly pause: Score;
  readonly bradycardia: { readonly beats: Score; readonly shown: Score };
  readonly tachycardia: { readonly beats: Score; readonly shown: Score };
}

/** `reference`: how many events or seconds there are. Percent; null where nothing could be counted. */
export interface EventFigures {
  readonly se: number | null;
  readonly ppv: number | null;
  readonly reference: number;
}

export interface RhythmEvents {
  readonly pause: EventFigures;
  readonly bradycardia: { readonly beats: EventFigures; readonly shown: EventFigures };
  readonly tachycardia: { readonly beats: EventFigures; readonly shown: EventFigures };
}

type Stretch = readonly [number, number];

const shared = ([a, b]: Stretch, [c, d]: Stretch) => Math.max(0, Math.min(b, d) - Math.max(a, c));

function scorePauses(reference: readonly Stretch[], found: readonly Stretch[]): Score {
  const isSame = (one: Stretch, other: Stretch) =>
    shared(one, other) > Math.max(one[1] - one[0], other[1] - other[0]) / 2;
  const tp = reference.filter((one) => found.some((other) => isSame(one, other))).length;
  return { beats: reference.length, tp, fn: reference.length - tp, fp: found.length - tp };
}

/** `isTrue` and `isFalse`: of the reference's rate; what is neither does not count. */
function scoreSeconds(
  seconds: readonly RateSecond[],
  isTrue: (rate: number) => boolean,
  isFalse: (rate: number) => boolean,
  said: (second: RateSecond) => boolean,
): Score {
  const score: Score = { beats: 0, tp: 0, fn: 0, fp: 0 };
  for (const second of seconds) {
    if (isTrue(second.reference)) {
      score.beats++;
      if (said(second)) score.tp++;
      else score.fn++;
    } else if (isFalse(second.reference) && said(second)) score.fp++;
  }
  return score;
}

/** Scores of one record; nothing from `until` (s) on counts. */
export function scoreEvents(
  seconds: readonly RateSecond[],
  episodes: readonly Episode[],
  { beats, excluded }: Pick<ReferenceBeats, "beats" | "excluded">,
  until: number,
): EventScores {
  const counts = (one: Stretch) => one[1] < until && !excluded.some((other) => shared(one, other) > 0);
  const of = (state: number) =>
    episodes.filter((one) => one.state === state).map(({ onset, end }): Stretch => [onset, end]);
  const intervals = beats.slice(1).map((time, k): Stretch => [beats[k]!, time]);
  const isPause = ([from, to]: Stretch) => to - from >= PAUSE;
  const rates = (state: number, is: (rate: number) => boolean, mayLast: (rate: number) => boolean) => {
    const stretches = of(state);
    const isOn = (time: number) => stretches.some(([from, to]) => from <= time && time < to);
    return {
      beats: scoreSeconds(
        seconds,
        is,
        (rate) => !is(rate),
        ({ own }) => own !== null && is(own),
      ),
      shown: scoreSeconds(
        seconds,
        is,
        (rate) => !mayLast(rate),
        ({ time }) => isOn(time),
      ),
    };
  };
  return {
    pause: scorePauses(
      intervals.filter((one) => isPause(one) && counts(one)),
      of(RHYTHM_PAUSE).filter(counts),
    ),
    bradycardia: rates(
      RHYTHM_BRADYCARDIA,
      (rate) => rate < SLOW,
      (rate) => rate < NO_LONGER_SLOW,
    ),
    tachycardia: rates(
      RHYTHM_TACHYCARDIA,
      (rate) => rate > FAST,
      (rate) => rate > NO_LONGER_FAST,
    ),
  };
}

/** Figures over all records together. */
export function eventFigures(records: readonly EventScores[]): RhythmEvents {
  const figures = (scores: readonly Score[]): EventFigures => {
    const { se, ppv } = gross(scores);
    return { se, ppv, reference: scores.reduce((sum, { beats }) => sum + beats, 0) };
  };
  const both = (which: "bradycardia" | "tachycardia") => ({
    beats: figures(records.map((one) => one[which].beats)),
    shown: figures(records.map((one) => one[which].shown)),
  });
  return {
    pause: figures(records.map(({ pause }) => pause)),
    bradycardia: both("bradycardia"),
    tachycardia: both("tachycardia"),
  };
}
