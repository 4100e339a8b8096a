/** Numbers and erased stretches in flash. Little-endian. Device side. */

/** A word that nothing was written to. */
const ERASED = 4294967295;

/** The four bytes at `at`. */
export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** Writes the low 32 bits of `value` at `at`. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >>> 8) & 255;
  bytes[at + 2] = (value >>> 16) & 255;
  bytes[at + 3] = (value >>> 24) & 255;
}

/** Whether the words in [from, to) are as an erasure leaves them. */
export function isErased(bytes: Uint8Array, from: number, to: number): boolean {
  const words = new Uint32Array(new Uint8Array(bytes.subarray(from, to)).buffer);
  for (let i = 0; i < words.length; i++) if (words[i] !== ERASED) return false;
  return true;
}

/** Bytes filled up to whole words. */
export const padded = (length: number): number => (length + 3) & -4;
