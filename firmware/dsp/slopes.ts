/**
 * How steep a signal is, how sharply it bends and how much of that there was lately, a block at a time: natively where an
 * interpreter has vector functions, plainly elsewhere. All are sums of integers, exact in doubles in any order of adding:
 * the two ways give the same to the last bit.
 *
 *   x            -> boxcar of 3 samples: smooth; less itself 3 samples ago: difference   (23 ms each at 128 sps)
 *   difference   -> less itself 2 samples ago: bend
 *   |difference| -> moving sum over 13 samples: energy                                   (102 ms)
 */
import { nativeVectors } from "./vectors.ts";

/** A block is at most so many input samples. */
export const CHUNK = 32;
/** Where the block begins in `smooth` and `differences`: before it stands what came before. */
export const SMOOTH = 64;
export const DIFFERENCES = 2;
/** Length of the energy's window. */
const WINDOW = 13;

export interface Slopes {
  readonly smooth: Float64Array;
  readonly differences: Float64Array;
  readonly bends: Float64Array;
  readonly energies: Float64Array;
  /** Forgets everything: as if `sample` had always been there. */
  begin(sample: number): void;
  /** The next block: `count` sums of `step` samples each, from raw[from] on. It stands in the arrays until the next one. */
  take(raw: Int32Array, from: number, count: number): void;
}

/** `step`: how many input samples make one, 1 to 4. */
export function createSlopes(step: number): Slopes {
  const smooth = new Float64Array(SMOOTH + CHUNK);
  const differences = new Float64Array(DIFFERENCES + CHUNK);
  const bends = new Float64Array(CHUNK);
  const energies = new Float64Array(CHUNK);
  /** Length of the block that stands in the arrays. */
  let last = 0;

  const shift = (): void => {
    if (last === 0) return;
    smooth.set(smooth.subarray(last, last + SMOOTH), 0);
    differences.set(differences.subarray(last, last + DIFFERENCES), 0);
  };
  const forget = (sample: number): void => {
    last = 0;
    smooth.fill(3 * step * sample);
    differences.fill(0);
  };

  const vectors = nativeVectors();
  if (vectors === null) {
    const steeps = new Float64Array(WINDOW);
    let turn = 0;
    let x1 = 0;
    let x2 = 0;
    let energy = 0;
    return {
      smooth: smooth,
      differences: differences,
      bends: bends,
      energies: energies,
      begin: (sample) => {
        forget(sample);
        x1 = x2 = sample * step;
        energy = turn = 0;
        steeps.fill(0);
      },
      take: (raw, from, count) => {
        shift();
        last = count;
        for (let i = 0, at = from; i < count; i++, at += step) {
          let x = raw[at];
          if (step > 1) {
            x += raw[at + 1];
            if (step > 2) x += raw[at + 2];
            if (step > 3) x += raw[at + 3];
          }
          const s = x + x1 + x2;
          x2 = x1;
          x1 = x;
          const d = s - smooth[SMOOTH - 3 + i];
          const steep = d < 0 ? -d : d;
          smooth[SMOOTH + i] = s;
          differences[DIFFERENCES + i] = d;
          bends[i] = d - differences[i];
          energy += steep - steeps[turn];
          energies[i] = energy;
          steeps[turn] = steep;
          turn = turn + 1 === WINDOW ? 0 : turn + 1;
        }
      },
    };
  }

  /** The two that only windows look at begin with what those of the block's first samples reach back to. */
  const input = new Float64Array(2 * step + CHUNK);
  const steeps = new Float64Array(WINDOW - 1 + CHUNK);
  /** Where windows begin: at each place, and at each `step`th. */
  const rows = new Uint16Array(CHUNK);
  const inputRows = new Uint16Array(CHUNK);
  for (let i = 0; i < CHUNK; i++) {
    rows[i] = i;
    inputRows[i] = i * step;
  }
  const ones = new Float64Array(WINDOW);
  ones.fill(1);
  const smoothed = vectors.convolve.bind(vectors, ones.subarray(0, 3 * step), input);
  const lag = new Float64Array([-1, 0, 0, 1]);
  const differenced = vectors.convolve.bind(vectors, lag, smooth.subarray(SMOOTH - 3));
  const bent = vectors.convolve.bind(vectors, new Float64Array([-1, 0, 1]), differences);
  const summed = vectors.convolve.bind(vectors, ones, steeps);
  return {
    smooth: smooth,
    differences: differences,
    bends: bends,
    energies: energies,
    begin: (sample) => {
      forget(sample);
      input.fill(sample);
      steeps.fill(0);
    },
    take: (raw, from, count) => {
      shift();
      last = count;
      const length = count * step;
      const row = rows.subarray(0, count);
      const block = differences.subarray(DIFFERENCES, DIFFERENCES + count);
      input.set(raw.subarray(from, from + length), 2 * step);
      vectors.mapInPlace(inputRows.subarray(0, count), smooth.subarray(SMOOTH), smoothed);
      vectors.mapInPlace(row, block, differenced);
      vectors.mapInPlace(row, bends, bent);
      steeps.set(block.map(Math.abs), WINDOW - 1);
      vectors.mapInPlace(row, energies, summed);
      input.set(input.subarray(length, length + 2 * step), 0);
      steeps.set(steeps.subarray(count, count + WINDOW - 1), 0);
    },
  };
}
