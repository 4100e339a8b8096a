/**
 * Private keys as files, text:
 *
 *   64 hex digits, the Ed25519 seed             or a sealed line (wrapping.ts)
 *   ueid 34 hex digits                          of a device
 *   site NAME                                   of a site
 */
import { type KeyedSigner, nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, kidText, toHex } from "../../protocol/keys.ts";
import { readSecret, writeSecret } from "./secret-file.ts";
import { openSecret, parseSealed, sealSecret, type Wrapping } from "./wrapping.ts";

export interface KeyFile {
  readonly seed: Uint8Array;
  readonly signer: KeyedSigner;
  /** Of a device: 0x01 and 16 random bytes, kept over every rotation of its key. */
  readonly ueid: Uint8Array | null;
  /** Of a site: its name, the issuer of what it signs. */
  readonly site: string | null;
}

const BARE = /^[0-9a-f]{64}$/;
const UEID = /^ueid (01[0-9a-f]{32})$/;
const SITE = /^site (\S(?:.*\S)?)$/u;

export interface NewKey {
  readonly seed: Uint8Array;
  readonly ueid?: Uint8Array;
  readonly site?: string;
}

/** Writes the key, bare or under `wrapping`; never over another. Gives its signer. */
export function writeKey(path: string, key: NewKey, wrapping: Wrapping | null = null): KeyedSigner {
  const signer = nodeSigner(key.seed);
  const labels: string[] = [];
  if (key.ueid !== undefined) labels.push(`ueid ${toHex(key.ueid)}`);
  if (key.site !== undefined) labels.push(`site ${key.site}`);
  const secret =
    wrapping === null ? toHex(key.seed) : sealSecret("seed", signer.kid, key.seed, wrapping, null, labels.join("\n"));
  writeSecret(path, `${[secret, ...labels].join("\n")}\n`);
  return signer;
}

/**
 * Reads a key. Throws Error where others may read it, it is no key, or it is wrapped and none of `wrappings` opens it.
 * The name of a file KID.key must be its key's.
 */
export function readKey(path: string, wrappings: readonly Wrapping[] = []): KeyFile {
  const [secret, ...labels] = readSecret(path).trimEnd().split("\n") as [string, ...string[]];
  const seed = BARE.test(secret) ? fromHex(secret) : openSeed(secret, labels, path, wrappings);
  const signer = nodeSigner(seed);
  const kid = kidText(signer.kid);
  const named = /(?:^|\/)([0-9a-f]{16})\.key$/.exec(path);
  if (named !== null && named[1] !== kid)
    throw new Error(`key ${path}: holds the key of ${kid}; put each file back under its own name`);
  let ueid: Uint8Array | null = null;
  let site: string | null = null;
  for (const label of labels) {
    const device = UEID.exec(label);
    const name = SITE.exec(label);
    if (device !== null && ueid === null) ueid = fromHex(device[1]!);
    else if (name !== null && site === null) site = name[1]!;
    else throw new Error(`key ${path}: a line that is neither "ueid …" nor "site …"; name the right file`);
  }
  return { seed, signer, ueid, site };
}

function openSeed(line: string, labels: readonly string[], path: string, wrappings: readonly Wrapping[]): Uint8Array {
  if (!line.startsWith("vitalwire-"))
    throw new Error(`key ${path}: not 64 hex digits, nor a sealed key; name the right file`);
  const { kid } = parseSealed(line, `key ${path}`);
  const seed = openSecret("seed", fromHex(kid), line, wrappings, `key ${path}`, labels.join("\n"));
  if (seed.length !== 32 || kidText(nodeSigner(seed).kid) !== kid)
    throw new Error(`key ${path}: what it holds is not the key of ${kid}; name the right file`);
  return seed;
}
