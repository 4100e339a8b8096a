import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { projectRoot } from "../../tools/files.ts";
import { decodingLines, tell } from "../../tools/mutate.ts";

/** The lines that would be mutated, as text. */
const decoding = (folder: string) =>
  decodingLines(folder).map(({ file, first, last }) =>
    readFileSync(`${projectRoot}/${file}`, "utf8")
      .split("\n")
      .slice(first - 1, last)
      .join("\n"),
  );

it("decoding is what runs between reply and frame, also where the bus fails or the power did, and nothing else", () => {
  const text = decoding("tmp117").join("\n");
  expect(text).toContain("block.samples[0] = raw");
  expect(text).toContain("it lost its state");
  // Of a variant: only a one-shot waits.
  expect(text).toContain("no conversion within");
  // Neither the settings nor the opening nor the self-test.
  for (const not of ["r.encode(", "frame.measurements", "frame.identity"]) expect(text).not.toContain(not);
  expect(text).not.toContain("const create =");
});

it("lines are told once, in order, and each of them belongs to the chip", () => {
  const lines = decodingLines("max30102");
  lines.forEach(({ file, first, last }, i) => {
    expect(file).toMatch(/^drivers\/max30102\/\w+\.ts$/);
    expect(last).toBeGreaterThanOrEqual(first);
    const before = lines[i - 1];
    if (before?.file === file) expect(first).toBeGreaterThan(before.last);
  });
  expect(new Set(lines.map(({ file }) => file))).toContain("drivers/max30102/thermometer.ts");
});

it("the score counts what was noticed or hung, not what is no program; each survivor is told with its place", () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const mutant = (status: string) => ({
    status,
    mutatorName: "EqualityOperator",
    replacement: "a >= b",
    location: { start: { line: 2, column: 5 }, end: { line: 2, column: 10 } },
  });
  const statuses = ["Killed", "Timeout", "Killed", "Survived", "NoCoverage", "CompileError", "RuntimeError", "Ignored"];
  const score = tell({ files: { "x.ts": { source: "let x;\nif (a > b) {}\n", mutants: statuses.map(mutant) } } });
  const lines = log.mock.calls.map(([line]) => line);
  log.mockRestore();
  expect(score).toBe(60);
  expect(lines).toEqual([
    "x.ts:2:5 EqualityOperator: a > b  >  a >= b",
    "x.ts:2:5 no test runs: a > b  >  a >= b",
    "3 of 5 mutants noticed: 60.0 %, 85 % are asked for",
  ]);
});
