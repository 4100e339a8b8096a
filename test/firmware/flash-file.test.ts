/** Flash memory in a host's file. */
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulatedFlash } from "../../boards/simulated-flash.ts";
import { openFlashFile } from "../../firmware/flash-file.host.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";
import { ownFolder } from "../support/folder.ts";

const folder = ownFolder();
const path = () => join(folder(), "board.flash");
const small = { pageSize: 256, pages: 4 };
const bytes = (...values: number[]) => Uint8Array.from(values);
const erased = (length: number) => new Uint8Array(length).fill(0xff);

test("a new file is erased flash of its owner's alone; what is written is there when it is opened again", () => {
  const flash = openFlashFile(path(), small);
  expect(flash.read(0, 1024)).toEqual(erased(1024));
  flash.write(252, bytes(1, 2, 3, 0));
  flash.write(1020, bytes(0, 0xff, 0x80, 1));
  flash.sync();
  flash.close();
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  const again = openFlashFile(path(), small);
  expect(again.read(250, 8)).toEqual(bytes(0xff, 0xff, 1, 2, 3, 0, 0xff, 0xff));
  expect(again.read(1020, 4)).toEqual(bytes(0, 0xff, 0x80, 1));
  again.erase(0);
  expect(again.read(0, 256)).toEqual(erased(256));
  expect(again.read(1020, 4)).toEqual(bytes(0, 0xff, 0x80, 1));
  again.close();
});

test("8 GB take no more of the disk than what is written, at either end", () => {
  const flash = openFlashFile(path(), { pageSize: 4096, pages: 2 ** 21 });
  const last = 4096 * (2 ** 21 - 1);
  flash.write(0, bytes(1, 2, 3, 4));
  flash.write(last, bytes(5, 6, 7, 8));
  flash.sync();
  expect(flash.read(last - 4, 12)).toEqual(bytes(255, 255, 255, 255, 5, 6, 7, 8, 255, 255, 255, 255));
  flash.erase(2 ** 21 - 1);
  expect(flash.read(last, 4)).toEqual(erased(4));
  flash.close();
  const { size, blocks } = statSync(path());
  expect(size).toBe(2 ** 33);
  expect(blocks * 512).toBeLessThan(1 << 20);
});

test("a file of another length than the pages is refused and left alone; an empty one is a new one", () => {
  openFlashFile(path(), small).close();
  expect(() => openFlashFile(path(), { pageSize: 256, pages: 5 })).toThrow(
    "board.flash: 1024 bytes, not 5 pages of 256 (1280); open it as it was made",
  );
  writeFileSync(path(), "x");
  expect(() => openFlashFile(path(), small)).toThrow("1 bytes, not 4 pages of 256");
  expect(statSync(path()).size).toBe(1);
  truncateSync(path(), 0);
  const flash = openFlashFile(path(), small);
  expect(flash.read(0, 4)).toEqual(erased(4));
  truncateSync(path(), 512);
  expect(() => flash.read(510, 8)).toThrow("it ends at 512; something cut it short");
  flash.close();
});

test.each([
  { pageSize: 6, pages: 2 },
  { pageSize: 0, pages: 2 },
  { pageSize: 256, pages: 0 },
  { pageSize: 256, pages: 1.5 },
])("a geometry that is none is refused: %j", (geometry) => {
  expect(() => openFlashFile(path(), geometry)).toThrow(`${geometry.pages} pages of ${geometry.pageSize} bytes`);
});

test("addresses that are not its own, or are not whole words of one page, are Errors; so is all after it is closed", () => {
  const flash = openFlashFile(path(), small);
  for (const call of [() => flash.read(1022, 4), () => flash.read(-1, 1), () => flash.write(1024, bytes(1, 1, 1, 1))])
    expect(call).toThrow("it has 1024");
  for (const [address, length] of [
    [2, 4],
    [4, 2],
    [252, 8],
  ])
    expect(() => flash.write(address, new Uint8Array(length))).toThrow("multiples of 4, within a page of 256");
  for (const page of [-1, 4]) expect(() => flash.erase(page)).toThrow(`erase page ${page}; it has 4`);
  expect(flash.read(0, 1024)).toEqual(erased(1024));
  flash.close();
  flash.close();
  for (const call of [() => flash.read(0, 4), () => flash.sync(), () => flash.erase(0)])
    expect(call).toThrow("after it was closed");
});

test("it reads as simulated flash does, whatever is written once and erased", () => {
  const step = fc.record({ page: fc.nat(3), word: fc.nat(60), words: fc.uint8Array({ minLength: 4, maxLength: 12 }) });
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const flash = openFlashFile(`${path()}${run++}`, small);
      const simulated = createSimulatedFlash(small);
      for (const { page, word, words } of steps) {
        const values = words.subarray(0, words.length - (words.length % 4));
        try {
          simulated.write(page * 256 + word * 4, values);
          flash.write(page * 256 + word * 4, values);
        } catch {
          simulated.erase(page);
          flash.erase(page);
        }
        expect(flash.read(0, 1024)).toEqual(simulated.read(0, 1024));
      }
      flash.close();
    }),
    { numRuns: 30 },
  );
});

test("a storage on it is there after it was opened again", () => {
  for (let i = 0; i < 60; i++) {
    const flash = openFlashFile(path(), small);
    const storage = createFlashStorage(flash);
    if (i > 0) expect(storage.read("boot")).toEqual(bytes(i - 1));
    storage.write("boot", bytes(i));
    flash.close();
  }
});
