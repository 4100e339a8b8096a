import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { countStatements, instrument, loadCounted } from "../../tools/count-statements.ts";

/** Statements that the call `f(...values)` executes of an ES2015 module that exports `f`, and what it returned. */
function count(source: string, ...values: unknown[]): [statements: number, result: unknown] {
  const counter = { statements: 0 };
  const exports: { f?: (...values: unknown[]) => unknown } = {};
  new Function("__counter", "__exports", instrument(`${source}\nexport { f };`))(counter, exports);
  counter.statements = 0;
  const result = exports.f?.(...values);
  return [counter.statements, result];
}

test("each executed statement counts 1: three in a row are 3", () => {
  expect(count("function f(x) { let y = x + 1; y *= 2; return y; }", 3)).toEqual([3, 8]);
});

test("an if counts 1, its branch what it holds, else-if once more", () => {
  const source = "function f(x) { if (x > 1) return 1; else if (x > 0) { x++; return 2; } return 3; }";
  expect(count(source, 2)).toEqual([2, 1]);
  expect(count(source, 1)).toEqual([4, 2]);
  expect(count(source, 0)).toEqual([3, 3]);
});

test("a loop counts 1, and each test 1 with the last: 1 + 1 + (n + 1) + n + 1 for a sum over n", () => {
  const body = "{ s += i; }";
  for (const loop of [`for (let i = 0; i < n; i++) ${body}`, "for (let i = 0; i < n; i++) s += i;"]) {
    expect(count(`function f(n) { let s = 0; ${loop} return s; }`, 10)).toEqual([1 + 1 + 11 + 10 + 1, 45]);
  }
  const whileLoop = "function f(n) { let s = 0; while (n > 0) s += n--; return s; }";
  expect(count(whileLoop, 4)).toEqual([1 + 1 + 5 + 4 + 1, 10]);
  const doLoop = "function f(n) { let s = 0; do { s += n--; } while (n > 0); return s; }";
  expect(count(doLoop, 4)).toEqual([1 + 1 + 4 + 4 + 1, 10]);
});

test("a turn of a loop without a test counts 1", () => {
  expect(count("function f(a) { let s = 0; for (const x of a) s += x; return s; }", [1, 2, 3])).toEqual([9, 6]);
  expect(count("function f(a) { let s = 0; for (const k in a) s++; return s; }", { x: 1 })).toEqual([5, 1]);
  expect(count("function f() { for (;;) break; return 1; }")).toEqual([1 + 1 + 1 + 1, 1]);
  expect(count("function f(a) { for (const x of a) ; return 1; }", [1, 2])).toEqual([1 + 2 + 1, 1]);
});

test("a bare arrow expression counts 1 a call, a called function what it executes", () => {
  expect(count("const g = (x) => ({ y: x }); const f = (x) => g(x).y;", 5)).toEqual([2, 5]);
  expect(count("function f(a) { return a.map((x) => x * 2); }", [1, 2])).toEqual([3, [2, 4]]);
});

test("switch, try, throw and labels count as they are executed", () => {
  const source = `function f(x) {
    switch (x) { case 1: return "one"; case 2: x++; default: { x++; } }
    try { if (x > 3) throw new Error("big"); } catch (e) { return e.message; } finally { x = 0; }
    a: for (const y of [1]) { continue a; }
    ;
    return "end";
  }`;
  expect(count(source, 1)).toEqual([2, "one"]);
  expect(count(source, 2)).toEqual([1 + 2 + 1 + 2 + 1 + 1, "big"]);
  expect(count(source, 0)).toEqual([1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1, "end"]);
});

test("directives and function declarations count nothing, and stay what they are", () => {
  expect(count('function f() { "use strict"; function g() { return this; } return g(); }')).toEqual([2, undefined]);
});

test("counting changes no result", () => {
  const source = `function f(n) {
    let a = 0; let b = 1;
    for (let i = 0; i < n; i++) { const c = a + b; a = b; if (c > 1000) b = c % 997; else b = c; }
    return [a, b];
  }`;
  const plain = new Function(`${source} return f;`)() as (n: number) => number[];
  fc.assert(
    fc.property(fc.nat(100), (n) => {
      const [statements, result] = count(source, n);
      expect(result).toEqual(plain(n));
      return statements === 2 + 1 + (n + 1) + 4 * n + 1;
    }),
  );
});

test("a module with imports or other exports is refused: bundle it first", () => {
  expect(() => instrument('import "x";')).toThrow(/ImportDeclaration at 0: bundle/);
  expect(() => instrument("export const x = 1;")).toThrow(/ExportNamedDeclaration at 0/);
  expect(() => instrument("let x = 2 ** 2;")).toThrow(SyntaxError);
});

test("a TypeScript module is bundled with what it imports, and only the run is counted", () => {
  const folder = mkdtempSync(join(tmpdir(), "count-"));
  try {
    writeFileSync(
      join(folder, "b.ts"),
      "export const LIMIT: number = 3;\nexport function sum(x: number): number {\n  return x;\n}",
    );
    writeFileSync(
      join(folder, "a.ts"),
      'import { LIMIT, sum } from "./b.ts";\nexport const f = (x?: number): number => sum(x ?? LIMIT);',
    );
    const entry = join(folder, "a.ts");
    const run = (exports: { f(x?: number): number }) => [exports.f(), exports.f(7)];
    expect(countStatements({ entry, run })).toEqual({ statements: 4, result: [3, 7] });
    const { exports, counter } = loadCounted<{ f(): number }>(entry);
    expect(counter.statements).toBe(0);
    exports.f();
    expect(counter.statements).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("encoding a block of samples costs what can be measured: codec 0 less than codec 1 less than codec 2", () => {
  const samples = Int32Array.from({ length: 256 }, (_, i) => Math.round(1000 * Math.sin(i / 10)));
  const cost = (codec: number) =>
    countStatements({
      entry: "protocol/samples.ts",
      run: (exports: { encodeSamples(codec: number, samples: Int32Array, start: number, n: number): Uint8Array }) =>
        exports.encodeSamples(codec, samples, 0, samples.length),
    }).statements / samples.length;
  expect(cost(0)).toBeGreaterThan(3);
  expect(cost(1)).toBeGreaterThan(cost(0));
  expect(cost(2)).toBeGreaterThan(cost(1));
  expect(cost(2)).toBeLessThan(100);
});
