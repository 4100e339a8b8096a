/** A boot's time as its stored rows tell it: what each row said of its own tick, and what they say together. */

import { BOARD_SLOPE, BOARD_WANDER, type Utc, utcOf } from "./board-clock.ts";
import { createBounds } from "./bounds.ts";

/** One row: its tick in us, and the interval of UTC us in which it was; `from` null: nothing was known but its arrival. */
export interface TimedRow {
  readonly board: number;
  readonly from: number | null;
  readonly to: number;
  /** `from` rests on an assumed delay. */
  readonly assumed: boolean;
}

/** A stretch of board time in UTC, as far as it is known. */
export interface Timeline {
  /** Board time (us) in UTC; null: nothing bounds it from both sides. */
  at(board: number): Utc | null;
}

/** Bounds of a side that are kept: those of weeks. */
const CAPACITY = 1 << 20;

/**
 * A boot's time by its rows, in the order in which they were stored. A row that contradicts those before it begins another
 * time: the gateway's clock was set. The boot's is the one with the most rows; the board's clock goes on through all.
 */
export function timelineOf(rows: readonly TimedRow[]): Timeline {
  const all: ReturnType<typeof createTimeline>[] = [];
  for (const row of rows) {
    if (all.at(-1)?.add(row) === true) continue;
    const next = createTimeline(row);
    next.add(row);
    all.push(next);
  }
  const timed = all.filter((one) => one.bounded > 0).sort((a, b) => b.bounded - a.bounded);
  return timed[0] ?? { at: () => null };
}

function createTimeline(first: TimedRow) {
  const base = first.to - first.board;
  const bounds = createBounds({ slope: BOARD_SLOPE, wander: BOARD_WANDER, capacity: CAPACITY });
  let bounded = 0;
  let measured = 0;
  return {
    /** Rows that were bounded from both sides. */
    get bounded() {
      return bounded;
    },
    add({ board, from, to, assumed }: TimedRow): boolean {
      const high = to - board - base;
      const low = from === null ? null : from - board - base;
      const region = bounds.uppers === 0 ? null : bounds.at(board);
      if (region !== null && (high < region.low || (low !== null && low > region.high))) return false;
      bounds.upper(board, high);
      if (low !== null) {
        bounds.lower(board, low);
        bounded++;
        if (!assumed) measured++;
      }
      return true;
    },
    at(board: number): Utc | null {
      const region = bounds.lowers === 0 ? null : bounds.at(board);
      return region === null ? null : utcOf(region, base + board, measured === 0);
    },
  };
}
