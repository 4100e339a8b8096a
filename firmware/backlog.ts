/**
 * The outbox's log as its owner sees it: what waits there and is not in RAM, in the order of backfill.ts; what earlier boots left;
 * that the board is alive. Device side.
 */
import type { Board } from "../boards/board.ts";
import { DISOWNED_DAMAGED, DISOWNED_EVICTED } from "../protocol/messages.ts";
import type { Marks } from "./acks.ts";
import { type Backfill, createBackfill } from "./backfill.ts";
import { MARK, PAGE_HEADER, REST, type RecordHeader, WAVES } from "./flash-log/format.ts";
import { type FlashLog, type Found, openFlashLog, RESERVE } from "./flash-log/log.ts";
import { decodeRun, MAX_SEQ, type Run } from "./gone.ts";
import type { About, Kind, LogSettings, Sealed } from "./outbox-types.ts";

export interface BacklogOptions {
  readonly board: Pick<Board, "now" | "timer">;
  /** The current one. */
  readonly boot: number;
  readonly settings: LogSettings;
  /** A message's kind in the log is its place here, and 1. */
  readonly kinds: readonly Kind[];
  readonly marks: Marks;
  readonly inRam: () => readonly Sealed[];
  /** The first seq of this boot that a power cut now would lose: all before it are settled, or in the log. */
  readonly safe: () => number;
  /** Messages that nobody will send: what of it is to be remembered must be durable when this returns. */
  readonly onLost: (runs: readonly Run[], addresses: readonly number[]) => void;
  readonly onFailed: (error: Error) => void;
}

/** A message that can be read into RAM. */
export interface Left {
  readonly kind: Kind;
  readonly boot: number;
  readonly seq: number;
  /** Bytes, what stands beside it included. */
  readonly length: number;
  readonly address: number;
  about(): About;
}

/** A message of an earlier boot that no manifest lists. */
export interface Remains {
  readonly boot: number;
  readonly seq: number;
  readonly hash: Uint8Array;
}

export interface Backlog extends Pick<Backfill, "rewind" | "restart" | "settled"> {
  readonly log: FlashLog;
  /** A boot that does not end cleanly lives less than this long after its last record, ms. */
  readonly within: number;
  /** Bytes that it can hold of records, and a page of it: none lies in two. */
  readonly room: number;
  readonly page: number;
  /** Highest seq of an earlier boot that is in the log, and when it wrote last, tenths of a second; null: nothing is. */
  lastOf(boot: number): { readonly seq: number; readonly at: number } | null;
  /** The next message that is not in RAM; again the same until it is there. null: there is none, or it is looked for further on at the next call. */
  next(): Left | null;
  /** null: it is damaged, and lost. */
  read(left: Left): Uint8Array | null;
  /** A record was written: that is a sign of life. */
  wrote(): void;
  /** What boots after `signed` left unsigned, 240 messages of each at most, in order. */
  remains(signed: number): Remains[];
  stop(): void;
}

interface Earlier {
  readonly boot: number;
  seq: number;
  at: number;
  /** Highest seq of a manifest; -1: none. */
  manifest: number;
}

/** What a sign of life may come late, ms: an erasure is under way. */
const LATE = 1000;
/** Hashes in a manifest (CDDL). */
const MOST_REMAINS = 240;

