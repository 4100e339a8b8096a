/**
 * Holds the device side to the dialect that Espruino runs: DESIGN.md "Device dialect".
 *
 * Each file is parsed twice. First with only its types taken away, so that every rule sees what was written; then as the
 * bundler brings it down to ES2015 with everything refused that the interpreter lacks, so that what the bundler adds or
 * rewrites is held to the same rules. Lines are those of the TypeScript file.
 *
 * `node --import tsx tools/device-dialect.ts` prints what is refused as `file:line rule: message` and ends with 1.
 */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { getLineInfo, type Options, type Program, parse } from "acorn";
import { type TransformFailure, type TransformOptions, transformSync } from "esbuild";
import { advice, type DialectRule } from "./dialect-tables.ts";
import { type Refusal, refusals } from "./dialect-walk.ts";
import {
  type Finding,
  isDeviceSide,
  matches,
  projectRoot,
  report,
  requireAllSeen,
  runMain,
  sourceFiles,
} from "./files.ts";

/** Syntax that esbuild refuses to emit for the device, instead of lowering it with a helper. */
export const deviceTarget = {
  target: "es2015",
  supported: {
    destructuring: false,
    "array-spread": false,
    "rest-argument": false,
    "default-argument": false,
    generator: false,
    "async-await": false,
    "new-target": false,
    "for-await": false,
  },
} as const;

/** Files that may name the interpreter's own globals: where clocks, pins and native vector functions come from. */
const ownBoard = ["boards/espruino/**", "firmware/main.*.ts", "firmware/dsp/vectors.ts"];

const common: TransformOptions = {
  loader: "ts",
  sourcemap: "external",
  logLevel: "silent",
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, verbatimModuleSyntax: true } },
};

function finding(file: string, line: number, rule: DialectRule, what = ""): Finding {
  return { file, line, rule, message: `${what}${advice[rule]}` };
}

/** One parse of one form of a file: what esbuild or acorn refuses, else what the walk refuses. */
function pass(
  file: string,
  source: string,
  transform: TransformOptions,
  options: Options,
  lowered: boolean,
): Finding[] {
  let code: string;
  let map: string;
  try {
    const result = transformSync(source, { ...common, ...transform, sourcefile: file });
    code = result.code;
    map = result.map;
    if (result.warnings.length > 0) throw { errors: result.warnings };
  } catch (error) {
    return (error as TransformFailure).errors.map(({ text, location }) =>
      finding(file, location?.line ?? 1, lowered ? "lowering" : "syntax", `${text}: `),
    );
  }
  const positions = new SourceMap(JSON.parse(map) as SourceMapPayload);
  /** The line of the source that a place in the code came from. */
  const original = (line: number, column: number) => {
    const entry = positions.findEntry(line - 1, column);
    return "originalLine" in entry ? entry.originalLine + 1 : 1;
  };
  let program: Program;
  try {
    program = parse(code, options);
  } catch (error) {
    const { loc, message } = error as SyntaxError & { loc: { line: number; column: number } };
    return [finding(file, original(loc.line, loc.column), "syntax", `${message}: `)];
  }
  return refusals(program, { board: matches(file, ownBoard), lowered }).map(({ rule, start, what }: Refusal) => {
    const { line, column } = getLineInfo(code, start);
    return finding(file, original(line, column), rule, what);
  });
}

/** What in one file's text is not in the dialect, with the lines of that text. `file` says which side's globals it has. */
export function checkDialect(file: string, source: string): Finding[] {
  const written = pass(file, source, { target: "esnext" }, { ecmaVersion: "latest", sourceType: "module" }, false);
  if (written.length > 0) return written;
  return pass(file, source, deviceTarget, { ecmaVersion: 2015, sourceType: "module" }, true);
}

/**
 * What in a bundle for the board is not in the dialect, with the bundle's lines: the last check before it is flashed.
 * A minifier's folding breaks it: `3 / 8` becomes 0.375, which the interpreter reads with another last bit.
 */
export function checkBundle(name: string, code: string): Finding[] {
  let program: Program;
  try {
    program = parse(code, { ecmaVersion: 2015, sourceType: "script" });
  } catch (error) {
    const { loc, message } = error as SyntaxError & { loc: { line: number } };
    return [finding(name, loc.line, "syntax", `${message}: `)];
  }
  return refusals(program, { board: true, lowered: true }).map(({ rule, start, what }) =>
    finding(name, getLineInfo(code, start).line, rule, what),
  );
}

function main(): number {
  const files = sourceFiles(projectRoot).filter(isDeviceSide);
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const file of files) {
    findings.push(...checkDialect(file, readFileSync(`${projectRoot}/${file}`, "utf8")));
    seen.add(file);
  }
  requireAllSeen(seen, sourceFiles(projectRoot).filter(isDeviceSide), "device-dialect");
  return report(findings, `device-dialect: ${seen.size} files`);
}

runMain(import.meta.url, main);
