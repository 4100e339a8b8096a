/** HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869) over whatever SHA-256 there is. Device side. */
import type { Crypto } from "./cose.ts";

type Hash = Pick<Crypto, "sha256">;

/** Bytes that SHA-256 takes in at a time. */
const BLOCK = 64;
const SIZE = 32;
/** HKDF counts its blocks in one byte. */
const MAX_HKDF = 255 * SIZE;

/** key XOR pad, then the text. */
function padded(key: Uint8Array, pad: number, text: Uint8Array): Uint8Array {
  const input = new Uint8Array(BLOCK + text.length);
  for (let i = 0; i < BLOCK; i++) input[i] = pad ^ (i < key.length ? key[i] : 0);
  input.set(text, BLOCK);
  return input;
}

/** The 32 bytes of HMAC-SHA-256. A key of more than 64 bytes is hashed first; one of none is the same as 32 zeros. */
export function hmacSha256(key: Uint8Array, text: Uint8Array, crypto: Hash): Uint8Array {
  const short = key.length > BLOCK ? crypto.sha256(key) : key;
  return crypto.sha256(padded(short, 0x5c, crypto.sha256(padded(short, 0x36, text))));
}

/**
 * HKDF-SHA-256, extract and expand: `length` bytes of key from `ikm`. Throws Error where `length` is not a whole number in
 * 1..8160.
 */
export function hkdfSha256(
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
  crypto: Hash,
): Uint8Array {
  if (!(length >= 1 && length <= MAX_HKDF) || Math.floor(length) !== length)
    throw new Error(`a key of ${length} bytes: HKDF-SHA-256 gives 1..${MAX_HKDF}`);
  const pseudorandom = hmacSha256(salt, ikm, crypto);
  const key = new Uint8Array(length);
  let done = 0;
  let count = 1;
  // T(0) is empty: the first text has no block before it.
  let text = new Uint8Array(info.length + 1);
  text.set(info, 0);
  while (done < length) {
    text[text.length - 1] = count++;
    const block = hmacSha256(pseudorandom, text, crypto);
    key.set(block.subarray(0, Math.min(SIZE, length - done)), done);
    done += SIZE;
    if (done < length) {
      text = new Uint8Array(SIZE + info.length + 1);
      text.set(block, 0);
      text.set(info, SIZE);
    }
  }
  return key;
}
