/** Mutations that know CBOR: each takes one item of a well-formed text and breaks, or bends, one rule of PROTOCOL.md section 8. */
import { randomBytes, spliced } from "./fuzz-bytes.ts";
import type { Dice } from "./fuzz-random.ts";

/** One item within the bytes. */
export interface Item {
  readonly at: number;
  /** Where its content begins, behind the head. */
  readonly body: number;
  /** Behind its last byte. */
  readonly end: number;
  readonly major: number;
  readonly argument: number;
  readonly depth: number;
}

/** Every item of well-formed CBOR without indefinite lengths, in order of its heads. Stops where that ends. */
export function itemsOf(bytes: Uint8Array): Item[] {
  const items: Item[] = [];
  const read = (at: number, depth: number): number => {
    if (at >= bytes.length || depth > 12) return bytes.length + 1;
    const info = bytes[at]! & 31;
    const size = info < 24 ? 0 : 1 << (info - 24);
    if (info > 27) return bytes.length + 1;
    let argument = size === 0 ? info : 0;
    for (let i = 1; i <= size; i++) argument = argument * 256 + (bytes[at + i] ?? 0);
    const major = bytes[at]! >> 5;
    const body = at + 1 + size;
    const place = items.length;
    items.push({ at, body, end: body, major, argument, depth });
    let end = body;
    if (major === 2 || major === 3) end = body + argument;
    const inner = major === 4 ? argument : major === 5 ? argument * 2 : major === 6 ? 1 : 0;
    for (let i = 0; i < inner && end < bytes.length; i++) end = read(end, depth + 1);
    items[place] = { at, body, end: Math.min(end, bytes.length), major, argument, depth };
    return end;
  };
  read(0, 0);
  return items;
}

