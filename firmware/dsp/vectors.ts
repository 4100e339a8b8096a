/** Work on whole arrays that an interpreter does natively. The one module that looks for the interpreter's own object. */

export interface Vectors {
  /** Sum of a[i] x b[(i + offset) mod b.length] over all of `a`. */
  convolve(a: Int32Array | Float64Array, b: Int16Array | Int32Array | Float64Array, offset: number): number;
  /** to[i] = map(from[i], i), cut to an integer for integers, for as many as the shorter one has. `from`: at most 16 bits. */
  mapInPlace(
    from: Uint8Array | Uint16Array,
    to: Int32Array | Float64Array,
    map: (value: number, index: number) => number,
  ): void;
}

declare const E: Vectors | undefined;

/** Espruino's E where it has both (builds that save flash do not), null elsewhere. */
export function nativeVectors(): Vectors | null {
  if (typeof E === "undefined" || typeof E.convolve !== "function" || typeof E.mapInPlace !== "function") return null;
  return E;
}
