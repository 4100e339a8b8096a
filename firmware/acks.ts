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
