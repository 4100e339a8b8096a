/**
 * Sends what the outbox holds, again until it is settled: at once when it is new, in order and at a bounded rate when the
 * link came back or an ack did not come.
 */
import type { Board } from "../boards/board.ts";
import type { AckMessage, CommandMessage, TimeMessage } from "../protocol/messages.ts";
import { newestSettled } from "./acks.ts";
import type { Downlink } from "./downlink.ts";
import type { Letter, Link } from "./link.ts";
import { type About, createOutbox, type Kind, type LogSettings, type Outbox, type Sealed } from "./outbox.ts";

export interface SenderOptions {
  readonly board: Board;
  readonly link: Link;
  readonly downlink: Downlink;
  /** The current one. */
  readonly boot: number;
  /** Bytes of sealed messages that wait in RAM at most. */
  readonly capacity: number;
  /** null: in RAM alone. */
  readonly log: LogSettings | null;
  /** Bytes a second of what is behind, sent beside what is new. */
  readonly backfill: number;
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
  /** The flash does not work; the outbox goes on in RAM. */
  readonly onFailed: (error: Error) => void;
}

export interface Sender {
  readonly outbox: Outbox;
  /** COSE bytes handed to the link, presence and repetitions included. */
  readonly wireBytes: number;
  open(): void;
  /** Keeps and sends, as soon as the outbox lets it; `about` as Outbox.add. */
  submit(kind: Kind, boot: number, seq: number, bytes: Uint8Array, about: About): void;
  /** Waits for the acks, bounded by `limit` ms of board time, keeps the rest, says goodbye, closes the link. */
  close(limit: number, done: () => void): void;
}

/** An ack that has not come in this time is asked for by sending again, ms of board time. */
const RESEND_AFTER = 5000;
const RESEND_EVERY = 1000;
/** Messages sent in one such turn. */
const RESEND_BATCH = 32;
/** The outbox's last writing may take this long, ms. */
const WRITE_LIMIT = 2000;
/** An ack that shows a hole speaks of what was sent at least this long before it, ms. */
const UNDER_WAY = 1000;
/** Between two looks at what of that is gone can be told, ms. */
const TELL_EVERY = 500;
/** Without acks a line that keeps nothing is told the birth again, for whoever has joined since, ms. */
const BIRTH_AGAIN = 10000;

const LETTERS: Record<Kind, Letter> = {
  birth: "b",
  data: "d",
  vital: "d",
  event: "d",
  manifest: "d",
  "data-manifest": "d",
};

/** Which turn of a resending is a kind's; the newest data and vitals have the third. */
const BACKFILL = 3;
const TURNS: Record<Kind, number> = {
  birth: 0,
  event: 1,
  data: BACKFILL,
  vital: BACKFILL,
  manifest: BACKFILL,
  "data-manifest": BACKFILL,
};

