/** WFDB sample storage: formats 212, 16 and 24. Source: WFDB Applications Guide, signal(5). Pure. */
import type { WfdbFormat } from "./wfdb-header.ts";

/** Lowest sample value; the WFDB library reads and writes it as "invalid sample". */
export const INVALID_SAMPLE: Readonly<Record<WfdbFormat, number>> = { 212: -2048, 16: -32768, 24: -8388608 };
/** Bits of a sample. */
export const SAMPLE_BITS: Readonly<Record<WfdbFormat, number>> = { 212: 12, 16: 16, 24: 24 };

/** Bytes that `count` samples take. An odd number of samples in format 212 ends with two bytes, as the WFDB library writes. */
export function bytesFor(format: WfdbFormat, count: number): number {
  if (format === 16) return 2 * count;
  if (format === 24) return 3 * count;
  return 3 * Math.floor(count / 2) + 2 * (count % 2);
}

/** Whole samples in `bytes` bytes. */
export function samplesIn(format: WfdbFormat, bytes: number): number {
  if (format === 16) return Math.floor(bytes / 2);
  if (format === 24) return Math.floor(bytes / 3);
  return 2 * Math.floor(bytes / 3) + (bytes % 3 === 2 ? 1 : 0);
}

/** Sample `i` of packed bytes. Throws RangeError beyond their end: the caller has checked their length (`bytesFor`). */
export function sampleAt(format: WfdbFormat, view: DataView, i: number): number {
  if (format === 16) return view.getInt16(2 * i, true);
  if (format === 24) return view.getUint16(3 * i, true) | (view.getInt8(3 * i + 2) << 16);
  const at = 3 * Math.floor(i / 2);
  // First of a pair: low 12 bits of the first two bytes; second: their high 4 bits above the third byte.
  const bits = i % 2 === 0 ? view.getUint16(at, true) : ((view.getUint8(at + 1) & 0xf0) << 4) | view.getUint8(at + 2);
  return (bits << 20) >> 20;
}

/** Packs samples that fit the format (the caller has checked with `misfit`). */
export function pack(format: WfdbFormat, samples: Int32Array): Uint8Array {
  const bytes = new Uint8Array(bytesFor(format, samples.length));
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] ?? 0;
    if (format === 212) {
      const at = 3 * Math.floor(i / 2);
      if (i % 2 === 0) {
        bytes[at] = value;
        bytes[at + 1] = (value >> 8) & 0x0f;
      } else {
        bytes[at + 1] = (bytes[at + 1] ?? 0) | ((value >> 4) & 0xf0);
        bytes[at + 2] = value;
      }
    } else {
      const width = format / 8;
      for (let k = 0; k < width; k++) bytes[width * i + k] = value >> (8 * k);
    }
  }
  return bytes;
}

/** Index of the first sample that does not fit the format, or null. */
export function misfit(format: WfdbFormat, samples: Int32Array): number | null {
  const limit = -INVALID_SAMPLE[format];
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] ?? 0;
    if (value < -limit || value >= limit) return i;
  }
  return null;
}

/** header(5) checksum: the sum of all samples as a 16-bit signed number. */
export function checksumOf(...parts: readonly Int32Array[]): number {
  let sum = 0;
  for (const part of parts) for (let i = 0; i < part.length; i++) sum = (sum + (part[i] ?? 0)) | 0;
  return (sum << 16) >> 16;
}
