/** What an ack says (PROTOCOL.md sections 2 and 4). Device side. */
import type { AckMessage } from "../protocol/messages.ts";

/** Bit 7-i of byte 0 is next + 1 + i. */
export function hasBit(seq: number, ack: AckMessage): boolean {
  const bit = seq - ack.next - 1;
  if (bit < 0 || bit >= 8 * ack.bitmap.length) return false;
  return ((ack.bitmap[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
}

export function isSettledBy(boot: number, seq: number, ack: AckMessage): boolean {
  if (boot !== ack.ofBoot) return false;
  if (seq < ack.next) return true;
  for (let i = 0; i < ack.refused.length; i++) if (ack.refused[i].seq === seq) return true;
  return hasBit(seq, ack);
}

/** Highest seq that an ack settles; -1: none. */
export function newestSettled(ack: AckMessage): number {
  for (let bit = 8 * ack.bitmap.length - 1; bit >= 0; bit--) {
    if (((ack.bitmap[bit >> 3] >> (7 - (bit & 7))) & 1) === 1) return ack.next + 1 + bit;
  }
  return ack.next - 1;
}

/** What the acks of each boot said last: how far it is settled, and of which messages an ack can speak at all. */
export interface Marks {
  take(ack: AckMessage): void;
  /** Is it settled, by its number alone? */
  isBelow(boot: number, seq: number): boolean;
  /** Could the last ack of this connection not have told of it? Then that it did not says nothing. */
  isBeyond(boot: number, seq: number): boolean;
  /** Another connection: what can be told is not known yet. */
  reconnected(): void;
  /** How far each boot is settled, to be kept. */
  readonly levels: readonly Level[];
}

/** Of a boot all seqs below `next` are settled. */
export interface Level {
  readonly boot: number;
  readonly next: number;
}

/** Bits of an ack at most (CDDL). */
const REACH = 256;
/** Boots whose acks are remembered. */
const MOST_BOOTS = 8;

interface Mark extends Level {
  heard: boolean;
}

/** `kept`: what the boot before knew. */
export function createMarks(kept: readonly Level[]): Marks {
  let marks: Mark[] = [];
  for (let i = 0; i < kept.length; i++) marks.push({ boot: kept[i].boot, next: kept[i].next, heard: false });
  const markOf = (boot: number): Mark | null => {
    for (let i = 0; i < marks.length; i++) if (marks[i].boot === boot) return marks[i];
    return null;
  };
  return {
    take(ack) {
      const before = markOf(ack.ofBoot);
      const next = before === null ? ack.next : Math.max(before.next, ack.next);
      marks = marks.filter((one) => one.boot !== ack.ofBoot).concat([{ boot: ack.ofBoot, next: next, heard: true }]);
      if (marks.length > MOST_BOOTS) marks.shift();
    },
    isBelow(boot, seq) {
      const mark = markOf(boot);
      return mark !== null && seq < mark.next;
    },
    isBeyond(boot, seq) {
      const mark = markOf(boot);
      return mark?.heard === true && seq > mark.next + REACH;
    },
    get levels() {
      return marks;
    },
    reconnected() {
      for (let i = 0; i < marks.length; i++) marks[i].heard = false;
    },
  };
}
