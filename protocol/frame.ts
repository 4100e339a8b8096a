/** The serial line (PROTOCOL.md section 6): "~", base64 of message and CRC, LF. Device side. */
import { fromBase64, toBase64 } from "./base64.ts";
import { MAX_MESSAGE } from "./cose.ts";
import { crc32 } from "./crc32.ts";
import { refuse } from "./refusal.ts";

/** Longest line without its LF, bytes; a receiver drops what is longer up to the next LF, and counts it. */
export const MAX_LINE = 5472;

/** The line of a message, LF included. Throws Refusal "size" for an empty message and for one over 4096 bytes. */
export function encodeLine(message: Uint8Array): string {
  const length = message.length;
  if (length === 0 || length > MAX_MESSAGE)
    throw refuse("size", `a message of ${length} bytes, must be 1..${MAX_MESSAGE}`);
  const framed = new Uint8Array(length + 4);
  framed.set(message, 0);
  const crc = crc32(message);
  framed[length] = crc & 255;
  framed[length + 1] = (crc >>> 8) & 255;
  framed[length + 2] = (crc >>> 16) & 255;
  framed[length + 3] = crc >>> 24;
  return `~${toBase64(framed)}\n`;
}

/**
 * The message of a line, with or without its CR and LF; null for a line without any "~", which is log text. What stands before
 * the LAST "~" is dropped: a packet cut off by a reset, or log text without its line end, does not spoil the packet behind it.
 * Throws Refusal "size" (longer than MAX_LINE, or more than 4096 bytes), "base64" or "crc"; the offset counts characters.
 */
export function decodeLine(line: string): Uint8Array | null {
  const tilde = line.lastIndexOf("~");
  if (tilde < 0) return null;
  let end = line.length;
  if (line.charCodeAt(end - 1) === 10) end--;
  if (end > tilde + 1 && line.charCodeAt(end - 1) === 13) end--;
  if (end > MAX_LINE) throw refuse("size", `a line of ${end} bytes, at most ${MAX_LINE}`);
  const framed = fromBase64(line, tilde + 1, end);
  const length = framed.length - 4;
  if (length < 1) throw refuse("crc", `${framed.length} bytes: too short for a message and its CRC`, end);
  if (length > MAX_MESSAGE) throw refuse("size", `a message of ${length} bytes, at most ${MAX_MESSAGE}`);
  const message = framed.subarray(0, length);
  const low = framed[length] | (framed[length + 1] << 8);
  const high = framed[length + 2] | (framed[length + 3] << 8);
  const crc = crc32(message);
  if ((crc & 65535) !== low || crc >>> 16 !== high)
    throw refuse("crc", "the CRC-32 does not match the bytes before it");
  return message;
}
