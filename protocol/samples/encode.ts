/**
 * Samples into bytes (PROTOCOL.md section 2.1). Device side: nothing is allocated inside a loop over samples, and all arithmetic
 * stays within 32 bits (a residual of order 2 needs 26 bits, its zigzag 27, the adaptive sum 31).
 */
import { type Codec, MAX_K, MAX_SAMPLES, SAMPLE_LIMIT } from "./limits.ts";

/** What a block costs, gathered in one pass over it. */
interface Survey {
  /** Sums of zigzag residuals of order 0, 1, 2, warm-up left out. */
  readonly sums: Float64Array;
  deltaBytes: number;
}

const survey: Survey = { sums: new Float64Array(3), deltaBytes: 0 };
let scratch = new Uint8Array(256);

function checkBlock(samples: Int32Array, start: number, n: number): void {
  if (!(n >= 1 && n <= MAX_SAMPLES && start >= 0 && start + n <= samples.length))
    throw new Error(
      `samples ${start}..${start + n - 1} of ${samples.length}: a block has 1..${MAX_SAMPLES} that exist`,
    );
}

/** Fills `survey`. Throws Error for a sample out of range. */
function look(samples: Int32Array, start: number, n: number): void {
  let x1 = 0;
  let d1 = 0;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let bytes = 0;
  const limit = SAMPLE_LIMIT; // an imported name is looked up at every turn: three times slower
  for (let i = 0; i < n; i++) {
    const x = samples[start + i];
    if (x >= limit || x <= -limit) throw new Error(`sample ${start + i} is ${x}: codecs carry -(2^23 - 1)..2^23 - 1`);
    const d = x - x1;
    const u = (d << 1) ^ (d >> 31);
    bytes += u < 128 ? 1 : u < 16384 ? 2 : u < 2097152 ? 3 : 4;
    sum0 += (x << 1) ^ (x >> 31);
    if (i > 0) sum1 += u;
    if (i > 1) {
      const r = d - d1;
      sum2 += (r << 1) ^ (r >> 31);
    }
    x1 = x;
    d1 = d;
  }
  survey.sums[0] = sum0;
  survey.sums[1] = sum1;
  survey.sums[2] = sum2;
  survey.deltaBytes = bytes;
}

function encodeRaw(samples: Int32Array, start: number, n: number): Uint8Array {
  const bytes = new Uint8Array(3 * n);
  let at = 0;
  for (let i = start; i < start + n; i++) {
    const x = samples[i];
    bytes[at++] = (x >> 16) & 255;
    bytes[at++] = (x >> 8) & 255;
    bytes[at++] = x & 255;
  }
  return bytes;
}

/** Writes zigzag varints of the differences of samples[start, end) at `at` of the scratch; returns the next place. */
function writeDeltas(samples: Int32Array, start: number, end: number, at: number): number {
  let x1 = 0;
  for (let i = start; i < end; i++) {
    const x = samples[i];
    const d = x - x1;
    let u = (d << 1) ^ (d >> 31);
    while (u > 127) {
      scratch[at++] = 128 | (u & 127);
      u >>= 7;
    }
    scratch[at++] = u;
    x1 = x;
  }
  return at;
}

/** Room for the worst block of n: two warm-up varints, then 48 bits a sample. */
function reserve(n: number): void {
  if (scratch.length < 6 * n + 16) scratch = new Uint8Array(6 * n + 16);
}

/** The first `length` bytes of the scratch, in a buffer of their own. */
function written(length: number): Uint8Array {
  return new Uint8Array(scratch.subarray(0, length));
}

