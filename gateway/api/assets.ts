/** The page's files: lying ready in the built package, bundled in memory from a checkout. */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Asset {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** By their path in the address. */
export type Assets = ReadonlyMap<string, Asset>;

const TYPES = {
  "index.html": "text/html; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
  "main.js": "text/javascript; charset=utf-8",
};

/** Where the page lies: beside this folder, in a checkout as in the built package. */
export const dashboardFolder = fileURLToPath(new URL("../dashboard", import.meta.url));

/**
 * The page's files by name. A folder with main.ts is a checkout: its script is bundled and minified for browsers of 2022 and
 * later. Else main.js lies ready. Throws Error where a file is missing or does not compile.
 */
export async function buildDashboard(folder: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const entry = join(folder, "main.ts");
  const sources = await access(entry).then(
    () => true,
    () => false,
  );
  const read = async (name: string) => new Uint8Array(await readFile(join(folder, name)));
  const [page, style, script] = await Promise.all([
    read("index.html"),
    read("style.css"),
    sources ? bundle(entry) : read("main.js"),
  ]);
  return new Map([
    ["index.html", page],
    ["style.css", style],
    ["main.js", script],
  ]);
}

async function bundle(entry: string): Promise<Uint8Array<ArrayBuffer>> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
  });
  return new Uint8Array(outputFiles[0].contents);
}

/** A loader that reads the files at the first call and keeps them; after an error the next call tries again. */
export function createAssets(folder: string): () => Promise<Assets> {
  let loading: Promise<Assets> | null = null;
  const load = async (): Promise<Assets> => {
    const files = await buildDashboard(folder);
    return new Map(
      Object.entries(TYPES).map(([name, type]) => [
        name === "index.html" ? "/" : `/${name}`,
        { type, body: files.get(name)! },
      ]),
    );
  };
  return () => {
    loading ??= load().catch((error: Error) => {
      loading = null;
      throw new Error(`the page in ${folder} cannot be served: ${error.message}`);
    });
    return loading;
  };
}
