/**
 * Mode E: COSE_Encrypt0 (RFC 9052 section 5.2) with AES-CCM-16-64-128 (RFC 9053 section 4.2) under a key of the boot
 * (boot-keys.ts), around a complete S message or a bare payload. Device side.
 *
 * Two plaintexts under one nonce give both away. The nonce is made from the identity of what is inside, so it is as unique as
 * (boot, seq) is: who seals two payloads under one identity, or without a boot counter that survives, breaks it.
 */
import { type Cbor, encode, isMap, map } from "./cbor.ts";
import { equalBytes } from "./constant-time.ts";
import { type Aead, decodeEnvelope, type Envelope } from "./cose.ts";
import {
  bytesOf,
  NOTHING,
  openMode,
  parseProtected,
  protectedHeader,
  sealed,
  TAG_ENCRYPT0,
  TAG_SIGN1,
} from "./header.ts";
import { TYPE_BIRTH } from "./messages/codes.ts";
import { identityOf, type PayloadIdentity } from "./peek.ts";
import { refuse } from "./refusal.ts";

export const ALG_AES_CCM_16_64_128 = 10;

const HEADER_PARTIAL_IV = 6;
const PARTIAL_IV_LENGTH = 8;
const NONCE_LENGTH = 13;
const CCM_TAG_LENGTH = 8;
/** First byte of an S message: tag 18. */
const SIGN1_INITIAL = 0xc0 | TAG_SIGN1;

/** Keys of one direction of one boot. */
export interface EncryptionKeys {
  /** "d2g enc" or "g2d enc", 16 bytes. */
  readonly key: Uint8Array;
  /** "d2g iv" or "g2d iv", 13 bytes. */
  readonly iv: Uint8Array;
}

/** A COSE_Encrypt0 taken apart, nothing of it proven yet. Byte strings are views into the message. */
export interface Encrypt0 {
  /** The DEVICE's kid, in both directions: it names the pre-shared key. */
  readonly kid: Uint8Array;
  /** First half of the Partial IV: whose keys these are. */
  readonly boot: number;
  /** Second half of the Partial IV: seq, or n of what a gateway sends. */
  readonly number: number;
  readonly partialIv: Uint8Array;
  readonly protectedBytes: Uint8Array;
  /** With the tag. */
  readonly ciphertext: Uint8Array;
}

/** What was inside. */
export interface OpenedEncrypt0 {
  /** The S message inside, its signature NOT verified yet; null: a bare payload, which the AEAD's tag alone has proven. */
  readonly signed: Envelope | null;
  /** All that was sealed: the bytes of the S message, or the payload. */
  readonly plaintext: Uint8Array;
  readonly payload: Uint8Array;
  readonly identity: PayloadIdentity;
}

function isCcm(alg: number): boolean {
  return alg === ALG_AES_CCM_16_64_128;
}

function checkKeys(keys: EncryptionKeys): void {
  if (keys.key.length !== 16) throw new Error(`key of ${keys.key.length} bytes: AES-CCM-16-64-128 has 16`);
  if (keys.iv.length !== NONCE_LENGTH) throw new Error(`iv of ${keys.iv.length} bytes: it has ${NONCE_LENGTH}`);
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (24 - 8 * i)) & 255;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] * 256 + bytes[at + 1]) * 65536 + bytes[at + 2] * 256 + bytes[at + 3];
}

/** nonce = iv XOR the Partial IV, padded with zeros on its left. */
function nonceOf(iv: Uint8Array, partialIv: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(iv);
  for (let i = 0; i < PARTIAL_IV_LENGTH; i++) nonce[NONCE_LENGTH - PARTIAL_IV_LENGTH + i] ^= partialIv[i];
  return nonce;
}

/** Enc_structure of RFC 9052 section 5.3: the data authenticated beside the ciphertext. */
function encStructure(protectedBytes: Uint8Array): Uint8Array {
  return encode(["Encrypt0", protectedBytes, NOTHING]);
}

/** Takes what is to be sealed, or was proven, apart. Throws Refusal for what must not stand in E under this kid. */
function inside(plaintext: Uint8Array, kid: Uint8Array): OpenedEncrypt0 {
  const signed = plaintext.length > 0 && plaintext[0] === SIGN1_INITIAL ? decodeEnvelope(plaintext) : null;
  const payload = signed === null ? plaintext : signed.payload;
  const identity = identityOf(payload);
  if (identity.type === TYPE_BIRTH) throw refuse("payload", "a birth is never encrypted: its bn makes the keys");
  // The device is named by who signed, or by whom the gateway addresses; a bare payload of a device names nobody.
  const device = identity.kid !== null ? identity.kid : signed !== null ? signed.kid : kid;
  if (!equalBytes(device, kid)) throw refuse("payload", "the kid outside is not the device's inside");
  return { signed: signed, plaintext: plaintext, payload: payload, identity: identity };
}

