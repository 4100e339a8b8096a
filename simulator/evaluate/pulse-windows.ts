/** Which of the last 10 s hold a missed or a false pulse: what quality is held against. */
import { PULSE_WINDOW, type PulseSecond } from "./pulse-rates.ts";
import type { PulseReference } from "./pulse-reference.ts";
import type { QualityWindow } from "./quality.ts";
import { type Score, scoreBeats } from "./score.ts";

/** A beat may be known only this much later, s: those of the last half second do not count yet. */
const PATIENCE = 0.5;
/** What lies this near to an edge may match across it, s. */
const MARGIN = 1;

/**
 * The window before every `step`-th second that has a quality and no time without a reference. `times`: own beats, ascending, s;
 * the reference comes `delay` s before them.
 */
export function pulseWindows(
  times: readonly number[],
  delay: number,
  seconds: readonly PulseSecond[],
  reference: Pick<PulseReference, "beats" | "excluded">,
  step: number,
): QualityWindow[] {
  const found: QualityWindow[] = [];
  const expected = reference.beats.map((beat) => beat + delay);
  const near = (all: readonly number[], from: number, to: number) =>
    all.filter((time) => time > from - MARGIN && time < to + MARGIN);
  for (const { time, quality } of seconds) {
    if (quality === null || time % step !== 0) continue;
    const [from, to] = [time - PULSE_WINDOW, time - PATIENCE];
    if (reference.excluded.some(([start, end]) => start + delay < to && end + delay > from)) continue;
    const [beats, own] = [near(expected, from, to), near(times, from, to)];
    // from here on, less from the end on: what matches across an edge is no error on either side
    const score: Score = scoreBeats(beats, own, { from });
    const after = scoreBeats(beats, own, { from: to });
    for (const part of ["beats", "tp", "fn", "fp"] as const) score[part] -= after[part];
    found.push({ quality, score });
  }
  return found;
}
