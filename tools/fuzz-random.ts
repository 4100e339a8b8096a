/** The fuzzer's dice: one stream of 32-bit numbers from a seed and a label, cheap enough for millions of inputs. */
import { createRandom, xoshiro128 } from "../simulator/random.ts";

export interface Dice {
  /** 0 .. sides - 1. */
  below(sides: number): number;
  pick<T>(of: readonly T[]): T;
}

/** The same seed and label give the same dice on every machine. */
export function createDice(seed: number | string, label: string): Dice {
  const state = createRandom(seed).fork(label).bytes(16);
  const view = new DataView(state.buffer);
  const next = xoshiro128([0, 4, 8, 12].map((at) => view.getUint32(at) || 1));
  const below = (sides: number) => Math.floor((next() / 4294967296) * sides);
  return { below, pick: (of) => of[below(of.length)]! };
}
