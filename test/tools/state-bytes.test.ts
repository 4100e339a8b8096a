import { expect, test } from "vitest";
import { stateBytes } from "../../tools/state-bytes.ts";

/** In a function of its own, so that nothing of this file is around it. */
const make = (body: string, ...values: unknown[]) => new Function("a", "b", `"use strict"; ${body}`)(...values);

test("a number that a method uses counts 8, one that none uses nothing", () => {
  expect(stateBytes(make("let used = 1; const idle = 2; return { next: () => ++used };"))).toBe(8);
  expect(stateBytes(make("const idle = 2; return { next: () => 3 };"))).toBe(0);
});

test("typed arrays count their bytes, once for all who hold them, and whole for who holds a part", () => {
  const one = "const x = new Int32Array(6); const y = x.subarray(2); return { f: () => x[0], g: () => y[0] };";
  expect(stateBytes(make(one))).toBe(24);
  expect(stateBytes(make("const y = new Float64Array(6).subarray(2); return { f: () => y[0] };"))).toBe(48);
});

test("null, booleans and what objects and arrays hold count 8 each, functions and references nothing", () => {
  const body = "let n = null, t = true; const o = { p: 1, q: [1, 2] }; o.o = o; return { f: () => [n, t, o], o };";
  expect(stateBytes(make(body))).toBe(5 * 8);
});

test("a helper's scope counts with the method that calls it, the same scope once", () => {
  const body = "let x = 1; const h = () => x++; return { f: () => h(), g: () => x };";
  expect(stateBytes(make(body))).toBe(8);
});

test("two objects from one factory are two, also where they hold the same numbers", () => {
  const body =
    "const make = () => { let x = 1; return { f: () => x++ }; }; const p = make(); const q = make(); return { f: () => p.f() + q.f() };";
  expect(stateBytes(make(body))).toBe(16);
});

test("what is shared with others is not its own", () => {
  const table = new Float64Array(100);
  const object = make("let x = 0; return { f: () => a[x++] };", table);
  expect(stateBytes(object)).toBe(808);
  expect(stateBytes(object, [table])).toBe(8);
});

test("a getter is a method: what it returns now is no state", () => {
  expect(stateBytes(make("let x = 1; return { get twice() { return 2 * x; } };"))).toBe(8);
});
