/**
 * docs/when-it-does-not-work.md, from the table of complaints in tools/field/.
 *
 * `node --import tsx tools/field-page.ts --write` writes it; without `--write` it ends with 1 and says what differs.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Complaint, symptoms } from "./field/complaint.ts";
import { complaints } from "./field/complaints.ts";
import { projectRoot, runMain } from "./files.ts";

export const PAGE = "docs/when-it-does-not-work.md";
const WRITE = "node --import tsx tools/field-page.ts --write";

const HEAD = `# When it does not work

<!-- Written by tools/field-page.ts from tools/field/: run it with --write. -->

Find what you see in the list and follow the link. Each entry says why it happens, what to do, and what this project says about
it, letter for letter: what \`monitor\` prints behind the board's time, or why a configuration is refused.

Two rules hold everywhere. A number that could not be measured is absent (\`--\` on the screen, null in the record), never 0, and
the reason stands beside it: in \`monitor\` a \`*\` marks the value, and the words are at the end of the line. Samples that were
lost are counted, or said to be lost where nobody could count them.

All of it can be tried without a sensor: \`vitalwire demo --faults FILE\` lets go wrong what you choose
([kinds of faults](../simulator/faults/README.md)), and \`vitalwire doctor --board simulated --faults FILE\` judges such a board, one
verdict a line. \`demo --transcript DIR\` keeps what the chips gave to the firmware, and \`vitalwire retrace FILE\` runs it again on that.

Never connect electrodes to a person while any board, laptop or instrument attached is on mains power without medical-grade
isolation. Not a medical device.
`;

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const heading = ({ line, title }: Complaint): string =>
  typeof line === "number" ? `${line}. ${capital(title)}` : capital(title);

/** The anchor that GitHub gives a heading. */
export const anchorOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

function entry(complaint: Complaint): string[] {
  const { where, see, why, act, says, naive, ours, test, missing } = complaint;
  const reported = where.length === 0 ? "Found by reading drivers." : `Reported in ${where.join(", ")}.`;
  const held = test === null ? "No test holds this." : `Held by \`${test.file}\`.`;
  return [
    `### ${heading(complaint)}`,
    "",
    `**What you see.** ${see}`,
    "",
    `**Why.** ${why}`,
    "",
    `**What to do.** ${act}`,
    "",
    ...(says.length === 0 ? [] : ["**What the tool says.**", "", "```text", ...says, "```", ""]),
    ...(missing === undefined ? [] : [`**What it cannot do yet.** ${missing}`, ""]),
    `Elsewhere: ${naive} Here: ${ours} ${reported} ${held}`,
    "",
  ];
}

function index(all: readonly Complaint[]): string[] {
  return symptoms.flatMap((symptom) => {
    const own = all.filter((one) => one.symptoms.includes(symptom));
    if (own.length === 0) return [];
    const links = own.map((one) => `- [${capital(one.seen ?? one.title)}](#${anchorOf(heading(one))})`);
    return [`**${symptom}**`, "", ...links, ""];
  });
}

export function render(all: readonly Complaint[]): string {
  const of = (isLine: boolean) => all.filter(({ line }) => (typeof line === "number") === isLine).flatMap(entry);
  const defects = of(false);
  const lines = [
    HEAD,
    "## What do you see?",
    "",
    ...index(all),
    "## What people report",
    "",
    ...of(true),
    ...(defects.length === 0 ? [] : ["## Seen in other drivers", "", ...defects]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** One sentence for each line that is not as the program writes it, the first ten of each kind. */
export function differences(is: string, should: string): string[] {
  if (is === should) return [];
  const [there, written] = [is.split("\n"), should.split("\n")];
  return [
    ...written
      .filter((line) => !there.includes(line))
      .map((line) => `${PAGE} lacks "${line}"`)
      .slice(0, 10),
    ...there
      .filter((line) => !written.includes(line))
      .map((line) => `${PAGE} has "${line}"`)
      .slice(0, 10),
    `${PAGE} is not what tools/field/ says: run ${WRITE}`,
  ];
}

function main(): number {
  const page = render(complaints);
  const path = join(projectRoot, PAGE);
  if (process.argv.includes("--write")) writeFileSync(path, page);
  const found = differences(existsSync(path) ? readFileSync(path, "utf8") : "", page);
  for (const line of found) console.error(line);
  console.log(
    `field-page: ${complaints.length} entries, ${found.length === 0 ? "the page has them" : "the page differs"}`,
  );
  return found.length === 0 ? 0 : 1;
}

runMain(import.meta.url, main);
