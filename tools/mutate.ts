/**
 * Mutation testing of what a driver does between reply and frame: of its functions that run in a poll or a close.
 *
 * Which these are is watched (trace-functions.ts), in every configuration that the chip's tests name and with either wiring:
 * clean polls, late ones, one for each operation that can fail, polls after a brown-out, before open and after close. The
 * mutants are tried by test/drivers/CHIP*.test.ts and by the tests of all chips as far as they are about this one. String
 * literals are left alone: they are for people.
 *
 * `npm run mutate -- CHIP` prints the score and the survivors, and ends with 1 below 85 %. It installs what it needs into
 * tools/mutation when it is first used (from that folder's lock file), works in a copy of the project, and takes minutes.
 * `--lines` only prints what would be mutated.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Chip, Step } from "../drivers/driver.ts";
import type { EmulatedChip } from "../drivers/emulator.ts";
import { type ChipBench, createChipBench, wirings } from "./chip-bench.ts";
import { gitFiles, projectRoot, runMain } from "./files.ts";
import { load, type Piece, trace } from "./trace-functions.ts";

/** Percent of the mutants that tests must notice. */
const LEAST = 85;
const CLEAN_POLLS = 8;
/** Waits before a poll, in times of `pollEvery`. */
const LATE = [1 / 8, 3 / 2, 3, 9];

/** Lines of a file, the first and the last, counted from 1. */
export interface Lines {
  readonly file: string;
  readonly first: number;
  readonly last: number;
}

/** Does everything that a poll or a close can meet; `watch` runs what is to be seen. */
function exercise(make: () => ChipBench, watch: (bench: ChipBench, step: () => Step) => void): void {
  const poll = (bench: ChipBench) => watch(bench, () => bench.driver.poll());
  const close = (bench: ChipBench) => watch(bench, () => bench.driver.close());
  const opened = () => {
    const bench = make();
    poll(bench);
    bench.run(bench.driver.open());
    return bench;
  };
  const later = (bench: ChipBench, times = 1) => bench.wait(bench.driver.pollEvery * times);

  const clean = opened();
  for (let i = 0; i < CLEAN_POLLS; i++) {
    later(clean);
    poll(clean);
  }
  close(clean);
  poll(clean);
  for (const times of LATE) {
    const bench = opened();
    for (let i = 0; i < 2; i++) {
      bench.sleep(bench.driver.pollEvery * times);
      poll(bench);
    }
    close(bench);
  }
  for (const cut of [poll, close]) {
    const bench = opened();
    later(bench);
    poll(bench);
    bench.cutPower();
    later(bench);
    cut(bench);
    later(bench, 2);
    poll(bench);
  }
  // The first operation fails, then the second one, until none is left to fail.
  for (const failing of [poll, close]) {
    for (let at = 0, failed = true; failed; at++) {
      const bench = opened();
      later(bench, 3 / 2);
      poll(bench);
      later(bench, 3 / 2);
      let seen = 0;
      failed = false;
      bench.board.busFault = () => {
        if (seen++ !== at) return null;
        failed = true;
        return "nack";
      };
      failing(bench);
      bench.board.busFault = null;
      for (let i = 0; i < 2; i++) {
        later(bench);
        poll(bench);
      }
      close(bench);
    }
  }
}

/** Which lines of the chip's own files decode: those of its functions that ran, in order, none twice. */
export function decodingLines(folder: string): Lines[] {
  const { exports, text, map, ran } = trace<{ chip: Chip<unknown> }>(`drivers/${folder}/chip.ts`, false);
  const { chip } = exports;
  const { emulated } = load<{ emulated: EmulatedChip }>(`drivers/${folder}/emulator.ts`);
  const variants = `test/drivers/${folder}.variants.ts`;
  const named = existsSync(`${projectRoot}/${variants}`)
    ? Object.values(load<{ variants: Record<string, object> }>(variants).variants)
    : [];
  const decoding = new Set<Piece>();
  for (const configuration of [{}, ...named]) {
    for (const interrupt of wirings(chip)) {
      exercise(
        () => createChipBench(chip, emulated, interrupt, configuration),
        (bench, step) => {
          ran.clear();
          bench.run(step());
          for (const one of ran) decoding.add(one);
        },
      );
    }
  }
  return linesOf([...decoding], text, map).filter(({ file }) => file.startsWith(`drivers/${folder}/`));
}

/** Lines of the sources that pieces of a bundle came from. */
function linesOf(pieces: readonly Piece[], text: string, map: string): Lines[] {
  const positions = new SourceMap(JSON.parse(map) as SourceMapPayload);
  const place = (at: number) => {
    const before = text.slice(0, at).split("\n");
    const entry = positions.findEntry(before.length - 1, before[before.length - 1].length);
    if (!("originalLine" in entry)) throw new Error(`byte ${at} of the bundle comes from nowhere`);
    return { file: entry.originalSource.replace(/^(?:\.\.?\/)*/, ""), line: entry.originalLine + 1 };
  };
  const all = pieces
    .map(({ start, end }) => ({ file: place(start).file, first: place(start).line, last: place(end - 1).line }))
    .sort((a, b) => (a.file === b.file ? a.first - b.first : a.file < b.file ? -1 : 1));
  const merged: { file: string; first: number; last: number }[] = [];
  for (const one of all) {
    const previous = merged[merged.length - 1];
    if (previous?.file === one.file && one.first <= previous.last) previous.last = Math.max(previous.last, one.last);
    else merged.push({ ...one });
  }
  return merged;
}