/** Opens the log. Throws Error where it is too small, or of a boot that is not over yet: the storage is older than the log. */
export function createBacklog(options: BacklogOptions): Backlog {
  const board = options.board;
  const settings = options.settings;
  const kinds = options.kinds;
  const earlier: Earlier[] = [];
  let found: Found | null = null;
  let wroteAt = board.now();
  let cancel = (): void => {};

  const kindOf = (header: RecordHeader): Kind => kinds[header.kind - 1];
  const note = (header: RecordHeader): void => {
    let one: Earlier | undefined;
    for (let i = 0; i < earlier.length; i++) if (earlier[i].boot === header.boot) one = earlier[i];
    if (one === undefined) {
      one = { boot: header.boot, seq: -1, at: 0, manifest: -1 };
      earlier.push(one);
    }
    one.at = Math.max(one.at, header.at);
    one.seq = Math.max(one.seq, header.kind === MARK ? header.seq - 1 : header.seq);
    const kind = header.kind === MARK ? null : kindOf(header);
    if (kind === "manifest" || kind === "data-manifest") one.manifest = Math.max(one.manifest, header.seq);
  };
  const tellsOf = (one: Found): Run | null => {
    // most tell nothing, and the whole message would be read to hear that
    if (one.header.extras < 2) return null;
    const extras = log.extras(one);
    return extras === null || extras.tells === null ? null : decodeRun(extras.tells);
  };
  const lose = (lost: readonly Found[], reason: number): void => {
    const runs: Run[] = [];
    const addresses: number[] = [];
    for (let i = 0; i < lost.length; i++) {
      const header = lost[i].header;
      runs.push({ boot: header.boot, first: header.seq, last: header.seq, reason: reason, end: null });
      addresses.push(lost[i].address);
      const told = tellsOf(lost[i]);
      if (told !== null) runs.push(told);
    }
    options.onLost(runs, addresses);
  };
  const log = openFlashLog({
    flash: settings.flash,
    timer: (ms, callback) => board.timer(ms, callback),
    now: () => Math.floor(board.now() / 100000),
    streamOf: (kind) => (kinds[kind - 1] === "data" || kinds[kind - 1] === "data-manifest" ? WAVES : REST),
    keeps: (header) =>
      kindOf(header) === "birth" &&
      (header.boot === options.boot || log.lowest(header.boot, header.seq + 1, MAX_SEQ) !== null),
    onFound: (one) => note(one.header),
    onEvicted: (gone) => lose(gone, DISOWNED_EVICTED),
    onMoved(from, to) {
      const waiting = options.inRam();
      for (let i = 0; i < waiting.length; i++) if (waiting[i].address === from) waiting[i].address = to;
    },
    onFailed(error) {
      cancel();
      options.onFailed(error);
    },
  });
  for (let i = 0; i < earlier.length; i++) {
    if (earlier[i].boot >= options.boot)
      throw new Error(
        `outbox: its log is of boot ${earlier[i].boot}, this is boot ${options.boot}: an old storage image; make a new key`,
      );
  }
  const alive = (): void => {
    let age = (board.now() - wroteAt) / 1000;
    // a clock of fractions must not make it one ms too early
    if (age > settings.markEvery - 1) {
      log.mark(options.boot, options.safe());
      wroteAt = board.now();
      age = 0;
    }
    cancel = board.timer(settings.markEvery - age, alive);
  };
  cancel = board.timer(settings.markEvery, alive);

  const isInRam = (address: number): boolean => {
    const waiting = options.inRam();
    for (let i = 0; i < waiting.length; i++) if (waiting[i].address === address) return true;
    return false;
  };
  const backfill = createBackfill({
    log: log,
    marks: options.marks,
    isFirst(header) {
      const kind = kindOf(header);
      return kind === "birth" || kind === "event";
    },
    isInRam: isInRam,
    now: () => board.now(),
  });

  const unsignedOf = (one: Earlier): Remains[] => {
    const own: Remains[] = [];
    log.each((other) => {
      const header = other.header;
      if (header.boot !== one.boot || header.seq <= one.manifest || !log.isLive(other)) return;
      if (own.length === MOST_REMAINS && header.seq < own[0].seq) return;
      const extras = log.extras(other);
      if (extras === null || extras.hash === null) return;
      // they come nearly in order: sorting takes a board's interpreter the square of their number, and memory for all
      let at = own.length;
      while (at > 0 && own[at - 1].seq > header.seq) at--;
      own.splice(at, 0, { boot: one.boot, seq: header.seq, hash: extras.hash });
      if (own.length > MOST_REMAINS) own.shift();
    });
    return own;
  };

  return {
    log: log,
    within: settings.markEvery + LATE,
    // of each stream a page is being filled, and some are kept clean
    room: (log.pages.count - RESERVE - 2) * (log.pages.size - PAGE_HEADER),
    page: log.pages.size - PAGE_HEADER,
    lastOf(boot) {
      for (let i = 0; i < earlier.length; i++) if (earlier[i].boot === boot) return earlier[i];
      return null;
    },
    next() {
      found = backfill.next();
      if (found === null) return null;
      const one = found;
      return {
        kind: kindOf(one.header),
        boot: one.header.boot,
        seq: one.header.seq,
        length: one.header.length,
        address: one.address,
        about() {
          const told = tellsOf(one);
          return told === null ? {} : { tells: told };
        },
      };
    },
    read(left) {
      const one = found;
      if (one === null || one.address !== left.address) return null;
      const bytes = log.read(one);
      if (bytes === null) {
        lose([one], DISOWNED_DAMAGED);
        log.settle(one.address);
      }
      found = null;
      return bytes;
    },
    rewind: backfill.rewind,
    restart: backfill.restart,
    settled: backfill.settled,
    wrote() {
      wroteAt = board.now();
    },
    remains(signed) {
      let left: Remains[] = [];
      for (let i = 0; i < earlier.length; i++) if (earlier[i].boot > signed) left = left.concat(unsignedOf(earlier[i]));
      return left;
    },
    stop: () => cancel(),
  };
}
