/** A capture file in parts: `~` lines (PROTOCOL.md section 6), or a CBOR sequence of messages (RFC 8742). */

import { decodeLine } from "../protocol/frame.ts";
import type { Refusal } from "../protocol/refusal.ts";

export type CapturePart = { readonly where: string } & (
  | { readonly message: Uint8Array }
  | { readonly refusal: Refusal }
);

/** First bytes of a tagged COSE object: tags 16 to 18. */
const isTag = (byte: number) => byte >= 0xd0 && byte <= 0xd2;

/** Log lines are left out; what is damaged comes as its refusal. */
export function* splitCapture(bytes: Uint8Array): Generator<CapturePart> {
  if (bytes.length > 0 && isTag(bytes[0])) yield* splitSequence(bytes);
  else yield* splitLines(bytes);
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

function* splitSequence(bytes: Uint8Array): Generator<CapturePart> {
  for (let at = 0; at < bytes.length; ) {
    const where = `byte ${at}`;
    const length = itemLength(bytes, at);
    if (length === null) {
      const refusal = Object.assign(new Error("no CBOR item begins or ends here; the rest is not read"), {
        reason: "cbor" as const,
      });
      yield { where, refusal };
      return;
    }
    yield { where, message: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** Length of the tagged array of four that begins here, walking its four parts; null where it is none. */
function itemLength(bytes: Uint8Array, from: number): number | null {
  let at = from;
  const head = (): number | null => {
    if (at >= bytes.length) return null;
    const info = bytes[at++] & 31;
    if (info < 24) return info;
    const size = 1 << (info - 24);
    if (info > 26 || at + size > bytes.length) return null;
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + bytes[at++];
    return value;
  };
  if (!isTag(bytes[at])) return null;
  at++;
  if (bytes[at++] !== 0x84) return null;
  for (let part = 0; part < 4; part++) {
    const major = bytes[at] >> 5;
    const length = head();
    if (length === null || (major !== 2 && !(major === 5 && length === 0))) return null;
    if (major === 2) at += length;
  }
  return at <= bytes.length ? at - from : null;
}
