/**
 * Flash memory in a file, for a board that runs on a host. The file holds each byte's complement: what was never written is a
 * hole in it and reads as erased, so that gigabytes take no more of the disk than what stands in them.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Flash } from "../boards/board.ts";

export interface FlashFileOptions {
  /** Bytes: a multiple of 4. */
  readonly pageSize: number;
  readonly pages: number;
}

export interface FlashFile extends Flash {
  /** Every call after it throws Error. */
  close(): void;
}

/** What is made is there after a power cut, too. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

const complement = (bytes: Uint8Array): Uint8Array => bytes.map((value) => ~value);

/**
 * Opens the flash in `path`, readable by its owner alone; made erased where there is no such file, or an empty one. Nothing
 * keeps another process off it: whoever opens it holds a lock. That a byte is written once is the caller's to keep: here the
 * last one counts. Throws Error where the file has another length than these pages, and for a geometry that is none; its calls
 * also for addresses that are not its own, and where the disk does not do what it is told.
 */
export function openFlashFile(path: string, options: FlashFileOptions): FlashFile {
  const { pageSize, pages } = options;
  const length = pageSize * pages;
  if (!(Number.isSafeInteger(length) && Number.isInteger(pages) && pageSize > 0 && pages > 0 && pageSize % 4 === 0))
    throw new Error(`flash file ${path}: ${pages} pages of ${pageSize} bytes; a page is a positive multiple of 4`);
  let file: number | null = open(path, length, pageSize, pages);
  let dirty = false;

  const own = (what: string, address: number, bytes: number): number => {
    if (file === null) throw new Error(`flash file ${path}: ${what} after it was closed`);
    if (
      !(Number.isInteger(address) && Number.isInteger(bytes) && address >= 0 && bytes >= 0 && address + bytes <= length)
    )
      throw new Error(`flash file ${path}: ${what} ${bytes} bytes at ${address}; it has ${length}`);
    return file;
  };
  const put = (to: number, address: number, bytes: Uint8Array) => {
    dirty = true;
    for (let at = 0; at < bytes.length; ) at += writeSync(to, bytes, at, bytes.length - at, address + at);
  };
  return {
    pageSize,
    pages,
    read(address, count) {
      const from = own("read", address, count);
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; ) {
        const more = readSync(from, bytes, at, count - at, address + at);
        if (more === 0) throw new Error(`flash file ${path}: it ends at ${address + at}; something cut it short`);
        at += more;
      }
      return complement(bytes);
    },
    write(address, bytes) {
      const to = own("write", address, bytes.length);
      const last = address + Math.max(bytes.length - 1, 0);
      if (address % 4 || bytes.length % 4 || Math.floor(address / pageSize) !== Math.floor(last / pageSize))
        throw new Error(
          `flash file ${path}: write ${bytes.length} bytes at ${address}; both are multiples of 4, within a page of ${pageSize}`,
        );
      put(to, address, complement(bytes));
    },
    erase(page) {
      if (!(Number.isInteger(page) && page >= 0 && page < pages))
        throw new Error(`flash file ${path}: erase page ${page}; it has ${pages}`);
      put(own("erase", page * pageSize, pageSize), page * pageSize, new Uint8Array(pageSize));
    },
    sync() {
      const to = own("sync", 0, 0);
      if (dirty) fdatasyncSync(to);
      dirty = false;
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

/** The file, of its full length. */
function open(path: string, length: number, pageSize: number, pages: number): number {
  const opened = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { size } = fstatSync(opened);
    if (size !== 0 && size !== length)
      throw new Error(
        `flash file ${path}: ${size} bytes, not ${pages} pages of ${pageSize} (${length}); open it as it was made, or name another file`,
      );
    if (size === 0) {
      ftruncateSync(opened, length);
      fsyncSync(opened);
      syncFolder(path);
    }
    return opened;
  } catch (error) {
    closeSync(opened);
    throw error;
  }
}
