/**
 * Keeps sealed messages until an ack settles them (PROTOCOL.md section 4): in RAM, and where the board has flash in a log that
 * outlives a power cut. When it is full the oldest waveforms go first, births last. What went is remembered until the caller
 * tells it as event 8, and again where such an event had to go itself. Device side.
 */
import { DISOWNED_EVICTED } from "../protocol/messages.ts";
import { isSettledBy } from "./acks.ts";
import { type Backlog, createBacklog } from "./backlog.ts";
import { encodeRun, type Run } from "./gone.ts";
import { createLedger } from "./ledger.ts";
import type { Kind, Outbox, OutboxOptions, Sealed } from "./outbox-types.ts";

export type * from "./outbox-types.ts";

/** Eviction order: waveforms first, then what proves them, births last. In the log a kind is its place here, and 1. */
const ORDER: readonly Kind[] = ["data", "data-manifest", "manifest", "vital", "event", "birth"];
/** What the log adds to a message: header, padding, CRC; the hash beside it. */
const RECORD_BYTES = 26;
const HASH_BYTES = 16;
/** Runs of one boot that are held apart; with vitals between them there would be one for each message. */
const MOST_RUNS = 16;
/** Between two looks at whether all is written, ms. */
const END_EVERY = 10;

export function createOutbox(options: OutboxOptions): Outbox {
  const board = options.board;
  const boot = options.boot;
  const capacity = options.capacity;
  const log = options.log;
  const ledger = createLedger(board.storage, boot, log === null ? MOST_RUNS : 1);
  const marks = ledger.marks;
  /** With a log half of the RAM is for what is read back from it. */
  const share = log === null ? capacity : capacity / 2;
  let waiting: Sealed[] = [];
  /** Bytes of `waiting`: what is new, what was read back. */
  const held = { fresh: 0, old: 0 };
  let taken = 0;
  const overhead = log === null ? 0 : RECORD_BYTES;
  /** Seq behind the newest of this boot. */
  let next = 0;
  let backlog: Backlog | null = null;

  const now = (): number => board.now() / 1000;
  const loseOne = (message: Sealed, reason: number): void => {
    const seq = message.seq;
    ledger.lose({ boot: message.boot, first: seq, last: seq, reason: reason, end: null });
    if (message.about.tells !== undefined) ledger.untold(message.about.tells);
  };
  const count = (message: Sealed, sign: number): void => {
    if (message.old) held.old += sign * message.bytes.length;
    else held.fresh += sign * message.bytes.length;
  };
  const remove = (message: Sealed): void => {
    const at = waiting.indexOf(message);
    if (at < 0) return;
    waiting.splice(at, 1);
    count(message, -1);
  };
  /** It lies in the log: RAM is for others now. */
  const drop = (message: Sealed): void => {
    remove(message);
    if (message.sentAt === null) backlog!.rewind();
    else backlog!.log.setSent(message.address!);
  };
  /** It is where a power cut does not reach it, or settled: what it does for others is done. */
  const isKept = (message: Sealed): void => {
    const about = message.about;
    if (about.tells !== undefined) ledger.told(about.tells);
    if (about.signs !== undefined) ledger.signs(about.signs);
  };
  const write = (message: Sealed): void => {
    if (backlog === null || message.writing || message.address !== null) return;
    message.writing = true;
    const about = message.about;
    backlog.log.append(
      {
        kind: ORDER.indexOf(message.kind) + 1,
        boot: message.boot,
        seq: message.seq,
        hash: about.hash ?? null,
        tells: about.tells === undefined ? null : encodeRun(about.tells),
        bytes: message.bytes,
      },
      () => waiting.indexOf(message) >= 0,
      (address) => {
        backlog!.wrote();
        if (waiting.indexOf(message) < 0) {
          // settled, or gone, while its last bytes were written
          backlog!.log.settle(address);
          return;
        }
        message.address = address;
        message.writing = false;
        isKept(message);
        options.onDurable(message);
      },
    );
  };
  const oldest = (kind: Kind): Sealed | undefined => {
    for (let i = 0; i < waiting.length; i++) if (waiting[i].kind === kind && !waiting[i].old) return waiting[i];
    return undefined;
  };
  /** Takes something new out of RAM: what the log has, else what is worth least. */
  const makeRoom = (): void => {
    for (let i = 0; i < waiting.length; i++) {
      const message = waiting[i];
      if (message.old || message.address === null) continue;
      drop(message);
      return;
    }
    let victim: Sealed | undefined;
    for (let i = 0; i < ORDER.length && victim === undefined; i++) victim = oldest(ORDER[i]);
    remove(victim!);
    loseOne(victim!, DISOWNED_EVICTED);
    if (backlog !== null) ledger.keep();
  };
  const take = (message: Sealed, at: number): Sealed => {
    waiting.splice(at, 0, message);
    count(message, 1);
    return message;
  };
  /** The lowest seq of a run that still waits; null: none does. */
  const lowestOf = (run: Run): number | null => {
    let lowest = backlog === null ? null : backlog.log.lowest(run.boot, run.first, run.last);
    for (let i = 0; i < waiting.length; i++) {
      const message = waiting[i];
      if (message.boot !== run.boot || message.seq < run.first || message.seq > run.last) continue;
      if (lowest === null || message.seq < lowest) lowest = message.seq;
    }
    return lowest;
  };

  if (log !== null) {
    backlog = createBacklog({
      board: board,
      boot: boot,
      settings: log,
      kinds: ORDER,
      marks: marks,
      inRam: () => waiting,
      safe() {
        let safe = next;
        for (let i = 0; i < waiting.length; i++) {
          const message = waiting[i];
          if (message.boot === boot && message.address === null) safe = Math.min(safe, message.seq);
        }
        return safe;
      },
      onLost: (runs, addresses) => {
        for (let i = 0; i < runs.length; i++) ledger.lose(runs[i]);
        // what its page is given up for is not sent either
        for (let i = waiting.length - 1; i >= 0; i--) {
          const address = waiting[i].address;
          if (address !== null && addresses.indexOf(address) >= 0) remove(waiting[i]);
        }
        ledger.keep();
      },
      onFailed(error) {
        // what is in RAM is all there is now
        for (let i = 0; i < waiting.length; i++) {
          waiting[i].address = null;
          waiting[i].writing = false;
        }
        backlog = null;
        ledger.withoutLog();
        options.onFailed(error);
        for (let i = 0; i < waiting.length; i++) if (waiting[i].sentAt === null) options.onDurable(waiting[i]);
      },
    });
  }
  ledger.begin(backlog === null ? null : backlog.within, (earlier) =>
    backlog === null ? null : backlog.lastOf(earlier),
  );

  return {
    get waiting() {
      return waiting;
    },
    get bytes() {
      return held.fresh + held.old;
    },
    get count() {
      if (backlog === null) return waiting.length;
      let count = backlog.log.live;
      for (let i = 0; i < waiting.length; i++) if (waiting[i].address === null) count++;
      return count;
    },
    get room() {
      return backlog === null ? capacity : backlog.room;
    },
    get page() {
      return backlog === null ? null : backlog.page;
    },
    overhead: overhead,
    get taken() {
      return taken;
    },
    persistent: log !== null,
    get gone() {
      return ledger.gone;
    },
    get signed() {
      return ledger.signed;
    },
    get backlog() {
      return backlog;
    },
    add(kind, ofBoot, seq, bytes, about) {
      if (bytes.length > share) {
        throw new Error(`outbox: a message of ${bytes.length} bytes in an outbox of ${share}; give it more room`);
      }
      while (about.tells === undefined && held.fresh + bytes.length > share) makeRoom();
      if (about.tells !== undefined) ledger.telling(about.tells);
      const message: Sealed = {
        kind: kind,
        boot: ofBoot,
        seq: seq,
        bytes: bytes,
        about: about,
        since: now(),
        sentAt: null,
        address: null,
        writing: false,
        old: false,
      };
      take(message, waiting.length);
      taken += bytes.length + overhead + (log === null || about.hash === undefined ? 0 : HASH_BYTES);
      if (ofBoot === boot) next = Math.max(next, seq + 1);
      if (log !== null && log.writeAfter === 0) write(message);
      return message;
    },
    isSendable: (message) => backlog === null || log!.writeAfter > 0 || message.address !== null,
    takeGone: (powerOnly) => ledger.take(powerOnly, lowestOf),
    isBeyond: (message) => marks.isBeyond(message.boot, message.seq),
    reconnected() {
      marks.reconnected();
      if (backlog !== null) backlog.restart();
      for (let i = 0; i < waiting.length; i++) waiting[i].sentAt = null;
    },
    settle(ack) {
      const kept: Sealed[] = [];
      const freed: Sealed[] = [];
      for (let i = 0; i < waiting.length; i++) {
        const message = waiting[i];
        if (isSettledBy(message.boot, message.seq, ack)) freed.push(message);
        else kept.push(message);
      }
      waiting = kept;
      marks.take(ack);
      if (backlog !== null) backlog.settled();
      for (let i = 0; i < freed.length; i++) {
        count(freed[i], -1);
        if (freed[i].address !== null && backlog !== null) backlog.log.settle(freed[i].address!);
        if (freed[i].address === null) isKept(freed[i]);
      }
      // of what no ack can tell yet the log takes care
      for (let i = kept.length - 1; i >= 0; i--) {
        const message = kept[i];
        if (message.address === null || message.sentAt === null || backlog === null) continue;
        if (marks.isBeyond(message.boot, message.seq)) drop(message);
      }
      ledger.settle(ack);
      return freed.length;
    },
    load() {
      if (backlog === null) return null;
      const found = backlog.next();
      if (found === null || held.old + found.length > share) return null;
      const bytes = backlog.read(found);
      if (bytes === null) return null;
      let at = 0;
      while (at < waiting.length && waiting[at].old) at++;
      return take(
        {
          kind: found.kind,
          boot: found.boot,
          seq: found.seq,
          bytes: bytes,
          about: found.about(),
          since: now(),
          sentAt: null,
          address: found.address,
          writing: false,
          old: true,
        },
        at,
      );
    },
    calm() {
      if (backlog !== null) backlog.log.calm();
    },
    tick() {
      if (log === null || log.writeAfter === 0) return;
      const due = now() - log.writeAfter;
      const crowded = 2 * held.fresh > share;
      for (let i = 0; i < waiting.length; i++) if (crowded || waiting[i].since <= due) write(waiting[i]);
    },
    end(limit, done) {
      const until = now() + limit;
      for (let i = 0; i < waiting.length; i++) write(waiting[i]);
      const look = (): void => {
        if (backlog !== null && !backlog.log.idle && now() < until) {
          board.timer(END_EVERY, look);
          return;
        }
        for (let i = 0; i < waiting.length; i++) if (waiting[i].address === null) loseOne(waiting[i], DISOWNED_EVICTED);
        ledger.end();
        if (backlog !== null) backlog.stop();
        done();
      };
      look();
    },
  };
}