/** A head in the size asked for: 0 within the first byte (argument below 24), else 1, 2, 4, 8 bytes behind it. */
export function headOf(major: number, argument: number, size: number): Uint8Array {
  const head = new Uint8Array(1 + size);
  head[0] = (major << 5) | (size === 0 ? argument : 24 + Math.log2(size));
  let rest = argument;
  for (let i = size; i > 0; i--) {
    head[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return head;
}

export const shortest = (argument: number) =>
  argument < 24 ? 0 : argument < 256 ? 1 : argument < 65536 ? 2 : argument < 4294967296 ? 4 : 8;

export const head = (major: number, argument: number) => headOf(major, argument, shortest(argument));

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const replaced = (bytes: Uint8Array, item: Item, by: Uint8Array) => spliced(bytes, item.at, item.end - item.at, by);
const withHead = (bytes: Uint8Array, item: Item, by: Uint8Array) => spliced(bytes, item.at, item.body - item.at, by);
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

const integers = [0, 1, 2, 3, 23, 24, 63, 64, 127, 128, 255, 256, 1023, 1024, 1025, 4096, 65535, 65536, 262143, 262144];
const large = [
  2 ** 23,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 2,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
];
const numbers = [...integers, ...large];
const floats = ["f90000", "f93c00", "f97e00", "f97c00", "fa3f800000", "fa7f800000", "fb3ff0000000000000"].map(hex);
const simples = ["f4", "f5", "f6", "f7", "e0", "f3", "f818", "f8ff", "f800", "ff", "fc", "fd", "fe"].map(hex);
const tags = ["c0", "c1", "c2", "c249010000000000000000", "d0", "d1", "d2", "d81c", "d81d", "d9d9f7", "d90100"].map(
  hex,
);
const texts = ["61ff", "6180", "62c0af", "63e08080", "63eda080", "64f0808080", "64f4908080", "64f8888080", "62c3"].map(
  hex,
);
const empties = ["80", "a0", "40", "60", "f6", "00"].map(hex);

export type CborMutation = (dice: Dice, bytes: Uint8Array, item: Item, other: Uint8Array) => Uint8Array;

/** By name, for tests and for reading. */
export const cborMutations: Readonly<Record<string, CborMutation>> = {
  longerHead(dice, bytes, item) {
    const sizes = [1, 2, 4, 8].filter((size) => size > shortest(item.argument));
    return sizes.length === 0 ? bytes : withHead(bytes, item, headOf(item.major, item.argument, dice.pick(sizes)));
  },
  indefinite(_dice, bytes, item) {
    const open = Uint8Array.of((item.major << 5) | 31);
    const whole = bytes.subarray(item.at, item.end);
    if (item.major === 2 || item.major === 3) return replaced(bytes, item, join(open, whole, Uint8Array.of(255)));
    return replaced(bytes, item, join(open, bytes.subarray(item.body, item.end), Uint8Array.of(255)));
  },
  reserved: (dice, bytes, item) => withHead(bytes, item, Uint8Array.of((item.major << 5) | (28 + dice.below(3)))),
  count(dice, bytes, item) {
    const near = item.argument + dice.pick([-2, -1, 1, 2]);
    return withHead(bytes, item, head(item.major, dice.below(2) === 0 && near >= 0 ? near : dice.pick(numbers)));
  },
  integer: (dice, bytes, item) => replaced(bytes, item, head(dice.below(2), dice.pick(numbers))),
  float: (dice, bytes, item) => replaced(bytes, item, dice.pick(floats)),
  simple: (dice, bytes, item) => replaced(bytes, item, dice.pick(simples)),
  tag: (dice, bytes, item) => spliced(bytes, item.at, 0, dice.pick(tags)),
  text(dice, bytes, item) {
    if (item.major !== 3 || dice.below(2) === 0) return replaced(bytes, item, dice.pick(texts));
    const content = randomBytes(dice, dice.pick([0, 1, 8, 63, 64, 65]));
    for (let i = 0; i < content.length && dice.below(8) > 0; i++) content[i] = content[i]! & 127;
    return replaced(bytes, item, join(head(3, content.length), content));
  },
  deep(dice, bytes, item) {
    const depth = dice.pick([1, 2, 3, 4, 5, 6, 7, 30, 300, 3000]);
    return spliced(bytes, item.at, 0, new Uint8Array(depth).fill(dice.below(2) === 0 ? 0x81 : 0xa1));
  },
  doubled: (_dice, bytes, item) => spliced(bytes, item.at, 0, bytes.subarray(item.at, item.end)),
  dropped: (_dice, bytes, item) => spliced(bytes, item.at, item.end - item.at, new Uint8Array(0)),
  empty: (dice, bytes, item) => replaced(bytes, item, dice.pick(empties)),
  transplanted(dice, bytes, item, other) {
    const from = dice.pick(itemsOf(other));
    return replaced(bytes, item, other.subarray(from.at, from.end));
  },
  trailing: (dice, bytes) => join(bytes, randomBytes(dice, 1 + dice.below(4))),
  /** A map's first pair again, or a map of two keys in any order where there was none. */
  keys(dice, bytes, item) {
    if (item.major !== 5 || item.argument === 0) {
      const key = head(0, dice.below(3));
      return replaced(
        bytes,
        item,
        join(Uint8Array.of(0xa2), key, key.slice(), head(0, dice.below(3)), Uint8Array.of(0)),
      );
    }
    // What earlier mutations broke may have no key or no value any more.
    const key = itemsOf(bytes.subarray(item.body, item.end))[0]?.end ?? 0;
    const value = itemsOf(bytes.subarray(item.body + key, item.end))[0]?.end ?? 0;
    const pair = bytes.subarray(item.body, item.body + key + value);
    const grown = join(head(5, item.argument + 1), pair, bytes.subarray(item.body, item.end));
    return replaced(bytes, item, grown);
  },
  many(dice, bytes, item) {
    const count = dice.pick([17, 32, 33, 255, 256, 257, 1000, 3000]);
    return replaced(bytes, item, join(head(dice.pick([4, 5]), count), new Uint8Array(2 * count)));
  },
};

const all = Object.values(cborMutations);

/** One of them at one place. */
export function mutateCbor(dice: Dice, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const items = itemsOf(bytes);
  return items.length === 0 ? bytes : dice.pick(all)(dice, bytes, dice.pick(items), other);
}
