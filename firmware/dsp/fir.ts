/**
 * Symmetrical FIR over blocks, with or without decimation. Samples and taps are integers, the taps over one power of two:
 * sums are exact in doubles, so the order of adding does not matter, and an interpreter's native vector functions give
 * what plain code gives, to the last bit.
 */
import { requireRoom } from "./filter.ts";
import { nativeVectors } from "./vectors.ts";

export interface FirOptions {
  /** Whose errors: "low-pass". */
  readonly name: string;
  /** Integers in `scale`-ths, the same read backwards. */
  readonly taps: readonly number[];
  /** A power of two up to 2^20. */
  readonly scale: number;
  /** Each how manyth output is computed at all, 1 to 8: the first one goes with the first sample. */
  readonly factor: number;
}

export interface Fir {
  readonly delay: number;
  push(samples: Int32Array, count: number, out: Int32Array): number;
  reset(): void;
}

/** All taps of a filter of odd length from the first half and the middle one. */
export function mirrored(half: readonly number[]): number[] {
  const taps: number[] = [];
  for (let i = 0; i < 2 * half.length - 1; i++) taps.push(half[i < half.length ? i : 2 * half.length - 2 - i]);
  return taps;
}

/** Input samples that are filtered at a time: a longer turn costs longer native sums, a shorter one more turns. */
const TURN = 24;
/** Added to every native sum, which is then cut to 32 bits: what is left is the sum, rounded down. */
const WRAP = 4294967296;

/**
 * Output: the sum of taps x samples, over `scale`, rounded to the nearest count (halves up). `delay`: half of
 * one tap less than there are. Exact for samples of 32 bits while the taps' magnitudes add up to less than twice `scale`.
 * Throws Error (option, value, what to do) for taps that do not, another scale or factor.
 */
export function createFir(options: FirOptions): Fir {
  const name = options.name;
  const scale = options.scale;
  const factor = options.factor;
  const length = options.taps.length;
  const taps = new Float64Array(options.taps);
  if (!(scale > 0 && scale <= 1048576 && (scale & (scale - 1)) === 0))
    throw new Error(`${name}: scale ${scale} is no power of two up to 2^20; choose one`);
  if (!(factor >= 1 && factor <= 8 && Math.floor(factor) === factor))
    throw new Error(`${name}: factor ${factor} is none of 1 to 8; decimate in steps`);
  let magnitude = 0;
  for (let k = 0; k < length; k++) {
    const tap = taps[k];
    if (Math.floor(tap) !== tap) throw new Error(`${name}: tap ${tap} is no integer; give it in ${scale}ths`);
    if (tap !== taps[length - 1 - k])
      throw new Error(`${name}: tap ${k} is ${tap}, its mirror image ${taps[length - 1 - k]}; make them the same`);
    magnitude += Math.abs(tap);
  }
  if (!(magnitude > 0 && magnitude < 2 * scale))
    throw new Error(`${name}: the taps' magnitudes add up to ${magnitude}, not to less than 2 x ${scale}; scale them`);

  const vectors = nativeVectors();
  /** The last length - 1 samples, and a turn's after them. Natively a stretch of ones, for what is added to every sum. */
  const data = new Float64Array(length - 1 + (vectors === null ? TURN : 2 * TURN));
  /** Where in `data` the windows of the outputs begin: one row for each phase. */
  const rows: Uint16Array[] = [];
  for (let phase = 0; phase < factor; phase++) {
    const row = new Uint16Array(Math.floor((TURN - phase + factor - 1) / factor));
    for (let i = 0; i < row.length; i++) row[i] = phase + i * factor;
    rows.push(row);
  }

  const plain = (row: Uint16Array, out: Int32Array): void => {
    for (let i = 0; i < out.length; i++) {
      const at = row[i];
      let sum = 0;
      for (let k = 0; k < length; k++) sum += taps[k] * data[at + k];
      out[i] = Math.floor(sum / scale + 1 / 2);
    }
  };
  let filter = plain;
  if (vectors !== null) {
    // The window moves by less than a turn, and so does the last place: it stays in the stretch of ones.
    const weights = new Float64Array(length + TURN);
    for (let k = 0; k < length; k++) weights[k] = taps[k] / scale;
    weights[length + TURN - 1] = WRAP + 1 / 2;
    data.fill(1, length - 1 + TURN);
    const window = vectors.convolve.bind(vectors, weights, data);
    filter = (row, out) => vectors.mapInPlace(row, out, window);
  }

  let started = false;
  /** Samples until one whose output is wanted. */
  let phase = 0;

  return {
    delay: (length - 1) / 2,
    push: (samples, count, out) => {
      const wanted = Math.floor((count - phase + factor - 1) / factor);
      requireRoom(name, out, wanted);
      if (!started && count > 0) {
        started = true;
        data.fill(samples[0], 0, length - 1);
      }
      let written = 0;
      for (let taken = 0; taken < count; ) {
        const turn = Math.min(TURN, count - taken);
        data.set(samples.subarray(taken, taken + turn), length - 1);
        taken += turn;
        const due = Math.floor((turn - phase + factor - 1) / factor);
        if (due > 0) filter(rows[phase], out.subarray(written, written + due));
        written += due;
        phase += due * factor - turn;
        data.set(data.subarray(turn, turn + length - 1), 0);
      }
      return written;
    },
    reset: () => {
      started = false;
      phase = 0;
    },
  };
}
