import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import {
  checkDrivers,
  chipFolders,
  differences,
  type Measured,
  measureBurst,
  overweight,
  render,
  replaceTable,
} from "../../tools/driver-table.ts";
import { bytesOf, trace } from "../../tools/trace-functions.ts";

const folder = mkdtempSync(join(tmpdir(), "driver-table-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A module of this text, traced; not minified, so that the texts can be told. */
function traced<M>(source: string) {
  const entry = join(folder, "module.ts");
  writeFileSync(entry, source);
  const module = trace<M>(entry, false);
  /** Texts of the functions that ran, in the order of the text. */
  const texts = () =>
    [...module.ran].sort((a, b) => a.start - b.start).map(({ start, end }) => module.text.slice(start, end));
  return { ...module, texts };
}

it("knows which functions ran, declared, bare or inside another", () => {
  const { exports, texts } = traced<{ f: (x: number) => number; g: () => number }>(`
    function twice(x) { return x * 2; }
    const never = () => 7;
    export const f = (x) => { const h = (y) => y + 1; return x > 0 ? h(twice(x)) : never(); };
    export const g = () => never();`);
  expect(exports.f(3)).toBe(7);
  expect(texts().map((text) => text.replace(/\s+/g, " "))).toEqual([
    "function twice(x) { return x * 2; }",
    "(x) => { const h = (y) => y + 1; return x > 0 ? h(twice(x)) : never(); }",
    "(y) => y + 1",
  ]);
});

it("an object that an arrow function returns stays one", () => {
  expect(traced<{ f: () => object }>("export const f = () => ({ a: 1 });").exports.f()).toEqual({ a: 1 });
});

it("counts a function's text without the functions in it that did not run", () => {
  const { exports, ran, texts } = traced<{ f: (x: boolean) => number }>(
    "export const f = (x) => { const h = () => 12345; return x ? h() : 0; };",
  );
  exports.f(false);
  const [all] = texts();
  expect(bytesOf(ran)).toBe(all.length - "() => 12345".length);
  exports.f(true);
  expect(bytesOf(ran)).toBe(all.length);
});

it("counts what a function names of the variables around it, and what that names, once", () => {
  const { exports, ran, texts } = traced<{ f: () => number; g: () => number }>(`
    const ten = [1e1];
    const unused = [2, 3];
    const table = [ten, () => 99];
    export const f = () => table[0][0] + table[0][0];
    export const g = () => { const ten = 5; return ten; };`);
  exports.f();
  const path = "() => table[0][0] + table[0][0]".length + "table = [ten, ]".length + "ten = [10]".length;
  expect(bytesOf(ran)).toBe(path);
  // Its own ten is in its text already, and the one around it is not meant.
  exports.g();
  expect(bytesOf(ran)).toBe(path + texts()[1].length);
});

it("a property, a label and a parameter are no variables", () => {
  const { exports, ran } = traced<{ f: (x: { big: number }) => number }>(`
    const big = [1, 2, 3];
    export const use = () => big;
    export const f = (x) => { big: for (;;) break big; return x.big + { big: 1 }.big; };
    export const h = (big) => big;`);
  exports.f({ big: 1 });
  const alone = bytesOf(ran);
  const [piece] = ran;
  expect(alone).toBe(piece.end - piece.start);
  expect(piece.names.size).toBe(0);
});

const measured: Measured = {
  folder: "x1",
  model: "X1",
  bus: "i2c",
  channels: [],
  path: 2500,
  driver: 5000,
  setup: 700,
  whole: 9000,
  strangers: [],
  emulatorLines: 80,
};

it("names a sampling path and a driver that are too heavy, none that just is not, and what a driver must not import", () => {
  expect(overweight([measured])).toEqual([]);
  expect(overweight([{ ...measured, path: 2501 }])).toEqual([
    "X1: its sampling path has 2501 bytes, 2500 are allowed: shorten it",
  ]);
  expect(overweight([{ ...measured, driver: 5001, strangers: ["drivers/x1/selftest.ts"] }])).toEqual([
    "X1: its driver has 5001 bytes, 5000 are allowed: shorten it",
    "X1: its driver imports drivers/x1/selftest.ts, which a board need not carry: move what it needs",
  ]);
});

const empty =
  "# Drivers\n\n<!-- Written by tools/driver-table.ts: run it with --write. -->\n" +
  "<!-- End of what tools/driver-table.ts writes. -->\n\nBelow.\n";

it("writes a row a chip between its markers, and finds nothing to say then", () => {
  const table = render([measured], [{ model: "X1", samples: 4, what: "samples", statements: 50 }]);
  const text = replaceTable(empty, table);
  expect(text).toContain("| [X1](x1/README.md) | I2C |  | 2,500 of 2,500 | 5,000 of 5,000 | 700 | 9,000 | 80 |");
  expect(text).toContain("- A X1 burst of 4 samples executes 50 statements of its driver, 12.5 a sample.");
  expect(text.endsWith("Below.\n")).toBe(true);
  expect(replaceTable(text, table)).toBe(text);
  expect(differences(text, table)).toEqual([]);
});

it("says which row of the page is not so, and which it lacks", () => {
  const text = replaceTable(empty, render([measured], []));
  const found = differences(text, render([{ ...measured, path: 2400 }], []));
  expect(found).toHaveLength(2);
  expect(found[0]).toMatch(/lacks "\| \[X1\].*2,400 of 2,500/);
  expect(found[1]).toMatch(/has "\| \[X1\].*2,500 of 2,500/);
  const two = [measured, { ...measured, model: "X2" }];
  const swapped = replaceTable(empty, render(two, []));
  expect(differences(swapped, render(two.reverse(), []))).toEqual([expect.stringContaining("another order")]);
  expect(() => differences("# Drivers\n", [])).toThrow("no place for the table");
});

it("counts a burst of exactly so many samples, or none", () => {
  expect(measureBurst("max30102", 32, "samples")).toMatchObject({ model: "MAX30102", samples: 32 });
  expect(() => measureBurst("max30102", 33, "samples")).toThrow("no poll finds exactly 33 samples");
});

it("drivers/README.md is as the program writes it, every chip has a row, and no driver is too heavy", () => {
  const { table, findings } = checkDrivers();
  for (const chip of chipFolders()) expect(table.join("\n")).toContain(`](${chip}/README.md)`);
  expect(findings).toEqual([]);
});
