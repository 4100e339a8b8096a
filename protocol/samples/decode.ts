/** Bytes into samples (PROTOCOL.md section 2.1), strictly. Device side. */
import { type Refusal, refuse } from "../refusal.ts";
import { type Codec, MAX_K, MAX_SAMPLES, SAMPLE_LIMIT } from "./limits.ts";

/** Zigzag of the largest residual of order 2: 4 x (2^23 - 1). */
const MAX_RESIDUAL = 67108856;

function outOfRange(index: number, value: number): Refusal {
  return refuse("codec", `sample ${index} would be ${value}, samples lie within -(2^23 - 1)..2^23 - 1`);
}

function decodeRaw(bytes: Uint8Array, n: number): Int32Array {
  if (bytes.length !== 3 * n)
    throw refuse("codec", `raw24be: ${bytes.length} bytes for ${n} samples, must be ${3 * n}`);
  const samples = new Int32Array(n);
  const limit = SAMPLE_LIMIT;
  let at = 0;
  for (let i = 0; i < n; i++) {
    samples[i] = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
    if (samples[i] === -limit) throw outOfRange(i, -limit);
    at += 3;
  }
  return samples;
}

/** Reads `count` zigzag varints of differences from `at`; returns the next place. */
function readDeltas(bytes: Uint8Array, at: number, samples: Int32Array, count: number): number {
  const limit = SAMPLE_LIMIT; // an imported name is looked up at every turn: three times slower
  let x = 0;
  for (let i = 0; i < count; i++) {
    let u = 0;
    let shift = 0;
    for (;;) {
      if (at >= bytes.length) throw refuse("codec", `the bytes end before sample ${i}`, at);
      const byte = bytes[at++];
      u |= (byte & 127) << shift;
      if (byte < 128) {
        if (byte === 0 && shift > 0) throw refuse("codec", "a varint longer than it needs", at - 1);
        break;
      }
      shift += 7;
      if (shift > 21) throw refuse("codec", "a varint beyond any difference of samples", at - 1);
    }
    x += (u >> 1) ^ -(u & 1);
    if (x >= limit || x <= -limit) throw outOfRange(i, x);
    samples[i] = x;
  }
  return at;
}

function decodeDelta(bytes: Uint8Array, n: number): Int32Array {
  const samples = new Int32Array(n);
  const end = readDeltas(bytes, 0, samples, n);
  if (end !== bytes.length) throw refuse("codec", `${bytes.length - end} bytes behind the last sample`, end);
  return samples;
}

function decodeRice(bytes: Uint8Array, n: number): Int32Array {
  if (bytes.length === 0) throw refuse("codec", "rice: no bytes", 0);
  const order = bytes[0] >> 5;
  const k0 = bytes[0] & 31;
  if (order > 2 || order > n || k0 > MAX_K)
    throw refuse(
      "codec",
      `rice order ${order}, k0 ${k0} for ${n} samples: order 0..2 and at most n, k0 0..${MAX_K}`,
      0,
    );
  const samples = new Int32Array(n);
  let at = readDeltas(bytes, 1, samples, order);
  let x1 = order > 0 ? samples[order - 1] : 0;
  let x2 = order > 1 ? samples[0] : 0;
  let sum = 4 << k0;
  let count = 4;
  let k = k0;
  let byte = 0;
  let bits = 0; // of byte, not yet read
  const limit = SAMPLE_LIMIT;
  const maxK = MAX_K;
  for (let i = order; i < n; i++) {
    let q = 0;
    for (;;) {
      if (bits === 0) {
        if (at >= bytes.length) throw refuse("codec", `the bytes end before sample ${i}`, at);
        byte = bytes[at++];
        bits = 8;
      }
      bits--;
      if ((byte >> bits) & 1) break;
      q++;
      if (q > 15) break;
    }
    let u = q > 15 ? 0 : q;
    let missing = q > 15 ? 32 : k;
    while (missing > 0) {
      if (bits === 0) {
        if (at >= bytes.length) throw refuse("codec", `the bytes end before sample ${i}`, at);
        byte = bytes[at++];
        bits = 8;
      }
      const take = Math.min(missing, bits);
      bits -= take;
      missing -= take;
      u = u * (1 << take) + ((byte >> bits) & ((1 << take) - 1));
    }
    if (u > MAX_RESIDUAL) throw refuse("codec", `residual ${u} at sample ${i} is beyond any of order 2`, at);
    if (q > 15 && u >> k <= 15) throw refuse("codec", `residual ${u} at sample ${i} is escaped without need`, at);
    const r = (u >> 1) ^ -(u & 1);
    const x = order === 2 ? 2 * x1 - x2 + r : order === 1 ? x1 + r : r;
    if (x >= limit || x <= -limit) throw outOfRange(i, x);
    samples[i] = x;
    x2 = x1;
    x1 = x;
    sum += u;
    count++;
    if (count > 15) {
      sum >>= 1;
      count >>= 1;
    }
    while (k < maxK && count << (k + 1) <= sum) k++;
    if (k > 0 && count << k > sum) k--;
  }
  if ((byte & ((1 << bits) - 1)) !== 0) throw refuse("codec", "the padding of the last byte is not zero", at - 1);
  if (at !== bytes.length) throw refuse("codec", `${bytes.length - at} bytes behind the last sample`, at);
  return samples;
}

/**
 * Step 8 of a receiver: exactly n samples (1..1024), exactly all bytes. Throws Refusal "codec" with the rule and the place for
 * anything that no encoder writes.
 */
export function decodeSamples(codec: Codec, bytes: Uint8Array, n: number): Int32Array {
  if (!(n >= 1 && n <= MAX_SAMPLES)) throw refuse("codec", `${n} samples, a block has 1..${MAX_SAMPLES}`);
  if (codec === 0) return decodeRaw(bytes, n);
  if (codec === 1) return decodeDelta(bytes, n);
  if (codec === 2) return decodeRice(bytes, n);
  throw refuse("codec", `codec ${codec}: 0 raw24be, 1 delta, 2 rice`);
}
