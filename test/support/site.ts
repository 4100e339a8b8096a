/** A site's folder as the command line makes it, in this process: what a command printed as JSON, and its warnings. */
import { join } from "node:path";
import { vi } from "vitest";
import { type EnrollOptions, enroll } from "../../cli/enroll.ts";
import { type KeygenOptions, keygen } from "../../cli/keygen.ts";
import { type RevokeOptions, revoke } from "../../cli/revoke.ts";

/** Runs a command with --json; gives the document it printed. */
export async function documentOf(command: () => unknown): Promise<Record<string, never>> {
  let printed = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
  const log = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    await command();
  } finally {
    out.mockRestore();
    log.mockRestore();
  }
  return JSON.parse(printed);
}

/** The commands on one folder. */
export function createSiteFolder(folder: string) {
  return {
    folder,
    keygen: (options: Omit<KeygenOptions, "out">) => documentOf(() => keygen({ out: folder, json: true, ...options })),
    enroll: (options: Partial<EnrollOptions> = {}) =>
      documentOf(() => enroll({ cards: folder, days: 730, baud: 115_200, json: true, ...options })),
    revoke: (options: Omit<RevokeOptions, "cards">) =>
      documentOf(() => revoke({ cards: folder, json: true, ...options })),
    path: (...names: string[]) => join(folder, ...names),
  };
}
