/**
 * Countersignatures (RFC 9338): a gateway signs that it has seen a message in mode M or E whose tag held. The MAC is no proof to
 * an outsider; the gateway's word is, as far as the gateway is trusted. Device side, so that anyone who holds a record can check.
 */
import { type Cbor, encode, map } from "./cbor.ts";
import { type Crypto, type Signer, signedAlgorithm } from "./cose.ts";
import type { Encrypt0 } from "./encrypt0.ts";
import { bytesOf, NOTHING, parseProtected, partsOf, protectedHeader, requireEmpty } from "./header.ts";
import type { Mac0 } from "./mac0.ts";
import { refuse } from "./refusal.ts";

/** A COSE_Countersignature taken apart, nothing of it proven yet. */
export interface Countersignature {
  readonly kid: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Countersign_structure of RFC 9338 section 3.3. A COSE_Mac0 has a third byte string, its tag, which makes the context
 * "CounterSignatureV2" and stands behind the payload; a COSE_Encrypt0 has two. Of an Encrypt0 the gateway also says what it has
 * read in it, as external data, for nobody else can.
 */
function structureOf(target: Mac0 | Encrypt0, signProtected: Uint8Array, plaintext: Uint8Array | null): Uint8Array {
  if ("tag" in target)
    return encode(["CounterSignatureV2", target.protectedBytes, signProtected, NOTHING, target.payload, [target.tag]]);
  if (plaintext === null) throw new Error("a countersignature over an Encrypt0 is over its plaintext too");
  return encode(["CounterSignature", target.protectedBytes, signProtected, plaintext, target.ciphertext]);
}

/**
 * Countersigns a message whose tag was found to hold. `plaintext`: what is inside an Encrypt0, null for a Mac0. Throws Refusal
 * "header" for a signer whose kid or algorithm no reader would take, "signature" where it does not give 64 bytes.
 */
export function countersign(target: Mac0 | Encrypt0, plaintext: Uint8Array | null, signer: Signer): Countersignature {
  if (signer.kid.length !== 8) throw refuse("header", `the signer's kid has ${signer.kid.length} bytes, must be 8`);
  if (!signedAlgorithm(signer.alg))
    throw refuse("header", `the signer's algorithm is ${signer.alg}, must be -8 or -19`);
  const protectedBytes = protectedHeader(signer.alg, signer.kid);
  const signature = signer.sign(structureOf(target, protectedBytes, plaintext));
  if (signature.length !== 64) throw refuse("signature", `the signer gave ${signature.length} bytes, must be 64`);
  return { kid: signer.kid, protectedBytes: protectedBytes, signature: signature };
}

/** The bytes that the countersignature is over, of this message (RFC 9338 section 3.3). `plaintext`: as for `countersign`. */
export function toBeCountersigned(
  countersignature: Countersignature,
  target: Mac0 | Encrypt0,
  plaintext: Uint8Array | null,
): Uint8Array {
  return structureOf(target, countersignature.protectedBytes, plaintext);
}

/** Whether the countersignature is that of the holder of `publicKey` (32 bytes, Ed25519) over this message. */
export function verifyCountersignature(
  countersignature: Countersignature,
  target: Mac0 | Encrypt0,
  plaintext: Uint8Array | null,
  publicKey: Uint8Array,
  crypto: Crypto,
): boolean {
  if (countersignature.signature.length !== 64) return false;
  const structure = toBeCountersigned(countersignature, target, plaintext);
  return crypto.verify(publicKey, structure, countersignature.signature);
}

/** COSE_Countersignature = COSE_Signature: [protected, unprotected, signature]. */
export function countersignatureParts(countersignature: Countersignature): Cbor {
  return [countersignature.protectedBytes, map([]), countersignature.signature];
}

/** Takes one apart: exactly the headers {1: alg, 4: kid} and {}. Throws Refusal "cbor" or "header". */
export function countersignatureOf(value: Cbor): Countersignature {
  const parts = partsOf(value, "COSE_Countersignature", 3);
  const protectedBytes = bytesOf(parts[0], "the protected header");
  requireEmpty(parts[1]);
  const signature = bytesOf(parts[2], "the signature");
  const header = parseProtected(protectedBytes, signedAlgorithm, "-8 or -19");
  if (signature.length !== 64) throw refuse("header", `a signature of ${signature.length} bytes, must be 64`);
  return { kid: header.kid, protectedBytes: protectedBytes, signature: signature };
}
