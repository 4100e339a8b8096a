// biome-ignore-all lint: these are the interpreter's own globals, with the compiler's words for them

/**
 * The language as Espruino 2v29 has it, for the device side's types (`noLib`). Every member was seen in the interpreter;
 * what is not here is not there, or does something else there. Each absence below has its reason beside it.
 */

// --- What the compiler itself asks for. Nothing of it may be named in a program: there is no Symbol.
interface SymbolConstructor {
  readonly iterator: unique symbol;
  readonly toStringTag: unique symbol;
}
declare var Symbol: SymbolConstructor;
interface Symbol {}
interface IteratorYieldResult<T> {
  done?: false;
  value: T;
}
interface IteratorReturnResult<R> {
  done: true;
  value: R;
}
type IteratorResult<T, R = any> = IteratorYieldResult<T> | IteratorReturnResult<R>;
interface Iterator<T, R = any, N = any> {
  next(...values: [] | [N]): IteratorResult<T, R>;
}
interface Iterable<T, R = any, N = any> {
  [Symbol.iterator](): Iterator<T, R, N>;
}
interface IterableIterator<T, R = any, N = any> extends Iterator<T, R, N> {
  [Symbol.iterator](): IterableIterator<T, R, N>;
}
interface IArguments {
  [index: number]: any;
  readonly length: number;
}
interface TemplateStringsArray extends ReadonlyArray<string> {}
type PropertyKey = string | number | symbol;
type Partial<T> = { [P in keyof T]?: T[P] };
type Readonly<T> = { readonly [P in keyof T]: T[P] };
type Pick<T, K extends keyof T> = { [P in K]: T[P] };
type Record<K extends keyof any, T> = { [P in K]: T };
type Exclude<T, U> = T extends U ? never : T;
type Omit<T, K extends keyof any> = Pick<T, Exclude<keyof T, K>>;
type NonNullable<T> = T & {};
type Parameters<T extends (...values: any) => any> = T extends (...values: infer P) => any ? P : never;
type ReturnType<T extends (...values: any) => any> = T extends (...values: any) => infer R ? R : any;
interface ArrayLike<T> {
  readonly length: number;
  readonly [index: number]: T;
}

// --- Objects and functions. No freeze, seal, is, hasOwn: missing there.
interface Object {
  constructor: Function;
  toString(): string;
  valueOf(): Object;
  hasOwnProperty(key: PropertyKey): boolean;
}
interface ObjectConstructor {
  new (value?: any): Object;
  (value?: any): any;
  readonly prototype: Object;
  assign<T extends {}, U>(target: T, source: U): T & U;
  assign(target: object, ...sources: any[]): any;
  create(prototype: object | null): any;
  entries<T>(target: { [key: string]: T } | ArrayLike<T>): [string, T][];
  entries(target: {}): [string, any][];
  fromEntries<T = any>(entries: readonly (readonly [PropertyKey, T])[]): { [key: string]: T };
  getOwnPropertyNames(target: any): string[];
  getPrototypeOf(target: any): any;
  keys(target: {}): string[];
  values<T>(target: { [key: string]: T } | ArrayLike<T>): T[];
  values(target: {}): any[];
}
declare var Object: ObjectConstructor;

// No `name`: missing there.
interface Function {
  apply(this: Function, thisArgument: any, values?: any): any;
  call(this: Function, thisArgument: any, ...values: any[]): any;
  bind(this: Function, thisArgument: any, ...values: any[]): any;
  toString(): string;
  prototype: any;
  readonly length: number;
}
interface CallableFunction extends Function {
  apply<T, R>(this: (this: T) => R, thisArgument: T): R;
  apply<T, A extends any[], R>(this: (this: T, ...values: A) => R, thisArgument: T, values: A): R;
  call<T, A extends any[], R>(this: (this: T, ...values: A) => R, thisArgument: T, ...values: A): R;
  bind<T>(this: T, thisArgument: any): T;
  bind(this: Function, thisArgument: any, ...values: any[]): any;
}
interface NewableFunction extends Function {}

interface Boolean {
  valueOf(): boolean;
}
declare var Boolean: { new (value?: any): Boolean; <T>(value?: T): boolean };

