/** docs/outages.md says nothing that the code does not. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BACKFILL_RATE } from "../../firmware/runtime.ts";
import { lossWords } from "../../gateway/dashboard/losses.ts";
import { capacityWords } from "../../gateway/dashboard/words.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/outages.md"), "utf8");

test("the files that it names are there", () => {
  const named = [...page.matchAll(/\b(?:firmware|boards|tools|test|docs)\/[\w./-]+\.ts\b/g)].map(([path]) => path);
  expect(named.length).toBeGreaterThan(6);
  for (const path of named) expect(existsSync(join(root, path)), path).toBe(true);
});

test("the settings that it lists are the runtime's", () => {
  const source = ["runtime-types.ts", "outbox-types.ts"]
    .map((file) => readFileSync(join(root, "firmware", file), "utf8"))
    .join();
  const names = [...page.matchAll(/^\| `(?:log\.)?(\w+)` /gm)].map(([, name]) => name!);
  expect(names).toEqual(["outboxBytes", "flash", "writeAfter", "markEvery", "backfill"]);
  for (const name of names) expect(source, name).toMatch(new RegExp(`readonly ${name}\\??: `));
});

test("the rate of a backfill, and what it makes of an hour and a day", () => {
  expect(page).toContain(`${BACKFILL_RATE / 1024} kB a second`);
  // 52.3 MB a day of three sensors, as the table of the measured day has it
  const day = 52.3e6;
  expect(page).toContain("| 52.3 MB |");
  expect(Math.round(day / 24 / BACKFILL_RATE / 60)).toBe(6);
  expect((day / BACKFILL_RATE / 3600).toFixed(1)).toMatch(/^2\.[345]$/);
});

test("what a terminal and a page say is quoted as they say it", () => {
  const cut = { boot: 1, first: 24, count: 2 ** 32 - 24, reason: 2, end: { tick: 10_000, within: 11_000 } };
  expect(page).toContain(`board 1614b36a85511d43: ${lossWords(cut)}`);
  expect(page).toContain(`keeps ${capacityWords(18_720)} offline`);
});
