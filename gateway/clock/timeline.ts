/** A boot's time as its stored rows tell it: what each row said of its own tick, and what they say together. */

import { BOARD_SLOPE, BOARD_WANDER } from "./board-clock.ts";
import { createBounds } from "./bounds.ts";

/** One row: its tick in us, and the interval of UTC us in which it was; `from` null: nothing was known but its arrival. */
export interface TimedRow {
  readonly board: number;
  readonly from: number | null;
  readonly to: number;
}

/** An instant in UTC. */
export interface Utc {
  /** us since 1970. */
  readonly utc: number;
  /** Half width, us. */
  readonly uncertainty: number;
}

/** Rows that agree with one another. */
export interface Timeline {
  /** Board time (us) in UTC; null: none of its rows was bounded from both sides. */
  at(board: number): Utc | null;
}

/** Bounds of a side that are kept: those of weeks. */
const CAPACITY = 1 << 20;

/**
 * Timelines of a boot, and which of them each row is in. A row that contradicts those before it begins another one: the
 * gateway's clock was set. Rows in the order in which they were stored.
 */
export function timelinesOf(rows: readonly TimedRow[]): readonly Timeline[] {
  const ofRow: Timeline[] = [];
  let current: ReturnType<typeof createTimeline> | null = null;
  for (const row of rows) {
    if (current === null || !current.add(row)) {
      current = createTimeline(row);
      current.add(row);
    }
    ofRow.push(current);
  }
  return ofRow;
}

function createTimeline(first: TimedRow): Timeline & { add(row: TimedRow): boolean } {
  const base = first.to - first.board;
  const bounds = createBounds({ slope: BOARD_SLOPE, wander: BOARD_WANDER, capacity: CAPACITY });
  return {
    add({ board, from, to }) {
      const high = to - board - base;
      const low = from === null ? null : from - board - base;
      const region = bounds.uppers === 0 ? null : bounds.at(board);
      if (region !== null && (high < region.low || (low !== null && low > region.high))) return false;
      bounds.upper(board, high);
      if (low !== null) bounds.lower(board, low);
      return true;
    },
    at(board) {
      if (bounds.lowers === 0) return null;
      const region = bounds.at(board);
      if (region === null) return null;
      return { utc: base + board + (region.low + region.high) / 2, uncertainty: (region.high - region.low) / 2 };
    },
  };
}
