/** The same interfaces by tweetnacl: a second opinion for verifiers, and a signer for hosts without node:crypto's Ed25519. */
import nacl from "tweetnacl";
import { ALG_EDDSA, type Crypto } from "./cose.ts";
import { type KeyedSigner, nodeCrypto } from "./crypto.node.ts";
import { hasCanonicalScalar, kidOf } from "./keys.ts";

/** tweetnacl by itself accepts S + L, so S < L is checked first. Throws Error for a public key that is not 32 bytes. */
export const tweetnaclCrypto: Crypto = {
  sha256: nodeCrypto.sha256,
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32) throw new Error(`public key of ${publicKey.length} bytes: Ed25519 has 32`);
    return hasCanonicalScalar(signature) && nacl.sign.detached.verify(message, signature, publicKey);
  },
};

/** As nodeSigner; the signatures are the same bytes, since Ed25519 is deterministic (RFC 8032 section 5.1.6). */
export function tweetnaclSigner(seed: Uint8Array): KeyedSigner {
  if (seed.length !== 32) throw new Error(`seed of ${seed.length} bytes: Ed25519 has 32`);
  const pair = nacl.sign.keyPair.fromSeed(seed);
  return {
    kid: kidOf(pair.publicKey, tweetnaclCrypto),
    alg: ALG_EDDSA,
    publicKey: pair.publicKey,
    sign: (toBeSigned) => nacl.sign.detached(toBeSigned, pair.secretKey),
  };
}
