/** The command line as a person or a program meets it: a process, its output, its exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataFolder, lacks } from "../support/needs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const start = (args: string[]) => {
  const child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", ...args], { cwd: root, stdio: "pipe" });
  child.stdin.end();
  const result = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    result.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    result.err += chunk;
  });
  const ended = new Promise<Result>((resolve) => child.on("close", (code) => resolve({ ...result, code })));
  return { child, ended, result };
};
const run = (...args: string[]) => start(args).ended;
const json = (result: Result) => JSON.parse(result.out);

/** Waits until a process has written what a test waits for. */
const written = (child: ChildProcess, result: { out: string }, what: RegExp) =>
  new Promise<void>((resolve, reject) => {
    const look = () => {
      if (what.test(result.out)) resolve();
    };
    child.stdout!.on("data", look);
    child.on("close", () => reject(new Error(`ended before it wrote ${what}: ${result.out}`)));
  });

test("--help and every command's --help exit 0 and say that it is not a medical device", async () => {
  const help = await run("--help");
  expect(help.code).toBe(0);
  expect(help.out).toContain("Not a medical device");
  for (const command of ["demo", "verify", "export", "evaluate"]) {
    expect(help.out).toContain(command);
    expect((await run(command, "--help")).code, command).toBe(0);
  }
});

test("bad usage exits 2 with what was wrong and what to do; a failure exits 1", async () => {
  const cases: [string[], RegExp][] = [
    [["nonsense"], /unknown command/],
    [["demo", "--boards", "none"], /whole number/],
    [["verify"], /name either a capture FILE or --store FILE/],
    [["verify", join(folder, "absent")], /no such file/],
    [["export", "--store", "x"], /required option/],
    [
      ["export", "--store", join(folder, "absent.db"), "--device", "0".repeat(16), "--format", "csv", "--out", "x"],
      /no such file/,
    ],
  ];
  for (const [args, message] of cases) {
    const result = await run(...args);
    expect(result.code, args.join(" ")).toBe(2);
    expect(result.err).toMatch(message);
    expect(result.out).toBe("");
  }
});

test("demo --fast --json prints the same document twice, byte for byte, and nothing else on stdout", async () => {
  const args = ["demo", "--seconds", "10", "--fast", "--headless", "--json", "--seed", "3"];
  const [first, second] = [await run(...args), await run(...args)];
  expect(first.code).toBe(0);
  expect(first.err).toBe("");
  expect(second.out).toBe(first.out);
  const document = json(first);
  expect(document).toMatchObject({ seed: 3, seconds: 10, store: null });
  expect(document.boards).toHaveLength(3);
  expect(Object.keys(document.boards[0].vitals)).toEqual([
    "heartRate",
    "pulseRate",
    "spo2",
    "perfusionIndex",
    "temperature",
  ]);
});

