import { expect, test } from "vitest";
import { checkPackage, packageFaults } from "../../tools/check-package.ts";
import { projectRoot } from "../../tools/files.ts";

const entries = [".", "./drivers", "./protocol", "./simulator", "./gateway", "./testing"];
const target = { types: "./dist/x.d.ts", default: "./dist/x.js" };
const exports = Object.fromEntries(entries.map((entry) => [entry, target]));
const manifest = { name: "x", exports, bin: { x: "./dist/main.js" } };
const page = "dist/gateway/dashboard/main.js";
const files = [page, "package.json", "dist/x.js", "dist/x.d.ts", "dist/main.js"];

test("a package with every target and nothing else has no fault", () => {
  expect(packageFaults(manifest, files)).toEqual([]);
});

test.each([
  "test/tools/a.js",
  "dist/test/a.js",
  "tools/files.js",
  "dist/tools/files.d.ts",
  "test/fixtures/a.json",
  "dist/protocol/a.test.js",
])("%s in a package is a fault: tests, tools and fixtures are no part of it", (file) => {
  expect(packageFaults(manifest, [...files, file])).toEqual([expect.stringContaining(file)]);
});

test("the detectors that `evaluate --compare` runs belong to the package, their tests do not", () => {
  expect(packageFaults(manifest, [...files, "dist/test/peers/index.js", "dist/test/peers/index.d.ts"])).toEqual([]);
  expect(packageFaults(manifest, [...files, "dist/test/peers/a.test.js"])).toHaveLength(1);
});

test("a TypeScript source in a package is a fault, its declarations are none", () => {
  expect(packageFaults(manifest, [...files, "protocol/a.ts"])).toEqual([
    expect.stringMatching(/^protocol\/a\.ts is a TypeScript source/),
  ]);
  expect(packageFaults(manifest, [...files, "dist/a.d.ts"])).toEqual([]);
});

test("an entry point, its types or a command that is not in the package is a fault that names it", () => {
  expect(packageFaults(manifest, files.slice(0, 4))).toEqual([
    "x names ./dist/main.js, which is not in the package: build or rename it",
  ]);
  const more = { ...manifest, exports: { ...exports, "./extra": { types: "./dist/e.d.ts", default: "./dist/x.js" } } };
  expect(packageFaults(more, files)).toEqual([expect.stringMatching(/^\.\/extra names \.\/dist\/e\.d\.ts/)]);
});

test("a package without the bundled page is a fault", () => {
  expect(packageFaults(manifest, files.slice(1))).toEqual([expect.stringContaining(page)]);
});

test("a package without one of the entry points that every release has is a fault", () => {
  expect(packageFaults({ name: "x" }, files)).toHaveLength(entries.length);
});

test("the package as it would be published type-checks and runs where only its declared dependencies are", () => {
  const said: string[] = [];
  checkPackage(projectRoot, (line) => said.push(line));
  expect(said[0]).toMatch(/^\d+ files packed/);
  expect(said.length).toBeGreaterThan(entries.length);
});
