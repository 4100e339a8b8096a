/** Pre-shared keys of devices as files: DIR/keys/KID.psk, wrapped (wrapping.ts). */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PSK_LENGTH } from "../../protocol/boot-keys.ts";
import { equalBytes } from "../../protocol/constant-time.ts";
import { fromHex, kidText } from "../../protocol/keys.ts";
import { readSecret, secretFolder, writeSecret } from "./secret-file.ts";
import { openSecret, parseSealed, sealSecret, type Wrapping } from "./wrapping.ts";

const ENDING = ".psk";
const MACS = "psk";
const ENCRYPTS = "psk-encrypt";
const NAME = /^([0-9a-f]{16})\.psk$/;

export interface Psk {
  /** 8 bytes. */
  readonly kid: Uint8Array;
  /** 32 bytes. */
  readonly psk: Uint8Array;
  /** The device encrypts, and nothing else is taken of it. */
  readonly encrypts: boolean;
}

/** Where the PSK of a device lies. */
export function pskPath(folder: string, kid: Uint8Array): string {
  return join(folder, "keys", `${kidText(kid)}${ENDING}`);
}

/** Names of the PSK files of a folder, sorted. */
export function pskNames(folder: string): string[] {
  const path = join(folder, "keys");
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => name.endsWith(ENDING))
        .sort()
    : [];
}

/**
 * Writes FOLDER/keys/KID.psk and gives its path. One passphrase opens a whole folder: where it does not open what lies there
 * already, nothing is written. Where the same PSK is there, it stays. Throws Error where another is there: none is overwritten.
 */
export function writePsk(folder: string, { kid, psk, encrypts }: Psk, wrapping: Wrapping): string {
  if (psk.length !== PSK_LENGTH) throw new Error(`pre-shared key of ${psk.length} bytes: it has ${PSK_LENGTH}`);
  secretFolder(join(folder, "keys"));
  const path = pskPath(folder, kid);
  if (existsSync(path)) {
    const there = readPsk(path, [wrapping]);
    if (equalBytes(there.psk, psk) && there.encrypts === encrypts) return path;
    throw new Error(`${path}: another PSK is there, and is never overwritten; a new key has a new name (--rotate)`);
  }
  writeSecret(path, `${sealSecret(encrypts ? ENCRYPTS : MACS, kid, psk, wrapping, folderMethod(folder, wrapping))}\n`);
  return path;
}

/** METHOD of a PSK in the folder that this wrapping opens; null where there is none of its method. */
function folderMethod(folder: string, wrapping: Wrapping): string | null {
  for (const name of pskNames(folder)) {
    const path = join(folder, "keys", name);
    const { method } = parseSealed(readSecret(path).trimEnd(), path);
    if (method.split(":")[0] !== wrapping.method) continue;
    readPsk(path, [wrapping]);
    return method;
  }
  return null;
}

/**
 * The PSK in a file named KID.psk. Throws Error where others may read it, none of `wrappings` opens it, or it is another
 * device's.
 */
export function readPsk(path: string, wrappings: readonly Wrapping[]): Psk {
  const name = NAME.exec(path.split("/").at(-1)!);
  if (name === null) throw new Error(`${path}: a PSK file is named by its device: 16 hex digits and ${ENDING}`);
  const kid = fromHex(name[1]!);
  const text = readSecret(path);
  if (!text.endsWith("\n"))
    throw new Error(`${path}: does not end with its line; it was cut off: enrol the device anew`);
  const line = text.slice(0, -1);
  const encrypts = parseSealed(line, path).kind === ENCRYPTS;
  const psk = openSecret(encrypts ? ENCRYPTS : MACS, kid, line, wrappings, path);
  if (psk.length !== PSK_LENGTH) throw new Error(`${path}: ${psk.length} bytes, a PSK has ${PSK_LENGTH}`);
  return { kid, psk, encrypts };
}

/** Whether a device of the folder is enrolled as one that encrypts, as its PSK file says, unproven; null: it has no PSK. */
export function claimsToEncrypt(folder: string, kid: Uint8Array): boolean | null {
  const path = pskPath(folder, kid);
  return existsSync(path) ? parseSealed(readSecret(path).trimEnd(), path).kind === ENCRYPTS : null;
}

/** All of FOLDER/keys; what cannot be taken is named, each in one sentence, and left out. */
export function readPsks(folder: string, wrappings: readonly Wrapping[]): { psks: Psk[]; faults: string[] } {
  const psks: Psk[] = [];
  const faults: string[] = [];
  for (const name of pskNames(folder)) {
    try {
      psks.push(readPsk(join(folder, "keys", name), wrappings));
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  return { psks, faults };
}
