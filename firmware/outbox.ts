/**
 * Keeps sealed messages until an ack settles them (PROTOCOL.md section 4). In RAM: a bounded number of bytes; when full
 * the oldest data message goes first, births last. What went is remembered until the caller tells it as event 8, and again
 * where such an event had to go itself.
 */
import type { AckMessage } from "../protocol/messages.ts";

export type Kind = "birth" | "data" | "event" | "manifest";

/** Messages of one boot that had to go, with consecutive seqs. */
export interface Run {
  readonly boot: number;
  readonly first: number;
  readonly last: number;
}

export interface Sealed {
  readonly kind: Kind;
  readonly boot: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
  /** What this event 8 tells; null: it is none. */
  readonly tells: Run | null;
  /** Board time of the last sending, ms; null: not sent yet. */
  sentAt: number | null;
}

export interface Outbox {
  /** Messages that wait for their ack, oldest first. */
  readonly waiting: readonly Sealed[];
  readonly bytes: number;
  /** What had to go and is not told: no two runs touch. */
  readonly gone: readonly Run[];
  /**
   * Takes a sealed message, and makes room for it. None is made for an event 8, which `tells` what it is about: the next
   * message makes it, else telling would make others go for ever.
   */
  add(kind: Kind, boot: number, seq: number, bytes: Uint8Array, tells?: Run): void;
  /** Gives `gone` to who tells it. */
  takeGone(): readonly Run[];
  /** Frees what the ack settles, and forgets what is gone and settled; returns how many were freed. Only for an authentic ack. */
  settle(ack: AckMessage): number;
}

/** Eviction order: waveforms first, then what proves them, births last. */
const ORDER: readonly Kind[] = ["data", "manifest", "event", "birth"];

const hasBit = (seq: number, ack: AckMessage): boolean => {
  const bit = seq - ack.next - 1;
  if (bit < 0 || bit >= 8 * ack.bitmap.length) return false;
  return ((ack.bitmap[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
};

const isSettled = (message: Sealed, ack: AckMessage): boolean => {
  if (message.boot !== ack.ofBoot) return false;
  if (message.seq < ack.next) return true;
  for (let i = 0; i < ack.refused.length; i++) if (ack.refused[i].seq === message.seq) return true;
  return hasBit(message.seq, ack);
};

/** What of a run the ack does not say to be there: it was sent before it went. */
const unsettled = (run: Run, ack: AckMessage, left: Run[]): void => {
  const boot = run.boot;
  let first = boot === ack.ofBoot ? Math.max(run.first, ack.next) : run.first;
  if (boot === ack.ofBoot) {
    const end = Math.min(run.last, ack.next + 8 * ack.bitmap.length);
    for (let seq = first; seq <= end; seq++) {
      if (!hasBit(seq, ack)) continue;
      if (seq > first) left.push({ boot: boot, first: first, last: seq - 1 });
      first = seq + 1;
    }
  }
  if (first <= run.last) left.push({ boot: boot, first: first, last: run.last });
};

/** `capacity`: bytes of sealed messages that it holds at most. */
export function createOutbox(capacity: number): Outbox {
  let waiting: Sealed[] = [];
  let gone: Run[] = [];
  let held = 0;

  const oldest = (kind: Kind): Sealed | undefined => {
    for (let i = 0; i < waiting.length; i++) if (waiting[i].kind === kind) return waiting[i];
    return undefined;
  };
  /** Joins a run with those that it touches. */
  const lose = (boot: number, from: number, to: number): void => {
    const others: Run[] = [];
    let first = from;
    let last = to;
    for (let i = 0; i < gone.length; i++) {
      const run = gone[i];
      if (run.boot === boot && run.first <= last + 1 && run.last >= first - 1) {
        first = Math.min(first, run.first);
        last = Math.max(last, run.last);
      } else others.push(run);
    }
    others.push({ boot: boot, first: first, last: last });
    gone = others;
  };
  const evict = (): void => {
    let victim: Sealed | undefined;
    for (let i = 0; i < ORDER.length && victim === undefined; i++) victim = oldest(ORDER[i]);
    const out = victim!;
    waiting.splice(waiting.indexOf(out), 1);
    held -= out.bytes.length;
    lose(out.boot, out.seq, out.seq);
    const told = out.tells;
    if (told !== null) lose(told.boot, told.first, told.last);
  };
  return {
    get waiting() {
      return waiting;
    },
    get bytes() {
      return held;
    },
    get gone() {
      return gone;
    },
    add(kind, boot, seq, bytes, tells) {
      if (bytes.length > capacity) {
        throw new Error(`outbox: a message of ${bytes.length} bytes in an outbox of ${capacity}; give it more room`);
      }
      while (tells === undefined && held + bytes.length > capacity) evict();
      waiting.push({ kind: kind, boot: boot, seq: seq, bytes: bytes, tells: tells ?? null, sentAt: null });
      held += bytes.length;
    },
    takeGone() {
      const told = gone;
      gone = [];
      return told;
    },
    settle(ack) {
      const kept: Sealed[] = [];
      for (let i = 0; i < waiting.length; i++) {
        if (isSettled(waiting[i], ack)) held -= waiting[i].bytes.length;
        else kept.push(waiting[i]);
      }
      const count = waiting.length - kept.length;
      waiting = kept;
      const left: Run[] = [];
      for (let i = 0; i < gone.length; i++) unsettled(gone[i], ack, left);
      gone = left;
      return count;
    },
  };
}
