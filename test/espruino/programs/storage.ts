/** Storage in memory. Device dialect. */
import type { Storage } from "../../../boards/board.ts";

/** `power`: absent, it stays; else nothing is kept once `left` is below 0 (cutting of flash.ts). */
export function createStorage(power?: { readonly left: number }): Storage {
  const files: { [name: string]: Uint8Array } = {};
  return {
    read: (name) => files[name],
    write: (name, bytes) => {
      if (power === undefined || power.left >= 0) files[name] = new Uint8Array(bytes);
    },
  };
}
