/** Which files the project has, which of them run on the board, and how a checker says what it found. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const projectRoot = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** One thing that is wrong. `message` says what, and what to do. */
export interface Finding {
  /** Path relative to the root that was checked. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** DESIGN.md "Who may import whom": what runs on the board. A later pattern with `!` takes back. */
const devicePatterns = [
  "drivers/driver.ts",
  "drivers/chip.ts",
  "drivers/*/**",
  "!drivers/*/emulator*.ts",
  "!drivers/*/analog.ts",
  "protocol/**",
  "!protocol/**/*.node.ts",
  "firmware/**",
  "!firmware/**/*.host.ts",
  "!firmware/transports/host/**",
  "boards/board.ts",
  "boards/espruino/**",
];

const compiled = new Map<string, RegExp>();

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/|\*\*|\*/g, (stars) => (stars === "**/" ? "(?:[^/]+/)*" : stars === "**" ? ".*" : "[^/]*"));
  return new RegExp(`^${source}$`);
}

/** Whether a path matches a list of patterns: `*` within a folder, `**` across folders, a leading `!` takes back. */
export function matches(path: string, patterns: readonly string[]): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const takesBack = pattern.startsWith("!");
    const glob = takesBack ? pattern.slice(1) : pattern;
    let expression = compiled.get(glob);
    if (expression === undefined) {
      expression = toRegExp(glob);
      compiled.set(glob, expression);
    }
    if (expression.test(path)) matched = !takesBack;
  }
  return matched;
}

/** Whether a path is a module: TypeScript or JavaScript, declarations included. */
export function isSource(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path);
}

/** Whether a path is among the deliberately wrong sources of the checkers' own tests. */
export function isFixture(path: string): boolean {
  return path.startsWith("test/fixtures/");
}

/** Whether a source file runs on the board, so that it imports no package and keeps to the device dialect. */
export function isDeviceSide(path: string): boolean {
  return isSource(path) && matches(path, devicePatterns);
}

/**
 * All files under `root` as git lists them: tracked ones that are still there, and new ones that are not ignored.
 * Paths are relative to `root`, sorted. Throws Error where git cannot say, or lists nothing.
 */
export function gitFiles(root: string): string[] {
  const list = (...options: string[]) => {
    try {
      const output = execFileSync("git", ["-C", root, "ls-files", "-z", ...options], { encoding: "utf8" });
      return output.split("\0").filter((path) => path !== "");
    } catch (error) {
      throw new Error(`git cannot list the files of ${root}: ${(error as Error).message}; run this in a git checkout`);
    }
  };
  const gone = new Set(list("--deleted"));
  const present = new Set(list("--cached", "--others", "--exclude-standard").filter((path) => !gone.has(path)));
  if (present.size === 0) throw new Error(`git lists no file in ${root}: nothing would be checked`);
  return [...present].sort();
}

/** The project's own source files: those git lists, without the fixtures. */
export function sourceFiles(root: string): string[] {
  return gitFiles(root).filter((path) => isSource(path) && !isFixture(path));
}

/** Prints findings as `file:line rule: message`, then `summary`; returns the exit code: 1 where anything was found. */
export function report(findings: readonly Finding[], summary: string): 0 | 1 {
  for (const { file, line, rule, message } of findings) console.error(`${file}:${line} ${rule}: ${message}`);
  console.log(`${summary}, ${findings.length} finding${findings.length === 1 ? "" : "s"}`);
  return findings.length === 0 ? 0 : 1;
}

/** Throws Error where a checker did not see every file that git lists now: what it did not see, it did not check. */
export function requireAllSeen(seen: ReadonlySet<string>, listed: readonly string[], checker: string): void {
  const missed = listed.filter((path) => !seen.has(path));
  if (missed.length === 0) return;
  throw new Error(`${checker} saw ${seen.size} of the ${listed.length} files that git lists; not ${missed.join(", ")}`);
}

/** Runs `main` where the module at `moduleUrl` is the program that node was started with; an error is an exit code of 1. */
export async function runMain(moduleUrl: string, main: () => number | Promise<number>): Promise<void> {
  if (process.argv[1] === undefined || fileURLToPath(moduleUrl) !== process.argv[1]) return;
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
