/**
 * Mode M: COSE_Mac0 (RFC 9052 section 6.2) with HMAC 256/64 (RFC 9053 section 3.1) under a key of the boot (boot-keys.ts).
 * Device side.
 *
 * Both ends hold the pre-shared key: a MAC proves to the gateway that the device sent a message, and to nobody else.
 */
import { encode, map } from "./cbor.ts";
import { equalBytes } from "./constant-time.ts";
import type { Crypto } from "./cose.ts";
import {
  bytesOf,
  NOTHING,
  openMode,
  parseProtected,
  protectedHeader,
  requireEmpty,
  sealed,
  TAG_MAC0,
} from "./header.ts";
import { hmacSha256 } from "./hmac.ts";
import { TYPE_BIRTH, TYPE_PRESENCE } from "./messages/codes.ts";
import { isDownlink } from "./peek.ts";
import { refuse } from "./refusal.ts";

export const ALG_HMAC_256_64 = 4;
/** Bytes of the tag. */
export const MAC_LENGTH = 8;

const KEY_LENGTH = 32;

/** A COSE_Mac0 taken apart, nothing of it proven yet. Byte strings are views into the message. */
export interface Mac0 {
  /** The DEVICE's kid, in both directions: it names the pre-shared key. */
  readonly kid: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** Claimed tag, 8 bytes. */
  readonly tag: Uint8Array;
}

function isHmac(alg: number): boolean {
  return alg === ALG_HMAC_256_64;
}

/** Which of the boot's keys proves a message of this type (peek.ts): what a device sends first is MACed without bn. */
export function macLabelOf(type: number): "birth" | "d2g mac" | "g2d mac" {
  if (type === TYPE_BIRTH || type === TYPE_PRESENCE) return "birth";
  return isDownlink(type) ? "g2d mac" : "d2g mac";
}

/** HMAC over the MAC_structure of RFC 9052 section 6.3, cut to 64 bits. */
function tagOf(
  protectedBytes: Uint8Array,
  payload: Uint8Array,
  key: Uint8Array,
  crypto: Pick<Crypto, "sha256">,
): Uint8Array {
  if (key.length !== KEY_LENGTH) throw new Error(`MAC key of ${key.length} bytes: it has ${KEY_LENGTH}`);
  const structure = encode(["MAC0", protectedBytes, NOTHING, payload]);
  return new Uint8Array(hmacSha256(key, structure, crypto).subarray(0, MAC_LENGTH));
}

/**
 * Seals a payload once: tagged COSE_Mac0, protected {1: 4, 4: kid}; 29 bytes over a payload of 256 bytes and more. Throws
 * Refusal "size" over 4096 bytes, "header" for a kid that is not 8 bytes; Error for a key that is not 32.
 */
export function mac0(
  payload: Uint8Array,
  kid: Uint8Array,
  key: Uint8Array,
  crypto: Pick<Crypto, "sha256">,
): Uint8Array {
  if (kid.length !== 8) throw refuse("header", `the kid has ${kid.length} bytes, must be 8`);
  const protectedBytes = protectedHeader(ALG_HMAC_256_64, kid);
  return sealed(TAG_MAC0, [protectedBytes, map([]), payload, tagOf(protectedBytes, payload, key, crypto)]);
}

/**
 * Steps 1 to 3 of a receiver, for mode M alone: size, strict CBOR, exact headers. Throws Refusal "size", "cbor" (also a tag
 * other than 16, 17, 18) or "header" (also the tag of another mode, and a tag of another length than 8).
 */
export function decodeMac0(bytes: Uint8Array): Mac0 {
  const parts = openMode(bytes, TAG_MAC0, "COSE_Mac0", 4);
  const protectedBytes = bytesOf(parts[0], "the protected header");
  requireEmpty(parts[1]);
  const payload = bytesOf(parts[2], "the payload");
  const tag = bytesOf(parts[3], "the tag");
  const header = parseProtected(protectedBytes, isHmac, "4 (HMAC 256/64)");
  if (tag.length !== MAC_LENGTH) throw refuse("header", `a tag of ${tag.length} bytes, HMAC 256/64 has ${MAC_LENGTH}`);
  return { kid: header.kid, protectedBytes: protectedBytes, payload: payload, tag: tag };
}

/**
 * Step 5 of a receiver: whether the MAC holds under `key` (32 bytes), which the caller chose by mac0.kid, `peekPayload` and
 * `macLabelOf`. The tags are compared in constant time (constant-time.ts). Throws Error for a key that is not 32 bytes, and
 * for nothing that a message contains.
 */
export function verifyMac0(message: Mac0, key: Uint8Array, crypto: Pick<Crypto, "sha256">): boolean {
  return equalBytes(tagOf(message.protectedBytes, message.payload, key, crypto), message.tag);
}
