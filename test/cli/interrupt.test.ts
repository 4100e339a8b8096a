/** Ctrl-C where something hangs. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { projectRoot } from "../../tools/files.ts";

test("what must not be left open is closed before a process that hangs is ended, also where closing throws", () => {
  const program = `
    import { writeSync } from "node:fs";
    import { listenForInterrupt } from "./cli/interrupt.ts";
    const interrupt = listenForInterrupt();
    interrupt.onLimit(() => writeSync(1, "closed"));
    interrupt.onLimit(() => { throw new Error("closed before"); });
    setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGINT");
  `;
  const arguments_ = ["--import", "tsx", "--input-type=module", "-e", program];
  const { status, stdout } = spawnSync(process.execPath, arguments_, {
    cwd: projectRoot,
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(status).toBe(130);
  expect(stdout).toBe("closed");
});
