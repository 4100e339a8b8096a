/** `demo --transcript DIR` and `retrace FILE…`, as a person uses them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run as start } from "../support/process.ts";

const run = async (...args: string[]) => {
  const running = start(process.execPath, ["--import", "tsx", "cli/main.ts", ...args]);
  return { code: await running.ended(100_000), out: running.stdout(), all: running.output() };
};
const DEMO = ["demo", "--fast", "--headless", "--json", "--seconds", "10", "--boards", "2"];

let folder: string;
let plain: string;
let recorded: Awaited<ReturnType<typeof run>>;
const path = (name: string) => join(folder, name);
const first = () => path("t/board-1.transcript.gz");
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
  plain = (await run(...DEMO)).out;
  recorded = await run(...DEMO, "--transcript", path("t"));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

test("demo --transcript writes a file a board, says how large, and prints what it prints without", () => {
  expect(recorded.code).toBe(0);
  expect(recorded.out).toBe(plain);
  expect(readdirSync(path("t"))).toEqual(["board-1.transcript.gz", "board-2.transcript.gz"]);
  expect(recorded.all).toMatch(/board-1\.transcript\.gz: \d+ messages, 0\.\d MB of lines in 0\.\d MB/);
});

test("retrace says whose each is and that it is identical, in words and as JSON", async () => {
  const files = [first(), path("t/board-2.transcript.gz")];
  const { boards } = JSON.parse(plain) as { boards: { kid: string }[] };
  const [words, json] = [await run("retrace", ...files), await run("retrace", "--json", ...files)];
  expect([words.code, json.code]).toEqual([0, 0]);
  const lines = words.out.trim().split("\n");
  expect(lines).toHaveLength(2);
  for (const [index, line] of lines.entries()) {
    expect(line).toContain(`${files[index]}: board ${boards[index].kid} boot 1, `);
    expect(line).toMatch(
      / messages, SHA-256 [0-9a-f]{64}: identical to the recorded ones \(10\.\d s, \d+ times as fast\)$/,
    );
  }
  const reports = JSON.parse(json.out).files;
  expect(reports.map(({ file }: { file: string }) => file)).toEqual(files);
  for (const { identical, recordedSha256, replayedSha256 } of reports) {
    expect(identical).toBe(true);
    expect(replayedSha256).toBe(recordedSha256);
  }
});

test("plain lines are read too; where one was changed the exit is 1, with file, line, and what was asked for", async () => {
  const text = gunzipSync(readFileSync(first())).toString();
  writeFileSync(path("whole.txt"), text);
  writeFileSync(path("edited.txt"), text.replace('"write":[9,131]', '"write":[9,130]'));
  const line = text.slice(0, text.indexOf('"write":[9,131]')).split("\n").length;
  expect(await run("retrace", path("whole.txt"))).toMatchObject({ code: 0 });
  const { code, out } = await run("retrace", path("edited.txt"));
  expect(code).toBe(1);
  expect(out).toContain(`edited.txt: board `);
  expect(out).toContain(`DIFFERENT: transcript line ${line}: the firmware asked for `);
  expect(out).toMatch(/recorded SHA-256 [0-9a-f]{64}\n {2}replayed SHA-256 [0-9a-f]{64}\n$/);
  const json = await run("retrace", "--json", path("edited.txt"));
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out).files[0]).toMatchObject({ identical: false, line, seconds: null });
});

test("files that are cut off, damaged, or something else are refused in words", async () => {
  const bytes = readFileSync(first());
  writeFileSync(path("cut.gz"), bytes.subarray(0, bytes.length / 2));
  const damaged = Buffer.from(bytes);
  damaged[Math.floor(bytes.length / 2)] ^= 1;
  writeFileSync(path("damaged.gz"), damaged);
  writeFileSync(path("other.gz"), gzipSync(gunzipSync(bytes)));
  writeFileSync(path("other.bin"), Buffer.alloc(3 << 20, "no line end "));
  const files = ["cut.gz", "damaged.gz", "other.gz", "other.bin"].map(path);
  const { code, out } = await run("retrace", ...files);
  expect(code).toBe(1);
  expect(out).toMatch(
    /cut\.gz: board .*, \d messages, DIFFERENT: transcript line \d+: it is cut off here, with no end/,
  );
  expect(out).toMatch(/damaged\.gz: .*DIFFERENT: transcript line \d+: .*byte \d+: a damaged block \(/);
  expect(out).toMatch(
    /other\.gz: .*no BGZF block begins there; where it was compressed anew, `gunzip` it: plain lines are read too/,
  );
  expect(out).toContain("characters without a line end: this is no transcript");
});

test("a file that is not there is bad usage, and no transcript is written over", async () => {
  const missing = await run("retrace", path("nowhere"));
  expect(missing.code).toBe(2);
  expect(missing.all).toContain("nowhere");
  const again = await run(...DEMO, "--transcript", path("t"));
  expect(again.code).toBe(2);
  expect(again.all).toContain(`${first()}: there is a transcript already; name another folder, or remove it`);
  expect(existsSync(path("t/board-3.transcript.gz"))).toBe(false);
});
