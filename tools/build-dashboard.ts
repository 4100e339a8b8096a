/**
 * Writes the page of the built package: index.html, style.css and the bundled main.js. `npm run build` calls it after tsc.
 *
 * `node --import tsx tools/build-dashboard.ts` writes them to dist/gateway/dashboard.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildDashboard, dashboardFolder } from "../gateway/api/assets.ts";
import { projectRoot, runMain } from "./files.ts";

/** Builds the page in `from` and writes it to `to`. Throws Error where a file is missing or does not compile. */
export async function writeDashboard(from: string, to: string): Promise<string[]> {
  const files = await buildDashboard(from);
  await mkdir(to, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(to, name), bytes);
  return [...files].map(([name, { length }]) => `${name} ${length} bytes`);
}

async function main(): Promise<number> {
  const written = await writeDashboard(dashboardFolder, join(projectRoot, "dist/gateway/dashboard"));
  console.log(`build-dashboard: ${written.join(", ")}`);
  return 0;
}

runMain(import.meta.url, main);
