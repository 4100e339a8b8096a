import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { transformSync } from "esbuild";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkBundle, checkDialect, deviceTarget } from "../../tools/device-dialect.ts";
import { advice } from "../../tools/dialect-tables.ts";
import { espruinoReads } from "../../tools/dialect-walk.ts";
import { isDeviceSide, projectRoot, sourceFiles } from "../../tools/files.ts";

const fixtures = `${projectRoot}/test/fixtures/device-dialect`;
const read = (rule: string) => readFileSync(`${fixtures}/${rule}.ts`, "utf8");
const rules = Object.keys(advice).sort();

/** Numbers of the lines that a fixture marks as refused. */
function marked(source: string): number[] {
  return source.split("\n").flatMap((text, index) => (text.includes("// refused") ? [index + 1] : []));
}

test("every rule has a fixture, and every fixture a rule", () => {
  expect(readdirSync(fixtures).sort()).toEqual([...rules, "accepted"].sort().map((rule) => `${rule}.ts`));
});

test.each(rules)("what breaks %s is refused by that rule, at the lines of the TypeScript file", (rule) => {
  const source = read(rule);
  const findings = checkDialect("protocol/fixture.ts", source);
  expect(marked(source)).not.toEqual([]);
  expect([...new Set(findings.map(({ line }) => line))]).toEqual(marked(source));
  expect([...new Set(findings.map((finding) => finding.rule))]).toEqual([rule]);
});

test("a refusal says the file, the line, what was met and what to do", () => {
  expect(checkDialect("protocol/x.ts", "\nexport const a = Math.trunc(1);\n")).toEqual([
    {
      file: "protocol/x.ts",
      line: 2,
      rule: "missing-member",
      message: "Math.trunc does not exist there, or (Math.pow) is not exact",
    },
  ]);
});

test("everything that the dialect has is accepted", () => {
  expect(checkDialect("protocol/accepted.ts", read("accepted"))).toEqual([]);
});

test("only a board's own files name the interpreter's globals and the clock", () => {
  const source = "export const go = () => setTimeout(() => digitalWrite(D2, Date.now() & 1), 5);";
  expect(checkDialect("boards/espruino/blink.ts", source)).toEqual([]);
  expect(checkDialect("firmware/main.espruino.ts", source)).toEqual([]);
  const rulesMet = checkDialect("firmware/blink.ts", source).map(({ rule }) => rule);
  expect(rulesMet).toEqual(["injected", "missing-global", "missing-global", "injected"]);
  expect(checkDialect("boards/espruino/blink.ts", "export const m = new Map();")[0]?.rule).toBe("missing-global");
});

test("the bundler refuses what it would else lower with a helper", () => {
  const refused = [
    "const { a } = globalThis",
    "f(...g)",
    "function f(...g) {}",
    "function f(a = 1) {}",
    "function* f() {}",
    "async () => {}",
    "() => new.target",
    "async () => { for await (const a of b); }",
  ];
  const options = { ...deviceTarget, logLevel: "silent" } as const;
  for (const source of refused) expect(() => transformSync(source, options), source).toThrow(/error/);
  expect(transformSync("a?.b ?? (c ??= 1)", options).code).not.toContain("?.");
});

test("a bundle is held to the dialect too: a helper, a folded ratio, a name", () => {
  expect(checkBundle("bundle.js", "var __floor = Math.floor;\nlet a = 1;").map(({ rule }) => rule)).toEqual(["helper"]);
  const folded = transformSync("export const a = (x) => x * (3 / 8)", { minifySyntax: true }).code;
  expect(checkBundle("bundle.js", folded.replace("export ", ""))[0]).toMatchObject({
    line: 1,
    rule: "decimal-literal",
  });
  expect(checkBundle("bundle.js", "let of = 1;").map(({ rule }) => rule)).toEqual(["reserved-name"]);
  expect(checkBundle("bundle.js", "let a = 1;\na?.b;")[0]).toMatchObject({ line: 2, rule: "syntax" });
  expect(checkBundle("bundle.js", "const a = 3 / 8;\nprint(a);")).toEqual([]);
  expect(checkBundle("bundle.js", "var a = () => b;\nvar b = 1;")).toEqual([]);
  expect(checkBundle("bundle.js", "var a = b;\nvar b = 1;").map(({ rule }) => rule)).toEqual(["used-before-declared"]);
});

test("a decimal literal is read digit by digit: 0.75 comes out one bit too high, 0.5 exact", () => {
  expect(espruinoReads("0.75")).not.toBe(0.75);
  expect(espruinoReads("0.75") - 0.75).toBeLessThan(2e-16);
  for (const exact of ["0.5", "1e3", ".25", "2.5e1", "0.0625", "0.00390625"]) {
    expect(espruinoReads(exact)).toBe(Number(exact));
  }
  fc.assert(fc.property(fc.maxSafeNat(), (whole) => espruinoReads(String(whole)) === whole));
});

test("the device side keeps to the dialect, in every file that git lists", () => {
  const files = sourceFiles(projectRoot).filter(isDeviceSide);
  expect(files.length).toBeGreaterThan(10);
  const findings = files.flatMap((file) => checkDialect(file, readFileSync(`${projectRoot}/${file}`, "utf8")));
  expect(findings).toEqual([]);
});

/** Runs the compiler in the project's root; returns its output. */
function tsc(...options: string[]): string {
  return spawnSync(`${projectRoot}/node_modules/.bin/tsc`, options, { cwd: projectRoot, encoding: "utf8" }).stdout;
}

test("the device side's types know only what Espruino has: each use of something else is an error", () => {
  const folder = "test/fixtures/device-types";
  const errors = [...tsc("-p", folder).matchAll(/^(.*)\((\d+),\d+\): error/gm)];
  expect([...new Set(errors.map(([, file]) => file))]).toEqual([`${folder}/refused.ts`]);
  const lines = [...new Set(errors.map(([, , line]) => Number(line)))];
  expect(lines).toEqual(marked(readFileSync(`${projectRoot}/${folder}/refused.ts`, "utf8")));
});

test("the device side's type check covers exactly the device side", () => {
  const listed = tsc("-p", "tsconfig.device.json", "--listFilesOnly").trim().split("\n");
  const files = listed.map((path) => path.replace(`${projectRoot}/`, "")).sort();
  expect(files).toEqual(sourceFiles(projectRoot).filter(isDeviceSide));
});
