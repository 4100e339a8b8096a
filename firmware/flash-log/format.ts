/**
 * What the outbox's log looks like in flash. Every byte is written once between two erasures, so a page that is half written
 * tells how far it got. Numbers are little-endian. Device side.
 *
 * Page:   0 "ready": magic u32, erasures u32, CRC-32 of the two; written when the erasure is complete
 *        12 "use":   order u32, stream u32, CRC-32 of the two; written when the page is taken into use
 *        24 "done":  0: everything in it is settled
 *        28 records, one behind the other
 * Record: header of 20 bytes (kind u8, extras u8, length u16, boot u32, seq u32, at u32, CRC-32 of the 16 before), written first;
 *         `length` bytes and padding to a multiple of 4, then CRC-32 of the bytes (0 where it would be 0xffffffff), written last.
 * A mark has no bytes and no second CRC.
 */
import { crc32 } from "../../protocol/crc32.ts";
import { isErased, padded, putU32, u32 } from "../flash-bytes.ts";

export const PAGE_HEADER = 28;
export const RECORD_HEADER = 20;
export const USE_AT = 12;
export const DONE_AT = 24;
const MAGIC = 0x31574c56;

/** Kinds of records. 1..6: messages; see outbox.ts. */
export const MARK = 7;

/** Waveforms: what goes first when there is no room. */
export const WAVES = 0;
/** Everything else. */
export const REST = 1;

export interface RecordHeader {
  readonly kind: number;
  /** Bit 0: 16 bytes of payload hash stand first; the rest, times 2: bytes of what the message tells, which stand next. */
  readonly extras: number;
  /** Bytes behind the header, extras included, without padding. */
  readonly length: number;
  readonly boot: number;
  /** Of a mark: the first one that is not safe yet. */
  readonly seq: number;
  /** Board time when it was written, tenths of a second since boot. */
  readonly at: number;
}

/** Two numbers and their CRC: a part of a page header, 12 bytes. */
const pair = (first: number, second: number): Uint8Array => {
  const bytes = new Uint8Array(12);
  putU32(bytes, 0, first);
  putU32(bytes, 4, second);
  putU32(bytes, 8, crc32(bytes.subarray(0, 8)));
  return bytes;
};
const isPair = (bytes: Uint8Array, at: number): boolean => u32(bytes, at + 8) === crc32(bytes.subarray(at, at + 8));

export const readyHeader = (erasures: number): Uint8Array => pair(MAGIC, erasures);
export const useHeader = (order: number, stream: number): Uint8Array => pair(order, stream);

export interface PageHeader {
  readonly erasures: number;
  /** null: it is not in use yet. */
  readonly use: { readonly order: number; readonly stream: number } | null;
  readonly done: boolean;
}

/** The first PAGE_HEADER bytes of a page; null: it is to be erased before it is of any use, and nobody knows how often it was. */
export function readPageHeader(bytes: Uint8Array): PageHeader | null {
  if (!isPair(bytes, 0) || u32(bytes, 0) !== MAGIC) return null;
  const erasures = u32(bytes, 4);
  if (isErased(bytes, USE_AT, bytes.length)) return { erasures: erasures, use: null, done: false };
  // a torn one: nothing was written behind it
  if (!isPair(bytes, USE_AT)) return { erasures: erasures, use: { order: 0, stream: WAVES }, done: true };
  const use = { order: u32(bytes, USE_AT), stream: u32(bytes, USE_AT + 4) };
  return { erasures: erasures, use: use, done: u32(bytes, DONE_AT) !== 4294967295 };
}

export function recordHeader(header: RecordHeader): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER);
  bytes[0] = header.kind;
  bytes[1] = header.extras;
  bytes[2] = header.length & 255;
  bytes[3] = header.length >> 8;
  putU32(bytes, 4, header.boot);
  putU32(bytes, 8, header.seq);
  putU32(bytes, 12, header.at);
  putU32(bytes, 16, crc32(bytes.subarray(0, 16)));
  return bytes;
}

/** null: torn, or not written. */
export function readRecordHeader(bytes: Uint8Array): RecordHeader | null {
  if (u32(bytes, 16) !== crc32(bytes.subarray(0, 16))) return null;
  return {
    kind: bytes[0],
    extras: bytes[1],
    length: bytes[2] + 256 * bytes[3],
    boot: u32(bytes, 4),
    seq: u32(bytes, 8),
    at: u32(bytes, 12),
  };
}

/** Bytes that a record takes: a message 64 at least, so that a bit for each 64 bytes tells them apart. */
export const sizeOf = (length: number): number =>
  length === 0 ? RECORD_HEADER : Math.max(64, RECORD_HEADER + padded(length) + 4);

/** Where the second CRC stands, from the record's begin. */
export const checkAt = (length: number): number => RECORD_HEADER + padded(length);

const checkOf = (bytes: Uint8Array): number => {
  const check = crc32(bytes);
  return check === 4294967295 ? 0 : check;
};

/** What is written behind the header. */
export function recordBody(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += parts[i].length;
  const body = new Uint8Array(padded(length) + 4);
  body.fill(255);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    body.set(parts[i], at);
    at += parts[i].length;
  }
  putU32(body, body.length - 4, checkOf(body.subarray(0, length)));
  return body;
}

/** `body`: the bytes, their padding and the CRC, as recordBody made them. */
export const isWhole = (body: Uint8Array, length: number): boolean =>
  u32(body, body.length - 4) === checkOf(body.subarray(0, length));
