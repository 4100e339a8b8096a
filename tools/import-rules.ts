/**
 * Checks who imports whom, over resolved imports, against the table in import-zones.ts.
 *
 * `node --import tsx tools/import-rules.ts` prints what breaks a rule as `file:line rule: message` and ends with 1.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { posix } from "node:path";
import {
  type Finding,
  gitFiles,
  isDeviceSide,
  isFixture,
  isSource,
  matches,
  projectRoot,
  report,
  requireAllSeen,
  runMain,
  sourceFiles,
} from "./files.ts";
import { reserved, unpublished, type Zone, zones } from "./import-zones.ts";
import { type Import, ScanError, scanImports } from "./scan-imports.ts";

/** What the checker saw. `edges` counts imports of files, packages and node modules. */
export interface ImportReport {
  readonly findings: Finding[];
  readonly seen: ReadonlySet<string>;
  readonly edges: number;
  /** Each file's imported files, to be held against what the compiler found. */
  readonly imported: ReadonlyMap<string, ReadonlySet<string>>;
}

interface Target {
  readonly kind: "file" | "package" | "node" | "unknown";
  readonly name: string;
}

function resolve(from: string, specifier: string): Target {
  if (specifier.startsWith("./") || specifier.startsWith("../")) {
    return { kind: "file", name: posix.join(posix.dirname(from), specifier) };
  }
  if (specifier.startsWith("node:")) return { kind: "node", name: specifier };
  if (/[:\\]|^[.#/~]/.test(specifier)) return { kind: "unknown", name: specifier };
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (builtinModules.includes(name) && !from.startsWith("boards/espruino/")) return { kind: "node", name: specifier };
  return { kind: "package", name };
}

/** Names in a package.json's list, or none where there is no such list. */
function names(manifest: Record<string, object>, ...lists: string[]): Set<string> {
  return new Set(lists.flatMap((list) => Object.keys(manifest[list] ?? {})));
}

/**
 * Checks every file of `files` (paths relative to `root`, as git lists them) that is a source.
 * `read` gives a file's text; the file system's where absent. Throws Error where a file cannot be read.
 */
export function checkImports(
  root: string,
  files: readonly string[],
  read: (path: string) => string = (path) => readFileSync(`${root}/${path}`, "utf8"),
): ImportReport {
  const manifest = files.includes("package.json") ? JSON.parse(read("package.json")) : {};
  const published = names(manifest, "dependencies", "optionalDependencies", "peerDependencies");
  const development = names(manifest, "devDependencies");
  const listed = new Set(files);
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const imported = new Map<string, Set<string>>();
  const runs = new Map<string, { to: string; line: number }[]>();
  let edges = 0;

  const judge = (
    from: string,
    zone: Zone,
    { specifier, typeOnly, line }: Import,
  ): [rule: string, message: string] | null => {
    // A test may load whatever it finds: it may import all.
    if (specifier === null && matches(from, ["test/**"])) return null;
    if (specifier === null)
      return ["computed-import", "nobody can check what is loaded here: name the module as a string"];
    const target = resolve(from, specifier);
    const device = isDeviceSide(from);
    if (target.kind === "unknown" || target.name === manifest.name) {
      return ["unresolved", `"${specifier}" is no file, no package and no node: module: import the file by its path`];
    }
    if (target.kind === "node") {
      if (device)
        return ["device-node", `the device side has no ${specifier}: move this into a *.node.ts or *.host.ts file`];
      if (!zone.node)
        return [`${zone.name}-node`, `${specifier}: ${zone.name} files run without Node: hand in what is needed`];
      return null;
    }
    if (target.kind === "package") {
      if (zone.name === "espruino" && zone.packages.includes(target.name)) return null;
      if (device)
        return [
          "device-package",
          `the device side has no package ${target.name}: write it, or hand it in from the host`,
        ];
      if (!matches(target.name, zone.packages)) {
        return [
          `${zone.name}-package`,
          `${zone.name} files import ${zone.packages.join(", ") || "no package"}, not ${target.name}`,
        ];
      }
      const mayBeUnpublished = typeOnly || matches(from, unpublished);
      if (published.has(target.name) || (mayBeUnpublished && development.has(target.name))) return null;
      return [
        "undeclared-package",
        `${target.name} is not in package.json's dependencies: it would be missing where this is installed`,
      ];
    }
    const to = target.name;
    if (!listed.has(to)) {
      return [
        "unresolved",
        `"${specifier}" is ${to}, which git does not list: write the path with its ending, and no ignored file`,
      ];
    }
    (imported.get(from) as Set<string>).add(to);
    if (!typeOnly && device) runs.set(from, [...(runs.get(from) ?? []), { to, line }]);
    for (const { rule, at, by } of reserved) {
      if (matches(to, at) && !matches(from, by))
        return [rule, `only ${by.join(" and ")} import ${to}: move what is shared`];
    }
    const allowed = zone.files.map((pattern) => pattern.replace("$folder", posix.dirname(from)));
    if (!matches(to, allowed)) return [zone.name, `${zone.name} files import ${allowed.join(", ")}, not ${to}`];
    if (device && !isDeviceSide(to)) {
      return ["device-host", `${to} runs on the host only: the device side imports what runs on the board, types too`];
    }
    return null;
  };

  for (const file of files.filter((path) => isSource(path) && !isFixture(path))) {
    const zone = zones.find(({ at }) => matches(file, at));
    if (zone === undefined) {
      findings.push({
        file,
        line: 1,
        rule: "unclassified",
        message: "no rule says what this may import: add its folder to the table",
      });
    }
    imported.set(file, new Set());
    try {
      const imports = scanImports(read(file));
      edges += imports.length;
      for (const one of imports) {
        const verdict = zone && judge(file, zone, one);
        if (verdict) findings.push({ file, line: one.line, rule: verdict[0], message: verdict[1] });
      }
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      findings.push({ file, line: error.line, rule: "unreadable", message: error.message });
    }
    seen.add(file);
  }
  findings.push(...cycles(runs));
  return { findings, seen, edges, imported };
}

/** Modules that import each other in a circle: a bundle puts one of them above what it uses. */
function cycles(runs: ReadonlyMap<string, readonly { to: string; line: number }[]>): Finding[] {
  const found: Finding[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]) => {
    if (done.has(file)) return;
    for (const { to, line } of runs.get(file) ?? []) {
      const circle = [...trail, file];
      if (circle.includes(to)) {
        const message = `${[...circle.slice(circle.indexOf(to)), to].join(" > ")}: no hoisting there: move what both use into a third file`;
        found.push({ file, line, rule: "device-cycle", message });
      } else {
        visit(to, circle);
      }
    }
    done.add(file);
  };
  for (const file of runs.keys()) visit(file, []);
  return found;
}

/**
 * What the compiler says imports what: files of the project by the file that imports them, type-only imports included.
 * `output` is that of `tsc --listFilesOnly --explainFiles` run in the project's root.
 */
export function compilerImports(output: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  let current = "";
  for (const line of output.split("\n")) {
    if (!line.startsWith(" ")) {
      current = line.trim();
      if (current !== "") found.set(current, found.get(current) ?? new Set());
    }
    const from = /^ +Imported via .* from file '([^']+)'/.exec(line)?.[1];
    if (from !== undefined) found.set(from, (found.get(from) ?? new Set()).add(current));
  }
  return found;
}

