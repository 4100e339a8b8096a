/** A capture file in parts: `~` lines (PROTOCOL.md section 6), or a CBOR sequence of messages (RFC 8742). */

import { decodeLine } from "../protocol/frame.ts";
import { type Refusal, refuse } from "../protocol/refusal.ts";

export type CapturePart = { readonly where: string } & (
  | { readonly message: Uint8Array }
  | { readonly refusal: Refusal }
);

/** No sequence waits for more bytes than this to complete one message. */
const LONGEST_ITEM = 8192;

/** First byte of a tagged COSE object (tags 16 to 18), and the array that it holds: three parts in mode E, else four. */
const isTag = (byte: number) => byte >= 0xd0 && byte <= 0xd2;
const partsOf = (tag: number) => (tag === 0xd0 ? 3 : 4);
const isArray = (byte: number, tag: number) => byte === (0x80 | partsOf(tag));
/** Label of the Partial IV, the one entry of an unprotected header in mode E. */
const PARTIAL_IV = 6;

/** Whether a capture that begins with these bytes is a CBOR sequence; the first two decide. */
export function isSequence(start: Uint8Array): boolean {
  return start.length > 0 && isTag(start[0]) && (start.length === 1 || isArray(start[1], start[0]));
}

/** Log lines are left out; what is damaged comes as its refusal. */
export function* splitCapture(bytes: Uint8Array): Generator<CapturePart> {
  if (!isSequence(bytes)) yield* splitLines(bytes);
  else {
    const splitter = createSequenceSplitter();
    yield* splitter.push(bytes);
    yield* splitter.end();
  }
}

function* splitLines(bytes: Uint8Array): Generator<CapturePart> {
  let number = 0;
  for (const line of Buffer.from(bytes).toString("latin1").split("\n")) {
    number++;
    const where = `line ${number}`;
    try {
      const message = decodeLine(line);
      if (message !== null) yield { where, message };
    } catch (error) {
      yield { where, refusal: error as Refusal };
    }
  }
}

export interface SequenceSplitter {
  /** The messages that these bytes complete. */
  push(chunk: Uint8Array): Generator<CapturePart>;
  /** What is left when nothing more comes: at most one refusal, for a message that is cut off. */
  end(): Generator<CapturePart>;
}

/** Splits a CBOR sequence of any length in bounded memory; behind the first bytes that are no message nothing is read. */
export function createSequenceSplitter(): SequenceSplitter {
  let held: Uint8Array = new Uint8Array(0);
  /** Place of the first held byte in the sequence. */
  let at = 0;
  let broken = false;
  const stop = (message: string): CapturePart => {
    broken = true;
    return { where: `byte ${at}`, refusal: refuse("cbor", message) };
  };
  return {
    *push(chunk) {
      if (broken) return;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let from = 0;
      while (from < held.length) {
        const length = itemLength(held, from);
        if (length === "short" && held.length - from < LONGEST_ITEM) break;
        if (length === "short" || length === "none") {
          yield stop("no message begins here; the rest is not read");
          return;
        }
        yield { where: `byte ${at}`, message: held.subarray(from, from + length) };
        from += length;
        at += length;
      }
      held = held.slice(from);
    },
    *end() {
      if (!broken && held.length > 0) yield stop(`the capture ends ${held.length} bytes into a message`);
    },
  };
}

/** Length of the tagged array that begins here, walking its parts. "short": it goes on behind these bytes. */
function itemLength(bytes: Uint8Array, from: number): number | "short" | "none" {
  if (!isTag(bytes[from])) return "none";
  if (from + 1 >= bytes.length) return "short";
  if (!isArray(bytes[from + 1], bytes[from])) return "none";
  let at = from + 2;
  for (let left = partsOf(bytes[from]); left > 0; left--) {
    if (at >= bytes.length) return "short";
    const major = bytes[at] >> 5;
    const info = bytes[at++] & 31;
    // Every part but the unprotected header is a byte string; that is an empty map, or holds one.
    if (major === 5 && info === 1) {
      if (at >= bytes.length) return "short";
      if (bytes[at++] !== PARTIAL_IV) return "none";
      left++;
      continue;
    }
    if (info > 26 || (major !== 2 && !(major === 5 && info === 0))) return "none";
    const size = info < 24 ? 0 : 1 << (info - 24);
    if (at + size > bytes.length) return "short";
    let length = size === 0 ? info : 0;
    for (let i = 0; i < size; i++) length = length * 256 + bytes[at++];
    at += length;
  }
  return at <= bytes.length ? at - from : "short";
}
