/** The boot counter of a board on a host: a small file, raised and synced before the first message (PROTOCOL.md section 4). */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Lock, lock } from "../gateway/store/lock.ts";
import { writeDurably } from "./durable.ts";

export interface BootCounter {
  /** The number of this boot, 1 at first: durable already. */
  readonly boot: number;
  /** Lets another process start this board. */
  release(): void;
}

/** Raises the counter in `path`. Throws Error where another process runs this board, or the file holds no number. */
export function nextBoot(path: string): BootCounter {
  mkdirSync(dirname(path), { recursive: true });
  const held: Lock = lock(`${path}.lock`, `board ${path}`);
  try {
    const text = existsSync(path) ? readFileSync(path, "utf8").trim() : "0";
    const last = Number(text);
    if (!/^\d+$/.test(text) || last >= 2 ** 32 - 1) {
      throw new Error(`boot counter ${path}: "${text.slice(0, 20)}" is no boot number; never lower it: make a new key`);
    }
    const boot = last + 1;
    writeDurably(path, `${boot}\n`);
    return { boot, release: () => held.release() };
  } catch (error) {
    held.release();
    throw error;
  }
}
