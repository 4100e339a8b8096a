import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gitFiles, isDeviceSide, matches, projectRoot, requireAllSeen, sourceFiles } from "../../tools/files.ts";
import { agreeWithCompiler, checkImports, compilerImports } from "../../tools/import-rules.ts";
import { reserved, zones } from "../../tools/import-zones.ts";
import { scanImports } from "../../tools/scan-imports.ts";

const fixtures = `${projectRoot}/test/fixtures/import-rules`;
const anywhere = ["unresolved", "computed-import", "undeclared-package", "unclassified", "unreadable"];

/** Every rule that the table can name: a zone that may import all files has none about files, and so on. */
const rules = [
  "device-package",
  "device-node",
  "device-host",
  "device-cycle",
  ...anywhere,
  ...reserved.map(({ rule }) => rule),
  ...zones.flatMap(({ name, at, files, packages, node }) => {
    const onlyDevice = !node && at.every((pattern) => isDeviceSide(pattern.replace("**", "x.ts").replace("*", "x")));
    return [
      ...(files.includes("**") ? [] : [name]),
      ...(packages.includes("**") || onlyDevice ? [] : [`${name}-package`]),
      ...(node || onlyDevice ? [] : [`${name}-node`]),
    ];
  }),
].sort();

test("every rule has a fixture, and every fixture a rule", () => {
  expect(readdirSync(fixtures).sort()).toEqual(rules);
});

test.each(rules)("an import that breaks %s is refused by that rule, at its line", (rule) => {
  const root = `${fixtures}/${rule}`;
  const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
  const files = gitFiles(root);
  const refused = files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((text, index) => (text.includes("// refused") ? [{ file, line: index + 1, rule }] : [])),
  );
  expect(refused).toHaveLength(1);
  const { findings, seen } = checkImports(root, files);
  expect(findings.map(({ file, line, rule }) => ({ file, line, rule }))).toEqual(refused);
  expect(seen.size).toBe(files.filter((file) => file.endsWith(".ts")).length);
});

test("the project's own imports keep to the rules", () => {
  const result = checkImports(projectRoot, gitFiles(projectRoot));
  requireAllSeen(result.seen, sourceFiles(projectRoot), "import-rules");
  expect(result.findings).toEqual([]);
  expect(result.edges).toBeGreaterThan(result.seen.size / 2);
});

test("a checker that saw fewer files than git lists fails and names the missing one", () => {
  expect(() => requireAllSeen(new Set(["a.ts"]), ["a.ts", "b.ts"], "the checker")).toThrow(/1 of the 2 .* not b\.ts/);
});

