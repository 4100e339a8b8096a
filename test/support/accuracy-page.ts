/** What docs/accuracy.md must hold. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { PAGE } from "../../tools/accuracy.ts";
import { projectRoot } from "../../tools/files.ts";

/** Fails where the page has not these lines, one after the other, and says which ones it lacks. */
export function holds(lines: readonly string[]): void {
  for (const line of lines) expect(line).not.toMatch(/NaN|undefined|\bnull\b|Infinity/);
  const page = readFileSync(`${projectRoot}/${PAGE}`, "utf8");
  const lacking = lines.filter((line) => !page.includes(line));
  const hint = `run tools/accuracy.ts --write: ${PAGE} lacks ${lacking.join("\n")}`;
  expect(page.includes(lines.join("\n")), hint).toBe(true);
}
