import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { nextBoot } from "../../cli/boot-counter.ts";
import { lock } from "../../gateway/store/lock.ts";
import { ownFolder } from "../support/folder.ts";

const folder = ownFolder();

test("a board's boots count from 1, each durable before it is used", () => {
  const path = join(folder(), "boards", "a.boot");
  for (let boot = 1; boot <= 3; boot++) {
    const counter = nextBoot(path);
    expect(counter.boot).toBe(boot);
    expect(readFileSync(path, "utf8")).toBe(`${boot}\n`);
    counter.release();
  }
});

test("a second start of the same board is refused while the first runs", () => {
  const path = join(folder(), "a.boot");
  const first = nextBoot(path);
  expect(() => nextBoot(path)).toThrow(/another process works on it; stop that one first/);
  expect(readFileSync(path, "utf8")).toBe("1\n");
  first.release();
  expect(nextBoot(path).boot).toBe(2);
});

test.each(["", "x", "-1", "1.5", "4294967295", "99999999999999999999"])(
  "a counter that holds %j is refused, not reset",
  (text) => {
    const path = join(folder(), "a.boot");
    writeFileSync(path, text);
    expect(() => nextBoot(path)).toThrow(/is no boot number; never lower it/);
    expect(readFileSync(path, "utf8")).toBe(text);
  },
);

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
