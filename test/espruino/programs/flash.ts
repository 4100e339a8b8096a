/** Storage on flash, over the interpreter's Flash module or one in memory: the same lines from both. Device dialect. */
import type { Flash } from "../../../boards/board.ts";
import { createEspruinoFlash, type FlashModule } from "../../../boards/espruino/flash.ts";
import { flashRegion } from "../../../firmware/flash-region.ts";
import { createFlashStorage } from "../../../firmware/flash-storage.ts";
import { hex, xorshift } from "./text.ts";

const NAMES = ["boot", "time", "a longer name with é"];

/** A Flash module whose flash is memory: so many bytes from `start`; a bit that is 0 stays 0 until its page is erased. */
export function memoryModule(start: number, length: number, pageSize: number): FlashModule {
  const bytes = new Uint8Array(length).fill(255);
  const pageAt = (address: number): number => address - ((address - start) % pageSize);
  return {
    getPage: (address) =>
      address >= start && address < start + length ? { addr: pageAt(address), length: pageSize } : undefined,
    getFree: () => [{ addr: start, length: length }],
    erasePage: (address) => {
      const from = pageAt(address) - start;
      for (let i = from; i < from + pageSize; i++) bytes[i] = 255;
    },
    write: (values, address) => {
      for (let i = 0; i < values.length; i++) bytes[address - start + i] &= values[i];
    },
    read: (count, address) =>
      count > 0 ? new Uint8Array(bytes.subarray(address - start, address - start + count)) : undefined,
  };
}

/** That flash, but of the write after `power.left` more only the first half is done, and then there is no power. */
export function cutting(flash: Flash, power: { left: number }): Flash {
  const write = (address: number, bytes: Uint8Array): void => {
    if (power.left < 0) throw new Error("no power");
    if (power.left-- > 0) {
      flash.write(address, bytes);
      return;
    }
    flash.write(address, new Uint8Array(bytes.subarray(0, (bytes.length >> 3) * 4)));
    throw new Error("no power");
  };
  return {
    pageSize: flash.pageSize,
    pages: flash.pages,
    read: flash.read,
    write: write,
    erase: flash.erase,
    sync: flash.sync,
  };
}

export function program(
  print: (line: string) => void,
  module: FlashModule,
  crc: (bytes: Uint8Array) => number,
  address: number,
): void {
  const told = (action: () => string): void => {
    try {
      print(action());
    } catch (error) {
      print((error as Error).message);
    }
  };
  const all = (on: Flash): string => {
    const storage = createFlashStorage(on, crc);
    let text = `wear ${JSON.stringify(storage.wear)}`;
    for (let i = 0; i < NAMES.length; i++) {
      const value = storage.read(NAMES[i]);
      text += ` ${value === undefined ? "-" : hex(value)}`;
    }
    return text;
  };
  const flash = createEspruinoFlash(module, address, 6);
  for (let i = 0; i < 6; i++) flash.erase(i);
  told(() => `${flash.pageSize} ${flash.pages} ${hex(flash.read(4, 8))} ${flash.read(4, 0).length}`);
  told(() => {
    const bytes = new Uint8Array(800);
    for (let i = 0; i < 800; i++) bytes[i] = i & 255;
    flash.write(8, bytes);
    return hex(flash.read(0, 1024));
  });
  // A part of a longer array is that part.
  flash.write(2048, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).subarray(4, 8));
  print(hex(flash.read(2044, 12)));
  told(() => `${flash.write(1020, new Uint8Array(8))}`);
  told(() => `${flash.write(2, new Uint8Array(4))}`);
  told(() => hex(flash.read(6140, 8)));
  told(() => `${flash.erase(6)}`);
  told(() => `${createEspruinoFlash(module, address + 4, 2).pages}`);

  flash.erase(0);
  flash.erase(2);
  const region = flashRegion(flash, 1, 3);
  const random = xorshift(7);
  const value = (): Uint8Array => {
    const bytes = new Uint8Array(random() % 40);
    for (let k = 0; k < bytes.length; k++) bytes[k] = random();
    return bytes;
  };
  const tear = (after: number): void =>
    told(() => {
      createFlashStorage(cutting(region, { left: after }), crc).write("boot", value());
      return "written";
    });
  for (let round = 0; round < 8; round++) {
    const storage = createFlashStorage(region, crc);
    for (let i = 0; i < 9; i++) storage.write(NAMES[random() % 3], value());
    print(all(region));
    tear(round % 4);
    print(all(region));
  }
  print(hex(region.read(0, 3072)));

  // A value that rots: all its bits that were still set.
  const rotting = new Uint8Array([222, 173, 190, 239]);
  createFlashStorage(region, crc).write("boot", rotting);
  const there = hex(region.read(0, 3072)).indexOf(hex(rotting)) / 2;
  module.write(new Uint8Array(4), address + flash.pageSize + there);
  told(() => all(region));
}