/** Rice-codes into the scratch; returns the bytes used. */
function writeRice(samples: Int32Array, start: number, n: number, order: number, k0: number): number {
  reserve(n);
  scratch[0] = (order << 5) | k0;
  let at = writeDeltas(samples, start, start + order, 1);
  let x1 = order > 0 ? samples[start + order - 1] : 0;
  let x2 = order > 1 ? samples[start] : 0;
  let sum = 4 << k0;
  let count = 4;
  let k = k0;
  let bits = 0; // waiting in the low end of word, below 8 between samples
  let word = 0;
  const maxK = MAX_K;
  for (let i = start + order; i < start + n; i++) {
    const x = samples[i];
    const r = order === 2 ? x - 2 * x1 + x2 : order === 1 ? x - x1 : x;
    x2 = x1;
    x1 = x;
    const u = (r << 1) ^ (r >> 31);
    const q = u >> k;
    // At most 24 bits after the first part and 28 after the second; what is shifted out above has been written.
    if (q > 15) {
      word = word << 16;
      scratch[at++] = (word >> (bits + 8)) & 255;
      scratch[at++] = (word >> bits) & 255;
      word = (word << 16) | (u >> 16);
      scratch[at++] = (word >> (bits + 8)) & 255;
      scratch[at++] = (word >> bits) & 255;
      word = (word << 16) | (u & 65535);
      bits += 16;
    } else {
      word = (word << (q + 1)) | 1;
      bits += q + 1;
      while (bits > 7) {
        bits -= 8;
        scratch[at++] = (word >> bits) & 255;
      }
      word = (word << k) | (u & ((1 << k) - 1));
      bits += k;
    }
    while (bits > 7) {
      bits -= 8;
      scratch[at++] = (word >> bits) & 255;
    }
    sum += u;
    count++;
    if (count > 15) {
      sum >>= 1;
      count >>= 1;
    }
    while (k < maxK && count << (k + 1) <= sum) k++;
    // Down by at most one: count << k was within the sum, and count grows by one only.
    if (k > 0 && count << k > sum) k--;
  }
  if (bits > 0) scratch[at++] = (word << (8 - bits)) & 255;
  return at;
}

/** Order with the least sum of residuals. */
function bestOrder(n: number): number {
  let order = 0;
  if (n > 1 && survey.sums[1] < survey.sums[0]) order = 1;
  if (n > 2 && survey.sums[2] < survey.sums[order]) order = 2;
  return order;
}

/** Largest k0 with count x 2^k0 <= sum: the parameter that the mean residual asks for. */
function firstK(sum: number, count: number): number {
  let k = 0;
  let weight = count * 2;
  while (k < MAX_K && weight <= sum) {
    weight *= 2;
    k++;
  }
  return k;
}

/**
 * Codec 2 with a given predictor order (0..2, at most n) and first parameter k0 (0..20), for samples[start, start + n).
 * `encodeSamples` chooses both itself. Throws Error for a block, sample or parameter out of range.
 */
export function encodeRice(samples: Int32Array, start: number, n: number, order: number, k0: number): Uint8Array {
  checkBlock(samples, start, n);
  if (!(order >= 0 && order <= 2 && order <= n && k0 >= 0 && k0 <= MAX_K))
    throw new Error(`rice order ${order}, k0 ${k0} for ${n} samples: order 0..2 and at most n, k0 0..${MAX_K}`);
  look(samples, start, n);
  return written(writeRice(samples, start, n, order, k0));
}

/**
 * samples[start, start + n) in the codec named, in a buffer of its own; n is 1..1024. Throws Error for a block that does not
 * exist, another codec, or a sample of 2^23 or more: these are faults of the caller, not of a packet.
 */
export function encodeSamples(codec: Codec, samples: Int32Array, start: number, n: number): Uint8Array {
  checkBlock(samples, start, n);
  look(samples, start, n);
  if (codec === 0) return encodeRaw(samples, start, n);
  if (codec === 1) {
    reserve(n);
    return written(writeDeltas(samples, start, start + n, 0));
  }
  if (codec !== 2) throw new Error(`codec ${codec}: 0 raw24be, 1 delta, 2 rice`);
  const order = bestOrder(n);
  return written(writeRice(samples, start, n, order, firstK(survey.sums[order], n - order)));
}

/**
 * The block in the smallest of the three codecs: rice with the order and k0 that the sums of residuals suggest (one pass), unless
 * delta or raw comes out no longer. Errors as `encodeSamples`.
 */
export function encodeBest(samples: Int32Array, start: number, n: number): { codec: Codec; bytes: Uint8Array } {
  checkBlock(samples, start, n);
  look(samples, start, n);
  const order = bestOrder(n);
  const riceBytes = writeRice(samples, start, n, order, firstK(survey.sums[order], n - order));
  if (riceBytes < survey.deltaBytes && riceBytes < 3 * n) return { codec: 2, bytes: written(riceBytes) };
  if (survey.deltaBytes < 3 * n) return { codec: 1, bytes: written(writeDeltas(samples, start, start + n, 0)) };
  return { codec: 0, bytes: encodeRaw(samples, start, n) };
}
