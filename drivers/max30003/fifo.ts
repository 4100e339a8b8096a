/** What the words of a MAX30003's FIFO mean. Pages: MAX30001G data sheet. Device side. */
import { type Block, FLAG_SATURATED, FLAG_SETTLING } from "../driver.ts";
import * as r from "./registers.ts";

/**
 * FIFO words of all replies but the last two, behind what the block has (p. 61, 62). Returns the tag that ended them:
 * overflow or an unused one (not to be trusted from there on), TAG_END, or 0 where more words wait. An EMPTY word is no
 * sample; what follows it may be. Time-only samples of fast recovery are kept, as settling; samples at a rail are flagged.
 */
export const decode = (replies: readonly Uint8Array[], block: Block): number => {
  const samples = block.samples;
  let count = block.count;
  let last = 0;
  for (let k = 0; k < replies.length - 2 && last <= r.TAG_END; k++) {
    const bytes = replies[k];
    // The bit that says END says EMPTY, too.
    last = (bytes[bytes.length - 1] >> 3) & r.TAG_END;
    for (let i = 1; i < bytes.length; i += 3) {
      if (bytes[i + 2] & r.TAG_BITS) {
        const tag = (bytes[i + 2] >> 3) & 7;
        if (tag === r.TAG_EMPTY) continue;
        if (tag > 3) {
          last = tag;
          break;
        }
        if (tag & r.TAG_FAST) block.flags |= FLAG_SETTLING;
      }
      const sample = ((bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8)) >> 14;
      if ((sample ^ (sample >> 31)) === 131071) block.flags |= FLAG_SATURATED;
      samples[count++] = sample;
    }
  }
  block.count = count;
  return last;
};
