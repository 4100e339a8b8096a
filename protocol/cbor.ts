/**
 * CBOR (RFC 8949) cut down to what VSP/1 uses, Core Deterministic (section 4.2.1) in both directions: the decoder accepts
 * exactly the bytes that the encoder can make, so one value has one encoding. Device side.
 *
 * Integers below 2^53, text, bytes, true, false, null, arrays and maps. No floats, no other simple values, no indefinite
 * lengths, no tags below the top, at most 6 containers deep and 256 items (or pairs) in each.
 */
import { refuse } from "./refusal.ts";
import { readUtf8, utf8Length, writeUtf8 } from "./utf8.ts";

export type Cbor = number | string | boolean | null | Uint8Array | Cbor[] | CborMap;

/** Pairs in the order of their encoded keys when decoded; in any order when encoded. */
export interface CborMap {
  readonly entries: ReadonlyArray<readonly [Cbor, Cbor]>;
}

export interface Tagged {
  readonly tag: number;
  readonly value: Cbor;
}

/** Containers inside one another, the outermost counted. */
export const MAX_DEPTH = 6;
/** Elements of an array, pairs of a map. */
export const MAX_ITEMS = 256;

const TWO_32 = 4294967296;
const MAX_INTEGER = 9007199254740991;
const EMPTY = new Uint8Array(0);

/** A map of these pairs. */
export function map(entries: ReadonlyArray<readonly [Cbor, Cbor]>): CborMap {
  return { entries: entries };
}

/** The value under `key`, or undefined. */
export function get(within: CborMap, key: number | string): Cbor | undefined {
  for (let i = 0; i < within.entries.length; i++) if (within.entries[i][0] === key) return within.entries[i][1];
  return undefined;
}

/** True for a map; narrows what is neither scalar, bytes nor array. */
export function isMap(value: Cbor): value is CborMap {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value);
}

