import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import { evaluateNoise, evaluateQrs, evaluateRhythm } from "../../simulator/evaluate/index.ts";
import { differences, measureIntervals, PAGE, RECORDS, readTuned } from "../../tools/accuracy.ts";
import {
  intervalsSection,
  noiseSection,
  recordsSection,
  rhythmSection,
  table,
  tunedSection,
} from "../../tools/accuracy-sections.ts";
import { projectRoot } from "../../tools/files.ts";
import { dataFolder, lacks } from "../support/needs.ts";

test("a table has its first columns to the left and keeps its cells apart", () => {
  expect(table(["a", "b", "c"], [["x|y", 1, null]], 2)).toEqual([
    "| a | b | c |",
    "| --- | --- | ---: |",
    "| x\\|y | 1 | - |",
  ]);
});

test("a page that differs is told line by line, with what to do; the same one is not", () => {
  expect(differences("a\nb\n", "a\nb\n")).toEqual([]);
  const found = differences("a\nb\n", "a\nc\n");
  expect(found.slice(0, 2)).toEqual([`${PAGE} lacks "c"`, `${PAGE} has "b"`]);
  expect(found.at(-1)).toMatch(/differs .* run node --import tsx tools\/accuracy\.ts --write/);
  expect(differences("b\na\n", "a\nb\n")).toHaveLength(1);
});

test("figures held out stand beside the tuned ones, fold by fold, with what was chosen; without them the page says so", () => {
  const folds = [
    { records: ["101", "102"], se: 99.5, ppv: 99.25, der: 1.25 },
    { records: ["103"], chosen: { window: 20 }, se: 99, ppv: 100, der: 1 },
  ];
  const heldOut = { se: 99.4, ppv: 99.5, der: 1.1 };
  const lines = tunedSection({ program: "tune", rate: 256, folds, heldOut, tuned: { se: 99.9, ppv: 99.8, der: 0.3 } });
  expect(lines).toContain("| tuned and scored on the same records | 99.900 | 99.800 | 0.300 |");
  expect(lines).toContain("| held out, 2-fold | 99.400 | 99.500 | 1.100 |");
  expect(lines).toContain("| fold 1: 101 102 | 99.500 | 99.250 | 1.250 |");
  expect(lines.filter((line) => line.startsWith("- "))).toEqual(["- fold 2 was scored with window 20."]);
  expect(tunedSection(null)).toEqual([expect.stringMatching(/^Not measured yet/)]);
});

/**
 * All of the page takes too long for every test run: `node --import tsx tools/accuracy.ts` holds it. Here its tables of
 * records, noise, rhythm, intervals and tuning are measured again.
 */
describe.skipIf(lacks("recordings"))("docs/accuracy.md holds what is measured", () => {
  const page = readFileSync(`${projectRoot}/${PAGE}`, "utf8");
  const common = { dataFolder: `${dataFolder}/mitdb`, only: RECORDS, detectorFactory: createQrsDetector };
  const holds = (lines: readonly string[]) => expect(differencesIn(lines)).toEqual([]);
  const differencesIn = (lines: readonly string[]) =>
    page.includes(lines.join("\n"))
      ? []
      : differences(page, lines.join("\n")).filter((line) => !line.includes(" has "));

  test("beats, record by record", async () => {
    holds(recordsSection(await evaluateQrs(common)));
  });

  test("noise", async () => {
    holds(noiseSection(await evaluateNoise({ dataFolder, detectorFactory: createQrsDetector })));
  });

  test("rhythm", async () => {
    holds(rhythmSection(await evaluateRhythm(common)));
  });

  test("intervals, and what the tuning program left", async () => {
    holds(intervalsSection(await measureIntervals()));
    holds(tunedSection(readTuned(projectRoot)));
  });
});
