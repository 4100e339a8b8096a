/** The README's example of an emulator prints what its comments say. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../tools/files.ts";
import { ownFolder } from "../support/folder.ts";

const folder = ownFolder();

test("the ten lines about emulators print what they say", () => {
  const page = readFileSync(join(projectRoot, "README.md"), "utf8");
  const [, code] = /^```ts emulators\n(.*?)^```$/ms.exec(page)!;
  expect(code.trim().split("\n").length).toBeLessThanOrEqual(11);
  const said = [...code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, comment]) => comment.split(":")[0]);
  expect(said).toEqual(["37.203125", "[ 128, 0 ]"]);
  const file = join(folder(), "example.ts");
  const index = new URL("../../simulator/index.ts", import.meta.url).href;
  writeFileSync(file, code.replace("vitalwire/simulator", index));
  const { stdout, stderr } = spawnSync("node", ["--import", "tsx", file], { cwd: projectRoot, encoding: "utf8" });
  rmSync(file);
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n")).toEqual(said);
});
