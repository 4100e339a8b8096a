/** Runs inspect.ts in a process that may die of a damaged file without harm; the next file gets a new one. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { InspectionLine } from "./inspect.ts";

/** A file that keeps SQLite busy for longer than this without a line is taken for damaged, ms. */
const SILENCE_LIMIT = 120_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export class Inspector {
  private child: Child | null = null;
  private lines: AsyncIterator<string> | null = null;
  private errors = "";

  /** The lines of one file; a last line {damage} where the process died of it. One file at a time. */
  async *inspect(path: string): AsyncGenerator<InspectionLine> {
    this.start();
    const child = this.child!;
    child.stdin.write(`${path}\n`);
    for (;;) {
      const timer = setTimeout(() => child.kill("SIGKILL"), SILENCE_LIMIT);
      const next = await this.lines!.next();
      clearTimeout(timer);
      const line = next.done ? null : parseLine(next.value);
      if (line === null) {
        const why = /Error: (.*)|panicked at (.*)/.exec(this.errors)?.[0] ?? "no answer";
        this.close();
        yield { damage: `reading the file ended the reader: ${why}` };
        return;
      }
      yield line;
      if ("done" in line) return;
    }
  }

  close(): void {
    this.child?.stdin.destroy();
    this.child?.kill();
    this.child = null;
    this.lines = null;
  }

  private start(): void {
    if (this.child !== null) return;
    const source = import.meta.url.endsWith(".ts");
    const program = fileURLToPath(new URL(source ? "./inspect.ts" : "./inspect.js", import.meta.url));
    const tsx = () => pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
    const child: Child = spawn(process.execPath, [...(source ? ["--import", tsx()] : []), program], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.errors = "";
    child.stderr.on("data", (chunk) => {
      if (this.errors.length < 2000) this.errors += chunk;
    });
    // Its end shows as the end of its lines.
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    this.child = child;
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }
}

function parseLine(text: string): InspectionLine | null {
  try {
    return JSON.parse(text) as InspectionLine;
  } catch {
    return null;
  }
}
