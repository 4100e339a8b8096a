/** The table of complaints is whole, each entry has its test, each test its entry, and the page is the table. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defects } from "../../tools/field/complaint.ts";
import { complaints } from "../../tools/field/complaints.ts";
import { anchorOf, differences, PAGE, render } from "../../tools/field-page.ts";
import { projectRoot } from "../../tools/files.ts";
import { factFolder, lacks } from "../support/needs.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
test("every line of FAULTS.md and every defect of its last paragraph has one entry", () => {
  expect(complaints.map(({ line }) => line)).toEqual([...Array.from({ length: 25 }, (_, i) => i + 1), ...defects]);
});

test.skipIf(lacks("facts"))("an entry's title and references are those of FAULTS.md", () => {
  const faults = readFileSync(join(factFolder, "../FAULTS.md"), "utf8");
  const prose = faults.slice(faults.indexOf("Seen in existing drivers"));
  for (const { line, title, where } of complaints) {
    if (typeof line === "string") {
      expect(prose.replaceAll("`", "").toLowerCase(), line).toContain(title.replaceAll("`", "").toLowerCase());
      expect(where, line).toEqual([]);
    } else expect(faults).toContain(`| ${line} | ${title} | ${where.join(", ")} |`);
  }
});

test("every entry that test/field holds has its test there, and every test there its entry", () => {
  const own = complaints.filter(({ test: held }) => held?.file.startsWith("test/field/") && held.name === undefined);
  const declared = readdirSync(join(projectRoot, "test/field"))
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) =>
      [...read(`test/field/${name}`).matchAll(/^holds\((\d+|"[a-z0-9-]+"),/gm)].map(([, line]) => ({
        line: JSON.parse(line!),
        file: `test/field/${name}`,
      })),
    );
  const key = ({ line, file }: { line: unknown; file: string }) => `${line} ${file}`;
  expect(declared.map(key).sort()).toEqual(own.map(({ line, test: held }) => key({ line, file: held!.file })).sort());
});

test("a test elsewhere that an entry names is there, by file and name", () => {
  for (const { line, test: held, missing, says } of complaints) {
    if (held === null) expect([missing === undefined, says.length], `line ${line}`).toEqual([false, 0]);
    else if (held.name === undefined) expect(existsSync(join(projectRoot, held.file)), held.file).toBe(true);
    else expect(read(held.file), held.file).toContain(`"${held.name}"`);
    // what the tool says is held by a test that takes the sentence from the table
    if (held?.name !== undefined && !held.file.startsWith("test/field/")) expect(says, `line ${line}`).toEqual([]);
  }
});

test("the page is the table", () => {
  expect(differences(read(PAGE), render(complaints))).toEqual([]);
  expect(differences(`${read(PAGE)}more\n`, render(complaints))).toHaveLength(2);
});

test("every link of the page's index leads to an entry, and every entry has one", () => {
  const page = read(PAGE);
  const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, text]) => anchorOf(text!));
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  expect(new Set(links)).toEqual(new Set(headings));
  expect(new Set(headings).size).toBe(headings.length);
});
