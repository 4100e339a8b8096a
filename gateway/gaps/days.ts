/** Parts of a boot by days of UTC. */
import { type Timeline, timelineOf } from "../clock/timeline.ts";
import type { BootParts, Part } from "./boot.ts";

/** Of a day in UTC, "2027-01-15"; null: the boot is untimed. */
export interface DayPart extends Part {
  readonly day: string | null;
}

/** us. */
const DAY = 86_400e6;
/** A board's clock that says more is not believed: then the boot has no day. */
const MOST_DAYS = 4000;
/** The board's clock runs within 200 ppm of UTC: each step leaves so little of the error. */
const STEPS = 4;

export interface Days {
  split(part: Part): DayPart[];
  /** us of the board's clock in ms since the epoch; null: untimed. */
  utc(board: number): number | null;
}

/** The days of a boot between two moments of its clock, us. */
export function createDays({ times }: Pick<BootParts, "times">, from: number, to: number): Days {
  const timeline = timelineOf(times);
  const midnights = midnightsOf(timeline, from, to);
  const utc = (board: number) => {
    const at = timeline.at(board);
    return at === null ? null : at.utc / 1000;
  };
  return {
    utc: midnights === null ? () => null : utc,
    split(part) {
      if (midnights === null) return [{ ...part, day: null }];
      const pieces: DayPart[] = [];
      let begin = part.from;
      for (const { board, day } of midnights) {
        if (board <= begin && board < part.to) continue;
        // what is uncertain of a part is uncertain at its end
        const isLast = board >= part.to;
        const end = isLast ? part.to : board;
        pieces.push({ ...part, from: begin, to: end, uncertain: isLast ? part.uncertain : 0, day });
        if (isLast) break;
        begin = board;
      }
      return pieces;
    },
  };
}

/** The ends of the days on the board's clock, each with the name of its day; the last one is beyond `to`. */
function midnightsOf(timeline: Timeline, from: number, to: number): { board: number; day: string }[] | null {
  const [first, last] = [timeline.at(from), timeline.at(to)];
  if (first === null || last === null || !(last.utc - first.utc < MOST_DAYS * DAY)) return null;
  const ends: { board: number; day: string }[] = [];
  for (let day = Math.floor(first.utc / DAY); day <= Math.floor(last.utc / DAY); day++) {
    const midnight = (day + 1) * DAY;
    let board: number | null = midnight - first.utc + from;
    for (let i = 0; i < STEPS && board !== null; i++) {
      const at = timeline.at(board);
      board = at === null ? null : board + midnight - at.utc;
    }
    if (board === null || !Number.isSafeInteger(midnight / 1000)) return null;
    ends.push({ board, day: new Date(day * (DAY / 1000)).toISOString().slice(0, 10) });
  }
  ends[ends.length - 1]!.board = Number.POSITIVE_INFINITY;
  return ends;
}
