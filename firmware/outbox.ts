/**
 * Keeps sealed messages until an ack settles them (PROTOCOL.md section 4). In RAM: a bounded number of bytes; when full
 * the oldest data message goes first, births last, and what went is told by the caller as event 8.
 */
import type { AckMessage } from "../protocol/messages.ts";

export type Kind = "birth" | "data" | "event" | "manifest";

export interface Sealed {
  readonly kind: Kind;
  readonly boot: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
  /** Board time of the last sending, ms; null: not sent yet. */
  sentAt: number | null;
}

export interface Outbox {
  /** Messages that wait for their ack, oldest first. */
  readonly waiting: readonly Sealed[];
  readonly bytes: number;
  /**
   * Takes a sealed message. Returns the messages that had to go to make room, oldest first; with `beyond` none has to, and the
   * next one makes the room: for what tells of those that went, which else would make others go for ever.
   */
  add(kind: Kind, boot: number, seq: number, bytes: Uint8Array, beyond?: boolean): Sealed[];
  /** Frees what the ack settles; returns how many. Only for an ack whose signature was verified. */
  settle(ack: AckMessage): number;
}

/** Eviction order: waveforms first, then what proves them, births last. */
const ORDER: readonly Kind[] = ["data", "manifest", "event", "birth"];

const isSettled = (message: Sealed, ack: AckMessage): boolean => {
  if (message.boot !== ack.ofBoot) return false;
  if (message.seq < ack.next) return true;
  for (let i = 0; i < ack.refused.length; i++) if (ack.refused[i].seq === message.seq) return true;
  const bit = message.seq - ack.next - 1;
  if (bit < 0 || bit >= 8 * ack.bitmap.length) return false;
  return ((ack.bitmap[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
};

/** `capacity`: bytes of sealed messages that it holds at most. */
export function createOutbox(capacity: number): Outbox {
  let waiting: Sealed[] = [];
  let held = 0;

  const oldest = (kind: Kind): Sealed | undefined => {
    for (let i = 0; i < waiting.length; i++) if (waiting[i].kind === kind) return waiting[i];
    return undefined;
  };
  const evict = (): Sealed => {
    let victim: Sealed | undefined;
    for (let i = 0; i < ORDER.length && victim === undefined; i++) victim = oldest(ORDER[i]);
    const gone = victim!;
    waiting.splice(waiting.indexOf(gone), 1);
    held -= gone.bytes.length;
    return gone;
  };
  return {
    get waiting() {
      return waiting;
    },
    get bytes() {
      return held;
    },
    add(kind, boot, seq, bytes, beyond) {
      if (bytes.length > capacity) {
        throw new Error(`outbox: a message of ${bytes.length} bytes in an outbox of ${capacity}; give it more room`);
      }
      const evicted: Sealed[] = [];
      while (beyond !== true && held + bytes.length > capacity) evicted.push(evict());
      waiting.push({ kind, boot, seq, bytes, sentAt: null });
      held += bytes.length;
      return evicted;
    },
    settle(ack) {
      const kept: Sealed[] = [];
      for (let i = 0; i < waiting.length; i++) {
        if (isSettled(waiting[i], ack)) held -= waiting[i].bytes.length;
        else kept.push(waiting[i]);
      }
      const count = waiting.length - kept.length;
      waiting = kept;
      return count;
    },
  };
}
