/** New keys of a site, in its folder DIR: what they are, and where they lie. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { TEST_ONLY } from "../../gateway/devices.ts";
import { PSK_LENGTH } from "../../protocol/boot-keys.ts";
import { type KeyedSigner, nodeSigner } from "../../protocol/crypto.node.ts";
import { kidText, toHex } from "../../protocol/keys.ts";
import { writeNew } from "../durable.ts";
import { visible } from "../monitor/text.ts";
import { UsageError } from "../usage.ts";
import { writePsk } from "./psk-file.ts";
import { secretFolder } from "./secret-file.ts";
import { type KeyFile, type NewKey, writeKey } from "./seed-file.ts";
import type { Wrapping } from "./wrapping.ts";

/** So many bytes that nobody can foretell. */
export type Random = (bytes: number) => Uint8Array;

export interface DeviceKeys extends KeyFile {
  readonly ueid: Uint8Array;
  readonly path: string;
  /** null: without mode M. */
  readonly psk: { readonly psk: Uint8Array; readonly path: string } | null;
}

/** What a new PSK is for, and how it is kept. */
export interface PreShared {
  readonly wrapping: Wrapping;
  readonly encrypts: boolean;
}

const OTHERS_WRITE = 0o022;

/** Makes DIR, for its owner alone, or takes one into which nobody else may write. */
export function siteFolder(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
  const { mode } = statSync(path);
  if ((mode & OTHERS_WRITE) !== 0)
    throw new Error(
      `folder ${path}: others may write into it (mode ${(mode & 0o777).toString(8)}), and it says whom this site trusts: chmod go-w ${path}`,
    );
}

/** Where a device's key lies. */
export function keyPath(folder: string, kid: Uint8Array): string {
  return join(folder, "keys", `${kidText(kid)}.key`);
}

/**
 * A device's key pair, and with `preShared` its PSK, made here: for boards without a true random generator. `ueid`: of a
 * device that has one already.
 */
export function newDevice(folder: string, random: Random, preShared: PreShared | null, ueid?: Uint8Array): DeviceKeys {
  siteFolder(folder);
  secretFolder(join(folder, "keys"));
  const seed = random(32);
  const own = ueid ?? Uint8Array.of(1, ...random(16));
  const path = keyPath(folder, nodeSigner(seed).kid);
  const signer = writeKey(path, { seed, ueid: own });
  const psk = preShared === null ? null : newPsk(folder, signer.kid, random, preShared);
  return { seed, signer, ueid: own, site: null, path, psk };
}

function newPsk(folder: string, kid: Uint8Array, random: Random, { wrapping, encrypts }: PreShared) {
  const psk = random(PSK_LENGTH);
  return { psk, path: writePsk(folder, { kid, psk, encrypts }, wrapping) };
}

/** Longest name of a site: the issuer of a card, bytes of UTF-8. */
const LONGEST_NAME = 64;

/**
 * DIR/site.key and DIR/site.pub. Throws UsageError for a name that no card could carry, Error where the folder has a site
 * already.
 */
export function newSite(folder: string, name: string, random: Random, wrapping: Wrapping | null): KeyedSigner {
  if (name.trim() !== name || name === "" || Buffer.byteLength(name) > LONGEST_NAME || !/^\P{C}+$/u.test(name))
    throw new UsageError(`--site "${visible(name)}": a name of 1 to ${LONGEST_NAME} bytes, without control characters`);
  if (name.includes(TEST_ONLY))
    throw new UsageError(`--site "${name}": ${TEST_ONLY} marks keys that everybody knows; choose another name`);
  return newPair(folder, "site", { seed: random(32), site: name }, wrapping);
}

/** DIR/NAME.key, and DIR/NAME.pub for everybody. */
export function newPair(folder: string, name: "site" | "release", key: NewKey, wrapping: Wrapping | null): KeyedSigner {
  siteFolder(folder);
  const publicPath = join(folder, `${name}.pub`);
  if (existsSync(publicPath))
    throw new Error(
      `${publicPath}: this folder has a ${name} key already, and it is never overwritten; choose another folder`,
    );
  const signer = writeKey(join(folder, `${name}.key`), key, wrapping);
  writeNew(publicPath, `${toHex(signer.publicKey)}\n`);
  return signer;
}
