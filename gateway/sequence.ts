/** Which messages of one boot are there, which its board says will not come, and which are missing without a word. */
import { DISOWNED_POWER, type Disowned, decodeDisowned, type Message } from "../protocol/messages.ts";
import { Intervals } from "./intervals.ts";

/** One past the highest seq: a range that ends there has an open end, and nobody knows how many messages it is. */
const SEQS = 2 ** 32;

/**
 * The seqs of a boot, in any order of arrival. What is stored counts as stored, whatever was said of it before or after
 * (PROTOCOL.md section 2.4).
 */
export class Sequence {
  readonly stored: Intervals;
  /** By ranges with an end. */
  readonly disowned: Intervals;
  /** From this seq on nothing will come that is not there; null: the boot's end was not told. */
  open: number | null = null;
  /** The highest seq that the boot is known to have had by what the next birth says (`prev`); -1: it says nothing. */
  private last = -1;
  /** The board says that the boot ended by a power cut, or a reset. */
  cut = false;

  /** `most`: ranges held of each kind (intervals.ts). */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.stored = new Intervals(most);
    this.disowned = new Intervals(most);
  }

  /** A message is there. True where it was before. */
  add(seq: number): boolean {
    if (this.stored.has(seq)) return true;
    this.stored.add(seq);
    return false;
  }

  /** The boot had a message of this seq. */
  reach(seq: number): void {
    this.last = Math.max(this.last, seq);
  }

  disown({ first, count, reason }: Pick<Disowned, "first" | "count" | "reason">): void {
    if (first + count < SEQS) this.disowned.add(first, first + count - 1);
    else this.open = Math.min(this.open ?? first, first);
    if (reason === DISOWNED_POWER) this.cut = true;
  }

  /** Are all of from..to, if any, that are not stored disowned? */
  declares(from: number, to: number): boolean {
    const last = Math.min(to, (this.open ?? SEQS) - 1);
    for (let at = from; at <= last; ) {
      const end = this.stored.endOf(at) ?? this.disowned.endOf(at);
      if (end === undefined) return false;
      at = end + 1;
    }
    return true;
  }

  /** Messages that are disowned and not stored; of an open end those below one that is known to have been. */
  get declared(): number {
    return this.told().reduce((sum, [from, to]) => sum + to - from + 1 - this.stored.count(from, to), 0);
  }

  /** Messages that are missing, and nobody has said anything: up to the highest that is known to have been. */
  get silent(): number {
    const { stored, disowned, open, last } = this;
    // a boot of which nothing was ever heard may have been heard by somebody else
    if (stored.size === 0 && disowned.size === 0 && open === null) return 0;
    const top = Math.max(stored.highest, disowned.highest, last, (open ?? 0) - 1);
    return top + 1 - this.stored.size - this.declared;
  }

  /** What is disowned, as far as it has an end. */
  private told(): readonly (readonly [number, number])[] {
    const { open, disowned } = this;
    const top = Math.max(this.stored.highest, disowned.highest, this.last);
    if (open === null || open > top) return disowned.list;
    const below = disowned.list
      .filter(([from]) => from < open)
      .map(([from, to]) => [from, Math.min(to, open - 1)] as const);
    return [...below, [open, top]];
  }
}

/** Counts what is missing in each boot, and what comes twice, in whatever order it comes. */
export class Sequences {
  private readonly boots = new Map<string, Sequence>();
  private duplicates = 0;

  add(kid: string, message: Message): void {
    if (!("seq" in message)) return;
    this.claim(kid, message.boot, message.seq);
    const range = message.type === "event" ? decodeDisowned(message) : null;
    if (range !== null) this.of(kid, range.boot).disown(range);
    if (message.type === "birth" && message.prev !== null) this.of(kid, message.prev.boot).reach(message.prev.seq);
  }

  /** A message of this boot and seq, whatever it says. */
  claim(kid: string, number: number, seq: number): void {
    if (this.of(kid, number).add(seq)) this.duplicates++;
  }

  private of(kid: string, number: number): Sequence {
    const key = `${kid} ${number}`;
    const boot = this.boots.get(key) ?? new Sequence();
    this.boots.set(key, boot);
    return boot;
  }

  /** `declared` and `cut` only where there are any. */
  report(): { gaps: number; duplicates: number; declared?: number; cut?: number } {
    let [gaps, declared, cut] = [0, 0, 0];
    for (const boot of this.boots.values()) {
      gaps += boot.silent;
      declared += boot.declared;
      if (boot.cut) cut++;
    }
    const { duplicates } = this;
    return { gaps, duplicates, ...(declared > 0 && { declared }), ...(cut > 0 && { cut }) };
  }
}