/** Order of bytes[aStart, aEnd) and bytes[bStart, bEnd), bytewise: negative, 0, positive. */
function compareRanges(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = bytes[aStart + i] - bytes[bStart + i];
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

// ---------------------------------------------------------------- encoding: into one scratch buffer, copied out at the end

let scratch = new Uint8Array(512);
let used = 0;

function reserve(count: number): void {
  if (used + count <= scratch.length) return;
  let size = scratch.length * 2;
  while (size < used + count) size *= 2;
  const grown = new Uint8Array(size);
  grown.set(scratch.subarray(0, used));
  scratch = grown;
}

/** Initial byte and argument in the shortest form. `major` is already shifted: 0x00, 0x20, … 0xc0. */
function writeHead(major: number, argument: number): void {
  reserve(9);
  if (argument < 24) scratch[used++] = major | argument;
  else if (argument < 256) {
    scratch[used++] = major | 24;
    scratch[used++] = argument;
  } else if (argument < 65536) {
    scratch[used++] = major | 25;
    scratch[used++] = argument >> 8;
    scratch[used++] = argument & 255;
  } else {
    let low = argument;
    if (argument < TWO_32) scratch[used++] = major | 26;
    else {
      const high = Math.floor(argument / TWO_32);
      low = argument - high * TWO_32;
      scratch[used++] = major | 27;
      scratch[used++] = 0;
      scratch[used++] = high >> 16;
      scratch[used++] = (high >> 8) & 255;
      scratch[used++] = high & 255;
    }
    scratch[used++] = low >>> 24;
    scratch[used++] = (low >>> 16) & 255;
    scratch[used++] = (low >>> 8) & 255;
    scratch[used++] = low & 255;
  }
}

function writeInteger(value: number): void {
  if (!(value >= -MAX_INTEGER && value <= MAX_INTEGER) || Math.floor(value) !== value)
    throw refuse("cbor", `${value} is not an integer below 2^53; floats are not sent`);
  if (value < 0) writeHead(0x20, -1 - value);
  else writeHead(0, value);
}

/** Puts the pairs written since marks[0] in order. marks = start, end of key, start, end of key, …, end of all. */
function sortPairs(marks: number[]): void {
  const from = marks[0];
  const order: number[] = [];
  for (let i = 0; i + 1 < marks.length; i += 2) {
    let place = order.length;
    while (place > 0) {
      const other = order[place - 1];
      const rank = compareRanges(scratch, marks[other], marks[other + 1], marks[i], marks[i + 1]);
      if (rank === 0) throw refuse("cbor", "a map with the same key twice");
      if (rank < 0) break;
      order[place] = other;
      place--;
    }
    order[place] = i;
  }
  const copy = new Uint8Array(scratch.subarray(from, used));
  let at = from;
  for (let i = 0; i < order.length; i++) {
    const pair = copy.subarray(marks[order[i]] - from, marks[order[i] + 2] - from);
    scratch.set(pair, at);
    at += pair.length;
  }
}

function writeItem(value: Cbor, depth: number): void {
  if (typeof value === "number") writeInteger(value);
  else if (typeof value === "string") {
    const length = utf8Length(value);
    writeHead(0x60, length);
    reserve(length);
    writeUtf8(value, scratch, used);
    used += length;
  } else if (typeof value === "boolean" || value === null) {
    reserve(1);
    scratch[used++] = value === null ? 0xf6 : value ? 0xf5 : 0xf4;
  } else if (value instanceof Uint8Array) {
    writeHead(0x40, value.length);
    reserve(value.length);
    scratch.set(value, used);
    used += value.length;
  } else if (typeof value !== "object") throw refuse("cbor", `a value of type ${typeof value} has no encoding here`);
  else {
    const items = Array.isArray(value) ? value : value.entries;
    if (depth >= MAX_DEPTH) throw refuse("cbor", `more than ${MAX_DEPTH} containers deep`);
    if (items.length > MAX_ITEMS) throw refuse("cbor", `${items.length} items in a container, at most ${MAX_ITEMS}`);
    if (Array.isArray(value)) {
      writeHead(0x80, value.length);
      for (let i = 0; i < value.length; i++) writeItem(value[i], depth + 1);
    } else {
      writeHead(0xa0, value.entries.length);
      const marks: number[] = [];
      let sorted = true;
      for (let i = 0; i < value.entries.length; i++) {
        marks.push(used);
        writeItem(value.entries[i][0], depth + 1);
        marks.push(used);
        const j = 2 * i;
        if (i > 0 && compareRanges(scratch, marks[j - 2], marks[j - 1], marks[j], used) >= 0) sorted = false;
        writeItem(value.entries[i][1], depth + 1);
      }
      marks.push(used);
      if (!sorted) sortPairs(marks);
    }
  }
}

/**
 * The one deterministic encoding of `value`, in a buffer of its own; pairs are sorted. Throws Refusal "cbor" for a key given
 * twice, a number that is no integer below 2^53, half a surrogate pair, and what exceeds the limits on depth and items.
 */
export function encode(value: Cbor): Uint8Array {
  used = 0;
  writeItem(value, 0);
  return new Uint8Array(scratch.subarray(0, used));
}

/** As `encode`, under a tag at the top (RFC 8949 section 3.4). */
export function encodeTagged(tag: number, value: Cbor): Uint8Array {
  used = 0;
  writeHead(0xc0, tag);
  writeItem(value, 0);
  return new Uint8Array(scratch.subarray(0, used));
}

// ---------------------------------------------------------------- decoding: one pass over the bytes

let input: Uint8Array = EMPTY;
let at = 0;

/** The argument behind an initial byte already taken. Refuses reserved, indefinite, longer than needed, and over 2^53. */
function readArgument(info: number): number {
  if (info < 24) return info;
  const start = at - 1;
  if (info === 31) throw refuse("cbor", "an indefinite length", start);
  if (info > 27) throw refuse("cbor", `the reserved additional information ${info}`, start);
  const size = 1 << (info - 24);
  if (at + size > input.length) throw refuse("cbor", "the bytes end inside a number", start);
  let argument = 0;
  for (let i = 0; i < size; i++) argument = argument * 256 + input[at + i];
  at += size;
  const least = size === 1 ? 24 : size === 2 ? 256 : size === 4 ? 65536 : TWO_32;
  if (argument < least) throw refuse("cbor", "a number in more bytes than it needs", start);
  if (argument > MAX_INTEGER) throw refuse("cbor", "a number of 2^53 or more", start);
  return argument;
}

/** End of a string of `length` bytes that starts here. */
function endOf(length: number, start: number): number {
  if (length > input.length - at) throw refuse("cbor", `the bytes end inside a string of ${length}`, start);
  return at + length;
}

function readItem(depth: number): Cbor {
  const start = at;
  if (at >= input.length) throw refuse("cbor", "the bytes end where a value is due", at);
  const initial = input[at++];
  const major = initial >> 5;
  if (major === 7) {
    if (initial === 0xf4) return false;
    if (initial === 0xf5) return true;
    if (initial === 0xf6) return null;
    if (initial >= 0xf9 && initial <= 0xfb) throw refuse("cbor", "a float", start);
    if (initial === 0xff) throw refuse("cbor", "a break outside an indefinite length", start);
    throw refuse("cbor", "a simple value other than true, false, null", start);
  }
  if (major === 6) throw refuse("cbor", "a tag where none is allowed", start);
  const argument = readArgument(initial & 31);
  if (major === 0) return argument;
  if (major === 1) {
    if (argument === MAX_INTEGER) throw refuse("cbor", "a number of -2^53 or less", start);
    return -1 - argument;
  }
  if (major === 2) {
    const end = endOf(argument, start);
    const bytes = input.subarray(at, end);
    at = end;
    return bytes;
  }
  if (major === 3) {
    const end = endOf(argument, start);
    const text = readUtf8(input, at, end);
    at = end;
    return text;
  }
  if (depth >= MAX_DEPTH) throw refuse("cbor", `more than ${MAX_DEPTH} containers deep`, start);
  if (argument > MAX_ITEMS) throw refuse("cbor", `${argument} items in a container, at most ${MAX_ITEMS}`, start);
  if (major === 4) {
    const items: Cbor[] = [];
    for (let i = 0; i < argument; i++) items.push(readItem(depth + 1));
    return items;
  }
  const entries: Array<readonly [Cbor, Cbor]> = [];
  let lastStart = 0;
  let lastEnd = 0;
  for (let i = 0; i < argument; i++) {
    const keyStart = at;
    const key = readItem(depth + 1);
    if (i > 0) {
      const rank = compareRanges(input, lastStart, lastEnd, keyStart, at);
      if (rank === 0) throw refuse("cbor", "a map with the same key twice", keyStart);
      if (rank > 0) throw refuse("cbor", "a map whose keys are not sorted", keyStart);
    }
    lastStart = keyStart;
    lastEnd = at;
    entries.push([key, readItem(depth + 1)]);
  }
  return { entries: entries };
}

function finish(value: Cbor): Cbor {
  if (at !== input.length) throw refuse("cbor", `${input.length - at} bytes behind the value`, at);
  input = EMPTY;
  return value;
}

/**
 * The value that `bytes` are, all of them. Byte strings are views into `bytes`, not copies. Throws Refusal "cbor" with the
 * offset and the rule for everything that is not the one deterministic encoding of a value within the limits, and for tags.
 */
export function decode(bytes: Uint8Array): Cbor {
  input = bytes;
  at = 0;
  return finish(readItem(0));
}

/** As `decode`, for a value that must stand under exactly one tag; which tags are good is the caller's to say. */
export function decodeTagged(bytes: Uint8Array): Tagged {
  input = bytes;
  at = 0;
  if (bytes.length === 0 || bytes[0] >> 5 !== 6) throw refuse("cbor", "no tag at the top", 0);
  at = 1;
  const tag = readArgument(bytes[0] & 31);
  return { tag: tag, value: finish(readItem(0)) };
}
