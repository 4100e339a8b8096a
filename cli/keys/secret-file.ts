/** Files with secrets in them: mode 0600 in folders of mode 0700, read by nobody but their owner. */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { writeNew } from "../durable.ts";

/** No key file is longer, bytes. */
const LONGEST = 4096;
const OTHERS = 0o077;

/** Makes the folder, 0700, where it is not there. Throws Error where others may look into one that is. */
export function secretFolder(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
  const { mode } = statSync(path);
  if ((mode & OTHERS) !== 0)
    throw new Error(
      `folder ${path}: others may look into it (mode ${(mode & 0o777).toString(8)}), and it is for keys: chmod 700 ${path}`,
    );
}

/** Writes a secret, 0600, durably, never over another file. Throws Error where one is there; the folder is the caller's to make. */
export function writeSecret(path: string, text: string): void {
  writeNew(path, text, 0o600);
}

/**
 * The text of a secret file. Throws Error where it is no file, others may read it, or it is longer than a key file is. What
 * is checked is what is read: the file is opened first.
 */
export function readSecret(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Error(`key ${path}: no such file; name the right one, or make one with keygen`);
    throw new Error(`key ${path}: cannot be read (${code}); it must belong to the user who runs this`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error(`key ${path}: not a file; name the key file in ${dirname(path)}`);
    if ((stat.mode & OTHERS) !== 0)
      throw new Error(
        `key ${path}: others may read it (mode ${(stat.mode & 0o777).toString(8)}); chmod 600 ${path}, or make a new one`,
      );
    if (stat.size > LONGEST)
      throw new Error(`key ${path}: ${stat.size} bytes, a key file has at most ${LONGEST}; name the right file`);
    const bytes = Buffer.alloc(LONGEST);
    let length = 0;
    for (let count = -1; count !== 0; length += count) count = readSync(file, bytes, length, LONGEST - length, length);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}
