/** Base64 of RFC 4648 section 4, without padding, strict: one text for one byte string. Device side. */
import { refuse } from "./refusal.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Value of a character by its code, 255 where it has none. */
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Text of the bytes, four characters for three bytes, two or three for the rest. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  const whole = bytes.length - (bytes.length % 3);
  for (let i = 0; i < whole; i += 3) {
    const word = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += ALPHABET.charAt(word >> 18);
    text += ALPHABET.charAt((word >> 12) & 63);
    text += ALPHABET.charAt((word >> 6) & 63);
    text += ALPHABET.charAt(word & 63);
  }
  if (bytes.length - whole === 1) {
    text += ALPHABET.charAt(bytes[whole] >> 2);
    text += ALPHABET.charAt((bytes[whole] & 3) << 4);
  } else if (bytes.length - whole === 2) {
    const word = (bytes[whole] << 8) | bytes[whole + 1];
    text += ALPHABET.charAt(word >> 10);
    text += ALPHABET.charAt((word >> 4) & 63);
    text += ALPHABET.charAt((word & 15) << 2);
  }
  return text;
}

/**
 * Bytes of text[start, end). Throws Refusal "base64" with the place of a character outside the alphabet ("=" too), for a
 * length that no byte string has, and for spare bits that are not zero.
 */
export function fromBase64(text: string, start: number, end: number): Uint8Array {
  const length = end - start;
  const rest = length % 4;
  if (rest === 1) throw refuse("base64", `${length} characters: 4k + 1 is the length of nothing`, end);
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code] : 255;
    if (value === 255) throw refuse("base64", `"${text.charAt(i)}" is not of the alphabet`, i);
    word = ((word & 255) << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (word >> bits) & 255;
    }
  }
  if ((word & ((1 << bits) - 1)) !== 0)
    throw refuse("base64", "the spare bits of the last character are not zero", end - 1);
  return bytes;
}