// --- Numbers. No Number.isInteger, isFinite, isNaN, EPSILON, MAX_SAFE_INTEGER; no toPrecision, toExponential. toString gives 11
// digits, toFixed cuts where it should round, and a decimal fraction in a text is read with another last bit.
interface Number {
  toString(radix?: number): string;
  toFixed(digits?: number): string;
}
declare var Number: {
  new (value?: any): Number;
  (value?: any): number;
  readonly MAX_VALUE: number;
  readonly MIN_VALUE: number;
  readonly NaN: number;
  readonly NEGATIVE_INFINITY: number;
  readonly POSITIVE_INFINITY: number;
};

// No trunc, imul, fround, clz32, cbrt, hypot, log2, log10, log1p, expm1, and no hyperbolic function. No pow: it is there, but
// pow(2, 12) is not 4096. sqrt, exp, log, sin and their like may differ from Node's in the last bit; round(-2.5) is -3.
interface Math {
  readonly E: number;
  readonly LN10: number;
  readonly LN2: number;
  readonly LOG2E: number;
  readonly LOG10E: number;
  readonly PI: number;
  readonly SQRT1_2: number;
  readonly SQRT2: number;
  abs(x: number): number;
  acos(x: number): number;
  asin(x: number): number;
  atan(x: number): number;
  ceil(x: number): number;
  cos(x: number): number;
  exp(x: number): number;
  floor(x: number): number;
  log(x: number): number;
  round(x: number): number;
  sign(x: number): number;
  sin(x: number): number;
  sqrt(x: number): number;
  tan(x: number): number;
  atan2(y: number, x: number): number;
  max(...values: number[]): number;
  min(...values: number[]): number;
  random(): number;
}
declare var Math: Math;

// --- Text. No at, codePointAt, localeCompare, matchAll, normalize, search, trimStart, trimEnd; split takes no limit;
// a negative index throws.
interface String {
  readonly [index: number]: string;
  readonly length: number;
  charAt(index: number): string;
  charCodeAt(index: number): number;
  concat(...others: string[]): string;
  endsWith(part: string, end?: number): boolean;
  includes(part: string, from?: number): boolean;
  indexOf(part: string, from?: number): number;
  lastIndexOf(part: string, from?: number): number;
  match(pattern: RegExp | string): RegExpMatchArray | null;
  padEnd(length: number, filler?: string): string;
  padStart(length: number, filler?: string): string;
  repeat(times: number): string;
  replace(pattern: RegExp | string, replacement: string): string;
  replace(pattern: RegExp | string, replacer: (match: string, ...groups: any[]) => string): string;
  replaceAll(pattern: RegExp | string, replacement: string): string;
  slice(start?: number, end?: number): string;
  split(separator: RegExp | string): string[];
  startsWith(part: string, from?: number): boolean;
  substring(start: number, end?: number): string;
  toLowerCase(): string;
  toUpperCase(): string;
  toString(): string;
  trim(): string;
  [Symbol.iterator](): IterableIterator<string>;
}
declare var String: {
  new (value?: any): String;
  (value?: any): string;
  fromCharCode(...codes: number[]): string;
};

interface RegExpMatchArray extends Array<string> {
  index?: number;
  input?: string;
  0: string;
}
interface RegExpExecArray extends Array<string> {
  index: number;
  input: string;
  0: string;
}
// No flags, global, sticky. What patterns may hold: tools/device-dialect.ts.
interface RegExp {
  exec(text: string): RegExpExecArray | null;
  test(text: string): boolean;
  readonly source: string;
  lastIndex: number;
}

