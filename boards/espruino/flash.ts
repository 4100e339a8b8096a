/**
 * Flash memory of a board that runs Espruino, by the interpreter's `Flash` module (its reference, "Flash"; what each port does
 * with it stands in its targets/NAME/jshardware.c). Device side.
 *
 * Where it may lie differs from board to board, and must not move when the firmware is replaced. Espruino 2v29's ESP32 ports
 * list 0x360000 to 0x400000 as free, which their own partition table gives to the files (Storage, from 0x320000): there
 * 0x310000, 16 pages of 4096 bytes, is what nothing else uses; on Espruino WiFi 0x08004000, 3 pages of 16384.
 */
import type { Flash } from "../board.ts";

/** What `require("Flash")` gives. */
export interface FlashModule {
  getPage(address: number): { readonly addr: number; readonly length: number } | undefined;
  getFree(): readonly { readonly addr: number; readonly length: number }[];
  erasePage(address: number): void;
  write(bytes: Uint8Array, address: number): void;
  read(length: number, address: number): Uint8Array | undefined;
}

/** Bytes that are written at once: the module copies them to the stack. */
const AT_ONCE = 256;

/**
 * So many pages from `address`, where a page begins. Throws Error where they are not pages of one size, or not free by what
 * the board says of itself. A port that refuses a write or an erasure is silent: whoever must know reads it back.
 */
export function createEspruinoFlash(module: FlashModule, address: number, pages: number): Flash {
  const first = module.getPage(address);
  const pageSize = first === undefined ? 0 : first.length;
  for (let i = 0; i < pages; i++) {
    const page = module.getPage(address + i * pageSize);
    if (page === undefined || page.addr !== address + i * pageSize || page.length !== pageSize)
      throw new Error(
        `Espruino flash: no page of ${pageSize} bytes begins at ${address + i * pageSize}; pages are of one size, one behind the other`,
      );
  }
  const size = pages * pageSize;
  const free = module.getFree();
  let within = false;
  for (let i = 0; i < free.length; i++)
    if (address >= free[i].addr && address + size <= free[i].addr + free[i].length) within = true;
  if (!within || size <= 0)
    throw new Error(
      `Espruino flash: ${size} bytes at ${address} are not free by require("Flash").getFree(): ${JSON.stringify(free)}`,
    );
  const place = (at: number, length: number): number => {
    if (!(at >= 0 && length >= 0 && at + length <= size))
      throw new Error(`Espruino flash: ${length} bytes at ${at}; it has ${size}`);
    return address + at;
  };
  return {
    pageSize: pageSize,
    pages: pages,
    read(at, length) {
      const bytes = module.read(length, place(at, length));
      if (bytes !== undefined) return bytes;
      if (length > 0) throw new Error(`Espruino flash: no memory to read ${length} bytes into`);
      return new Uint8Array(0);
    },
    write(at, bytes) {
      place(at, bytes.length);
      const left = pageSize - (at % pageSize);
      if (at % 4 !== 0 || bytes.length % 4 !== 0 || bytes.length > left)
        throw new Error(
          `Espruino flash: write ${bytes.length} bytes at ${at}; both are multiples of 4, within a page of ${pageSize}`,
        );
      for (let from = 0; from < bytes.length; from += AT_ONCE) {
        const to = Math.min(from + AT_ONCE, bytes.length);
        module.write(new Uint8Array(bytes.subarray(from, to)), address + at + from);
      }
    },
    erase(page) {
      if (!(page >= 0 && page < pages)) throw new Error(`Espruino flash: erase page ${page}; it has ${pages}`);
      module.erasePage(address + page * pageSize);
    },
    sync() {},
  };
}
