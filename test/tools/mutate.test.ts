import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { projectRoot } from "../../tools/files.ts";
import { decodingLines } from "../../tools/mutate.ts";

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
