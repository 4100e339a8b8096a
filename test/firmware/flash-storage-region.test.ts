/** A stretch of a flash as a flash of its own. */
import { expect, test } from "vitest";
import { createSimulatedFlash } from "../../boards/simulated-flash.ts";
import { flashRegion } from "../../firmware/flash-region.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";

const make = () => createSimulatedFlash({ pageSize: 256, pages: 5 });
const bytes = (...values: number[]) => Uint8Array.from(values);

test("two storages on one flash do not meet", () => {
  const flash = make();
  const stretches = [flashRegion(flash, 0, 2), flashRegion(flash, 2, 3)];
  for (let i = 0; i < 100; i++)
    for (const [k, region] of stretches.entries()) createFlashStorage(region).write("boot", bytes(k, i));
  expect(stretches.map((region) => createFlashStorage(region).read("boot"))).toEqual([bytes(0, 99), bytes(1, 99)]);
  expect(flash.wear).toEqual(stretches.flatMap((region) => createFlashStorage(region).wear));
});

test("addresses and pages count from its first page, and nothing outside is reached", () => {
  const flash = make();
  flash.write(252, bytes(1, 1, 1, 1));
  flash.write(768, bytes(2, 2, 2, 2));
  const region = flashRegion(flash, 1, 2);
  expect([region.pageSize, region.pages]).toEqual([256, 2]);
  region.write(508, bytes(5, 6, 7, 8));
  region.sync();
  expect(flash.read(764, 4)).toEqual(bytes(5, 6, 7, 8));
  region.erase(1);
  expect(region.read(508, 4)).toEqual(bytes(255, 255, 255, 255));
  expect(flash.wear).toEqual([0, 0, 1, 0, 0]);
  for (const address of [-4, 512]) {
    expect(() => region.read(address, 4)).toThrow(`flash region: 4 bytes at ${address}; it has 512`);
    expect(() => region.write(address, bytes(0, 0, 0, 0))).toThrow(`flash region: 4 bytes at ${address}; it has 512`);
  }
  for (const page of [-1, 2]) expect(() => region.erase(page)).toThrow(`erase page ${page}; it has 2`);
  expect(flash.operations).toBe(4);
});

test.each([
  [-1, 2],
  [4, 2],
  [0, 0],
  [Number.NaN, 1],
])("a stretch of pages that the flash has not is refused: from %d, %d pages", (first, pages) => {
  expect(() => flashRegion(make(), first, pages)).toThrow(`${pages} pages from page ${first} of a flash that has 5`);
});
