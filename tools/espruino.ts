/**
 * Runs device-side code in a real Espruino interpreter on this machine.
 *
 * ESPRUINO_BIN names an interpreter built for this machine: Espruino's own README_Building.md tells how its Linux target is
 * made. Numbers cross as text of integers or as hex: the interpreter prints 11 digits.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { checkBundle, deviceTarget } from "./device-dialect.ts";
import { projectRoot } from "./files.ts";

/** The interpreter is ended after this, ms: a program that hangs is a failure. */
const LIMIT = 60_000;

/** Path of the interpreter; undefined: none is named. */
export const espruino = (): string | undefined => process.env.ESPRUINO_BIN;

/**
 * Runs a script whose global `say` tells its lines; returns them. Throws Error with the interpreter's own words where it
 * reports an uncaught error, does not reach the script's end, or takes longer than a minute.
 */
export function interpret(script: string): string[] {
  const path = espruino();
  if (path === undefined) throw new Error("ESPRUINO_BIN names no interpreter");
  const folder = mkdtempSync(join(tmpdir(), "espruino-"));
  try {
    const file = join(folder, "script.js");
    // The interpreter prints a banner and its prompt around what the script says.
    writeFileSync(file, `function say(line) { print("@" + JSON.stringify(line)); }\n${script}\n;say("end");\n`);
    const { stdout, error } = spawnSync(path, [file], {
      encoding: "utf8",
      input: "",
      timeout: LIMIT,
      maxBuffer: 1 << 26,
    });
    if (error) throw new Error(`the interpreter: ${error.message}`);
    const lines = stdout.split(/\r?\n/);
    const said = lines.filter((line) => line.startsWith("@")).map((line) => JSON.parse(line.slice(1)));
    const end = said.pop();
    if (end !== "end" || stdout.includes("Uncaught")) {
      const words = lines.slice(lines.findIndex((line) => line.includes("Uncaught"))).slice(0, 6);
      throw new Error(`the interpreter did not reach the end: ${words.join(" ").trim()}`);
    }
    return said;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Data as source that the interpreter reads to the last bit: what is no integer becomes integers over powers of two. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}:${literal(one)}`)}}`;
  }
  if (typeof value !== "number" || Number.isSafeInteger(value)) return JSON.stringify(value) ?? "undefined";
  let numerator = Math.abs(value);
  const halvings: number[] = [];
  for (; !Number.isInteger(numerator); numerator *= 2) {
    if ((halvings.at(-1) ?? 2 ** 30) === 2 ** 30) halvings.push(1);
    halvings.push(halvings.pop()! * 2);
  }
  const high = Math.floor(numerator / 2 ** 26);
  return `${value < 0 ? "-" : ""}(${high}*67108864+${numerator % 2 ** 26})/${halvings.join("/")}`;
}

/** The minifier gives no name that the source takes for a global's: "of" is a keyword to the interpreter. Cut out again. */
const KEEP_OFF = "typeof of;";

/**
 * A script from a module of its own that imports from the project, bundled as for a board: paths in `source` go from
 * `folder` (from the project's root); DATA in it is `data`. Throws Error where the bundle is not in the device dialect.
 */
export function deviceScript(name: string, folder: string, source: string, data: unknown = null): string {
  const { outputFiles } = buildSync({
    ...deviceTarget,
    stdin: {
      contents: `${source.replace("DATA", () => literal(data))}\n;${KEEP_OFF}`,
      resolveDir: join(projectRoot, folder),
      loader: "ts",
    },
    bundle: true,
    format: "iife",
    platform: "neutral",
    write: false,
    logLevel: "silent",
    // Not minifySyntax: it folds 3 / 8 to 0.375, which the interpreter reads with another last bit.
    minifyWhitespace: true,
    minifyIdentifiers: true,
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, verbatimModuleSyntax: true } },
  });
  const code = (outputFiles[0]?.text ?? "").replace(KEEP_OFF, "");
  const [refused] = checkBundle(name, code);
  if (refused) throw new Error(`the bundle of ${name}: ${refused.rule}, ${refused.message}`);
  return code;
}