export function createSender(options: SenderOptions): Sender {
  const board = options.board;
  const link = options.link;
  const outbox = createOutbox({
    board: board,
    boot: options.boot,
    capacity: options.capacity,
    log: options.log,
    onDurable(message) {
      if (message.sentAt === null) transmit(message);
    },
    onFailed: options.onFailed,
  });
  let wireBytes = 0;
  let up = false;
  let connection = 0;
  let cancelTimer = (): void => {};
  let closing: (() => void) | null = null;
  /** The newest birth, also after its ack. */
  let birth: Sealed | null = null;
  let heardAt = 0;
  let goneAt = -TELL_EVERY;
  /** It was empty when it was looked at, and was given nothing since. */
  let empty = outbox.count === 0;

  const send = (letter: Letter, bytes: Uint8Array, current: boolean): boolean => {
    if (!up || !link.send(letter, bytes, current)) return false;
    wireBytes += bytes.length;
    return true;
  };
  const transmit = (message: Sealed): boolean => {
    if (!outbox.isSendable(message) || !send(LETTERS[message.kind], message.bytes, message.boot === options.boot))
      return false;
    message.sentAt = board.now() / 1000;
    return true;
  };
  /** Bytes of what is behind that may be sent now; below 0 where the last message was larger. */
  let allowance = options.backfill;
  let allowedAt = board.now();
  const isAllowed = (): boolean => {
    const now = board.now();
    allowance = Math.min(options.backfill, allowance + ((now - allowedAt) / 1000000) * options.backfill);
    allowedAt = now;
    return allowance > 0;
  };
  /**
   * Sends what waits, unless it was sent less than `olderThan` ms ago: births, because data wait for them at the gateway;
   * events; the newest data and vitals, which show how it is now; then what is behind, oldest first, at a bounded rate. With
   * an ack only what it shows as missing. Ends where the link takes no more.
   */
  const resend = (olderThan: number, ack: AckMessage | null): void => {
    const now = board.now() / 1000;
    const waiting = outbox.waiting;
    const below = ack === null ? 0 : newestSettled(ack);
    let data: Sealed | null = null;
    let vital: Sealed | null = null;
    for (let i = waiting.length - 1; i >= 0; i--) {
      if (data === null && waiting[i].kind === "data" && !waiting[i].old) data = waiting[i];
      if (vital === null && waiting[i].kind === "vital" && !waiting[i].old) vital = waiting[i];
    }
    let left = RESEND_BATCH;
    for (let turn = 0; turn <= BACKFILL; turn++) {
      for (let i = 0; i < waiting.length && left > 0; i++) {
        const message = waiting[i];
        if ((message === data || message === vital ? 2 : TURNS[message.kind]) !== turn) continue;
        if (ack !== null && (message.boot !== ack.ofBoot || message.seq >= below)) continue;
        if (message.sentAt !== null && (now - message.sentAt < olderThan || outbox.isBeyond(message))) continue;
        if (!outbox.isSendable(message)) continue;
        if (turn === BACKFILL && !isAllowed()) return;
        if (!transmit(message)) return;
        if (turn === BACKFILL) allowance -= message.bytes.length;
        left--;
      }
    }
  };
  /** Takes up what lies in flash, as far as it may be sent now. */
  const backfill = (): void => {
    for (let left = RESEND_BATCH; left > 0 && up && isAllowed(); left--) {
      const message = outbox.load();
      if (message === null || !transmit(message)) return;
      allowance -= message.bytes.length;
    }
  };
  /** What an ack settled of what lies in flash shows when it is looked for: so also behind a backfill. */
  const lookWhetherEmpty = (): void => {
    if (empty || outbox.count > 0) return;
    empty = true;
    options.onSettled();
    if (closing !== null) closing();
  };
  const tick = (): void => {
    cancelTimer = board.timer(RESEND_EVERY, tick);
    outbox.tick();
    resend(RESEND_AFTER, null);
    backfill();
    lookWhetherEmpty();
    if (birth === null || link.presence) return;
    const now = board.now() / 1000;
    if (now - Math.max(heardAt, birth.sentAt ?? 0) >= BIRTH_AGAIN) transmit(birth);
  };
  const settled = (ack: AckMessage): void => {
    heardAt = board.now() / 1000;
    if (!options.credible(ack, newestSettled(ack))) return;
    const freed = outbox.settle(ack);
    if (outbox.gone.length > 0 && heardAt - goneAt >= TELL_EVERY) {
      goneAt = heardAt;
      options.onGone();
    }
    // The gateway has what was sent later: what it lacks of before was lost on the way.
    if (freed > 0) resend(UNDER_WAY, ack);
    backfill();
    lookWhetherEmpty();
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
            if (link.presence) send("w", options.presence(connection, 1), true);
            outbox.reconnected();
            resend(0, null);
            backfill();
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
    submit(kind, boot, seq, bytes, about) {
      const message = outbox.add(kind, boot, seq, bytes, about);
      empty = false;
      if (kind === "birth") birth = message;
      transmit(message);
    },
    close(limit, done) {
      const finish = (): void => {
        closing = null;
        cancelLimit();
        cancelTimer();
        outbox.end(WRITE_LIMIT, () => {
          if (link.presence) send("w", options.presence(connection, 2), true);
          up = false;
          link.close(done);
        });
      };
      const cancelLimit = board.timer(limit, () => {
        if (closing !== null) finish();
      });
      closing = finish;
      if (outbox.count === 0) finish();
    },
  };
}
