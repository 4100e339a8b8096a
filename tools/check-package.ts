/**
 * Builds the package, packs it as it would be published, installs it in a project that has nothing but it and its declared
 * dependencies, and there type-checks and runs a program for each entry point, and each command's --help. No network.
 *
 * `node --import tsx tools/check-package.ts` prints what it did and ends with 1 where anything is wrong.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { matches, projectRoot, runMain } from "./files.ts";

/** The parts of package.json that are looked at. */
export interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A program for each entry point: `vitalwire/protocol` is used by protocol.ts, `vitalwire` by main.ts. */
const consumers = "test/fixtures/consumer";
/** Entry points that every release has. */
const required = [".", "./drivers", "./protocol", "./simulator", "./gateway", "./testing"];
/** The bundled page, beside the gateway that serves it. */
const page = "dist/gateway/dashboard/main.js";
/** What no package holds. */
const unwanted = [
  "test/**",
  "tools/**",
  "**/test/**",
  "**/tools/**",
  "!dist/test/peers/**",
  "**/fixtures/**",
  "**/*.test.*",
  "**/*.tsbuildinfo",
];
/** TypeScript sources do not run from a package; declarations do not run at all. */
const sources = ["**/*.ts", "!**/*.d.ts"];

/** What is wrong with a package that holds `files` (paths within it): one sentence each. */
export function packageFaults(manifest: Manifest, files: readonly string[]): string[] {
  const faults: string[] = [];
  const has = (path: string) => files.some((file) => matches(file, [path.replace(/^\.\//, "")]));
  for (const file of files) {
    if (matches(file, unwanted)) faults.push(`${file} is no part of the package: mend "files" in package.json`);
    else if (matches(file, sources)) faults.push(`${file} is a TypeScript source: publish what is built from it`);
  }
  const targets = [
    ...Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) =>
      (typeof target === "string" ? [target] : Object.values(target)).map((path) => ({ entry, path })),
    ),
    ...Object.entries(manifest.bin ?? {}).map(([entry, path]) => ({ entry, path })),
  ];
  for (const { entry, path } of targets) {
    if (!has(path)) faults.push(`${entry} names ${path}, which is not in the package: build or rename it`);
  }
  if (!has(page)) faults.push(`${page} is not in the package: without it the gateway has no page`);
  for (const entry of required) {
    if (manifest.exports?.[entry] === undefined) faults.push(`"exports" in package.json lacks ${entry}`);
  }
  return faults;
}

/** The consumer program of an entry point; of `./drivers/*`, which names many, drivers-each.ts. */
function program(entry: string): string {
  return entry === "." ? "main.ts" : `${entry.slice(2).replace("*", "each").replaceAll("/", "-")}.ts`;
}

function run(command: string, options: readonly string[], cwd: string): SpawnSyncReturns<string> {
  const result = spawnSync(command, options, { cwd, encoding: "utf8", timeout: 120_000, maxBuffer: 1 << 26 });
  if (result.status !== 0) {
    const reason = result.error?.message ?? `${result.stdout}${result.stderr}`.trim();
    throw new Error(`${command} ${options.join(" ")} in ${cwd}: ${reason}`);
  }
  return result;
}

/** Links a package of the project into the consumer's node_modules, as an installation would put it there. */
function link(root: string, consumer: string, name: string): void {
  const from = join(root, "node_modules", name);
  if (!existsSync(from)) throw new Error(`${name} is not installed: run npm ci`);
  const to = join(consumer, "node_modules", name);
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}

/**
 * Checks the package of the project at `root` in a temporary folder that is removed afterwards. `say` hears what was done.
 * Throws Error with the first thing that is wrong: a build error, a fault of the package, a consumer that does not
 * type-check or does not run.
 */
export function checkPackage(root: string, say: (line: string) => void): void {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  const tsc = join(root, "node_modules/.bin/tsc");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  run("npm", ["run", "-s", "build"], root);

  const temporary = mkdtempSync(join(tmpdir(), "package-"));
  try {
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", temporary];
    const [packed] = JSON.parse(run("npm", pack, root).stdout) as [{ filename: string; files: { path: string }[] }];
    const faults = packageFaults(
      manifest,
      packed.files.map(({ path }) => path),
    );
    if (faults.length > 0) throw new Error(faults.join("\n"));
    say(`${packed.files.length} files packed, every entry point among them`);

    const consumer = join(temporary, "consumer");
    const installed = join(consumer, "node_modules", manifest.name);
    mkdirSync(installed, { recursive: true });
    run("tar", ["-xzf", join(temporary, packed.filename), "--strip-components=1", "-C", installed], temporary);
    for (const name of [...Object.keys(manifest.dependencies ?? {}), "@types/node"]) link(root, consumer, name);

    cpSync(join(root, consumers), consumer, { recursive: true });
    const programs = Object.keys(manifest.exports ?? {}).map(program);
    const written = readdirSync(join(root, consumers)).filter((name) => name.endsWith(".ts"));
    const untried = programs.filter((name) => !written.includes(name));
    if (untried.length > 0) throw new Error(`no program uses ${untried.join(", ")}: write it in ${consumers}/`);
    writeFileSync(join(consumer, "package.json"), '{ "type": "module", "private": true }\n');
    run(tsc, ["-p", "."], consumer);
    for (const name of programs) {
      const { stdout } = run(process.execPath, [join("out", name.replace(/ts$/, "js"))], consumer);
      say(`${name}: ${stdout.trim().split("\n").at(-1)}`);
    }
    for (const [name, path] of Object.entries(manifest.bin ?? {})) {
      const command = join(installed, path);
      if (!readFileSync(command, "utf8").startsWith("#!"))
        throw new Error(`${path} has no #! line: ${name} could not be called`);
      const { stdout } = run(process.execPath, [command, "--help"], consumer);
      say(`${name} --help: ${stdout.trim().split("\n", 1)[0]}`);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function main(): number {
  checkPackage(projectRoot, (line) => console.log(`check-package: ${line}`));
  return 0;
}

runMain(import.meta.url, main);
