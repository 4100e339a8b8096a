/** Names of keys, and the one place for hexadecimal. Device side. */
import type { Crypto } from "./cose.ts";

const DIGITS = "0123456789abcdef";

/** Lower-case hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += DIGITS.charAt(bytes[i] >> 4) + DIGITS.charAt(bytes[i] & 15);
  return text;
}

/** Bytes of hexadecimal, either case, no spaces. Throws Error with the place and the character. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new Error(`hexadecimal of ${text.length} digits: an even number is needed`);
  const lower = text.toLowerCase();
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < text.length; i++) {
    const digit = DIGITS.indexOf(lower.charAt(i));
    if (digit < 0) throw new Error(`"${text.charAt(i)}" at ${i} is not a hexadecimal digit`);
    bytes[i >> 1] = bytes[i >> 1] * 16 + digit;
  }
  return bytes;
}

/** {1: 1, -1: 6, -2: …}: what comes before the 32 bytes of an Ed25519 key in its thumbprint's input (RFC 9679 section 4). */
const THUMBPRINT_PREFIX = [0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20];

/**
 * kid of an Ed25519 public key (32 bytes): the first 8 bytes of its COSE key thumbprint with SHA-256 (RFC 9679).
 * Throws Error for another length.
 */
export function kidOf(publicKey: Uint8Array, crypto: Pick<Crypto, "sha256">): Uint8Array {
  if (publicKey.length !== 32) throw new Error(`public key of ${publicKey.length} bytes: Ed25519 has 32`);
  const input = new Uint8Array(40);
  input.set(THUMBPRINT_PREFIX, 0);
  input.set(publicKey, 8);
  return new Uint8Array(crypto.sha256(input).subarray(0, 8));
}

/** kid as it stands in topics, cards and file names: 16 lower-case digits. Throws Error where it is not 8 bytes. */
export function kidText(kid: Uint8Array): string {
  if (kid.length !== 8) throw new Error(`kid of ${kid.length} bytes: it has 8`);
  return toHex(kid);
}

/** L, the order of the base point, little-endian: 2^252 + 27742317777372353535851937790883648493 (RFC 8032 section 5.1). */
const ORDER = fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/**
 * Whether the scalar S of a signature (its bytes 32..63, little-endian) is below L, as RFC 8032 section 5.1.7 wants. Where
 * that is not asked, S + L passes too and one message has several accepted signatures. False for another length than 64.
 */
export function hasCanonicalScalar(signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  for (let i = 31; i >= 0; i--) {
    const difference = signature[32 + i] - ORDER[i];
    if (difference !== 0) return difference < 0;
  }
  return false;
}
