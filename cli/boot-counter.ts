/**
 * What a board on a host keeps over a restart, as small files beside its key: boot number and nonce (firmware/boot.ts), the
 * time it last knew. Each write is synced before it counts, and one process at a time runs a board (PROTOCOL.md section 4).
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Flash, Storage } from "../boards/board.ts";
import { BOOT_RECORD } from "../firmware/boot.ts";
import { type FlashFile, openFlashFile } from "../firmware/flash-file.host.ts";
import { type Lock, lock } from "../gateway/store/lock.ts";
import { encode } from "../protocol/cbor.ts";
import { writeDurably } from "./durable.ts";

export interface HostStorage extends Storage {
  /** For the messages that wait: FOLDER/BOARD.outbox.flash, 64 MiB where it is full. */
  readonly flash: Flash;
  /** Lets another process start this board. */
  release(): void;
}

const OUTBOX = { pageSize: 16_384, pages: 4096 };

/** FOLDER/BOARD.NAME of each record. Throws Error where another process runs this board. */
export function openHostStorage(folder: string, board: string): HostStorage {
  mkdirSync(folder, { recursive: true });
  const pathOf = (name: string) => join(folder, `${board}.${name}`);
  const held: Lock = lock(`${pathOf(BOOT_RECORD)}.lock`, `board ${join(folder, board)}`);
  let flash: FlashFile | null = null;
  return {
    get flash() {
      flash ??= openFlashFile(pathOf("outbox.flash"), OUTBOX);
      return flash;
    },
    read(name) {
      const path = pathOf(name);
      if (!existsSync(path)) return undefined;
      const bytes = readFileSync(path);
      const text = bytes.toString("latin1");
      // a number alone: how the counter was kept before it had a nonce
      const plain = name === BOOT_RECORD && /^\d{1,10}\n$/.test(text);
      return plain ? encode([Number(text), null]) : new Uint8Array(bytes);
    },
    write: (name, bytes) => writeDurably(pathOf(name), bytes, 0o600),
    release() {
      flash?.close();
      held.release();
    },
  };
}
