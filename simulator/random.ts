/**
 * Seeded randomness. The generator is xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47(4), 2021), seeded by a hash of the seed and of the labels of the forks. Not for secrets.
 */
import { log } from "./arithmetic.ts";

export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal deviates (mean 0, variance 1). Fits EmulatorOptions.noise. */
  normal(): number;
  /** Uniform bytes, for what a simulation must draw from its seed (nonces, TEST-ONLY keys). */
  bytes(length: number): Uint8Array;
  /**
   * Another stream, set by this one's seed and the label alone: what was drawn before makes no difference, so that a
   * consumer more does not shift the others. The same label gives the same stream again.
   */
  fork(label: string): Random;
}

/**
 * A generator for a seed; 7 and "7" are the same seed. The numbers are the same on every engine and machine (see
 * arithmetic.ts). Throws RangeError for a number that is not finite.
 */
export function createRandom(seed: number | string): Random {
  if (typeof seed === "number" && !Number.isFinite(seed)) {
    throw new RangeError(`seed ${seed} is not a finite number: give a finite number or a string`);
  }
  return stream(pathOf("", String(seed)));
}

/**
 * The bare generator from its four words of state (unsigned 32 bits, not all 0): the next 32 bits, unsigned, a call.
 * Throws RangeError for another number of words, or all of them 0 (the state it would never leave).
 */
export function xoshiro128(state: ArrayLike<number>): () => number {
  if (state.length !== 4) throw new RangeError(`state expected 4 words of 32 bits, got ${state.length}`);
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  if ((a | b | c | d) === 0) throw new RangeError("state is all 0: give at least one word that is not");
  return () => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return scrambled;
  };
}

function stream(path: string): Random {
  const next = xoshiro128(hash(path));
  let spare: number | null = null;
  const uniform = () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992; // (27 + 26 bits) / 2^53
  return {
    uniform,
    // Marsaglia's polar method (SIAM Review 6(3), 1964): two deviates a turn, no sine.
    normal() {
      if (spare !== null) {
        const kept = spare;
        spare = null;
        return kept;
      }
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const square = x * x + y * y;
        if (square >= 1 || square === 0) continue; // leaves with pi / 4 a turn
        const factor = Math.sqrt((-2 * log(square)) / square);
        spare = y * factor;
        return x * factor;
      }
    },
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = next() >>> 24;
      return bytes;
    },
    fork: (label) => stream(pathOf(path, label)),
  };
}

/** Lengths before the parts: no seed with a label spells another seed with another label. */
const pathOf = (parent: string, part: string) => `${parent}${part.length}:${part}`;

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

/** 128 bits from a text: four multiply-and-shift lanes of different odd factors, stirred together at the end. */
function hash(text: string): Uint32Array {
  const factors = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f];
  const words = Uint32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344); // pi's first bits: any start will do
  for (let i = 0; i < text.length; i++) {
    for (let lane = 0; lane < 4; lane++) {
      const mixed = Math.imul(words[lane]! ^ text.charCodeAt(i), factors[lane]!);
      words[lane] = mixed ^ (mixed >>> 15);
    }
  }
  for (let round = 0; round < 8; round++) {
    const lane = round & 3;
    const sum = words[lane]! + words[(lane + 1) & 3]! + rotate(words[(lane + 3) & 3]!, 13);
    words[lane] = finish(sum + round);
  }
  if ((words[0]! | words[1]! | words[2]! | words[3]!) === 0) words[0] = 1;
  return words;
}

/** The finalizer of MurmurHash3 (Appleby): every bit in changes every bit out with about one half. */
function finish(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
