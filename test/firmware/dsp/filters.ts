/** Drives filters from outside: what every one of them must hold, and responses measured on sines. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Filter } from "../../../firmware/dsp/filter.ts";
import type { Vectors } from "../../../firmware/dsp/vectors.ts";

export const RATES = [125, 128, 250, 256, 360, 500, 512] as const;

type Pushed = Pick<Filter, "push">;

/** All that comes out, with the samples pushed in blocks of these lengths, in turn, each filtered in place. */
export function filtered(
  filter: Pushed,
  samples: ArrayLike<number>,
  blocks: readonly number[] = [samples.length],
): number[] {
  const all = Int32Array.from(samples);
  const found: number[] = [];
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const block = all.slice(at, at + blocks[turn % blocks.length]!);
    const written = filter.push(block, block.length, block);
    found.push(...block.subarray(0, written));
    at += block.length;
  }
  return found;
}

export interface Response {
  /** Amplitude out over amplitude in. */
  readonly gain: number;
  /** Phase behind a delay of `filter.delay`, radians. */
  readonly lag: number;
}

/** What becomes of a sine of 24 bits after `settle` s: the least-squares sine through one whole second of output. */
export function response(make: () => Filter & { factor?: number }, hz: number, settle = 2): Response {
  const filter = make();
  const { rate, delay, factor = 1 } = filter;
  const amplitude = 2 ** 23 - 1;
  const w = (2 * Math.PI * hz) / rate;
  const seconds = 4;
  const samples = Array.from({ length: (settle + seconds) * rate }, (_, i) => Math.round(amplitude * Math.sin(w * i)));
  const out = filtered(filter, samples, [1000]);
  let [cc, ss, cs, yc, ys] = [0, 0, 0, 0, 0];
  for (let m = Math.ceil((settle * rate) / factor); m < out.length; m++) {
    const angle = w * (m * factor - delay);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    cc += c * c;
    ss += s * s;
    cs += c * s;
    yc += out[m]! * c;
    ys += out[m]! * s;
  }
  const determinant = cc * ss - cs * cs;
  const cosine = (yc * ss - ys * cs) / determinant;
  const sine = (ys * cc - yc * cs) / determinant;
  return { gain: Math.hypot(cosine, sine) / amplitude, lag: Math.atan2(-cosine, sine) };
}

export const decibels = (gain: number) => 20 * Math.log10(gain);

/** Samples of 24 bits and a way to split them. */
export const signal = fc.record({
  samples: fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }), { minLength: 1, maxLength: 300 }),
  blocks: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
});

/** Any split into blocks gives the same samples, and after a reset they are those of a new one. */
export function holdsInBlocks(make: () => Filter): void {
  const used = make();
  fc.assert(
    fc.property(signal, ({ samples, blocks }) => {
      const whole = filtered(make(), samples);
      expect(filtered(make(), samples, blocks)).toEqual(whole);
      used.reset();
      expect(filtered(used, samples, blocks)).toEqual(whole);
    }),
    { numRuns: 40 },
  );
}

/** Runs `work` with Espruino's vector functions in the interpreter's place, as its sources have them. */
export function withVectors<T>(work: () => T): T {
  const vectors: Vectors = {
    convolve: (a, b, offset) => {
      let sum = 0;
      for (let i = 0; i < a.length; i++) sum += a[i]! * b[(i + offset) % b.length]!;
      return sum;
    },
    mapInPlace: (from, to, map) => {
      for (let i = 0; i < Math.min(from.length, to.length); i++) to[i] = map(from[i]!, i);
    },
  };
  Object.assign(globalThis, { E: vectors });
  try {
    return work();
  } finally {
    Reflect.deleteProperty(globalThis, "E");
  }
}
