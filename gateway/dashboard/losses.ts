/** What a board has declared lost, by its events 8 (PROTOCOL.md section 2.4), and why a sweep has a hole. Pure. */
import {
  DISOWNED_POWER,
  DISOWNED_WORDS,
  type Disowned,
  decodeDisowned,
  type EventMessage,
} from "../../protocol/messages.ts";
import { capacityWords, countWords, longSpanWords } from "./words.ts";

/** Ranges that are remembered, the newest. */
const REMEMBERED = 64;
/** One past the highest seq. */
const SEQS = 4294967296;

/** What stands in the hole of a sweep, and in a narrow one. */
export interface HoleWords {
  readonly words: string;
  readonly short: string;
}

/** A message that may still come, and one that the gateway has and this page has not. */
export const MISSING: HoleWords = { words: "MISSING SO FAR", short: "MISSING" };
export const NOT_HERE: HoleWords = { words: "NOT ON THIS PAGE", short: "NOT HERE" };

/** Why: "outbox full"; a reason of a later protocol by its number. */
export const reasonWords = (reason: number) => DISOWNED_WORDS[reason] || `reason ${reason}`;

/** A hole that will stay. */
export const lostBand = ({ reason }: Disowned): HoleWords => ({
  words: `DECLARED LOST: ${reasonWords(reason).toUpperCase()}`,
  short: "LOST",
});

/** Whether these words stand where nothing is, and something may come. */
export const isOpen = (text: string) =>
  [MISSING, NOT_HERE].some(({ words, short }) => text === words || text === short);

/** Whether a range says where a boot ended: from its first on nothing will come, and nobody knows how many would have. */
export const isOpenEnd = ({ first, count }: Pick<Disowned, "first" | "count">) => first + count === SEQS;

/** One range as a line: "boot 16: messages 3 590 to 3 591 declared lost, outbox full". */
export function lossWords(range: Disowned): string {
  const { boot, first, count, reason, end } = range;
  const why = reasonWords(reason);
  if (!isOpenEnd(range)) {
    const last = first + count - 1;
    const which = count === 1 ? `message ${countWords(first)}` : `messages ${countWords(first)} to ${countWords(last)}`;
    return `boot ${boot}: ${which} declared lost, ${why}`;
  }
  const ended = `boot ${boot} ended with message ${countWords(first - 1)}, ${why}`;
  const nothing = first === 0 ? `boot ${boot}: nothing more of it will come, ${why}` : ended;
  if (reason !== DISOWNED_POWER || end === null) return nothing;
  const within = end.within < 1000 ? `${end.within} ms` : capacityWords(Math.ceil(end.within / 1000));
  return `${nothing}: it ran for ${longSpanWords(end.tick)}, at most ${within} more`;
}

export class Losses {
  /** In the order in which they were told. */
  ranges: readonly Disowned[] = [];

  /** Takes an event; false: it declares nothing, or nothing new. */
  take(event: EventMessage): boolean {
    const range = decodeDisowned(event);
    if (range === null) return false;
    const { boot, first, count } = range;
    if (this.ranges.some((one) => one.boot === boot && one.first === first && one.count === count)) return false;
    this.ranges = [...this.ranges, range].slice(-REMEMBERED);
    return true;
  }

  /** Why messages of a boot were lost, each reason once. */
  reasons(boot: number): string[] {
    const own = this.ranges.filter((one) => one.boot === boot && !isOpenEnd(one));
    return [...new Set(own.map(({ reason }) => reasonWords(reason)))];
  }

  /**
   * Why there is nothing between two messages of a boot: "missing" where one of them may still come; the reason of the first
   * that is lost where none may; null where all are here. `isHere`: whether the page has a message.
   */
  between(boot: number, after: number, before: number, isHere: (seq: number) => boolean): "missing" | Disowned | null {
    let first: Disowned | null = null;
    for (let seq = after + 1; seq < before; ) {
      if (isHere(seq)) {
        seq++;
        continue;
      }
      const range = this.ranges.find((one) => one.boot === boot && seq >= one.first && seq < one.first + one.count);
      if (range === undefined) return "missing";
      first ??= range;
      seq = range.first + range.count;
    }
    return first;
  }
}
