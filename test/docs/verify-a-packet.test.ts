/** docs/verify-a-packet.md, followed literally in an empty folder: every command gives the output beside it. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { projectRoot } from "../../tools/files.ts";
import { lacks, python } from "../support/needs.ts";

const page = readFileSync(join(projectRoot, "docs/verify-a-packet.md"), "utf8");
const blocks = [...page.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, kind, name, text]) => ({
  kind,
  name,
  text: text ?? "",
}));
const files = blocks.filter(({ kind }) => kind === "python");
/** Unnamed shell blocks, and what the page says they print. */
const steps = blocks.flatMap(({ kind, name, text }, i) =>
  kind === "sh" && name === undefined
    ? [{ command: text, output: blocks[i + 1]?.kind === "text" ? (blocks[i + 1]?.text ?? "") : "" }]
    : [],
);

const scratch = mkdtempSync(join(tmpdir(), "vitalwire-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const skip = [lacks("python"), lacks("openssl")].includes(true);

test("the page has its programs, its steps, and no output without a command", () => {
  expect(files.map(({ name }) => name)).toEqual(["verify.py", "samples.py", "card.py", "mac.py"]);
  expect(steps.filter(({ output }) => output !== "")).toHaveLength(blocks.filter(({ kind }) => kind === "text").length);
  expect(steps.some(({ command }) => command.includes("python3 verify.py"))).toBe(true);
  expect(steps.some(({ command }) => command.includes("openssl pkeyutl"))).toBe(true);
});

test.skipIf(skip)(
  "every command prints what the page says, one after the other in one shell",
  { timeout: 60_000 },
  () => {
    const folder = join(scratch, "empty");
    const programs = join(scratch, "bin");
    mkdirSync(folder);
    mkdirSync(programs);
    // Debian's packages belong to this Python; another may stand before it on the PATH.
    symlinkSync(python, join(programs, "python3"));
    for (const { name, text } of files) writeFileSync(join(folder, name ?? ""), text);
    const mark = "---- end of step ----";
    const script = steps.map(({ command }) => `${command}echo '${mark}'\n`).join("");
    const { stdout } = spawnSync("bash", ["-c", `exec 2>&1\n${script}`], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: `${programs}:${process.env.PATH}`, VITALWIRE: projectRoot, LC_ALL: "C.UTF-8" },
    });
    expect(stdout.split(`${mark}\n`).slice(0, -1)).toEqual(steps.map(({ output }) => output));
  },
);

test("the page's packets are the worked examples of PROTOCOL.md", () => {
  const { examples, keys } = JSON.parse(readFileSync(join(projectRoot, "protocol/vectors/examples.json"), "utf8"));
  const shown = page.replaceAll("\n", "");
  for (const name of ["Data S", "Data M", "Device card"])
    expect(shown).toContain(examples.find((example: { name: string }) => example.name === name).hex);
  for (const name of ["device", "site"]) expect(page).toContain(keys[name]);
});