/**
 * Seals a complete S message, or a bare payload, once: tagged COSE_Encrypt0, protected {1: 10, 4: kid}, unprotected
 * {6: boot || seq (or n)} as the plaintext says; 38 bytes over a plaintext of 248 bytes and more. `kid` is the device's.
 * Throws Refusal "size" over 4096 bytes, "header" for a kid that is not 8 bytes, and for a plaintext that is neither or is a
 * birth or presence; Error for keys of another length.
 */
export function encrypt0(plaintext: Uint8Array, kid: Uint8Array, keys: EncryptionKeys, aead: Aead): Uint8Array {
  checkKeys(keys);
  if (kid.length !== 8) throw refuse("header", `the kid has ${kid.length} bytes, must be 8`);
  const identity = inside(plaintext, kid).identity;
  const partialIv = new Uint8Array(PARTIAL_IV_LENGTH);
  writeU32(partialIv, 0, identity.boot);
  writeU32(partialIv, 4, identity.number);
  const protectedBytes = protectedHeader(ALG_AES_CCM_16_64_128, kid);
  const unprotected: Cbor = map([[HEADER_PARTIAL_IV, partialIv]]);
  const ciphertext = aead.seal(keys.key, nonceOf(keys.iv, partialIv), encStructure(protectedBytes), plaintext);
  return sealed(TAG_ENCRYPT0, [protectedBytes, unprotected, ciphertext]);
}

/**
 * Steps 1 to 3 of a receiver, for mode E alone: size, strict CBOR, exact headers. Throws Refusal "size", "cbor" (also a tag
 * other than 16, 17, 18) or "header" (also the tag of another mode, and a ciphertext of no more than its tag).
 */
export function decodeEncrypt0(bytes: Uint8Array): Encrypt0 {
  const parts = openMode(bytes, TAG_ENCRYPT0, "COSE_Encrypt0", 3);
  const protectedBytes = bytesOf(parts[0], "the protected header");
  const unprotected = parts[1];
  if (!isMap(unprotected) || unprotected.entries.length !== 1 || unprotected.entries[0][0] !== HEADER_PARTIAL_IV)
    throw refuse("header", "the unprotected header is not {6: Partial IV}");
  const partialIv = bytesOf(unprotected.entries[0][1], "the Partial IV");
  if (partialIv.length !== PARTIAL_IV_LENGTH)
    throw refuse("header", `a Partial IV of ${partialIv.length} bytes, must be ${PARTIAL_IV_LENGTH}`);
  const ciphertext = bytesOf(parts[2], "the ciphertext");
  const header = parseProtected(protectedBytes, isCcm, "10 (AES-CCM-16-64-128)");
  if (ciphertext.length <= CCM_TAG_LENGTH) throw refuse("header", "a ciphertext with nothing beside its tag");
  return {
    kid: header.kid,
    boot: readU32(partialIv, 0),
    number: readU32(partialIv, 4),
    partialIv: partialIv,
    protectedBytes: protectedBytes,
    ciphertext: ciphertext,
  };
}

/**
 * Step 5 of a receiver: what is inside, or null where the tag does not hold under `keys`, which the caller chose by kid, boot
 * and its own side of the road. Throws Refusal where what is inside is authentic and still wrong: no S message and no
 * payload, a birth or presence, another kid, another (boot, seq) than the Partial IV says; Error for keys of another length.
 */
export function openEncrypt0(message: Encrypt0, keys: EncryptionKeys, aead: Aead): OpenedEncrypt0 | null {
  checkKeys(keys);
  const nonce = nonceOf(keys.iv, message.partialIv);
  const plaintext = aead.open(keys.key, nonce, encStructure(message.protectedBytes), message.ciphertext);
  if (plaintext === null) return null;
  const opened = inside(plaintext, message.kid);
  if (opened.identity.boot !== message.boot || opened.identity.number !== message.number)
    throw refuse("payload", "the Partial IV is not the boot and number inside");
  return opened;
}
