/**
 * Signatures for the fuzzer. Ed25519 costs more than all decoders together, so most batches use a stand-in of the same
 * shape behind the same interface: 64 bytes, S below L, a keyed hash that no mutation hits by chance. Some batches use
 * Ed25519 itself.
 */
import { createHash } from "node:crypto";
import type { Crypto, Signer } from "../protocol/cose.ts";
import { type KeyedSigner, nodeCrypto } from "../protocol/crypto.node.ts";

function standIn(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const first = createHash("sha256").update(publicKey).update(message).digest();
  const signature = new Uint8Array(64);
  signature.set(first, 0);
  signature.set(first.subarray(0, 31), 32);
  return signature;
}

export interface Suite {
  readonly crypto: Crypto;
  signer(key: KeyedSigner): Signer;
}

export const ed25519: Suite = { crypto: nodeCrypto, signer: (key) => key };

export const keyedHash: Suite = {
  crypto: {
    sha256: nodeCrypto.sha256,
    verify: (publicKey, message, signature) => Buffer.compare(standIn(publicKey, message), signature) === 0,
  },
  signer: ({ kid, alg, publicKey }) => ({ kid, alg, sign: (message) => standIn(publicKey, message) }),
};
