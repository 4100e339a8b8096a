/** A folder of its own for every test of a file, gone with the test and with whatever it left running. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { killAll } from "./process.ts";

/** Gives the path of the running test's folder. */
export function ownFolder(): () => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
  });
  afterEach(() => {
    killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}
