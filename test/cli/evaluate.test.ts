/** `vitalwire evaluate` as a person or a program meets it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { runEvaluation } from "../../cli/evaluate/run.ts";
import { table } from "../../cli/evaluate/table.ts";
import { writeRecordSync } from "../../formats/index.ts";
import { beats, ecg, every } from "../simulator/evaluate-support.ts";
import { killAll, vitalwire } from "../support/process.ts";

let folder = "";
const SECONDS = 480;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-evaluate-"));
  const times = every(0.5, 0.8, SECONDS / 0.8);
  for (const name of ["118", "119"]) {
    writeRecordSync(folder, { name, rate: 128, signals: [ecg(times, 128, SECONDS)] }, beats(times, 128));
  }
  const noise = { ...ecg(every(0.2, 0.3, SECONDS / 0.3), 128, SECONDS), gain: 0 };
  writeRecordSync(join(folder, "nstdb"), { name: "ma", rate: 128, signals: [noise] });
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killAll);

const run = async (...args: string[]) => {
  const running = vitalwire("evaluate", ...args);
  const code = await running.ended(60_000);
  return { code, out: running.stdout(), all: running.output() };
};

test("evaluate qrs --json prints one document and nothing else: ours, and with --compare the others", async () => {
  const { code, out, all } = await run("qrs", "--data", folder, "--rate", "250", "--compare", "--json");
  expect(code).toBe(0);
  expect(all).toBe(out);
  const document = JSON.parse(out);
  expect(document.records).toMatchObject([
    { record: "118", lead: 0, rate: 128, detectorRate: 250, beats: 600 },
    { record: "119", lead: 0, rate: 128, detectorRate: 250, beats: 600 },
  ]);
  expect(document.gross.whole.se).toBeGreaterThan(99);
  expect(document.peers.length).toBeGreaterThan(0);
  for (const peer of document.peers) {
    expect(Object.keys(peer).sort()).toEqual(["average", "gross", "latency", "name", "prompt", "source"]);
    expect(peer.gross.whole.se).toBeGreaterThan(50);
  }
});

test("without --compare there are no peers, and the text gives every record, whole and from 5:00", async () => {
  const { code, out } = await run("qrs", "--data", folder);
  expect(code).toBe(0);
  expect(out).toMatch(/^record +lead +hz +run at +beats +tp +fn +fp +late +from 5:00 +tp +fn +fp$/m);
  expect(out).toMatch(/^118 +0 +128 +128 +600 +(\d+ +){4}225 +225 +0 +0$/m);
  expect(out).toMatch(/^vitalwire +99\.\d{3} /m);
});

test("evaluate noise --json prints rows by record, noise and ratio", async () => {
  const { code, out, all } = await run("noise", "--data", folder, "--json");
  expect([code, all]).toEqual([0, out]);
  const document = JSON.parse(out);
  expect(document.rows).toHaveLength(10);
  expect(document.rows[0]).toMatchObject({ record: "118", noise: "ma", snr: 24, se: 100 });
  expect(document.missing).toEqual(["bw", "em"]);
});

test("the text of evaluate noise gives the rows, the gross figures and what is not there", async () => {
  const { code, out } = await run("noise", "--data", folder, "--compare");
  expect(code).toBe(0);
  expect(out).toMatch(/^118 +ma +24 +100\.000 +/m);
  expect(out).toMatch(/^vitalwire +ma +0 +/m);
  expect(out).toContain("not there: bw, em");
});

test("evaluate rhythm gives the document of the contract, and its text says on how few records it stands", async () => {
  const [document, text] = await Promise.all([
    run("rhythm", "--data", folder, "--json"),
    run("rhythm", "--data", folder),
  ]);
  expect([document.code, document.all, text.code]).toEqual([0, document.out, 0]);
  expect(JSON.parse(document.out)).toMatchObject({ auc: null, se: null, sp: 100, windows: expect.any(Number) });
  expect(JSON.parse(document.out).windows).toBeGreaterThan(900);
  expect(text.out).toMatch(/^own beats +- +- +100\.000 /m);
  expect(text.out).toContain("0 records have any, 0 episodes, 0 s: few people prove little");
});

test.each([
  [["qrs"], /required option/],
  [["qrs", "--data", "absent-folder"], /absent-folder: no such folder; --data is/],
  [["qrs", "--data", ".", "--rate", "100"], /give one of 125, 128/],
  [["qrs", "--data", ".", "--lead", "-1"], /whole number/],
  [["noise", "--data", "absent-folder"], /no such folder/],
])("evaluate %j is bad usage: exit 2", async (args, message) => {
  const { code, out, all } = await run(...args);
  expect(code).toBe(2);
  expect(all).toMatch(message);
  expect(out).toBe("");
});

test("a folder without what is needed is a failure: exit 1", async () => {
  const { code, all } = await run("noise", "--data", join(folder, "nstdb"));
  expect(code).toBe(1);
  expect(all).toMatch(/none of the records 118, 119/);
});

describe("an interrupt", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  test("ends an evaluation at its next part, with 130 and nothing on stdout", async () => {
    vi.useFakeTimers();
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const parts: number[] = [];
    await runEvaluation(
      { data: folder, lead: 0 },
      "parts",
      async ({ onPart }) => {
        for (const part of [1, 2, 3]) {
          parts.push(part);
          if (part === 2) process.emit("SIGINT");
          onPart(part, 3);
        }
      },
      () => ["done"],
    );
    expect(parts).toEqual([1, 2]);
    expect(process.exitCode).toBe(130);
    expect(write).not.toHaveBeenCalled();
  });
});

test("columns line up: the first to the left, the others to the right", () => {
  expect(table([["a", 1, "x"], ["long", 22], []])).toEqual(["a      1  x", "long  22", ""]);
});
