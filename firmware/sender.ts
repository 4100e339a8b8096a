/**
 * Sends what the outbox holds, again until it is settled: at once when it is new, in order and at a bounded rate when the
 * link came back or an ack did not come.
 */
import type { Board } from "../boards/board.ts";
import type { AckMessage } from "../protocol/messages.ts";
import type { Downlink } from "./downlink.ts";
import type { Letter, Link } from "./link.ts";
import { createOutbox, type Kind, type Outbox, type Sealed } from "./outbox.ts";

export interface SenderOptions {
  readonly board: Board;
  readonly link: Link;
  readonly downlink: Downlink;
  /** Bytes of sealed messages that wait at most. */
  readonly capacity: number;
  /** Seals presence: 0 dead (the will), 1 online, 2 clean offline. */
  readonly presence: (connection: number, state: 0 | 1 | 2) => Uint8Array;
  /** The outbox has just become empty. */
  readonly onSettled: () => void;
}

export interface Sender {
  readonly outbox: Outbox;
  /** COSE bytes handed to the link, presence and repetitions included. */
  readonly wireBytes: number;
  open(): void;
  /** Keeps and sends; returns what had to go to make room. */
  submit(kind: Kind, boot: number, seq: number, bytes: Uint8Array): Sealed[];
  /** Waits for the acks, bounded by `limit` ms of board time, says goodbye, closes the link. */
  close(limit: number, done: () => void): void;
}

/** An ack that has not come in this time is asked for by sending again, ms of board time. */
const RESEND_AFTER = 5000;
const RESEND_EVERY = 1000;
/** Messages sent again in one such turn. */
const RESEND_BATCH = 32;

const LETTERS: Record<Kind, Letter> = { birth: "b", data: "d", event: "d" };

export function createSender(options: SenderOptions): Sender {
  const board = options.board;
  const link = options.link;
  const outbox = createOutbox(options.capacity);
  let wireBytes = 0;
  let up = false;
  let connection = 0;
  let cancelTimer = (): void => {};
  let closing: (() => void) | null = null;

  const send = (letter: Letter, bytes: Uint8Array): boolean => {
    if (!up || !link.send(letter, bytes)) return false;
    wireBytes += bytes.length;
    return true;
  };
  const transmit = (message: Sealed): void => {
    if (send(LETTERS[message.kind], message.bytes)) message.sentAt = board.now() / 1000;
  };
  /** Sends again what waits, births before all else because data wait for them at the gateway. */
  const resend = (olderThan: number): void => {
    const now = board.now() / 1000;
    let left = RESEND_BATCH;
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < outbox.waiting.length && left > 0; i++) {
        const message = outbox.waiting[i];
        if ((message.kind === "birth") !== (pass === 0)) continue;
        if (message.sentAt !== null && now - message.sentAt < olderThan) continue;
        transmit(message);
        left--;
      }
    }
  };
  const tick = (): void => {
    resend(RESEND_AFTER);
    cancelTimer = board.timer(RESEND_EVERY, tick);
  };
  const settled = (ack: AckMessage): void => {
    if (outbox.settle(ack) === 0 || outbox.waiting.length > 0) return;
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
            resend(0);
          },
          onDown() {
            up = false;
          },
          onMessage(message) {
            const ack = options.downlink.open(message);
            if (ack !== null) settled(ack);
          },
        },
        (count) => options.presence(count, 0),
      );
    },
    submit(kind, boot, seq, bytes) {
      const evicted = outbox.add(kind, boot, seq, bytes);
      transmit(outbox.waiting[outbox.waiting.length - 1]);
      return evicted;
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
