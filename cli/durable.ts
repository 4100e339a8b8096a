/** Small files that are whole or absent, also when the power goes: written beside, synced, put in place, the folder synced. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** A synced file beside `path`, which `place` then puts there. */
function write(path: string, content: string | Uint8Array, mode: number, place: (from: string) => void): void {
  const next = `${path}.${randomBytes(6).toString("hex")}.next`;
  const file = openSync(next, "wx", mode);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    place(next);
  } finally {
    rmSync(next, { force: true });
  }
  syncFolder(path);
}

/** Writes `path` anew, or in place of what is there. */
export function writeDurably(path: string, content: string | Uint8Array, mode = 0o644): void {
  write(path, content, mode, (next) => renameSync(next, path));
}

/** Writes `path`, never over another: throws Error where something of that name is there, also where two write at once. */
export function writeNew(path: string, content: string | Uint8Array, mode = 0o644): void {
  write(path, content, mode, (next) => {
    try {
      linkSync(next, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new Error(`${path}: is there already, and is never overwritten; move it away, or choose another folder`);
    }
  });
}