test("a store on disk: verified whole with its site key beside it, exported, continued by a second run under a new boot", async () => {
  const store = join(folder, "ward.db");
  const demo = ["demo", "--boards", "2", "--seconds", "12", "--fast", "--headless", "--json", "--store", store];
  const first = json(await run(...demo));
  expect(first.store).toBe(store);
  const kids: string[] = first.boards.map(({ kid }: { kid: string }) => kid);
  expect(readdirSync(join(folder, "cards")).sort()).toEqual(expect.arrayContaining(kids.map((kid) => `${kid}.card`)));
  expect(readdirSync(folder).filter((name) => name.startsWith("ward.db"))).toEqual(["ward.db"]);

  const verified = await run("verify", "--store", store, "--both", "--json");
  expect(verified.code).toBe(0);
  const report = json(verified);
  expect(report).toMatchObject({ failed: [], gaps: 0, duplicates: 0, audit: "whole" });
  expect(report.verified).toBe(report.messages);

  const again = json(await run(...demo));
  for (const board of again.boards) {
    for (const channel of board.channels) expect(channel.storedSha256).toBe(channel.sourceSha256);
  }
  const both = json(await run("verify", "--store", store, "--json"));
  expect(both.messages).toBe(2 * report.messages);
  expect(both.audit).toBe("whole");

  const out = join(folder, "exported");
  const exported = await run("export", "--store", store, "--device", kids[0], "--format", "wfdb", "--out", out);
  expect(exported.code).toBe(0);
  for (const boot of [1, 2]) {
    for (const rate of [100, 256]) {
      for (const end of ["hea", "dat"]) expect(existsSync(join(out, `${kids[0]}_${boot}_${rate}.${end}`))).toBe(true);
    }
  }
  expect((await run("export", "--store", store, "--device", kids[1], "--format", "csv", "--out", out)).code).toBe(0);
  expect(readFileSync(join(out, `${kids[1]}_1_100.csv`), "utf8").split("\n")[0]).toContain("red");

  const bytes = readFileSync(store);
  // Every copy of one birth's text: SQLite may have left an older page behind.
  for (let at = bytes.indexOf("MAX30003"); at >= 0; at = bytes.indexOf("MAX30003", at + 1)) bytes[at] ^= 1;
  writeFileSync(store, bytes);
  const broken = await run("verify", "--store", store, "--json");
  expect(broken.code).toBe(1);
  expect(json(broken).audit).toBe("broken");
  // Two boards, two boots.
  expect(json(broken).failed).toHaveLength(4);
  for (const failed of json(broken).failed) expect(failed).toMatchObject({ seq: 0, reason: "signature" });
});

test("a store without a site key is not verified: the command says what it needs", async () => {
  const alone = join(folder, "alone");
  mkdirSync(alone);
  writeFileSync(join(alone, "ward.db"), "");
  const result = await run("verify", "--store", join(alone, "ward.db"));
  expect(result.code).toBe(2);
  expect(result.err).toMatch(/no site key at .*site\.pub: give --site FILE/);
});

test("Ctrl-C ends a running demo within a second: exit 130, the store closed and whole", async () => {
  const own = join(folder, "interrupted");
  const store = join(own, "ward.db");
  mkdirSync(own);
  const { child, ended, result } = start(["demo", "--store", store]);
  await written(child, result, /Ctrl-C ends it/);
  const wait = Date.now() + 60_000;
  while (!existsSync(store) || readdirSync(own).length < 3) {
    if (Date.now() > wait) throw new Error("no store after a minute");
    await new Promise((resolve) => setImmediate(resolve));
  }
  const interruptedAt = performance.now();
  child.kill("SIGINT");
  const { code } = await ended;
  expect(code).toBe(130);
  // The promise is a second; the process itself gives up after 0.9 s.
  expect(performance.now() - interruptedAt).toBeLessThan(1500);
  expect(readdirSync(own).filter((name) => name.startsWith("ward.db"))).toEqual(["ward.db"]);
  const verified = json(await run("verify", "--store", store, "--json"));
  expect(verified).toMatchObject({ failed: [], gaps: 0, audit: "whole" });
});

describe.skipIf(lacks("recordings"))("with recordings", () => {
  const record = join(dataFolder, "mitdb", "101");

  test("demo --record plays the record on every board, and the ECG that was converted is the one that is stored", async () => {
    const result = await run(
      "demo",
      "--record",
      record,
      "--seconds",
      "20",
      "--fast",
      "--headless",
      "--json",
      "--noise",
      "off",
    );
    const { boards } = json(result);
    const ecg = boards.map(
      ({ channels }: { channels: { name: string; sourceSha256: string; storedSha256: string }[] }) =>
        channels.find(({ name }) => name === "ecg")!,
    );
    for (const { sourceSha256, storedSha256 } of ecg) expect(storedSha256).toBe(sourceSha256);
  });

  test("a record shorter than --seconds is bad usage", async () => {
    const result = await run("demo", "--record", record, "--seconds", "1806", "--fast", "--json");
    expect(result.code).toBe(2);
    expect(result.err).toMatch(/1805\.6 s long, --seconds is 1806/);
  });
});
