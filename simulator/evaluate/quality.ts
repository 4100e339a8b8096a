/**
 * Signal quality, by windows of 10 s: does it tell windows in which a beat is missed or false from those in which none is?
 */
import type { Shown } from "./heart.ts";
import type { ReferenceBeats } from "./reference.ts";
import { areaUnderCurve } from "./roc.ts";
import { gross, type Score, scoreBeats } from "./score.ts";

/** s */
const WINDOW = 10;
/** Percent: from here on a window counts as good. */
export const GOOD = 50;

/** One window: its quality, 0 to 100, and the beats in it. */
export interface QualityWindow {
  readonly quality: number;
  readonly score: Score;
}

export interface QualityFigures {
  /** Chance that a window without a wrong beat has the higher quality than one with some, 4 decimals. */
  readonly auc: number | null;
  readonly windows: number;
  /** Of these, with a missed or false beat. */
  readonly wrong: number;
  /** Windows of GOOD and better, percent, and the detection error rate in all windows and in these, percent. */
  readonly good: number | null;
  readonly der: number | null;
  readonly derWhereGood: number | null;
}

/** Windows of one record that have a quality, but for those with ventricular flutter. */
export function qualityWindows(
  own: readonly number[],
  shown: readonly Shown[],
  { beats, excluded }: Pick<ReferenceBeats, "beats" | "excluded">,
  until: number,
): QualityWindow[] {
  const found: QualityWindow[] = [];
  const near = [beats, own.toSorted((a, b) => a - b)].map(between);
  let next = 0;
  for (let from = 0; from + WINDOW < until; from += WINDOW) {
    const to = from + WINDOW;
    // the window is told once it is over
    while (next < shown.length && shown[next]!.time < to + 0.5) next++;
    const quality = shown[next]?.quality ?? null;
    const [reference, ours] = near.map((times) => times(from - 1, to + 1)) as [number[], number[]];
    if (quality === null || excluded.some(([start, end]) => start < to && end > from)) continue;
    // from here on, less from the end on: what matches across an edge is no error on either side
    const score = scoreBeats(reference, ours, { from });
    const after = scoreBeats(reference, ours, { from: to });
    for (const part of ["beats", "tp", "fn", "fp"] as const) score[part] -= after[part];
    found.push({ quality, score });
  }
  return found;
}

/** Gives what of ascending times lies in [from, to]; `from` must not go back. */
function between(times: readonly number[]): (from: number, to: number) => number[] {
  let first = 0;
  return (from, to) => {
    while (first < times.length && times[first]! < from) first++;
    let end = first;
    while (end < times.length && times[end]! <= to) end++;
    return times.slice(first, end);
  };
}

export function qualityFigures(windows: readonly QualityWindow[]): QualityFigures {
  const isWrong = ({ score }: QualityWindow) => score.fn + score.fp > 0;
  const right = windows.filter((one) => !isWrong(one)).map(({ quality }) => quality);
  const wrong = windows.filter(isWrong).map(({ quality }) => quality);
  const good = windows.filter(({ quality }) => quality >= GOOD);
  const auc = areaUnderCurve(right, wrong);
  return {
    auc: auc === null ? null : Math.round(auc * 1e4) / 1e4,
    windows: windows.length,
    wrong: wrong.length,
    good: windows.length === 0 ? null : Math.round((good.length / windows.length) * 1e5) / 1e3,
    der: gross(windows.map(({ score }) => score)).der,
    derWhereGood: gross(good.map(({ score }) => score)).der,
  };
}
