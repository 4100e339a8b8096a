/**
 * What a board has sealed and will never send: remembered until event 8 has told it (PROTOCOL.md section 2.4), over reboots
 * too. A run may cover messages that are settled, never one that still waits when it is told: what is stored stays stored.
 * Device side.
 */
import type { Storage } from "../boards/board.ts";
import { type Cbor, decode, encode } from "../protocol/cbor.ts";
import { type AckMessage, DISOWNED_POWER, type Disowned } from "../protocol/messages.ts";
import { hasBit, type Level } from "./acks.ts";

/** Messages of one boot with consecutive seqs, and why they went. */
export interface Run extends Pick<Disowned, "boot" | "reason" | "end"> {
  readonly first: number;
  /** Included; MAX_SEQ: whatever there was. */
  readonly last: number;
}

export const MAX_SEQ = 4294967295;
/** Record [boot, ended, within, signed, runs, levels]. */
export const OUTBOX_RECORD = "outbox";
/** Runs that are kept over a reboot: a record has to fit in a page of flash. Only boots that went by the hundred make more. */
const MOST_KEPT = 100;

/** What the outbox keeps of itself over a reboot. */
export interface OutboxState {
  readonly boot: number;
  /** Nothing was sealed in that boot after this was written, and nothing that waited was in RAM alone. */
  readonly ended: boolean;
  /** A boot that does not end cleanly lives less than this long after its last record, ms; null: it keeps no log. */
  readonly within: number | null;
  /** The newest boot whose remains are signed. */
  readonly signed: number;
  readonly runs: readonly Run[];
  /** How far boots are settled, as far as an ack has told it. */
  readonly levels: readonly Level[];
}

const isWhole = (value: Cbor | undefined): value is number => typeof value === "number" && value >= 0;

const runOf = (item: Cbor): Run | null => {
  if (!Array.isArray(item) || item.length !== 6) return null;
  const boot = item[0];
  const first = item[1];
  const last = item[2];
  const reason = item[3];
  if (!isWhole(boot) || !isWhole(first) || !isWhole(last) || !isWhole(reason)) return null;
  const tick = item[4];
  const within = item[5];
  const end = isWhole(tick) && isWhole(within) ? { tick: tick, within: within } : null;
  return { boot: boot, first: first, last: last, reason: reason, end: end };
};

const itemOf = (run: Run): Cbor => {
  const end = run.end;
  return [run.boot, run.first, run.last, run.reason, end === null ? null : end.tick, end === null ? null : end.within];
};

/** A run as bytes, 64 at most. */
export const encodeRun = (run: Run): Uint8Array => encode(itemOf(run));

/** null: it is none. */
export function decodeRun(bytes: Uint8Array): Run | null {
  try {
    return runOf(decode(bytes));
  } catch (_error) {
    return null;
  }
}

/** null: nothing was kept. Throws Error where it is damaged: what was lost is not known then. */
export function readOutboxState(storage: Storage): OutboxState | null {
  const bytes = storage.read(OUTBOX_RECORD);
  if (bytes === undefined) return null;
  try {
    const items = decode(bytes);
    if (!Array.isArray(items) || items.length !== 6) throw new Error("not six items");
    const boot = items[0];
    const signed = items[3];
    const list = items[4];
    const pairs = items[5];
    if (!isWhole(boot) || !isWhole(signed) || !Array.isArray(list) || !Array.isArray(pairs))
      throw new Error("not its items");
    const runs: Run[] = [];
    for (let i = 0; i < list.length; i++) {
      const run = runOf(list[i]);
      if (run === null) throw new Error(`run ${i} is none`);
      runs.push(run);
    }
    const levels: Level[] = [];
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const settled = pairs[i];
      const next = pairs[i + 1];
      if (!isWhole(settled) || !isWhole(next)) throw new Error(`level ${i / 2} is none`);
      levels.push({ boot: settled, next: next });
    }
    const within = isWhole(items[2]) ? items[2] : null;
    return { boot: boot, ended: items[1] === 1, within: within, signed: signed, runs: runs, levels: levels };
  } catch (error) {
    throw new Error(
      `storage "${OUTBOX_RECORD}": damaged (${(error as Error).message}); erase it, and say what is missing`,
    );
  }
}

export function writeOutboxState(storage: Storage, state: OutboxState): void {
  const runs: Cbor[] = [];
  for (let i = Math.max(0, state.runs.length - MOST_KEPT); i < state.runs.length; i++) runs.push(itemOf(state.runs[i]));
  const levels: Cbor[] = [];
  for (let i = 0; i < state.levels.length; i++) {
    levels.push(state.levels[i].boot);
    levels.push(state.levels[i].next);
  }
  storage.write(OUTBOX_RECORD, encode([state.boot, state.ended ? 1 : 0, state.within, state.signed, runs, levels]));
}

/** The two runs of one boot and reason that lie nearest to each other as one; where there are no two, all stay. */
function joinNearest(runs: readonly Run[]): Run[] {
  let one = -1;
  let other = -1;
  let least = MAX_SEQ + 1;
  for (let i = 0; i < runs.length; i++) {
    for (let j = 0; j < runs.length; j++) {
      const distance = runs[j].first - runs[i].last;
      if (i === j || runs[i].boot !== runs[j].boot || runs[i].reason !== runs[j].reason) continue;
      if (distance <= 0 || distance >= least) continue;
      least = distance;
      one = i;
      other = j;
    }
  }
  if (one < 0) return runs.concat();
  const joined = Object.assign({}, runs[one], { last: runs[other].last });
  return runs.filter((_run, i) => i !== one && i !== other).concat([joined]);
}

/** Adds a run to a list, joined with those of its boot and reason that it touches; above `most` the nearest two are joined. */
export function addRun(runs: readonly Run[], added: Run, most: number): Run[] {
  const others: Run[] = [];
  let first = added.first;
  let last = added.last;
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i];
    const same = run.boot === added.boot && run.reason === added.reason;
    if (same && run.first <= last + 1 && run.last >= first - 1) {
      first = Math.min(first, run.first);
      last = Math.max(last, run.last);
    } else others.push(run);
  }
  others.push({ boot: added.boot, first: first, last: last, reason: added.reason, end: added.end });
  return others.length > most ? joinNearest(others) : others;
}

/** What of a run the ack does not say to be there. */
const unsettledOf = (run: Run, ack: AckMessage): Run[] => {
  const left: Run[] = [];
  const piece = (from: number, to: number): void => {
    if (from <= to) left.push(Object.assign({}, run, { first: from, last: to }));
  };
  let first = Math.max(run.first, ack.next);
  // what is open to the end stays whole: it says more than which messages are missing
  const end = run.reason === DISOWNED_POWER ? -1 : Math.min(run.last, ack.next + 8 * ack.bitmap.length);
  for (let seq = first; seq <= end; seq++) {
    if (!hasBit(seq, ack)) continue;
    piece(first, seq - 1);
    first = seq + 1;
  }
  piece(first, run.last);
  return left;
};

/** What of a list the ack does not say to be there: it was sent before it went. */
export function unsettledRuns(runs: readonly Run[], ack: AckMessage): Run[] {
  let left: Run[] = [];
  for (let i = 0; i < runs.length; i++)
    left = left.concat(runs[i].boot === ack.ofBoot ? unsettledOf(runs[i], ack) : [runs[i]]);
  return left;
}
