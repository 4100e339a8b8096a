/**
 * In which order the messages of the log are taken up when somebody hears again: births and events first, then all by boot and
 * seq, for an ack can tell only of what lies near to the first message that is missing. Device side.
 */
import type { Marks } from "./acks.ts";
import { REST, type RecordHeader, WAVES } from "./flash-log/format.ts";
import type { FlashLog, Found } from "./flash-log/log.ts";

export interface BackfillOptions {
  readonly log: FlashLog;
  readonly marks: Marks;
  /** Is it to be sent before the others? */
  readonly isFirst: (header: RecordHeader) => boolean;
  readonly isInRam: (address: number) => boolean;
  /** Board time, us. */
  readonly now: () => number;
}

export interface Backfill {
  /**
   * The next message that neither is in RAM nor was sent and left it; again the same until it is. null: there is none, or it
   * is looked for further on at the next call.
   */
  next(): Found | null;
  /** Something left the RAM that was not sent: it is looked for from the beginning. */
  rewind(): void;
  /** Another connection: nobody knows what of the last one arrived. */
  restart(): void;
  /** An ack was taken. */
  settled(): void;
}

/** Records that one call looks at. */
const PATIENCE = 48;
/** Where all was sent and nothing is settled any more it is sent again, us. */
const RETRY_AFTER = 10000000;

const FIRST = 0;
const ALL = 1;

export function createBackfill(options: BackfillOptions): Backfill {
  const log = options.log;
  let phase = FIRST;
  /** Of each stream: the last one that was looked at, the one that is next, whether there is no other. */
  const cursors: (Found | null)[] = [null, null];
  const ahead: (Found | null)[] = [null, null];
  const dry = [false, false];
  let patience = 0;
  /** An ack came since this round began: what was sent may be settled. */
  let heard = false;
  let settledAt = options.now();

  const begin = (at: number): void => {
    phase = at;
    heard = false;
    for (let stream = WAVES; stream <= REST; stream++) {
      cursors[stream] = null;
      ahead[stream] = null;
      dry[stream] = false;
    }
  };
  const isDue = (one: Found): boolean => {
    if (!log.isLive(one)) return false;
    if (options.marks.isBelow(one.header.boot, one.header.seq)) {
      log.settle(one.address);
      settledAt = options.now();
      return false;
    }
    return !log.isSent(one.address) && !options.isInRam(one.address);
  };
  const peek = (stream: number): Found | null => {
    const known = ahead[stream];
    if (known !== null && isDue(known)) return known;
    ahead[stream] = null;
    while (!dry[stream] && patience > 0) {
      patience--;
      const one = log.next(stream, cursors[stream]);
      cursors[stream] = one;
      if (one === null) dry[stream] = true;
      else if ((phase === ALL || options.isFirst(one.header)) && isDue(one)) {
        ahead[stream] = one;
        return one;
      }
    }
    return null;
  };
  const isBefore = (one: Found, other: Found): boolean =>
    one.header.boot === other.header.boot ? one.header.seq < other.header.seq : one.header.boot < other.header.boot;

  return {
    next() {
      patience = PATIENCE;
      if (phase === FIRST) {
        const first = peek(REST);
        if (first !== null || !dry[REST]) return first;
        begin(ALL);
      }
      const wave = peek(WAVES);
      const rest = peek(REST);
      // what is not found yet may come before what is
      if ((wave === null && !dry[WAVES]) || (rest === null && !dry[REST])) return null;
      if (wave !== null && rest !== null) return isBefore(wave, rest) ? wave : rest;
      if (wave !== null || rest !== null) return wave ?? rest;
      if (options.now() - settledAt > RETRY_AFTER) {
        settledAt = options.now();
        log.forgetSent();
        begin(FIRST);
      } else if (heard) begin(ALL);
      return null;
    },
    rewind() {
      begin(FIRST);
    },
    restart() {
      log.forgetSent();
      begin(FIRST);
    },
    settled() {
      heard = true;
    },
  };
}
