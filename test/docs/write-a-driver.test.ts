/** docs/write-a-driver.md, followed literally in a scratch folder: its files type-check, keep the rules, and pass. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectRoot } from "../../tools/files.ts";

const page = readFileSync(join(projectRoot, "docs/write-a-driver.md"), "utf8");
/** Blocks of code that name a file. */
const files = [...page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, path, text]) => ({ path, text }));
const scratch = mkdtempSync(join(tmpdir(), "vitalwire-"));

const run = (...words: string[]) => {
  const [command, ...options] = words;
  return spawnSync(command, options, { cwd: scratch, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
};

beforeAll(() => {
  for (const name of readdirSync(projectRoot)) {
    if (name !== ".git" && name !== "node_modules")
      cpSync(join(projectRoot, name), join(scratch, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, "node_modules"), join(scratch, "node_modules"));
  for (const { path, text } of files) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), text);
  }
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("the page has a driver's six files and what tries them", () => {
  expect(files.map(({ path }) => path.replace("drivers/max30208/", ""))).toEqual([
    "registers.ts",
    "emulator.ts",
    "try.ts",
    "driver.ts",
    "selftest.ts",
    "chip.ts",
    "README.md",
    "test/drivers/max30208.variants.ts",
  ]);
});

test("trying the emulator prints what the page says", () => {
  const { stdout } = run("node", "--import", "tsx", "try.ts");
  rmSync(join(scratch, "try.ts"));
  expect(page).toContain(`prints \`${stdout.trim()}\``);
});

test("the chip's type-check passes, on the host and as device code", () => {
  const include = ["drivers/max30208", "test/drivers/max30208.variants.ts"];
  writeFileSync(join(scratch, "tsconfig.host.json"), JSON.stringify({ extends: "./tsconfig.json", include }));
  expect(run("npx", "tsc", "-p", "tsconfig.host.json").stdout).toBe("");
  expect(run("npx", "tsc", "-p", "tsconfig.device.json").stdout).not.toContain("max30208");
});

test("its files keep to the import rules and to the device dialect", () => {
  run("git", "init", "-q");
  run("git", "add", ".");
  for (const tool of ["import-rules", "device-dialect"]) {
    const { stdout, stderr } = run("node", "--import", "tsx", `tools/${tool}.ts`);
    expect(stdout + stderr).toContain(tool);
    expect(stdout + stderr).not.toContain("max30208");
  }
});

test("the bytes that a board carries are as few as the page says, and chip.ts and selftest.ts are not among them", () => {
  const [, command] = /^(npx esbuild .*) \| wc -c$/m.exec(page) ?? [];
  const [, bytes] = /^Under ([\d,]+) for this chip\./m.exec(page) ?? [];
  const { stdout } = run("sh", "-c", command);
  expect(stdout).toContain("MAX30208");
  expect(stdout.length).toBeLessThan(Number(bytes.replace(",", "")));
  const { stderr } = run("sh", "-c", `${command} --analyze --outfile=/dev/null`);
  const own = [...stderr.matchAll(/ (drivers\/\S+) /g)].map(([, path]) => path).sort();
  expect(own).toEqual(["drivers/driver.ts", "drivers/max30208/driver.ts", "drivers/max30208/registers.ts"]);
});

test("the conformance finds the chip and passes for it", () => {
  const { stdout, stderr } = run(
    "npx",
    "vitest",
    "run",
    "test/drivers/conformance.test.ts",
    "test/drivers/conformance-faults.test.ts",
    "-t",
    "max30208",
  );
  const [, passed, failed] = /(\d+) passed, (\d+) failed/.exec(stdout) ?? [];
  expect(failed, `${stdout}\n${stderr}`).toBe("0");
  expect(Number(passed)).toBeGreaterThan(80);
});
