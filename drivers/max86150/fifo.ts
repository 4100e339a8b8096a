/** What a MAX86150's FIFO hands out. Device side. */
import { type Block, FLAG_SATURATED } from "../driver.ts";
import * as reg from "./registers.ts";

/**
 * Puts element `element` of each sample behind what `block` has; a sample has `elements`, and the samples are whole ones in
 * the replies between the first and the last. `signed`: it is the ECG. Bits above a code's own are not taken for its own.
 * Flags what is at an end of its range.
 */
export const decode = (
  replies: readonly Uint8Array[],
  element: number,
  elements: number,
  block: Block,
  signed: boolean,
): void => {
  const top = signed ? reg.ECG_TOP : reg.PPG_TOP;
  for (let i = 1; i < replies.length - 1; i++) {
    const bytes = replies[i];
    for (let at = element * reg.WORD; at < bytes.length; at += elements * reg.WORD) {
      const word = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
      const code = signed ? (word << 14) >> 14 : word & top;
      // The lower end of light is darkness, no fault of the converter's.
      if (code === top || code === ~top) block.flags |= FLAG_SATURATED;
      block.samples[block.count++] = code;
    }
  }
};