/**
 * Holds the scan against the compiler. Throws Error where the compiler follows an import that the scan did not see, or
 * does not compile a file: then something could be imported unseen.
 */
export function agreeWithCompiler(
  imported: ImportReport["imported"],
  compiler: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [file, targets] of imported) {
    const followed = compiler.get(file);
    if (followed === undefined) {
      if (/\.[cm]?tsx?$/.test(file) && !file.endsWith(".d.ts")) {
        throw new Error(`${file} is compiled by nobody: add its folder to "include" in tsconfig.json`);
      }
      continue;
    }
    for (const to of followed) {
      if (!targets.has(to) && imported.has(to))
        throw new Error(`${file} imports ${to}, which tools/scan-imports.ts did not see`);
    }
  }
}

function main(): number {
  const result = checkImports(projectRoot, gitFiles(projectRoot));
  requireAllSeen(result.seen, sourceFiles(projectRoot), "import-rules");
  const status = report(result.findings, `import-rules: ${result.seen.size} files, ${result.edges} imports`);
  const options = { cwd: projectRoot, encoding: "utf8", maxBuffer: 1 << 28 } as const;
  const explain = (project: string) => {
    const compiler = spawnSync("node_modules/.bin/tsc", ["-p", project, "--listFilesOnly", "--explainFiles"], options);
    if (compiler.status !== 0) {
      const reason = compiler.error?.message ?? compiler.stdout.split("\n", 1)[0];
      throw new Error(`the compiler cannot say what imports what: ${reason}`);
    }
    return compiler.stdout;
  };
  // The page is compiled by itself, with a browser's types.
  agreeWithCompiler(result.imported, compilerImports(`${explain(".")}\n${explain("tsconfig.dashboard.json")}`));
  return status;
}

runMain(import.meta.url, main);
