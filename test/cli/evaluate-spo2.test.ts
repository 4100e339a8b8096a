/** `vitalwire evaluate spo2` as a person or a program meets it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeSpo2 } from "../../cli/evaluate/spo2.ts";
import type { Spo2Document } from "../../simulator/evaluate/index.ts";
import { finger } from "../firmware/dsp/pulses.ts";
import { killAll, vitalwire } from "../support/process.ts";

let folder = "";
const SECONDS = 240;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-evaluate-spo2-"));
  mkdirSync(join(folder, "none"));
  const { red, infrared } = finger({ rate: 30, seconds: SECONDS, pulseRate: 75, ratio: 0.7, perfusionIndex: 2 });
  const frames = Array.from(red, (value, k) => `${value / 1000},${infrared[k]! / 1000},50`);
  writeFileSync(join(folder, "7.Left.csv"), `R,G,B\n${frames.join("\n")}\n`);
  const lines = Array.from(
    { length: SECONDS },
    (_, k) => `10:0${Math.floor(k / 60)}:${String(k % 60).padStart(2, "0")}`,
  );
  writeFileSync(
    join(folder, "7.gt.csv"),
    `Time,SpO2 1,SpO2 2,SpO2 4,SpO2 5\n${lines.map((time, k) => `${time},${90 + (k % 9)},90,99,95`).join("\n")}\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killAll);

const run = async (...args: string[]) => {
  const running = vitalwire("evaluate", "spo2", ...args);
  const code = await running.ended(100_000);
  return { code, out: running.stdout(), all: running.output() };
};

/** All that it runs takes its time: once, and the text is made of the document. */
let document: Spo2Document;
test("--json prints one document and nothing else: the contract's fields, 16 rows, the recordings, and with --compare the others", async () => {
  const { code, out, all } = await run("--data", folder, "--compare", "--seed", "2", "--json");
  expect([code, all]).toEqual([0, out]);
  document = JSON.parse(out);
  expect(document).toMatchObject({
    arms: expect.any(Number),
    bias: expect.any(Number),
    shown: expect.any(Number),
    figure: expect.stringContaining("R-recovery error in SpO2 points"),
  });
  expect(document.rows.map((row) => row.perfusionIndex)).toEqual([1, 2, 3, 4].flatMap(() => [2, 0.5, 0.2, 0.1]));
  expect(document.rows[0]).toMatchObject({ condition: "quiet", shown: 100, longestBlank: 0 });
  expect(document.rows[0]!.arms).toBeLessThan(0.1);
  expect(document.levels.map((row) => row.spo2)).toEqual([70, 75, 80, 85, 90, 95, 100]);
  expect(document.desaturation).toHaveLength(16);
  expect(document.incidents).toHaveLength(18);
  expect(document.phone).toMatchObject([{ record: "7.Left" }, { record: "7.Left" }]);
  expect(document.peers?.map(({ name }) => name)).toEqual(["peak-valley", "RMS ratio"]);
});

test("the text names the figure, and gives rows, desaturation, recordings, and with --compare the others beside", () => {
  const out = describeSpo2(document).join("\n");
  expect(out).toMatch(/^R-recovery error in SpO2 points .*no accuracy on people$/m);
  expect(out).toMatch(/^disturbance +perfusion % +error +bias +worst +shown % +blank s$/m);
  expect(out).toMatch(/^motion bursts +0\.2( +-?\d+\.\d+){4} +\d+$/m);
  expect(out).toMatch(/^desaturation from 97 to 82 % in 60 s and back in 30 s/m);
  expect(out).toMatch(/^finger off for 10 s +2( +\d+\.\d\d){2} +0\.0 +\d+\.\d +\d+\.\d$/m);
  expect(out).toMatch(/^7\.Left +red over green /m);
  expect(out).toMatch(/^7\.Left +red over blue /m);
  expect(out).toMatch(/^error \(shown %\) +vitalwire +peak-valley +RMS ratio$/m);
  expect(out).toMatch(/^respiration +0\.2( +\d+\.\d\d \(\d+\.\d\)){3}$/m);
  expect(out).toMatch(/^peak-valley: the program of Maxim/m);
});

test.each([
  [["--data", "absent-folder"], /absent-folder: no such folder; --data is a folder of phone recordings/],
  [["--seed", "-1"], /whole number/],
  [["--rate", "100"], /unknown option/],
])("evaluate spo2 %j is bad usage: exit 2", async (args, message) => {
  const { code, out, all } = await run(...args);
  expect([code, out]).toEqual([2, ""]);
  expect(all).toMatch(message);
});

test("a folder without recordings is a failure, told before anything is run: exit 1", async () => {
  const { code, out, all } = await run("--data", join(folder, "none"));
  expect([code, out]).toEqual([1, ""]);
  expect(all).toMatch(/no phone recording \(SUBJECT\.Left\.csv/);
});