// --- Arrays. `length` cannot be written: it throws there. No at, flat, flatMap, lastIndexOf, reduceRight, entries, keys,
// values, copyWithin, findLast, and no Array.from, Array.of.
interface ReadonlyArray<T> {
  readonly length: number;
  readonly [index: number]: T;
  concat(...others: (T | readonly T[])[]): T[];
  every<S extends T>(test: (value: T, index: number) => value is S): this is readonly S[];
  every(test: (value: T, index: number) => unknown): boolean;
  filter<S extends T>(test: (value: T, index: number) => value is S): S[];
  filter(test: (value: T, index: number) => unknown): T[];
  find<S extends T>(test: (value: T, index: number) => value is S): S | undefined;
  find(test: (value: T, index: number) => unknown): T | undefined;
  findIndex(test: (value: T, index: number) => unknown): number;
  forEach(callback: (value: T, index: number) => void): void;
  includes(value: T): boolean;
  indexOf(value: T, from?: number): number;
  join(separator?: string): string;
  map<U>(callback: (value: T, index: number) => U): U[];
  reduce(callback: (total: T, value: T, index: number) => T): T;
  reduce<U>(callback: (total: U, value: T, index: number) => U, initial: U): U;
  slice(start?: number, end?: number): T[];
  some(test: (value: T, index: number) => unknown): boolean;
  toString(): string;
  [Symbol.iterator](): IterableIterator<T>;
}
interface Array<T> extends ReadonlyArray<T> {
  [index: number]: T;
  fill(value: T, start?: number, end?: number): this;
  pop(): T | undefined;
  push(...values: T[]): number;
  reverse(): T[];
  shift(): T | undefined;
  sort(compare?: (a: T, b: T) => number): this;
  splice(start: number, count?: number): T[];
  splice(start: number, count: number, ...values: T[]): T[];
  unshift(...values: T[]): number;
}
interface ArrayConstructor {
  new <T = any>(length?: number): T[];
  new <T>(...values: T[]): T[];
  <T = any>(length?: number): T[];
  <T>(...values: T[]): T[];
  isArray(value: any): value is any[];
}
declare var Array: ArrayConstructor;

// --- Bytes. No slice, isView, resize.
interface ArrayBuffer {
  readonly byteLength: number;
}
declare var ArrayBuffer: { new (bytes: number): ArrayBuffer };
type ArrayBufferLike = ArrayBuffer;

// Reads and writes beyond the end pass in silence there: check lengths.
interface DataView<B extends ArrayBufferLike = ArrayBufferLike> {
  readonly buffer: B;
  readonly byteLength: number;
  readonly byteOffset: number;
  getInt8(at: number): number;
  setInt8(at: number, value: number): void;
  getUint8(at: number): number;
  setUint8(at: number, value: number): void;
  getInt16(at: number, littleEndian?: boolean): number;
  setInt16(at: number, value: number, littleEndian?: boolean): void;
  getUint16(at: number, littleEndian?: boolean): number;
  setUint16(at: number, value: number, littleEndian?: boolean): void;
  getInt32(at: number, littleEndian?: boolean): number;
  setInt32(at: number, value: number, littleEndian?: boolean): void;
  getUint32(at: number, littleEndian?: boolean): number;
  setUint32(at: number, value: number, littleEndian?: boolean): void;
  getFloat32(at: number, littleEndian?: boolean): number;
  setFloat32(at: number, value: number, littleEndian?: boolean): void;
  getFloat64(at: number, littleEndian?: boolean): number;
  setFloat64(at: number, value: number, littleEndian?: boolean): void;
}
declare var DataView: { new (buffer: ArrayBuffer, byteOffset?: number, byteLength?: number): DataView<ArrayBuffer> };

