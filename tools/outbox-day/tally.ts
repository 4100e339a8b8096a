/** What of the bytes that go into a log's flash is a message, and what the log adds. */
import type { Flash, Storage } from "../../boards/board.ts";
import {
  DONE_AT,
  MARK,
  PAGE_HEADER,
  RECORD_HEADER,
  readRecordHeader,
  USE_AT,
} from "../../firmware/flash-log/format.ts";

/** Of a kind of message, by its number in the log (outbox.ts): how many, and their sealed bytes. */
export interface KindTally {
  messages: number;
  bytes: number;
}

/** Bytes written, by what they are for. */
export interface FlashTally {
  readonly kinds: Record<number, KindTally>;
  /** Sealed bytes, once for each message. */
  sealed: number;
  messages: number;
  /** Record headers. */
  headers: number;
  /** Payload hashes, and what an event tells. */
  extras: number;
  /** To a multiple of 4, and the CRC behind it. */
  ends: number;
  marks: number;
  markBytes: number;
  /** Messages that were written again because their page was given up, with all that belongs to them. */
  moved: number;
  /** Bytes that say what a page is. */
  pages: number;
  /** All of it. */
  written: number;
  erasures: number;
}

export const newTally = (): FlashTally => ({
  kinds: {},
  sealed: 0,
  messages: 0,
  headers: 0,
  extras: 0,
  ends: 0,
  marks: 0,
  markBytes: 0,
  moved: 0,
  pages: 0,
  written: 0,
  erasures: 0,
});

const extrasOf = (extras: number): number => 16 * (extras & 1) + (extras >> 1);
const HEADERS = [0, USE_AT, DONE_AT];

/** The same flash; what is written is counted. A record's body comes behind its header, slice by slice, and no other's between. */
export function tallied(flash: Flash, tally: FlashTally): Flash {
  const seen = new Set<string>();
  /** Bytes of the body that are still to come, and whether the message was there before. */
  let left = 0;
  let again = false;
  const record = (bytes: Uint8Array): boolean => {
    const header = bytes.length === RECORD_HEADER ? readRecordHeader(bytes) : null;
    if (header === null) return false;
    if (header.kind === MARK) {
      tally.marks++;
      tally.markBytes += RECORD_HEADER;
      return true;
    }
    const { length, extras, kind } = header;
    const name = `${header.boot} ${header.seq}`;
    left = ((length + 3) & ~3) + 4;
    again = seen.has(name);
    if (again) {
      tally.moved += RECORD_HEADER;
      return true;
    }
    seen.add(name);
    const sealed = length - extrasOf(extras);
    const of = tally.kinds[kind] ?? { messages: 0, bytes: 0 };
    of.messages++;
    of.bytes += sealed;
    tally.kinds[kind] = of;
    tally.messages++;
    tally.sealed += sealed;
    tally.headers += RECORD_HEADER;
    tally.extras += length - sealed;
    tally.ends += left - length;
    return true;
  };
  return {
    pageSize: flash.pageSize,
    pages: flash.pages,
    read: (address, length) => flash.read(address, length),
    write(address, bytes) {
      flash.write(address, bytes);
      tally.written += bytes.length;
      const offset = address % flash.pageSize;
      if (offset < PAGE_HEADER && HEADERS.includes(offset)) tally.pages += bytes.length;
      else if (left > 0) {
        left -= bytes.length;
        if (again) tally.moved += bytes.length;
      } else if (!record(bytes)) throw new Error(`outbox day: ${bytes.length} bytes at ${address} that are no record`);
    },
    erase(page) {
      flash.erase(page);
      tally.erasures++;
    },
    sync: () => flash.sync(),
  };
}

export interface StorageTally {
  /** Writes by name. */
  readonly writes: Map<string, number>;
}

/** The same storage; writes are counted. */
export function talliedStorage(storage: Storage, tally: StorageTally): Storage {
  return {
    read: (name) => storage.read(name),
    write(name, bytes) {
      tally.writes.set(name, (tally.writes.get(name) ?? 0) + 1);
      storage.write(name, bytes);
    },
  };
}
