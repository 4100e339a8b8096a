/** The times of what is stored: rows to a boot's timeline, a channel's blocks to UTC, an untimed boot between its neighbours. */
import { decodeRecord, openStored, type RecordClock } from "../record.ts";
import type { Store, StoredMessage } from "../store/store.ts";
import { BOARD_SLOPE, type Utc } from "./board-clock.ts";
import { createChannelClock } from "./channel-clock.ts";
import type { TimedRow, Timeline } from "./timeline.ts";

/** Where a tick was, us: an assumed delay bounds it from one side only (board-clock.ts, utcOf). */
export function intervalOfRecord({ utc, uncertainty, assumed }: RecordClock): { from: number; to: number } {
  return { from: utc - uncertainty, to: assumed ? utc : utc + uncertainty };
}

/** What a row says of its message's tick (ms since boot); arrivals are whole milliseconds, cut off. */
export function timedRow(row: Pick<StoredMessage, "record" | "received">, tick: number): TimedRow {
  const { clock } = decodeRecord(row.record);
  const arrived = (row.received + 1) * 1000;
  if (clock === null) return { board: tick * 1000, from: null, to: arrived, assumed: false };
  const { from, to } = intervalOfRecord(clock);
  return { board: tick * 1000, from, to: Math.min(to, arrived), assumed: clock.assumed };
}

export interface BlockTime {
  /** UTC of the first sample; the uncertainty is that of all samples. null: untimed. */
  readonly utc: Utc | null;
  /** From sample to sample, us of UTC; of the board's clock where that is not known. */
  readonly interval: number;
}

/** A block of a channel: `time` of its first sample by the board's clock, us; `nominal`: the interval that its birth declares, us, 0: none. */
export interface DatedBlock {
  readonly seg: number;
  readonly idx: number;
  readonly time: number;
  readonly n: number;
  readonly nominal: number;
}

/** Blocks behind the one that is dated which its line goes through, too: a reader knows what came next. */
const AHEAD = 8;

/** Times of a channel's blocks, which are in order of segment and index. */
export function blockTimes(blocks: readonly DatedBlock[], timeline: Timeline): BlockTime[] {
  let clock = createChannelClock(0);
  /** Blocks that the clock has taken. */
  let taken = 0;
  return blocks.map(({ seg, idx, n, nominal }, i) => {
    // a wave without a rate has no sampling clock
    if (nominal === 0) return { utc: null, interval: 0 };
    if (i >= taken && clock.nominal !== nominal) clock = createChannelClock(nominal);
    taken = Math.max(taken, i);
    for (; taken <= i + AHEAD && taken < blocks.length; taken++) {
      const next = blocks[taken];
      if (next.seg !== seg || next.nominal !== nominal) break;
      clock.add(next.seg, next.idx, next.time);
    }
    const [first, last] = [clock.at(idx)!, clock.at(idx + n - 1)!];
    const [begin, end] = [timeline.at(first.time), timeline.at(last.time)];
    const board = n > 1 ? (last.time - first.time) / (n - 1) : (clock.fit?.interval ?? nominal);
    if (begin === null || end === null) return { utc: null, interval: board };
    // us of the board's clock are within BOARD_SLOPE those of UTC
    const own = Math.max(first.uncertainty, last.uncertainty) * (1 + BOARD_SLOPE);
    const uncertainty = Math.max(begin.uncertainty, end.uncertainty) + own;
    return { utc: { utc: begin.utc, uncertainty }, interval: n > 1 ? (end.utc - begin.utc) / (n - 1) : board };
  });
}

/** Where an untimed boot lies, us since 1970; null: nothing bounds it there. */
export interface Between {
  readonly after: number | null;
  readonly before: number | null;
}

/**
 * Bounds of a boot of which nothing was ever live: after all that is dated of the nearest timed boot before it and the time
 * that its own births hint at, before the nearest timed boot after it was switched on and before its own last arrival.
 */
export function neighboursOf(store: Store, kid: Uint8Array, boot: number): Between {
  let after: number | null = null;
  let before: number | null = null;
  const later = (time: number) => {
    after = Math.max(after ?? time, time);
  };
  const earlier = (time: number) => {
    before = Math.min(before ?? time, time);
  };
  let arrived: number | null = null;
  for (const row of store.messages(kid, boot)) {
    if (row.space !== 0) continue;
    arrived = Math.max(arrived ?? 0, (row.received + 1) * 1000);
    const message = openStored(row);
    if (message.type === "birth" && message.hint !== null)
      later((message.hint.gatewayMs - message.hint.uncertaintyMs) * 1000);
  }
  if (arrived !== null) earlier(arrived);
  const numbers = store.boots(kid).map((row) => row.boot);
  const nearest = (candidates: number[], take: (row: TimedRow & { from: number }) => void) => {
    for (const number of candidates) {
      let found = false;
      for (const row of store.messages(kid, number)) {
        if (row.space !== 0) continue;
        const message = openStored(row);
        if (!("tick" in message)) continue;
        const timed = timedRow(row, message.tick);
        if (timed.from === null) continue;
        found = true;
        take({ ...timed, from: timed.from });
      }
      if (found) return;
    }
  };
  nearest(numbers.filter((number) => number < boot).reverse(), ({ from }) => later(from));
  // a boot began a tick before its tick, by a clock that may run fast
  nearest(
    numbers.filter((number) => number > boot),
    ({ board, to }) => earlier(to - board * (1 - BOARD_SLOPE)),
  );
  return { after, before };
}
