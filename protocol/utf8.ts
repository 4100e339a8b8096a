/**
 * Strict UTF-8 (RFC 3629, Unicode 15 table 3-7): no surrogates, no overlong forms, nothing above U+10FFFF. Device side:
 * there is no TextEncoder on an interpreter, and its decoder would replace what must be refused.
 */
import { refuse } from "./refusal.ts";

/** Bytes that `text` takes. Throws Refusal "cbor" at a surrogate without its partner; the offset counts UTF-16 units. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (unit < 0xd800 || unit > 0xdfff) length += 3;
    else {
      const low = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) throw refuse("cbor", "text with half a surrogate pair", i);
      i++;
      length += 4;
    }
  }
  return length;
}

/** Writes `text` at `at`; `out` has room for `utf8Length(text)` bytes, which the caller has asked for (and so checked it). */
export function writeUtf8(text: string, out: Uint8Array, at: number): void {
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) out[at++] = unit;
    else if (unit < 0x800) {
      out[at++] = 0xc0 | (unit >> 6);
      out[at++] = 0x80 | (unit & 63);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      out[at++] = 0xe0 | (unit >> 12);
      out[at++] = 0x80 | ((unit >> 6) & 63);
      out[at++] = 0x80 | (unit & 63);
    } else {
      i++;
      unit = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(i) & 0x3ff);
      out[at++] = 0xf0 | (unit >> 18);
      out[at++] = 0x80 | ((unit >> 12) & 63);
      out[at++] = 0x80 | ((unit >> 6) & 63);
      out[at++] = 0x80 | (unit & 63);
    }
  }
}

/** The text in bytes[start, end). Throws Refusal "cbor" with the offset of the first byte that no text can have there. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  while (at < end) {
    const first = bytes[at];
    if (first < 0x80) {
      text += String.fromCharCode(first);
      at++;
      continue;
    }
    const more = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
    if (more === 0 || at + more >= end) throw refuse("cbor", "text is not UTF-8", at);
    let point = first & (63 >> more);
    for (let i = 1; i <= more; i++) {
      const next = bytes[at + i];
      if ((next & 0xc0) !== 0x80) throw refuse("cbor", "text is not UTF-8", at + i);
      point = (point << 6) | (next & 63);
    }
    if (more === 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff)))
      throw refuse("cbor", "text with an overlong form or a surrogate", at);
    if (more === 3 && (point < 0x10000 || point > 0x10ffff))
      throw refuse("cbor", "text with an overlong form or beyond U+10FFFF", at);
    if (point < 0x10000) text += String.fromCharCode(point);
    else text += String.fromCharCode(0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    at += more + 1;
  }
  return text;
}
