/** `vitalwire evaluate pulse` as a person or a program meets it. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { drawEcg, gaussianBeat } from "../../simulator/evaluate/synthetic-ecg.ts";
import { drawPulse } from "../../simulator/evaluate/synthetic-pulse.ts";
import { createRandom } from "../../simulator/random.ts";
import { killAll, vitalwire } from "../support/process.ts";

const [RATE, SECONDS] = [125, 80];
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-evaluate-pulse-"));
  const beats = Array.from({ length: SECONDS / 0.8 + 3 }, (_, k) => 0.8 * k - 1.2);
  const waves = (_: number, before: number, after: number) => gaussianBeat(1, 0.25, before, after);
  const ecg = drawEcg({ rate: RATE, seconds: SECONDS, microvoltsPerCount: 1, beats, waves });
  const pulses = beats.map((time) => time + 0.3);
  const random = createRandom(1);
  const light = drawPulse({ rate: RATE, seconds: SECONDS, beats: pulses, perfusionIndex: () => 1, random });
  const rows = Array.from(ecg, (value, i) => `${(120_000 - light[i]!) / 2000},${value / 4000}`);
  writeFileSync(join(folder, "bidmc_01.csv"), ["PLETH,II", ...rows].join("\n"));
  const shown = Array.from({ length: SECONDS + 1 }, (_, time) => `${time},75,76,15,97`);
  writeFileSync(join(folder, "bidmc_01_Numerics.csv"), ["Time [s], HR, PULSE, RESP, SpO2", ...shown].join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killAll);

const run = async (...args: string[]) => {
  const running = vitalwire("evaluate", "pulse", ...args);
  const code = await running.ended(60_000);
  return { code, out: running.stdout(), all: running.output() };
};

test("--json prints one document and nothing else: ours, the monitor's, and with --compare the others", async () => {
  const { code, out, all } = await run("--data", folder, "--compare", "--json");
  expect([code, all]).toEqual([0, out]);
  const document = JSON.parse(out);
  expect(document.records).toMatchObject([{ record: "bidmc_01", rate: RATE, coverage: 100 }]);
  expect(document.records[0].mae).toBe(document.mae);
  expect(document.mae).toBeLessThan(0.1);
  expect(document.coverage).toBe(100);
  expect(document.monitor).toMatchObject({ coverage: 100 });
  expect(Math.abs(document.monitor.mae - 1)).toBeLessThan(0.1);
  expect(document.peers.map((peer: object) => Object.keys(peer).sort())).toEqual(
    new Array(2).fill(["beats", "latency", "name", "source", "ungated", "vitals"]),
  );
});

test("where a bedside monitor was recorded the document has respiration, and the contract's fields as they were", async () => {
  const { out } = await run("--data", folder, "--json");
  const { respiration, peers, ...document } = JSON.parse(out);
  expect(peers).toBeUndefined();
  expect(document).toMatchObject({ mae: expect.any(Number), coverage: 100 });
  expect(respiration).toMatchObject({ times: 3, records: [{ record: "bidmc_01", times: 3, reference: 15 }] });
  expect(respiration.constant.value).toBe(15);

  const alone = mkdtempSync(join(folder, "alone-"));
  copyFileSync(join(folder, "bidmc_01.csv"), join(alone, "bidmc_01.csv"));
  const without = await run("--data", alone, "--json");
  expect(JSON.parse(without.out)).toEqual({ ...document, monitor: null });
  expect((await run("--data", alone)).out).not.toContain("respiration");
});

test("the text gives every recording, the beats, the rates, and what the reference is", async () => {
  const { code, out } = await run("--data", folder);
  expect(code).toBe(0);
  expect(out).toMatch(/^recording +beats +tp +fn +fp +F1 % +delay ms +excluded s +error 1\/min +shown % +seconds$/m);
  expect(out).toMatch(/^bidmc_01 +\d{2,3} +\d{2,3} +\d +0 /m);
  expect(out).toMatch(/^vitalwire, as a vital sign +0\.\d{3} /m);
  expect(out).toMatch(/^the bedside monitor +\d\.\d{3} +100\.000$/m);
  expect(out).toContain("R peaks of lead II on which two detectors agree within 50 ms");
  expect(out).toMatch(/^respiration over 64 s, estimated +error 1\/min +shown % +over 5 off %$/m);
  expect(out).toMatch(/which is not the truth; 3 times, mean 15\/min/);
  expect(out).not.toContain("Elgendi");
});

test.each([
  [[], /required option/],
  [["--data", "absent-folder"], /absent-folder: no such folder; --data is a folder of BIDMC recordings/],
  [["--data", ".", "--lead", "1"], /unknown option/],
])("%j is bad usage: exit 2", async (args, message) => {
  const { code, out, all } = await run(...args);
  expect([code, out]).toEqual([2, ""]);
  expect(all).toMatch(message);
});

test("a folder without recordings is a failure: exit 1", async () => {
  const { code, all } = await run("--data", "docs");
  expect(code).toBe(1);
  expect(all).toMatch(/no recording to evaluate/);
});
