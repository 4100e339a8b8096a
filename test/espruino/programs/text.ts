/** Numbers and bytes as text that loses nothing. Device dialect. */

const view = new DataView(new ArrayBuffer(8));

/** Bytes as hex. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += (bytes[i] + 256).toString(16).substring(1);
  return text;
}

/** The 64 bits of a number as hex. */
export function bits(value: number): string {
  view.setFloat64(0, value);
  let text = "";
  for (let i = 0; i < 8; i++) text += (view.getUint8(i) + 256).toString(16).substring(1);
  return text;
}

/** Pseudo-random integers 0..2^32 - 1 from a seed: xorshift32. */
export function xorshift(seed: number): () => number {
  let x = seed | 0;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}
