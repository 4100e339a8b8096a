/** What vectors.ts finds in an interpreter, in plain code: for programs that are written once, in whole arrays. */
import { nativeVectors, type Vectors } from "./vectors.ts";

/** Adds in the same order as the interpreter: the same to the last bit. `b` has all of `offset` + `a.length` elements. */
const convolve = (a: Int32Array | Float64Array, b: Int32Array | Float64Array, offset: number): number => {
  const end = a.length;
  let sum = 0;
  let i = 0;
  let k = offset;
  for (; i + 8 <= end; i += 8, k += 8) {
    sum =
      sum +
      a[i] * b[k] +
      a[i + 1] * b[k + 1] +
      a[i + 2] * b[k + 2] +
      a[i + 3] * b[k + 3] +
      a[i + 4] * b[k + 4] +
      a[i + 5] * b[k + 5] +
      a[i + 6] * b[k + 6] +
      a[i + 7] * b[k + 7];
  }
  if (i + 4 <= end) {
    sum = sum + a[i] * b[k] + a[i + 1] * b[k + 1] + a[i + 2] * b[k + 2] + a[i + 3] * b[k + 3];
    i += 4;
    k += 4;
  }
  for (; i < end; i++, k++) sum += a[i] * b[k];
  return sum;
};

const mapInPlace = (
  from: Uint8Array | Uint16Array,
  to: Int32Array | Float64Array,
  map: (value: number, index: number) => number,
): void => {
  for (let i = 0; i < to.length; i++) to[i] = map(from[i], i);
};

/** The interpreter's own where it has them. No window may reach beyond the end of its array. */
export function vectorsOrPlain(): Vectors {
  const native = nativeVectors();
  return native === null ? { convolve, mapInPlace } : native;
}