const install = join(projectRoot, "tools/mutation");
const stryker = join(install, "node_modules/@stryker-mutator/core/bin/stryker.js");

/** Runs a program with its output shown. Throws Error where it cannot be started or is stopped by a signal. */
function run(command: string, args: readonly string[], cwd: string): number {
  const { status, error, signal } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (error !== undefined || status === null) throw new Error(`${command} ${args[0]}: ${error?.message ?? signal}`);
  return status;
}

/** The project's files as they are now, without its history; packages are linked. */
function copyProject(to: string): void {
  for (const file of gitFiles(projectRoot)) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(to, file));
  }
  symlinkSync(join(projectRoot, "node_modules"), join(to, "node_modules"));
}

/** Tests that are about no chip in particular run as far as they name this one. */
const only = (folder: string) => `import { beforeEach } from "vitest";
beforeEach(({ task, skip }) => {
  let name = task.name;
  for (let suite = task.suite; suite !== undefined; suite = suite.suite) name = suite.name + " " + name;
  if (!task.file.name.startsWith("test/drivers/${folder}") && !new RegExp("\\\\b${folder}\\\\b").test(name)) skip();
});
`;

const vitestConfig = (folder: string) => `export default {
  test: {
    include: ["test/drivers/${folder}*.test.ts", "test/drivers/conformance*.test.ts", "test/drivers/executors.test.ts"],
    setupFiles: ["test/support/setup.ts", "only.ts"],
    reporters: [],
    testTimeout: 120_000,
  },
};
`;

/** What is read of Stryker's report (mutation-testing-report-schema). */
export interface Report {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly mutatorName: string;
          readonly replacement?: string;
          readonly status: string;
          readonly location: Readonly<Record<"start" | "end", { readonly line: number; readonly column: number }>>;
        }[];
      }
    >
  >;
}

/** Prints survivors and score; returns the score, percent: of the mutants that ran, those that a test noticed or that hung. */
export function tell(report: Report): number {
  let killed = 0;
  let survived = 0;
  for (const [file, { source, mutants }] of Object.entries(report.files)) {
    const lines = source.split("\n");
    for (const { mutatorName, replacement = "", status, location } of mutants) {
      if (status === "Killed" || status === "Timeout") killed++;
      if (status !== "Survived" && status !== "NoCoverage") continue;
      survived++;
      const { start, end } = location;
      const text = lines.slice(start.line - 1, end.line);
      text[text.length - 1] = text[text.length - 1].slice(0, end.column - 1);
      text[0] = text[0].slice(start.column - 1);
      const short = (long: string) => long.replace(/\s+/g, " ").slice(0, 90);
      const how = status === "NoCoverage" ? "no test runs" : mutatorName;
      console.log(`${file}:${start.line}:${start.column} ${how}: ${short(text.join(" "))}  >  ${short(replacement)}`);
    }
  }
  const score = (100 * killed) / (killed + survived);
  console.log(`${killed} of ${killed + survived} mutants noticed: ${score.toFixed(1)} %, ${LEAST} % are asked for`);
  return score;
}

function main(): number {
  const [folder = "", ...options] = process.argv.slice(2);
  if (!existsSync(join(projectRoot, "drivers", folder, "chip.ts"))) {
    throw new Error(`"${folder}" is no chip's folder; say npm run mutate -- max30102`);
  }
  const lines = decodingLines(folder);
  const patterns = lines.map(({ file, first, last }) => `${file}:${first}-${last}`);
  console.log(patterns.length === 0 ? `${folder}: its code is another folder's` : patterns.join("\n"));
  if (patterns.length === 0 || options.includes("--lines")) return 0;
  if (!existsSync(stryker)) run("npm", ["ci", "--legacy-peer-deps", "--ignore-scripts"], install);
  const copy = mkdtempSync(join(tmpdir(), `mutate-${folder}-`));
  try {
    copyProject(copy);
    writeFileSync(join(copy, "only.ts"), only(folder));
    writeFileSync(join(copy, "vitest.config.ts"), vitestConfig(folder));
    const settings = JSON.parse(readFileSync(join(install, "stryker.config.json"), "utf8"));
    writeFileSync(join(copy, "stryker.config.json"), JSON.stringify({ ...settings, mutate: patterns }));
    run(process.execPath, [stryker, "run", "stryker.config.json"], copy);
    const report = JSON.parse(readFileSync(join(copy, "mutation.json"), "utf8")) as Report;
    return tell(report) >= LEAST ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

runMain(import.meta.url, main);
