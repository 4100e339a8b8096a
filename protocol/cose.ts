/**
 * The envelope: one tagged COSE object (RFC 9052) with exactly the headers of PROTOCOL.md section 1. Device side.
 *
 * This file is mode S: COSE_Sign1 with Ed25519. Modes M (mac0.ts, tag 17) and E (encrypt0.ts, tag 16) have decoders of their
 * own; `decodeEnvelope` names and refuses them.
 */
import { encode, map } from "./cbor.ts";
import {
  bytesOf,
  MAX_MESSAGE,
  NOTHING,
  openTagged,
  parseProtected,
  partsOf,
  protectedHeader,
  requireEmpty,
  sealed,
  TAG_ENCRYPT0,
  TAG_MAC0,
  TAG_SIGN1,
} from "./header.ts";
import { refuse } from "./refusal.ts";

export { MAX_MESSAGE };

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

/** AES-CCM-16-64-128 (RFC 9053 section 4.2): key of 16 bytes, nonce of 13, tag of 8 behind the ciphertext. For mode E. */
export interface Aead {
  /** Ciphertext and tag, 8 bytes longer than the plaintext, which is never empty. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext; null where the tag does not hold, and for 8 bytes or fewer. Nothing of it is shown before that. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null;
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

export const ALG_EDDSA = -8;
export const ALG_ED25519 = -19;

/** Whether a signature of this algorithm is one that is taken here. */
export function signedAlgorithm(alg: number): boolean {
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
  const protectedBytes = protectedHeader(signer.alg, signer.kid, typ);
  const signature = signer.sign(signatureStructure(protectedBytes, payload));
  if (signature.length !== 64) throw refuse("signature", `the signer gave ${signature.length} bytes, must be 64`);
  return sealed(TAG_SIGN1, [protectedBytes, map([]), payload, signature]);
}

/**
 * Steps 1 to 3 of a receiver: size, strict CBOR, exact header set. `expectedTyp` absent: a message, which has no typ.
 * Throws Refusal "size", "cbor" (also a tag other than 16, 17, 18) or "header".
 */
export function decodeEnvelope(bytes: Uint8Array, expectedTyp?: string): Envelope {
  const tagged = openTagged(bytes);
  if (tagged.tag === TAG_MAC0 || tagged.tag === TAG_ENCRYPT0)
    throw refuse("header", `tag ${tagged.tag}: a signed object (18) is read here, not modes M (17) and E (16)`);
  if (tagged.tag !== TAG_SIGN1) throw refuse("cbor", `tag ${tagged.tag}, must be 16, 17 or 18`, 0);
  const parts = partsOf(tagged.value, "COSE_Sign1", 4);
  const protectedBytes = bytesOf(parts[0], "the protected header");
  requireEmpty(parts[1]);
  const payload = parts[2];
  if (!(payload instanceof Uint8Array)) throw refuse("header", "the payload is not a byte string (detached?)");
  const signature = bytesOf(parts[3], "the signature");
  const header = parseProtected(protectedBytes, signedAlgorithm, "-8 or -19", expectedTyp);
  return {
    tag: tagged.tag,
    alg: header.alg,
    kid: header.kid,
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
