/**
 * Sends what the outbox holds, again until it is settled: at once when it is new, in order and at a bounded rate when the
 * link came back or an ack did not come.
 */
import type { Board } from "../boards/board.ts";
import type { AckMessage, CommandMessage, TimeMessage } from "../protocol/messages.ts";
import type { Downlink } from "./downlink.ts";
import type { Letter, Link } from "./link.ts";
import { createOutbox, type Kind, type Outbox, type Run, type Sealed } from "./outbox.ts";

export interface SenderOptions {
  readonly board: Board;
  readonly link: Link;
  readonly downlink: Downlink;
  /** Bytes of sealed messages that wait at most. */
  readonly capacity: number;
  /** Seals presence: 0 dead (the will), 1 online, 2 clean offline. */
  readonly presence: (connection: number, state: 0 | 1 | 2) => Uint8Array;
  /**
   * Asked of every authentic ack before it frees anything, with the highest seq that it settles (-1: none); false: it speaks
   * of what this boot has not sent, and frees nothing.
   */
  readonly credible: (ack: AckMessage, newest: number) => boolean;
  /** What else a gateway says; `gateway` as in downlink.ts. */
  readonly onOther: (message: CommandMessage | TimeMessage, gateway: Uint8Array) => void;
  /** Somebody hears, and has not heard what had to go (Outbox.gone). */
  readonly onGone: () => void;
  /** The outbox has just become empty. */
  readonly onSettled: () => void;
}

export interface Sender {
  readonly outbox: Outbox;
  /** COSE bytes handed to the link, presence and repetitions included. */
  readonly wireBytes: number;
  open(): void;
  /** Keeps and sends; `tells` as Outbox.add. */
  submit(kind: Kind, boot: number, seq: number, bytes: Uint8Array, tells?: Run): void;
  /** Waits for the acks, bounded by `limit` ms of board time, says goodbye, closes the link. */
  close(limit: number, done: () => void): void;
}

/** An ack that has not come in this time is asked for by sending again, ms of board time. */
const RESEND_AFTER = 5000;
const RESEND_EVERY = 1000;
/** Messages sent again in one such turn. */
const RESEND_BATCH = 32;
/** An ack that shows a hole speaks of what was sent at least this long before it, ms. */
const UNDER_WAY = 1000;
/** Without acks a line that keeps nothing is told the birth again, for whoever has joined since, ms. */
const BIRTH_AGAIN = 10000;

const LETTERS: Record<Kind, Letter> = { birth: "b", data: "d", event: "d", manifest: "d" };

/** Which turn of a resending is a kind's; the newest data have the third. */
const TURNS: Record<Kind, number> = { birth: 0, event: 1, data: 3, manifest: 3 };

/** Highest seq that an ack settles; -1: none. */
const newestSettled = (ack: AckMessage): number => {
  for (let bit = 8 * ack.bitmap.length - 1; bit >= 0; bit--) {
    if (((ack.bitmap[bit >> 3] >> (7 - (bit & 7))) & 1) === 1) return ack.next + 1 + bit;
  }
  return ack.next - 1;
};

export function createSender(options: SenderOptions): Sender {
  const board = options.board;
  const link = options.link;
  const outbox = createOutbox(options.capacity);
  let wireBytes = 0;
  let up = false;
  let connection = 0;
  let cancelTimer = (): void => {};
  let closing: (() => void) | null = null;
  /** The newest birth, also after its ack. */
  let birth: Sealed | null = null;
  let heardAt = 0;

  const send = (letter: Letter, bytes: Uint8Array): boolean => {
    if (!up || !link.send(letter, bytes)) return false;
    wireBytes += bytes.length;
    return true;
  };
  const transmit = (message: Sealed): boolean => {
    if (!send(LETTERS[message.kind], message.bytes)) return false;
    message.sentAt = board.now() / 1000;
    return true;
  };
  /**
   * Sends again what waits with a seq below `below`: births, because data wait for them at the gateway; events; the newest
   * data, which show how it is now; then what is behind, oldest first. Ends where the link takes no more.
   */
  const resend = (olderThan: number, below: number): void => {
    const now = board.now() / 1000;
    const waiting = outbox.waiting;
    let newest: Sealed | null = null;
    for (let i = waiting.length - 1; i >= 0 && newest === null; i--)
      if (waiting[i].kind === "data") newest = waiting[i];
    let left = RESEND_BATCH;
    for (let turn = 0; turn < 4; turn++) {
      for (let i = 0; i < waiting.length && left > 0; i++) {
        const message = waiting[i];
        if ((message === newest ? 2 : TURNS[message.kind]) !== turn || message.seq >= below) continue;
        if (message.sentAt !== null && now - message.sentAt < olderThan) continue;
        if (!transmit(message)) return;
        left--;
      }
    }
  };
  const tick = (): void => {
    cancelTimer = board.timer(RESEND_EVERY, tick);
    resend(RESEND_AFTER, Infinity);
    if (birth === null || link.presence) return;
    const now = board.now() / 1000;
    if (now - Math.max(heardAt, birth.sentAt ?? 0) >= BIRTH_AGAIN) transmit(birth);
  };
  const settled = (ack: AckMessage): void => {
    heardAt = board.now() / 1000;
    const newest = newestSettled(ack);
    if (!options.credible(ack, newest)) return;
    const freed = outbox.settle(ack);
    if (outbox.gone.length > 0) options.onGone();
    if (freed === 0) return;
    if (outbox.waiting.length > 0) {
      // The gateway has what was sent later: what it lacks of before was lost on the way.
      resend(UNDER_WAY, newest);
      return;
    }
    options.onSettled();
    if (closing !== null) closing();
  };

  return {
    outbox,
    get wireBytes() {
      return wireBytes;
    },
    open() {
      cancelTimer = board.timer(RESEND_EVERY, tick);
      link.open(
        {
          onUp(count) {
            up = true;
            connection = count;
            if (link.presence) send("w", options.presence(connection, 1));
            // Nobody knows what of the last connection arrived: all of it is due again.
            for (let i = 0; i < outbox.waiting.length; i++) outbox.waiting[i].sentAt = null;
            resend(0, Infinity);
            // A broker that was started anew has forgotten what it retained.
            if (count > 1 && birth !== null && outbox.waiting.indexOf(birth) < 0) transmit(birth);
          },
          onDown() {
            up = false;
          },
          onMessage(message) {
            const heard = options.downlink.open(message);
            if (heard === null) return;
            if (heard.message.type === "ack") settled(heard.message);
            else options.onOther(heard.message, heard.gateway);
          },
        },
        (count) => options.presence(count, 0),
      );
    },
    submit(kind, boot, seq, bytes, tells) {
      outbox.add(kind, boot, seq, bytes, tells);
      const message = outbox.waiting[outbox.waiting.length - 1];
      if (kind === "birth") birth = message;
      transmit(message);
    },
    close(limit, done) {
      const finish = (): void => {
        closing = null;
        cancelLimit();
        cancelTimer();
        if (link.presence) send("w", options.presence(connection, 2));
        up = false;
        link.close(done);
      };
      const cancelLimit = board.timer(limit, () => {
        if (closing !== null) finish();
      });
      closing = finish;
      if (outbox.waiting.length === 0) finish();
    },
  };
}
