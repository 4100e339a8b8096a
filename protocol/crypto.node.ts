/** Hash, signatures and keys by node:crypto: what a gateway uses. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { type Aead, ALG_EDDSA, type Crypto, type Signer } from "./cose.ts";
import { hasCanonicalScalar, kidOf } from "./keys.ts";

/** A signer that also shows its public key. */
export interface KeyedSigner extends Signer {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** DER of an Ed25519 key up to its 32 bytes (RFC 8410 sections 4 and 7, examples in section 10). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Parsed keys, the oldest forgotten first: parsing costs a third of a verification. */
const MAX_CACHED_KEYS = 1024;
const cache = new Map<string, KeyObject>();

function keyObject(publicKey: Uint8Array): KeyObject {
  if (publicKey.length !== 32) throw new Error(`public key of ${publicKey.length} bytes: Ed25519 has 32`);
  const bytes = Buffer.from(publicKey.buffer, publicKey.byteOffset, 32);
  const name = bytes.toString("latin1");
  const known = cache.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: "der", type: "spki" });
  const oldest = cache.size >= MAX_CACHED_KEYS ? cache.keys().next() : undefined;
  if (oldest !== undefined && !oldest.done) cache.delete(oldest.value);
  cache.set(name, key);
  return key;
}

/**
 * `verify` is strict in S < L by its own check besides OpenSSL's; small-order and non-canonical public keys are refused at
 * enrolment, not here. It throws Error for a public key that is not 32 bytes, and for nothing that a message contains.
 */
export const nodeCrypto: Crypto = {
  sha256(bytes) {
    return new Uint8Array(createHash("sha256").update(bytes).digest());
  },
  verify(publicKey, message, signature) {
    const key = keyObject(publicKey);
    return hasCanonicalScalar(signature) && verify(null, message, key, signature);
  },
};

const CCM_TAG = 8;

function checkCcm(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== 16) throw new Error(`AES key of ${key.length} bytes: AES-CCM-16-64-128 has 16`);
  if (nonce.length !== 13) throw new Error(`nonce of ${nonce.length} bytes: AES-CCM-16-64-128 has 13`);
}

/**
 * AES-CCM-16-64-128. Throws Error for a key or nonce of another length and for an empty plaintext, and for nothing that a
 * sealed message contains.
 */
export const nodeAead: Aead = {
  seal(key, nonce, aad, plaintext) {
    checkCcm(key, nonce);
    if (plaintext.length === 0) throw new Error("an empty plaintext: OpenSSL's CCM makes no tag over none");
    const cipher = createCipheriv("aes-128-ccm", key, nonce, { authTagLength: CCM_TAG });
    cipher.setAAD(aad, { plaintextLength: plaintext.length });
    const body = cipher.update(plaintext);
    cipher.final();
    return new Uint8Array(Buffer.concat([body, cipher.getAuthTag()]));
  },
  open(key, nonce, aad, sealed) {
    checkCcm(key, nonce);
    const length = sealed.length - CCM_TAG;
    if (length < 1) return null;
    const decipher = createDecipheriv("aes-128-ccm", key, nonce, { authTagLength: CCM_TAG });
    decipher.setAuthTag(sealed.subarray(length));
    decipher.setAAD(aad, { plaintextLength: length });
    try {
      const plaintext = decipher.update(sealed.subarray(0, length));
      decipher.final();
      return new Uint8Array(plaintext);
    } catch {
      return null; // the only failure left after the checks above: the tag
    }
  },
};

/** Signer from an Ed25519 seed, the 32 bytes of RFC 8032's private key. Throws Error for another length. */
export function nodeSigner(seed: Uint8Array): KeyedSigner {
  if (seed.length !== 32) throw new Error(`seed of ${seed.length} bytes: Ed25519 has 32`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const publicKey = new Uint8Array(spki.subarray(SPKI_PREFIX.length));
  return {
    kid: kidOf(publicKey, nodeCrypto),
    alg: ALG_EDDSA,
    publicKey,
    sign: (toBeSigned) => new Uint8Array(sign(null, toBeSigned, privateKey)),
  };
}
