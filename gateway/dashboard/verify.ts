/**
 * Signatures, checked where the person looks: by the browser's own Ed25519 where it has one, else by tweetnacl (a page over
 * plain http from another host is no secure context and has no crypto.subtle).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import nacl from "tweetnacl";
import type { Crypto } from "../../protocol/cose.ts";
import { hasCanonicalScalar } from "../../protocol/keys.ts";

/** For cards and fingerprints, and for messages where the browser has no Ed25519. */
export const softCrypto: Crypto = {
  sha256,
  verify(publicKey, message, signature) {
    return hasCanonicalScalar(signature) && nacl.sign.detached.verify(message, signature, publicKey);
  },
};

/** What was signed, and the claimed signature. */
export interface Signed {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Verifier {
  /** Who checks, as the page says it. */
  readonly by: "WebCrypto" | "tweetnacl";
  /** Whether the signature holds under this key (Ed25519, 32 bytes). Never rejects. */
  verify(publicKey: Uint8Array, signed: Signed): Promise<boolean>;
}

/** What is asked of crypto.subtle; named by where it is found, so that it is the browser's type there and Node's in a test. */
type Subtle = Pick<typeof globalThis.crypto.subtle, "importKey" | "verify">;
type Key = Parameters<Subtle["verify"]>[1];

const ED25519 = "Ed25519";
/** The base point: a valid public key, to ask whether the browser knows the curve. */
const PROBE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x58 : 0x66));

/** `subtle`: the browser's, where there is one. */
export async function createVerifier(subtle: Subtle | undefined): Promise<Verifier> {
  const soft: Verifier = {
    by: "tweetnacl",
    // A turn of the event loop between two: a backlog must not hold the page still.
    verify: (publicKey, { bytes, signature }) =>
      new Promise((resolve) => setTimeout(() => resolve(softCrypto.verify(publicKey, bytes, signature)))),
  };
  if (subtle === undefined) return soft;
  const load = (publicKey: Uint8Array) =>
    subtle.importKey("raw", Uint8Array.from(publicKey), { name: ED25519 }, false, ["verify"]);
  try {
    await load(PROBE);
  } catch {
    return soft;
  }
  const keys = new WeakMap<Uint8Array, Promise<Key>>();
  return {
    by: "WebCrypto",
    async verify(publicKey, { bytes, signature }) {
      if (!hasCanonicalScalar(signature)) return false;
      try {
        let key = keys.get(publicKey);
        if (key === undefined) {
          key = load(publicKey);
          keys.set(publicKey, key);
        }
        return await subtle.verify(ED25519, await key, Uint8Array.from(signature), Uint8Array.from(bytes));
      } catch {
        return false;
      }
    },
  };
}
