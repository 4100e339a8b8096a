/** Encodes values of every kind, decodes them again, and says what malformed bytes raise. Device dialect. */
import { type Cbor, decode, encode, map } from "../../../protocol/cbor.ts";
import { hex } from "./text.ts";

const values: Cbor[] = [
  0,
  1,
  23,
  24,
  255,
  256,
  65535,
  65536,
  4294967295,
  4294967296,
  9007199254740991,
  -1,
  -24,
  -25,
  -256,
  -257,
  -65536,
  -65537,
  -4294967296,
  -4294967297,
  -9007199254740991,
  "",
  "a",
  "µV",
  "a text of more than twenty-three bytes",
  true,
  false,
  null,
  new Uint8Array(0),
  new Uint8Array([1, 2, 255]),
  new Uint8Array(300),
  [],
  [1, [2, [3]]],
  map([]),
  map([
    [2, "b"],
    [1, "a"],
    [-1, new Uint8Array([7])],
    ["key", [null, true]],
  ]),
];
const malformed = [
  [],
  [0x18, 0x10],
  [0x1f],
  [0x61],
  [0x62, 0x61],
  [0xa1, 1],
  [0x82, 1],
  [0xf8, 0x20],
  [0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
  [1, 1],
];

export function program(print: (line: string) => void): void {
  for (let i = 0; i < values.length; i++) {
    const bytes = encode(values[i]);
    print(`${hex(bytes)} ${hex(encode(decode(bytes)))}`);
  }
  for (let i = 0; i < malformed.length; i++) {
    try {
      decode(new Uint8Array(malformed[i]));
      print(`${i} decoded`);
    } catch (error) {
      print(`${i} ${(error as Error).message}`);
    }
  }
}