// Typed arrays. No slice and no filter: they give a plain Array there. No from, of, BYTES_PER_ELEMENT, at, lastIndexOf,
// entries. `subarray` does not clamp its end, `set` beyond the end passes in silence, and reading at a negative index
// throws. byteOffset is 16 bits.
interface TypedArray<B extends ArrayBufferLike, K> {
  readonly [Symbol.toStringTag]: K;
  [index: number]: number;
  readonly buffer: B;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly length: number;
  every(test: (value: number, index: number) => unknown): boolean;
  fill(value: number, start?: number, end?: number): this;
  find(test: (value: number, index: number) => unknown): number | undefined;
  findIndex(test: (value: number, index: number) => unknown): number;
  forEach(callback: (value: number, index: number) => void): void;
  includes(value: number, from?: number): boolean;
  indexOf(value: number, from?: number): number;
  join(separator?: string): string;
  map(callback: (value: number, index: number) => number): this;
  reduce(callback: (total: number, value: number, index: number) => number): number;
  reduce<U>(callback: (total: U, value: number, index: number) => U, initial: U): U;
  reverse(): this;
  set(values: ArrayLike<number>, offset?: number): void;
  some(test: (value: number, index: number) => unknown): boolean;
  sort(compare?: (a: number, b: number) => number): this;
  subarray(start?: number, end?: number): this;
  toString(): string;
  [Symbol.iterator](): IterableIterator<number>;
}
interface TypedArrays<B extends ArrayBufferLike> {
  Int8Array: Int8Array<B>;
  Uint8Array: Uint8Array<B>;
  Uint8ClampedArray: Uint8ClampedArray<B>;
  Int16Array: Int16Array<B>;
  Uint16Array: Uint16Array<B>;
  Int32Array: Int32Array<B>;
  Uint32Array: Uint32Array<B>;
  Float32Array: Float32Array<B>;
  Float64Array: Float64Array<B>;
}
interface TypedArrayConstructor<K extends keyof TypedArrays<ArrayBuffer>> {
  readonly prototype: TypedArrays<ArrayBufferLike>[K];
  new (length?: number): TypedArrays<ArrayBuffer>[K];
  new (values: ArrayLike<number>): TypedArrays<ArrayBuffer>[K];
  new <B extends ArrayBufferLike>(buffer: B, byteOffset?: number, length?: number): TypedArrays<B>[K];
}
interface Int8Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Int8Array"> {}
interface Uint8Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Uint8Array"> {}
interface Uint8ClampedArray<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Uint8ClampedArray"> {}
interface Int16Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Int16Array"> {}
interface Uint16Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Uint16Array"> {}
interface Int32Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Int32Array"> {}
interface Uint32Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Uint32Array"> {}
interface Float32Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Float32Array"> {}
interface Float64Array<B extends ArrayBufferLike = ArrayBufferLike> extends TypedArray<B, "Float64Array"> {}
declare var Int8Array: TypedArrayConstructor<"Int8Array">;
declare var Uint8Array: TypedArrayConstructor<"Uint8Array">;
declare var Uint8ClampedArray: TypedArrayConstructor<"Uint8ClampedArray">;
declare var Int16Array: TypedArrayConstructor<"Int16Array">;
declare var Uint16Array: TypedArrayConstructor<"Uint16Array">;
declare var Int32Array: TypedArrayConstructor<"Int32Array">;
declare var Uint32Array: TypedArrayConstructor<"Uint32Array">;
declare var Float32Array: TypedArrayConstructor<"Float32Array">;
declare var Float64Array: TypedArrayConstructor<"Float64Array">;

// --- The rest. Error has no `name`, and a TypeError or SyntaxError is no instance of Error there: throw plain Errors.
interface Error {
  message: string;
  stack?: string;
}
declare var Error: { new (message?: string): Error; (message?: string): Error };

declare var JSON: {
  parse(text: string): any;
  stringify(value: any, replacer?: null, indent?: string | number): string;
};

interface Date {
  getTime(): number;
  valueOf(): number;
  toISOString(): string;
  toString(): string;
}
declare var Date: { new (value?: number | string): Date; now(): number; parse(text: string): number };

// No finally, race, any, allSettled.
interface PromiseLike<T> {
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B>;
}
interface Promise<T> {
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B>;
  catch<B = never>(rejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
}
interface PromiseConstructor {
  new <T>(start: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason?: any) => void) => void): Promise<T>;
  all<T>(values: readonly (T | PromiseLike<T>)[]): Promise<T[]>;
  reject<T = never>(reason?: any): Promise<T>;
  resolve(): Promise<void>;
  resolve<T>(value: T | PromiseLike<T>): Promise<T>;
}
declare var Promise: PromiseConstructor;

declare var console: { log(...values: any[]): void };
declare var NaN: number;
declare var Infinity: number;
declare function parseInt(text: string, radix?: number): number;
declare function parseFloat(text: string): number;
declare function isNaN(value: number): boolean;
declare function isFinite(value: number): boolean;
declare function encodeURIComponent(text: string | number | boolean): string;
declare function decodeURIComponent(text: string): string;
declare function atob(text: string): string;
declare function btoa(bytes: string): string;
declare function setTimeout(callback: () => void, ms: number): number;
declare function setInterval(callback: () => void, ms: number): number;
declare function clearTimeout(id: number): void;
declare function clearInterval(id: number): void;
