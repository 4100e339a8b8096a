/** The guide to calibration says what the command says. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCalibrationFile } from "../../cli/calibration-file.ts";
import { projectRoot } from "../../tools/files.ts";
import { ownFolder } from "../support/folder.ts";
import { run } from "../support/process.ts";

const folder = ownFolder();
const page = readFileSync(join(projectRoot, "docs/calibrate-spo2.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text!);

test("its pairs give its figures", async () => {
  writeFileSync(join(folder(), "clip.csv"), blocks("csv clip.csv")[0]!);
  const [command] = blocks("sh");
  const [, args] = /^npm run -s vitalwire -- (.*)$/m.exec(command!)!;
  const main = join(projectRoot, "cli/main.ts");
  const tsx = import.meta.resolve("tsx");
  const running = run(process.execPath, ["--import", tsx, main, ...args!.split(" ")], folder());
  expect(await running.ended(60_000)).toBe(0);
  expect(running.stdout()).toBe(blocks("text")[0]);
  expect(readCalibrationFile(join(folder(), "finger-07.yaml")).calibration.id).toBe("finger-07");
});

test("its calibrations by hand are taken", () => {
  const ids = blocks("yaml").map((yaml, at) => {
    const path = join(folder(), `${at}.yaml`);
    writeFileSync(path, yaml);
    return readCalibrationFile(path).calibration.id;
  });
  expect(ids).toEqual(["finger-07", "finger-08"]);
});
