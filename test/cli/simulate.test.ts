import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownFolder } from "../support/folder.ts";
import { dataFolder, lacks } from "../support/needs.ts";
import { vitalwire } from "../support/process.ts";

const folder = ownFolder();

async function simulate(name: string, ...options: string[]) {
  const file = join(folder(), name);
  const one = vitalwire("simulate", "--out", file, "--fast", "--json", ...options);
  expect(await one.ended(60_000)).toBe(0);
  return { file, lines: readFileSync(file, "latin1"), report: JSON.parse(one.stdout()) };
}

test("--fast into a file: the same seed gives the same bytes, another seed another device; verify finds it whole", async () => {
  const first = await simulate("a", "--seconds", "5");
  const again = await simulate("b", "--seconds", "5");
  const other = await simulate("c", "--seconds", "5", "--seed", "2");
  expect(again.lines).toBe(first.lines);
  expect(other.report.kid).not.toBe(first.report.kid);
  expect(first.report.packets.waiting).toBe(0);
  expect(first.lines.trimEnd().split("\n")).toHaveLength(first.report.packets.produced);
  expect(first.lines.length).toBe(first.report.linkBytes);
  const verify = vitalwire("verify", first.file, "--json");
  expect(await verify.ended()).toBe(0);
  expect(JSON.parse(verify.stdout())).toMatchObject({
    messages: first.report.packets.produced,
    verified: first.report.packets.produced,
    gaps: 0,
    duplicates: 0,
  });
});

test("another length is another device: no message is ever told in two ways", async () => {
  const short = await simulate("a", "--seconds", "3");
  const long = await simulate("b", "--seconds", "4");
  expect(long.report.kid).not.toBe(short.report.kid);
});

test("paced, every start is a boot of its own", async () => {
  for (const boot of [1, 2]) {
    const one = vitalwire("simulate", "--out", join(folder(), "x"), "--seconds", "1", "--json");
    expect(await one.ended()).toBe(0);
    expect(JSON.parse(one.stdout()).boot).toBe(boot);
  }
});

test("a folder of a real site is left alone: exit 2, and nothing is written", async () => {
  writeFileSync(join(folder(), "site.pub"), `${"ab".repeat(32)}\n`);
  const one = vitalwire("simulate", "--out", join(folder(), "x"), "--fast");
  expect(await one.ended()).toBe(2);
  expect(one.output()).toMatch(/site\.pub: the key of a real site; .* give --cards DIR/);
  expect(readdirSync(folder())).toEqual(["site.pub"]);
});

test("Ctrl-C ends it with 130 at once, and takes the port away", async () => {
  const one = vitalwire("simulate", "--out", "pty", "--cards", folder());
  await one.printed(/\/dev\/pts\/\d+/);
  one.process.kill("SIGINT");
  expect(await one.ended(2000)).toBe(130);
});

describe.skipIf(lacks("recordings"))("a recorded ECG", () => {
  const record = join(dataFolder, "mitdb", "101");

  test("is played for as long as it lasts, and no longer: exit 2", async () => {
    await simulate("a", "--seconds", "3", "--ecg", record);
    const one = vitalwire("simulate", "--out", join(folder(), "b"), "--fast", "--seconds", "999999", "--ecg", record);
    expect(await one.ended()).toBe(2);
    expect(one.output()).toMatch(/--ecg .*: it is 180\d\.\d s long, --seconds is 999999; ask for less/);
  });
});
