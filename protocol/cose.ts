/**
 * The envelope: one tagged COSE object (RFC 9052) with exactly the headers of PROTOCOL.md section 1. Device side.
 *
 * Today one mode, S: COSE_Sign1 with Ed25519. Modes M (tag 17) and E (tag 16) are named and refused.
 */
import { type Cbor, decode, decodeTagged, encode, encodeTagged, isMap, map } from "./cbor.ts";
import { refuse } from "./refusal.ts";

/** Whoever holds a private key. */
export interface Signer {
  /** First 8 bytes of the key's thumbprint (keys.ts). */
  readonly kid: Uint8Array;
  /** -8, EdDSA (RFC 9053), or -19, Ed25519 (RFC 9864). */
  readonly alg: number;
  /** 64 bytes of Ed25519 signature over the bytes given. */
  sign(toBeSigned: Uint8Array): Uint8Array;
}

/** What a verifier needs and the device side does not have by itself. */
export interface Crypto {
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** Ed25519 with S < L enforced; `publicKey` is 32 bytes. False for every signature that does not hold, of any length. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** A COSE object taken apart, nothing of it proven yet. Byte strings are views into the message. */
export interface Envelope {
  readonly tag: number;
  readonly alg: number;
  readonly kid: Uint8Array;
  /** What the object is; null: a message. */
  readonly typ: string | null;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** Longest message on any transport, bytes. */
export const MAX_MESSAGE = 4096;
export const ALG_EDDSA = -8;
export const ALG_ED25519 = -19;

const TAG_ENCRYPT0 = 16;
const TAG_MAC0 = 17;
const TAG_SIGN1 = 18;
const NOTHING = new Uint8Array(0);

const HEADER_ALG = 1;
const HEADER_KID = 4;
const HEADER_TYP = 16;

function signedAlgorithm(alg: number): boolean {
  return alg === ALG_EDDSA || alg === ALG_ED25519;
}

/** Sig_structure of RFC 9052 section 4.4: context, protected bytes, no external data, payload. */
function signatureStructure(protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  return encode(["Signature1", protectedBytes, NOTHING, payload]);
}

/**
 * Seals a payload once: tagged COSE_Sign1, protected {1: alg, 4: kid} and for an object that is no message {16: typ}.
 * Throws Refusal "size" over 4096 bytes, "header" for a signer whose kid or algorithm no receiver would take, "signature"
 * where it does not give 64 bytes.
 */
export function sign1(payload: Uint8Array, signer: Signer, typ?: string): Uint8Array {
  if (signer.kid.length !== 8) throw refuse("header", `the signer's kid has ${signer.kid.length} bytes, must be 8`);
  if (!signedAlgorithm(signer.alg))
    throw refuse("header", `the signer's algorithm is ${signer.alg}, must be -8 or -19`);
  const header: Array<readonly [Cbor, Cbor]> = [
    [HEADER_ALG, signer.alg],
    [HEADER_KID, signer.kid],
  ];
  if (typ !== undefined) header.push([HEADER_TYP, typ]);
  const protectedBytes = encode(map(header));
  const signature = signer.sign(signatureStructure(protectedBytes, payload));
  if (signature.length !== 64) throw refuse("signature", `the signer gave ${signature.length} bytes, must be 64`);
  const message = encodeTagged(TAG_SIGN1, [protectedBytes, map([]), payload, signature]);
  if (message.length > MAX_MESSAGE)
    throw refuse("size", `the sealed message has ${message.length} bytes, at most ${MAX_MESSAGE}: put less into it`);
  return message;
}

/**
 * Steps 1 to 3 of a receiver: size, strict CBOR, exact header set. `expectedTyp` absent: a message, which has no typ.
 * Throws Refusal "size", "cbor" (also a tag other than 16, 17, 18) or "header".
 */
export function decodeEnvelope(bytes: Uint8Array, expectedTyp?: string): Envelope {
  if (bytes.length > MAX_MESSAGE) throw refuse("size", `${bytes.length} bytes, at most ${MAX_MESSAGE}`);
  const tagged = decodeTagged(bytes);
  if (tagged.tag === TAG_MAC0 || tagged.tag === TAG_ENCRYPT0)
    throw refuse("header", `tag ${tagged.tag}: modes M (17) and E (16) are not spoken here yet, only S (18)`);
  if (tagged.tag !== TAG_SIGN1) throw refuse("cbor", `tag ${tagged.tag}, must be 16, 17 or 18`, 0);
  const parts = tagged.value;
  if (!Array.isArray(parts) || parts.length !== 4) throw refuse("header", "not the four parts of a COSE_Sign1");
  const protectedBytes = parts[0];
  const unprotected = parts[1];
  const payload = parts[2];
  const signature = parts[3];
  if (!(protectedBytes instanceof Uint8Array)) throw refuse("header", "the protected header is not a byte string");
  if (!isMap(unprotected) || unprotected.entries.length !== 0)
    throw refuse("header", "the unprotected header is not an empty map");
  if (!(payload instanceof Uint8Array)) throw refuse("header", "the payload is not a byte string (detached?)");
  if (!(signature instanceof Uint8Array)) throw refuse("header", "the signature is not a byte string");

  const header = decode(protectedBytes);
  const count = expectedTyp === undefined ? 2 : 3;
  if (!isMap(header) || header.entries.length !== count)
    throw refuse("header", `the protected header is not {1: alg, 4: kid${count === 3 ? ", 16: typ" : ""}}`);
  const alg = header.entries[0][1];
  const kid = header.entries[1][1];
  if (header.entries[0][0] !== HEADER_ALG || header.entries[1][0] !== HEADER_KID)
    throw refuse("header", "the protected header has other labels than 1 (alg) and 4 (kid)");
  if (typeof alg !== "number" || !signedAlgorithm(alg)) throw refuse("header", `algorithm ${alg}, must be -8 or -19`);
  if (!(kid instanceof Uint8Array) || kid.length !== 8) throw refuse("header", "the kid is not 8 bytes");
  if (expectedTyp !== undefined && (header.entries[2][0] !== HEADER_TYP || header.entries[2][1] !== expectedTyp))
    throw refuse("header", `typ (16) is not "${expectedTyp}": one object must not pass for another`);
  return {
    tag: tagged.tag,
    alg: alg,
    kid: kid,
    typ: expectedTyp === undefined ? null : expectedTyp,
    protectedBytes: protectedBytes,
    payload: payload,
    signature: signature,
  };
}

/** The bytes that the signature is over (RFC 9052 section 4.4). */
export function toBeSigned(envelope: Envelope): Uint8Array {
  return signatureStructure(envelope.protectedBytes, envelope.payload);
}

/**
 * Step 5 of a receiver: whether the signature holds under `publicKey` (32 bytes, Ed25519), which the caller took from its
 * enrolment record by envelope.kid. Never throws for what a message contains.
 */
export function verify1(envelope: Envelope, publicKey: Uint8Array, crypto: Crypto): boolean {
  if (envelope.tag !== TAG_SIGN1 || !signedAlgorithm(envelope.alg) || envelope.signature.length !== 64) return false;
  return crypto.verify(publicKey, toBeSigned(envelope), envelope.signature);
}
