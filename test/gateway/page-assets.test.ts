/** The page's files: bundled from a checkout, read from the built package. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeDashboard } from "../../tools/build-dashboard.ts";
import { createPageBench, fixtureFolder, type PageBench } from "./page-support.ts";

let folder: string;
const benches: PageBench[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "page-"));
});
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A browser inside: path in, answer out. */
const browse = async (options: { readonly folder?: string } = {}) => {
  const bench = await createPageBench(options);
  benches.push(bench);
  const cookie = await bench.enter();
  return (path: string) => bench.ask(path, { cookie });
};

test("from a checkout the three files are served with their types, the script bundled and minified", async () => {
  const ask = await browse();
  const [page, style, script] = [await ask("/"), await ask("/style.css"), await ask("/main.js")];
  expect([page, style, script].map(({ status }) => status)).toEqual([200, 200, 200]);
  expect([page, style, script].map(({ headers }) => headers["content-type"])).toEqual([
    "text/html; charset=utf-8",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
  ]);
  expect(page.body).toBe(readFileSync(join(fixtureFolder, "index.html"), "utf8"));
  expect(style.body).toBe(readFileSync(join(fixtureFolder, "style.css"), "utf8"));
  expect(script.body).toContain("hello from the fixture");
  expect(script.body).not.toContain("import");
  expect(script.body.trim().split("\n")).toHaveLength(1);
});

test("no other file of the folder, and none above it, is served", async () => {
  const ask = await browse();
  for (const path of [
    "/main.ts",
    "/greeting.ts",
    "/index.html",
    "/../page.ts",
    "/%2e%2e/page.ts",
    "//style.css",
    "/favicon.ico",
  ]) {
    expect((await ask(path)).status, path).toBe(404);
  }
});

test("what the build writes is what a checkout serves, and is served as it lies", async () => {
  const written = await writeDashboard(fixtureFolder, folder);
  expect(written.map((line) => line.split(" ")[0])).toEqual(["index.html", "style.css", "main.js"]);
  const [checkout, built] = [await browse(), await browse({ folder })];
  for (const path of ["/", "/style.css", "/main.js"]) {
    expect((await built(path)).body, path).toBe((await checkout(path)).body);
  }
});

test("a script that does not compile is an error that says where; once mended, the page comes", async () => {
  for (const name of ["index.html", "style.css", "greeting.ts"])
    copyFileSync(join(fixtureFolder, name), join(folder, name));
  writeFileSync(join(folder, "main.ts"), "const = ;\n");
  const ask = await browse({ folder });
  const broken = await ask("/main.js");
  expect(broken.status).toBe(500);
  expect(broken.body).toMatch(/cannot be served: .*main\.ts:1:6/s);
  copyFileSync(join(fixtureFolder, "main.ts"), join(folder, "main.ts"));
  expect((await ask("/main.js")).status).toBe(200);
});

test("a page whose files are missing is an error that names the folder; the gateway runs on", async () => {
  const ask = await browse({ folder });
  const missing = await ask("/");
  expect(missing.status).toBe(500);
  expect(missing.body).toContain(folder);
});
