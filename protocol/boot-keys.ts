/**
 * Keys of one boot, from the device's pre-shared key (PROTOCOL.md section 3). Device side: both ends compute them.
 *
 * Who forgets to raise `boot` and to draw a new `bn` gets the keys of a boot before, and with them its nonces. `newBootNonce`
 * refuses what it can see of that.
 */
import { encode } from "./cbor.ts";
import { equalBytes } from "./constant-time.ts";
import type { Crypto } from "./cose.ts";
import { hkdfSha256, hmacSha256 } from "./hmac.ts";

type Hash = Pick<Crypto, "sha256">;

/** What a key is for. d2g: device to gateway; g2d: gateway to device. */
export type KeyLabel = "d2g mac" | "g2d mac" | "d2g enc" | "d2g iv" | "g2d enc" | "g2d iv";

export const PSK_LENGTH = 32;
/** bn, the bootseed of a birth (claim 268). */
export const BOOT_NONCE_LENGTH = 16;

const NO_SALT = new Uint8Array(0);
const MAX_BOOT = 4294967295;

/** What the keys of a boot are made from. */
export interface BootSecret {
  /** Pre-shared key, 32 bytes. */
  readonly psk: Uint8Array;
  /** The DEVICE's kid, 8 bytes, for both directions. */
  readonly kid: Uint8Array;
  /** u32. */
  readonly boot: number;
}

function check(secret: BootSecret): void {
  if (secret.psk.length !== PSK_LENGTH)
    throw new Error(`pre-shared key of ${secret.psk.length} bytes: it has ${PSK_LENGTH}`);
  if (secret.kid.length !== 8) throw new Error(`kid of ${secret.kid.length} bytes: it has 8`);
  const boot = secret.boot;
  if (!(boot >= 0 && boot <= MAX_BOOT) || Math.floor(boot) !== boot)
    throw new Error(`boot ${boot}: must be a whole number 0..${MAX_BOOT}`);
}

function lengthOf(label: KeyLabel): number {
  if (label === "d2g mac" || label === "g2d mac") return 32;
  return label === "d2g enc" || label === "g2d enc" ? 16 : 13;
}

/** info of the derivation: deterministic CBOR ["VSP1", label, kid, boot]. */
export function keyInfo(label: KeyLabel | "birth", kid: Uint8Array, boot: number): Uint8Array {
  return encode(["VSP1", label, kid, boot]);
}

/**
 * The key of this label under the boot's nonce `bn` (16 bytes, from the birth): 32 bytes for a mac, 16 for enc, 13 for iv.
 * Throws Error where PSK, kid, boot or bn is not one.
 */
export function bootKey(label: KeyLabel, secret: BootSecret, bn: Uint8Array, crypto: Hash): Uint8Array {
  check(secret);
  if (bn.length !== BOOT_NONCE_LENGTH) throw new Error(`bn of ${bn.length} bytes: it has ${BOOT_NONCE_LENGTH}`);
  return hkdfSha256(secret.psk, bn, keyInfo(label, secret.kid, secret.boot), lengthOf(label), crypto);
}

/**
 * The 32-byte key for births and presences in mode M: without bn, which the birth is the first to tell. Throws Error where
 * PSK, kid or boot is not one.
 */
export function birthKey(secret: BootSecret, crypto: Hash): Uint8Array {
  check(secret);
  return hkdfSha256(secret.psk, NO_SALT, keyInfo("birth", secret.kid, secret.boot), 32, crypto);
}

/**
 * bn = HMAC-SHA-256(PSK, "bn" || boot, 4 bytes big-endian || entropy)[0..15]. `entropy` is all that the board has that
 * differs between boots, of any length: bn is unique already by the boot, secret by the PSK, and the entropy keeps it from
 * repeating where the boot counter fell back. `last` is the bn stored for the boot before; null on the first. Throws Error
 * where bn equals it, or it is no bn: then nothing of this boot may be sealed. The caller stores bn before its first message.
 */
export function newBootNonce(
  secret: BootSecret,
  entropy: Uint8Array,
  last: Uint8Array | null,
  crypto: Hash,
): Uint8Array {
  check(secret);
  if (last !== null && last.length !== BOOT_NONCE_LENGTH)
    throw new Error(`the last bn stored has ${last.length} bytes: it has ${BOOT_NONCE_LENGTH}`);
  const text = new Uint8Array(6 + entropy.length);
  text[0] = 98; // "b"
  text[1] = 110; // "n"
  for (let i = 0; i < 4; i++) text[2 + i] = (secret.boot >>> (24 - 8 * i)) & 255;
  text.set(entropy, 6);
  const bn = new Uint8Array(hmacSha256(secret.psk, text, crypto).subarray(0, BOOT_NONCE_LENGTH));
  if (last !== null && equalBytes(bn, last))
    throw new Error(`the nonce of boot ${secret.boot} equals the last one stored: the boot counter fell back`);
  return bn;
}
