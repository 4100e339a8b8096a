/** Mutations that know nothing of what the bytes mean. */
import type { Dice } from "./fuzz-random.ts";

/** `cut` bytes at `at` replaced by `by`. */
export function spliced(bytes: Uint8Array, at: number, cut: number, by: Uint8Array): Uint8Array {
  const end = Math.min(bytes.length, at + cut);
  const out = new Uint8Array(bytes.length - (end - at) + by.length);
  out.set(bytes.subarray(0, at), 0);
  out.set(by, at);
  out.set(bytes.subarray(end), at + by.length);
  return out;
}

export function randomBytes(dice: Dice, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = dice.below(256);
  return out;
}

/** One bit flipped, a byte set, a cut, an insertion, a doubling, a splice of `other`, or an end cut off. */
export function mutateBytes(dice: Dice, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = dice.below(bytes.length + 1);
  switch (dice.below(8)) {
    case 0:
    case 1: {
      const out = bytes.slice();
      if (at < out.length) out[at] = out[at]! ^ (1 << dice.below(8));
      return out;
    }
    case 2: {
      const out = bytes.slice();
      if (at < out.length) out[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
      return out;
    }
    case 3:
      return spliced(bytes, at, 1 + dice.below(8), new Uint8Array(0));
    case 4:
      return spliced(bytes, at, 0, randomBytes(dice, 1 + dice.below(8)));
    case 5:
      return spliced(bytes, at, 0, bytes.subarray(at, at + dice.below(64)));
    case 6:
      return spliced(bytes, at, bytes.length, other.subarray(dice.below(other.length)));
    default:
      return bytes.slice(0, at);
  }
}
