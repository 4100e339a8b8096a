/**
 * Runs a device-side module in a real Espruino interpreter and on Node, to hold one against the other.
 *
 * ESPRUINO_BIN names an interpreter built for this machine: Espruino's own README_Building.md tells how its Linux target is
 * made. Numbers cross as text of integers or as hex: the interpreter prints 11 digits.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { checkBundle, deviceTarget } from "../../tools/device-dialect.ts";
import { espruino } from "../support/needs.ts";
import type { Conversation } from "./programs/replay.ts";

/** What a module under programs/ exports: the same work on both sides, told line by line. */
export type Program = (print: (line: string) => void) => void;

/** The interpreter is ended after this, ms: a program that hangs is a failure. */
const LIMIT = 60_000;

/**
 * Runs a script whose global `print` tells its lines; returns them. Throws Error with the interpreter's own words where it
 * reports an uncaught error, does not reach the script's end, or takes longer than a minute.
 */
export function interpret(script: string): string[] {
  if (espruino === undefined) throw new Error("ESPRUINO_BIN names no interpreter");
  const folder = mkdtempSync(join(tmpdir(), "espruino-"));
  try {
    const file = join(folder, "script.js");
    // The interpreter prints a banner and its prompt around what the script says.
    writeFileSync(file, `function say(line) { print("@" + JSON.stringify(line)); }\n${script}\n;say("end");\n`);
    const { stdout, error } = spawnSync(espruino, [file], {
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

/**
 * Bundles programs/NAME.ts as for a board, with `data` for its import of "data:json", and runs it in the interpreter.
 * Throws Error where the bundle is not in the device dialect.
 */
export function runOnEspruino(name: string, data: unknown = null): string[] {
  return bundleAndRun(name, `import { program } from "./programs/${name}.ts"; program(say, DATA);`, data);
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

/** The same with a module of its own, written for this folder; `say` tells a line, DATA is `data`. */
function bundleAndRun(name: string, source: string, data: unknown): string[] {
  const { outputFiles } = buildSync({
    ...deviceTarget,
    stdin: {
      contents: source.replace("DATA", () => literal(data)),
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
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
  const code = outputFiles[0]?.text ?? "";
  const [refused] = checkBundle(name, code);
  if (refused) throw new Error(`the bundle of ${name}: ${refused.rule}, ${refused.message}`);
  return interpret(code);
}

/** Feeds the driver of a folder of drivers/ what a chip answered (programs/replay.ts), in the interpreter. */
export function replayOnEspruino(folder: string, conversations: readonly Conversation[]): string[] {
  const source =
    `import { chip } from "../../drivers/${folder}/driver.ts"; import { replay } from "./programs/replay.ts"; ` +
    "replay(chip, say, DATA);";
  return bundleAndRun(folder, source, conversations);
}

/** Runs the same program here. */
export function runOnNode<D>(program: (print: (line: string) => void, data: D) => void, data: D): string[] {
  const lines: string[] = [];
  program((line) => lines.push(line), data);
  return lines;
}
