import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openHostStorage } from "../../cli/boot-counter.ts";
import { startBoot } from "../../firmware/boot.ts";
import { lock } from "../../gateway/store/lock.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { ownFolder } from "../support/folder.ts";

const folder = ownFolder();
const { kid } = testOnlySigner("device");

/** One start of board "a" of a folder, as a process of its own does it. */
const start = (path: string, seq?: number) => {
  const storage = openHostStorage(path, "a");
  try {
    const started = startBoot({
      storage,
      kid,
      psk: new Uint8Array(32),
      entropy: new Uint8Array(0),
      crypto: nodeCrypto,
    });
    if (seq !== undefined) started.end(seq);
    return started;
  } finally {
    storage.release();
  }
};

test("a board's boots count from 1, each durable with its nonce before it is used, and only its owner reads them", () => {
  const path = join(folder(), "boards");
  const seen = new Set<string>();
  for (let boot = 1; boot <= 3; boot++) {
    const { bn, ...started } = start(path);
    expect(started.boot).toBe(boot);
    seen.add(String(bn));
    const file = join(path, "a.boot");
    expect(readFileSync(file).includes(Buffer.from(bn))).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path).sort()).toEqual(["a.boot", "a.boot.lock"]);
  }
  expect(seen.size).toBe(3);
});

test("where the boot before ended is known after a clean end, and only then", () => {
  const path = folder();
  expect(start(path, 41).prev).toBeNull();
  expect(start(path).prev).toEqual({ boot: 1, seq: 41 });
  expect(start(path).prev).toBeNull();
});

test("a second start of the same board is refused while the first runs", () => {
  const path = folder();
  const first = openHostStorage(path, "a");
  expect(() => openHostStorage(path, "a")).toThrow(/another process works on it; stop that one first/);
  openHostStorage(path, "b").release();
  first.release();
  expect(start(path).boot).toBe(1);
});

test("a counter of before the nonce, a number in a line, is carried on", () => {
  const path = folder();
  writeFileSync(join(path, "a.boot"), "7\n");
  expect(start(path).boot).toBe(8);
  expect(start(path).boot).toBe(9);
});

test.each([
  ["", /damaged/],
  ["x", /damaged/],
  ["-1\n", /damaged/],
  ["1.5\n", /damaged/],
  ["4294967295\n", /was the last one of this key/],
  ["9999999999\n", /damaged/],
  ["99999999999999999999\n", /damaged/],
])("a counter that holds %j is refused, not reset", (text, why) => {
  const path = folder();
  writeFileSync(join(path, "a.boot"), text);
  expect(() => start(path)).toThrow(why);
  expect(readFileSync(join(path, "a.boot"), "utf8")).toBe(text);
});

test("a lock dies with its process, also where that is killed", () => {
  const path = join(folder(), "a.lock");
  const module = fileURLToPath(new URL("../../gateway/store/lock.ts", import.meta.url));
  const script = `const { lock } = await import(${JSON.stringify(module)}); lock(${JSON.stringify(path)}, "x"); process.kill(process.pid, "SIGKILL");`;
  const killed = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    timeout: 20_000,
  });
  expect(killed.signal).toBe("SIGKILL");
  lock(path, "it").release();
});
