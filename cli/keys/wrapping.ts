/**
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key that comes from a passphrase by scrypt (RFC 7914), or from a key
 * file. One line of text a secret, strict: one line for one set of fields, and every field is authenticated.
 *
 *   vitalwire-KIND 1 KID METHOD NONCE SEALED
 *
 * METHOD is `scrypt:LOG2N:R:P:SALT`, `key-file` or `test-only`; NONCE 12 bytes, SEALED ciphertext and 16 bytes of tag, in hex.
 * All that stands before NONCE is additional data of the cipher, and so is `more`, what else the file says of the key.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { fromHex, kidText, toHex } from "../../protocol/keys.ts";
import { sha256 } from "../../simulator/keys.ts";

/** psk: for mode M; psk-encrypt: for mode E. */
export type SecretKind = "psk" | "psk-encrypt" | "seed";

/** What opens a sealed secret, and seals a new one. */
export interface Wrapping {
  /** First word of the METHOD field. */
  readonly method: "scrypt" | "key-file" | "test-only";
  /** The METHOD field for a new secret; `like`: that of another in the same folder, whose salt is taken. */
  parameters(like: string | null): string;
  /** 32 bytes. */
  key(parameters: string): Uint8Array;
}

/** Cost of a new passphrase wrapping: N = 2^15, r = 8, p = 1; 32 MiB and about 0.1 s. Files with N up to 2^18 are read. */
const LOG2N = 15;
const R = 8;
const P = 1;
const SCRYPT = /^scrypt:(1[5-8]):8:1:([0-9a-f]{32})$/;
const LINE =
  /^vitalwire-(psk|psk-encrypt|seed) 1 ([0-9a-f]{16}) (scrypt:1[5-8]:8:1:[0-9a-f]{32}|key-file|test-only) ([0-9a-f]{24}) ((?:[0-9a-f]{2}){17,256})$/;
const TAG = 16;
const SHORTEST_PASSPHRASE = 12;

/** From a passphrase. Throws Error for one of fewer than 12 characters. Derived keys are kept: one salt costs one derivation. */
export function passphraseWrapping(passphrase: string): Wrapping {
  if (passphrase.length < SHORTEST_PASSPHRASE)
    throw new Error(
      `a passphrase of ${passphrase.length} characters: give at least ${SHORTEST_PASSPHRASE}, several words that nobody guesses`,
    );
  const keys = new Map<string, Uint8Array>();
  return {
    method: "scrypt",
    parameters: (like) =>
      like !== null && SCRYPT.test(like) ? like : `scrypt:${LOG2N}:${R}:${P}:${randomBytes(16).toString("hex")}`,
    key(parameters) {
      const known = keys.get(parameters);
      if (known !== undefined) return known;
      const [, log2n, salt] = SCRYPT.exec(parameters)!;
      const cost = Number(log2n);
      const options = { N: 2 ** cost, r: R, p: P, maxmem: 2 ** (cost + 11) };
      const key = new Uint8Array(scryptSync(passphrase.normalize("NFC"), fromHex(salt), 32, options));
      keys.set(parameters, key);
      return key;
    },
  };
}

/** Under the 32 bytes of a key file. Throws Error for another length. */
export function keyFileWrapping(key: Uint8Array): Wrapping {
  if (key.length !== 32) throw new Error(`a wrapping key of ${key.length} bytes: it has 32`);
  return { method: "key-file", parameters: () => "key-file", key: () => key };
}

/** For simulations: its key is known to everybody, and its files say so. */
export function testOnlyWrapping(): Wrapping {
  const key = sha256("TEST-ONLY vitalwire wrapping");
  return { method: "test-only", parameters: () => "test-only", key: () => key };
}

/** The parts of a sealed line; nothing of it is proven. Throws Error where it has another form; `where` is the file. */
export function parseSealed(line: string, where: string) {
  const fields = LINE.exec(line);
  if (fields === null)
    throw new Error(`${where}: not a sealed secret of version 1; name the right file, or make a new one`);
  const [, kind, kid, method, nonce, sealed] = fields as unknown as [
    string,
    SecretKind,
    string,
    string,
    string,
    string,
  ];
  return { kind, kid, method, nonce, sealed };
}

/** The line, without its LF. `like`: METHOD of another secret that the same passphrase opens, or null. */
export function sealSecret(
  kind: SecretKind,
  kid: Uint8Array,
  secret: Uint8Array,
  wrapping: Wrapping,
  like: string | null = null,
  more = "",
): string {
  const method = wrapping.parameters(like);
  const head = `vitalwire-${kind} 1 ${kidText(kid)} ${method}`;
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", wrapping.key(method), nonce);
  cipher.setAAD(Buffer.from(`${head}\n${more}`));
  const sealed = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  return `${head} ${nonce.toString("hex")} ${sealed.toString("hex")}`;
}

const WANTED: Record<Wrapping["method"], string> = {
  scrypt: "it needs the passphrase it was made with: --passphrase-file FILE",
  "key-file": "it needs the wrapping key it was made with: --key-file FILE",
  "test-only": "a TEST-ONLY secret that everybody can open; give --allow-test-keys if this is a demonstration",
};

/**
 * The secret in a line of this kind, for this kid. Throws Error where none of `wrappings` is of its method, it does not open
 * (another passphrase or key, or the file was altered), or it is of another kind or kid. No error holds a secret.
 */
export function openSecret(
  kind: SecretKind,
  kid: Uint8Array,
  line: string,
  wrappings: readonly Wrapping[],
  where: string,
  more = "",
): Uint8Array {
  const parts = parseSealed(line, where);
  if (parts.kind !== kind) throw new Error(`${where}: holds a ${parts.kind}, not a ${kind}; name the right file`);
  if (parts.kid !== kidText(kid))
    throw new Error(`${where}: is of ${parts.kid}, not of ${kidText(kid)}; put each file back under its own name`);
  const method = parts.method.split(":")[0] as Wrapping["method"];
  const wrapping = wrappings.find((one) => one.method === method);
  if (wrapping === undefined) throw new Error(`${where}: ${WANTED[method]}`);
  const sealed = fromHex(parts.sealed);
  const decipher = createDecipheriv("aes-256-gcm", wrapping.key(parts.method), fromHex(parts.nonce), {
    authTagLength: TAG,
  });
  decipher.setAAD(Buffer.from(`vitalwire-${kind} 1 ${parts.kid} ${parts.method}\n${more}`));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG)), decipher.final()]));
  } catch {
    const what = method === "scrypt" ? "passphrase" : "wrapping key";
    throw new Error(`${where}: does not open: a wrong ${what}, or the file was altered`);
  }
}

/** The line of a wrapping key's file. */
export function newWrappingKey(): string {
  return `${toHex(new Uint8Array(randomBytes(32)))}\n`;
}
