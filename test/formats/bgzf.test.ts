import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { BGZF_BLOCK, bgzfBlock, bgzfBytes, bgzfEnd } from "../../formats/bgzf.ts";
import { createRandom } from "../../simulator/random.ts";

const parts = [Buffer.from("one\n"), Buffer.alloc(BGZF_BLOCK, "two "), Buffer.from(createRandom(1).bytes(BGZF_BLOCK))];
const file = Buffer.concat([...parts.map(bgzfBlock), bgzfEnd()]);
const blocks = (bytes: Uint8Array) => [...bgzfBytes((at, length) => bytes.subarray(at, at + length))];

test("what is written in blocks is read in blocks, and any gunzip reads it (SAM specification, section 4.1)", () => {
  expect(Buffer.concat(blocks(file)).equals(Buffer.concat(parts))).toBe(true);
  expect(blocks(file).map(({ length }) => length)).toEqual([4, BGZF_BLOCK, BGZF_BLOCK, 0]);
  expect(gunzipSync(file).equals(Buffer.concat(parts))).toBe(true);
});

test("the end is an empty block of 28 bytes, and what does not compress fits into one of 64 KiB", () => {
  expect(bgzfEnd()).toHaveLength(28);
  expect(bgzfBlock(parts[2]).length).toBeLessThanOrEqual(0x10000);
  expect(() => bgzfBlock(Buffer.alloc(BGZF_BLOCK + 1))).toThrow("65281 bytes in a block, the most is 65280");
});

test("where the end was cut off the whole blocks are read, wherever it was", () => {
  for (let length = 0; length < file.length; length += 997) {
    const read = Buffer.concat(blocks(file.subarray(0, length)));
    expect(read.equals(Buffer.concat(parts).subarray(0, read.length))).toBe(true);
  }
  expect(blocks(file.subarray(0, -29))).toHaveLength(2);
});

test("a block that is damaged, or none, is an error with its place", () => {
  const damaged = Buffer.from(file);
  const at = bgzfBlock(parts[0]).length;
  damaged[at + 100] ^= 1;
  expect(() => blocks(damaged)).toThrow(`byte ${at}: a damaged block (`);
  const none = Buffer.from(file);
  none[at] = 0;
  expect(() => blocks(none)).toThrow(`byte ${at}: no BGZF block begins there`);
  expect(() => blocks(gzipSync(parts[0]))).toThrow("byte 0: no BGZF block begins there");
});
