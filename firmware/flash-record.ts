/**
 * What firmware/flash-storage.ts writes on flash, to the byte: numbers are little-endian, texts and values filled with zeros to
 * a multiple of 4, so that a byte of each word that stands there is known not to be erased. Device side.
 */

import { readUtf8, utf8Length, writeUtf8 } from "../protocol/utf8.ts";
import { padded, putU32, u32 } from "./flash-bytes.ts";

export type Crc = (bytes: Uint8Array) => number;

/** "VWS1" */
const MAGIC = 0x31535756;
const RECORD = 0xa6;
/** Bytes of a record before its name: lengths and kind, their complement, CRC-32 of the name. */
export const RECORD_HEAD = 12;
/** Bytes of a record after its value: CRC-32 of it, the mark. */
export const RECORD_TAIL = 8;
/** What is written last, to say that all before it was: 4 bytes. */
export const MARK_BYTES = 4;
export const mark = (): Uint8Array => new Uint8Array(MARK_BYTES);

/** CRC-32 as it is kept: that of four bytes of ones is all ones, and what was never written must not look whole. */
const kept = (bytes: Uint8Array, crc: Crc): number => (crc(bytes) ^ 0x5a5a5a5a) >>> 0;

/** Bytes that a record takes. */
export function recordSize(nameLength: number, valueLength: number): number {
  return RECORD_HEAD + padded(nameLength) + padded(valueLength) + RECORD_TAIL;
}
/** Bytes that the record with this head takes; null: no head of a record. */
export function sizeIn(head: Uint8Array): number | null {
  if (head[3] !== RECORD || u32(head, 4) !== ~u32(head, 0) >>> 0) return null;
  return recordSize(head[2], head[0] + 256 * head[1]);
}
/** A whole record: its mark is there. */
export function encodeRecord(name: string, value: Uint8Array, crc: Crc): Uint8Array {
  const length = utf8Length(name);
  const bytes = new Uint8Array(recordSize(length, value.length));
  writeUtf8(name, bytes, RECORD_HEAD);
  bytes.set(value, RECORD_HEAD + padded(length));
  putU32(bytes, 0, value.length | (length << 16) | (RECORD << 24));
  putU32(bytes, 4, ~u32(bytes, 0));
  putU32(bytes, 8, kept(new Uint8Array(bytes.subarray(RECORD_HEAD, RECORD_HEAD + length)), crc));
  putU32(bytes, bytes.length - RECORD_TAIL, kept(value, crc));
  return bytes;
}
/** What tells a record's name from others, by its head: the CRC-32 of it. */
export const keyIn = (head: Uint8Array): number => u32(head, 8);
/** The name of a record whose head is one; null: it is not what was written. */
export function nameIn(record: Uint8Array, crc: Crc): string | null {
  const to = RECORD_HEAD + record[2];
  return kept(new Uint8Array(record.subarray(RECORD_HEAD, to)), crc) === u32(record, 8)
    ? readUtf8(record, RECORD_HEAD, to)
    : null;
}
/** The value of a record; null: it is not what was written. */
export function valueIn(record: Uint8Array, crc: Crc): Uint8Array | null {
  if (sizeIn(record) !== record.length) return null;
  const from = RECORD_HEAD + padded(record[2]);
  const value = new Uint8Array(record.subarray(from, from + record[0] + 256 * record[1]));
  return kept(value, crc) === u32(record, record.length - RECORD_TAIL) ? value : null;
}

/** Bytes of the header of a page among so many, without and before its mark. */
export const headerSize = (pages: number): number => 12 + 4 * pages;

/** A page's header: MAGIC, the number of its turn, erasures of each page, CRC-32 of all these. */
export function encodeHeader(turn: number, erasures: readonly number[], crc: Crc): Uint8Array {
  const bytes = new Uint8Array(headerSize(erasures.length));
  putU32(bytes, 0, MAGIC);
  putU32(bytes, 4, turn);
  for (let i = 0; i < erasures.length; i++) putU32(bytes, 8 + 4 * i, erasures[i]);
  putU32(bytes, bytes.length - 4, kept(new Uint8Array(bytes.subarray(0, bytes.length - 4)), crc));
  return bytes;
}
/** The number of a page's turn; null: `bytes`, `headerSize` long, are no header. */
export function turnIn(bytes: Uint8Array, crc: Crc): number | null {
  const claims = bytes.length - 4;
  return u32(bytes, 0) === MAGIC && kept(new Uint8Array(bytes.subarray(0, claims)), crc) === u32(bytes, claims)
    ? u32(bytes, 4)
    : null;
}
/** Erasures of a page, by a header that is one. */
export const erasuresIn = (bytes: Uint8Array, page: number): number => u32(bytes, 8 + 4 * page);