test("git that lists nothing, or is not there, is an error", () => {
  expect(() => gitFiles("/")).toThrow(/git cannot list the files of \//);
});

test("who is device side is as the design says", () => {
  const device = [
    "drivers/driver.ts",
    "drivers/max30102/driver.ts",
    "drivers/max30102/registers.ts",
    "drivers/max30102/selftest.ts",
    "protocol/cbor.ts",
    "firmware/main.espruino.ts",
    "firmware/dsp/qrs.ts",
    "firmware/transports/line.ts",
    "boards/board.ts",
    "boards/espruino/pins/esp32.ts",
  ];
  const host = [
    "drivers/emulator.ts",
    "drivers/max30102/emulator.ts",
    "protocol/crypto.node.ts",
    "protocol/vsp.cddl",
    "firmware/main.host.ts",
    "firmware/transports/host/serial.ts",
    "boards/simulated.ts",
    "gateway/receiver.ts",
  ];
  expect([...device, ...host].filter(isDeviceSide)).toEqual(device);
  expect(matches("a/b/c.ts", ["a/*"])).toBe(false);
});

const found = (source: string) =>
  scanImports(source).map(({ specifier, line, typeOnly }) => [specifier, line, typeOnly]);

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the sources under test hold templates
test("imports in comments, strings, templates and regular expressions are no imports", () => {
  const source = [
    '// import "a"',
    '/* import "b" */ const s = "import \\"c\\" \\\\";',
    'const t = `import "d" ${\'import "e"\'} ${`${1}`} import("f")`;',
    'const r = /import "g"[/"]/.test(s) && !/require("h")/u.test(t);',
    'const o = { import: 1, from: "i" }; o.import = 2;',
    'import "seen";',
  ].join("\n");
  expect(found(source)).toEqual([["seen", 6, false]]);
});

test("what looks like a comment, a string or a regular expression hides no import", () => {
  expect(found('const a = "/*"; import "x"; // */')).toEqual([["x", 1, false]]);
  expect(found("const a = `//${import('x')}`;")).toEqual([["x", 1, false]]);
  expect(found('const a = 1 / 2; import "x"; const b = 1 / 2;')).toEqual([["x", 1, false]]);
  expect(found('const a = b[0] / 2, c = (1) / 2; import "x"; a! / 2;')).toEqual([["x", 1, false]]);
  expect(found('const a = [...require("x")], f = () => /"/; import "y";')).toEqual([
    ["x", 1, false],
    ["y", 1, false],
  ]);
  expect(found('const a = /[/]"/; import "x"; if (a) /"/.test("");')).toEqual([["x", 1, false]]);
});

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the sources under test hold templates
test("every form of import is found, with the line where it begins", () => {
  const source = [
    'import a, { b } from "m1";',
    'import * as c from "m2"; import type { D } from "m3"; import { type E } from "m4";',
    "export {",
    "  f,",
    '} from "m5";',
    'export * from "m6"; export * as g from "m7"; export type { H } from "m8"; export type * from "m9";',
    'type I = import("m10").I; const j = await import("m11", { with: { type: "json" } });',
    'const k = require("m12"), l = require.resolve("m13"); import m = require("m14");',
    'const n = new URL("./m15.ts", import.meta.url), o = import.meta.resolve("m16");',
    'import type from "m17"; import type p from "m18"; import q from "m19" with { type: "json" };',
    "const r = import(`m20`); const s = createRequire(import.meta.url);",
    'createRequire(import.meta.url)("m20"); createRequire(import.meta.url).resolve("m21"); createRequire(x)("m22");',
    'export const from = "no"; export { from }; export default "no"; export type T = "no";',
  ].join("\n");
  expect(found(source)).toEqual([
    ["m1", 1, false],
    ["m2", 2, false],
    ["m3", 2, true],
    ["m4", 2, false],
    ["m5", 3, false],
    ["m6", 6, false],
    ["m7", 6, false],
    ["m8", 6, true],
    ["m9", 6, true],
    ["m10", 7, false],
    ["m11", 7, false],
    ["m12", 8, false],
    ["m13", 8, false],
    ["m14", 8, false],
    ["./m15.ts", 9, false],
    ["m16", 9, false],
    ["m17", 10, false],
    ["m18", 10, true],
    ["m19", 10, false],
    [null, 11, false],
    [null, 11, false],
    ["m20", 12, false],
    ["m21", 12, false],
    [null, 12, false],
  ]);
});

test.each([
  ["a name with an escape", '\\u0069mport "x";'],
  ["a module's name with an escape", 'import "\\u006eode:fs";'],
  ["a slash that may divide or begin a regular expression", "const f = {}\n/ 2 / 1;"],
  ["a comment that names a module", '/// <reference path="./x.ts" />'],
  ["a bracket that is never closed", "f(("],
  ["a bracket that closes nothing", "f(])"],
  ["a string without an end", 'const a = "x\n";'],
  ["a template without an end", "const a = `x"],
  ["a comment without an end", "/* x"],
])("%s is refused, not guessed at", (_, source) => {
  expect(() => scanImports(source)).toThrow();
});

const explained = [
  "protocol/a.ts",
  "   Matched by include pattern 'protocol' in 'tsconfig.json'",
  "protocol/b.ts",
  "   Imported via \"./b.ts\" from file 'protocol/a.ts'",
].join("\n");

test("an import that the compiler follows and the scan did not see is an error", () => {
  const compiler = compilerImports(explained);
  const both = (seen: string[]) =>
    new Map([
      ["protocol/a.ts", new Set(seen)],
      ["protocol/b.ts", new Set<string>()],
    ]);
  expect(() => agreeWithCompiler(both([]), compiler)).toThrow(/protocol\/a\.ts imports protocol\/b\.ts/);
  expect(() => agreeWithCompiler(both(["protocol/b.ts"]), compiler)).not.toThrow();
});

test("a source that no compiler checks is an error", () => {
  const imported = new Map([["scripts/x.ts", new Set<string>()]]);
  expect(() => agreeWithCompiler(imported, compilerImports(explained))).toThrow(/scripts\/x\.ts is compiled by nobody/);
});
