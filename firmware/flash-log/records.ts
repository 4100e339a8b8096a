/** Reading the outbox's log: which records are there, which of them are settled, what they say. Device side. */
import type { Flash } from "../../boards/board.ts";
import { isErased, u32 } from "../flash-bytes.ts";
import {
  checkAt,
  isWhole,
  MARK,
  PAGE_HEADER,
  RECORD_HEADER,
  type RecordHeader,
  readRecordHeader,
  sizeOf,
} from "./format.ts";
import { type Pages, USED } from "./pages.ts";

/** Where a record begins in the flash: never 0. */
export type Address = number;

export interface Found {
  readonly header: RecordHeader;
  readonly address: Address;
  /** Of its page: where that has another one now, this lies there no more. */
  readonly order: number;
}

export interface Extras {
  /** SHA-256(payload)[0..15] of the message; null: it was given none. */
  readonly hash: Uint8Array | null;
  /** What the message tells; null: nothing that its sender has to remember. */
  readonly tells: Uint8Array | null;
}

export interface Records {
  pageOf(address: Address): number;
  isSettled(address: Address): boolean;
  setSettled(address: Address): void;
  /** Was it marked as sent? Of what left the RAM before its ack came. */
  isSent(address: Address): boolean;
  setSent(address: Address): void;
  /** Forgets all that was sent. */
  forgetSent(): void;
  /** Forgets what was settled and sent in a page. */
  forget(page: number): void;
  /**
   * Visits the whole records of a page from an offset on, until `visit` returns false. Returns where the next one would go: a
   * header that was torn takes its own bytes and no more, for nothing was written behind it.
   */
  scan(page: number, from: number, visit: (found: Found) => boolean): number;
  /** A message that still lies there, and is not settled? */
  isLive(found: Found): boolean;
  /** A message without its extras; null: it is not what was written. */
  read(found: Found): Uint8Array | null;
  /** All that stands behind the header; null as in `read`. */
  body(found: Found): Uint8Array | null;
  /** null as in `read`. */
  extras(found: Found): Extras | null;
  /** The first live message of a stream behind another one (null: from the oldest); null: none. */
  next(stream: number, after: Found | null): Found | null;
  /** The lowest seq of a live message of this boot with first <= seq <= last; null: there is none. */
  lowest(boot: number, first: number, last: number): number | null;
  /** Every whole record, marks and settled ones too, page by page, in no order of the pages. */
  each(visit: (found: Found) => void): void;
}

const extrasLength = (header: RecordHeader): number => 16 * (header.extras & 1) + (header.extras >> 1);

export function createRecords(flash: Flash, pages: Pages): Records {
  const size = flash.pageSize;
  /** A bit for every 64 bytes. */
  const stride = Math.ceil(size / 512);
  const settled = new Uint8Array(stride * flash.pages);
  const sent = new Uint8Array(stride * flash.pages);

  const pageOf = (address: Address): number => Math.floor(address / size);
  const byteOf = (address: Address): number => pageOf(address) * stride + ((address % size) >> 9);
  const bitOf = (address: Address): number => 1 << (((address % size) >> 6) & 7);
  const isSettled = (address: Address): boolean => (settled[byteOf(address)] & bitOf(address)) !== 0;

  /** Was it written to its end? What the last slice tore shows when it is read. */
  const isComplete = (header: RecordHeader, address: Address): boolean =>
    header.length === 0 || u32(flash.read(address + checkAt(header.length), 4), 0) !== 4294967295;
  const scan = (page: number, from: number, visit: (found: Found) => boolean): number => {
    let offset = from;
    while (offset + RECORD_HEADER <= size) {
      const address = page * size + offset;
      const bytes = flash.read(address, RECORD_HEADER);
      const header = readRecordHeader(bytes);
      if (header === null) {
        if (isErased(bytes, 0, bytes.length)) return offset;
        offset += RECORD_HEADER;
        continue;
      }
      const length = sizeOf(header.length);
      if (offset + length > size) return size;
      if (isComplete(header, address) && !visit({ header: header, address: address, order: pages.order[page] }))
        return offset;
      offset += length;
    }
    return size;
  };
  const isLive = (found: Found): boolean => {
    const page = pageOf(found.address);
    if (pages.state[page] !== USED || pages.order[page] !== found.order) return false;
    return found.header.kind !== MARK && !isSettled(found.address);
  };
  const body = (found: Found): Uint8Array | null => {
    const length = found.header.length;
    const bytes = flash.read(found.address + RECORD_HEADER, checkAt(length) + 4 - RECORD_HEADER);
    return isWhole(bytes, length) ? bytes : null;
  };

  return {
    pageOf: pageOf,
    isSettled: isSettled,
    setSettled(address) {
      settled[byteOf(address)] |= bitOf(address);
    },
    isSent: (address) => (sent[byteOf(address)] & bitOf(address)) !== 0,
    setSent(address) {
      sent[byteOf(address)] |= bitOf(address);
    },
    forgetSent() {
      sent.fill(0);
    },
    forget(page) {
      settled.fill(0, page * stride, (page + 1) * stride);
      sent.fill(0, page * stride, (page + 1) * stride);
    },
    scan: scan,
    isLive: isLive,
    read(found) {
      const bytes = body(found);
      // a copy: a view would keep what stands before it
      return bytes === null ? null : new Uint8Array(bytes.subarray(extrasLength(found.header), found.header.length));
    },
    body: body,
    extras(found) {
      const extras = found.header.extras;
      if (extras === 0) return { hash: null, tells: null };
      const bytes = body(found);
      if (bytes === null) return null;
      const from = 16 * (extras & 1);
      return {
        hash: from === 0 ? null : new Uint8Array(bytes.subarray(0, 16)),
        tells: extras < 2 ? null : new Uint8Array(bytes.subarray(from, extrasLength(found.header))),
      };
    },
    next(stream, after) {
      let found: Found | null = null;
      const look = (page: number, from: number): boolean => {
        scan(page, from, (one) => {
          if (isLive(one)) found = one;
          return found === null;
        });
        return found === null;
      };
      // the page may have been given up meanwhile
      const same = after === null ? -1 : pageOf(after.address);
      const there = same >= 0 && pages.state[same] === USED && pages.order[same] === after!.order;
      if (there && !look(same, (after!.address % size) + sizeOf(after!.header.length))) return found;
      let page = pages.oldest(stream, after === null ? -1 : after.order, true);
      while (page >= 0 && look(page, PAGE_HEADER)) page = pages.oldest(stream, pages.order[page], true);
      return found;
    },
    lowest(boot, first, last) {
      let found: number | null = null;
      const look = (one: Found): boolean => {
        const header = one.header;
        const seq = header.seq;
        if (header.boot === boot && seq >= first && seq <= (found ?? last) && isLive(one)) found = seq;
        return true;
      };
      // the page that may have the lowest first: the others need not be read then
      const seen: number[] = [];
      for (;;) {
        let next = -1;
        for (let page = 0; page < pages.count; page++) {
          if (pages.state[page] !== USED || pages.live[page] === 0 || seen.indexOf(page) >= 0) continue;
          if (pages.highest[page] < first || pages.lowest[page] > (found === null ? last : found - 1)) continue;
          if (next < 0 || pages.lowest[page] < pages.lowest[next]) next = page;
        }
        if (next < 0) return found;
        seen.push(next);
        scan(next, PAGE_HEADER, look);
      }
    },
    each(visit) {
      const look = (found: Found): boolean => {
        visit(found);
        return true;
      };
      for (let page = 0; page < pages.count; page++) if (pages.state[page] === USED) scan(page, PAGE_HEADER, look);
    },
  };
}
