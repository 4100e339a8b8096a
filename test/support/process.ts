/** The command line as a process of its own, bounded, with what it printed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Running {
  readonly process: ChildProcess;
  /** stdout and stderr as they came. */
  readonly output: () => string;
  readonly stdout: () => string;
  /** Resolves with the first match in what it prints. Rejects after `limit` ms, or when it ends before. */
  printed(pattern: RegExp, limit?: number): Promise<RegExpMatchArray>;
  /** Resolves with exit code or signal. Rejects after `limit` ms. */
  ended(limit?: number): Promise<number | NodeJS.Signals>;
}

const running = new Set<ChildProcess>();

/** Starts any command. */
export function run(command: string, options: readonly string[], cwd = root): Running {
  const child = spawn(command, options, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let all = "";
  let out = "";
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of [...listeners]) listener();
  };
  child.stdout!.on("data", (data) => {
    out += data;
    all += data;
    notify();
  });
  child.stderr!.on("data", (data) => {
    all += data;
    notify();
  });
  let end: number | NodeJS.Signals | null = null;
  child.on("close", (code, signal) => {
    end = code ?? signal ?? 1;
    running.delete(child);
    notify();
  });
  const wait = <T>(what: string, limit: number, look: () => T | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => done(() => reject(new Error(`${what}: ${why}; it printed:\n${all}`)));
      const timer = setTimeout(() => fail(`not in ${limit / 1000} s`), limit);
      const done = (settle: () => void) => {
        clearTimeout(timer);
        listeners.delete(listener);
        settle();
      };
      const listener = () => {
        const found = look();
        if (found !== null) done(() => resolve(found));
        else if (end !== null) fail(`it ended with ${end}`);
      };
      listeners.add(listener);
      listener();
    });
  return {
    process: child,
    output: () => all,
    stdout: () => out,
    printed: (pattern, limit = 20_000) => wait(String(pattern), limit, () => all.match(pattern)),
    ended: (limit = 20_000) => wait("its end", limit, () => end),
  };
}

/** `vitalwire COMMAND …` from the sources. */
export function vitalwire(...options: string[]): Running {
  return run(process.execPath, ["--import", "tsx", "cli/main.ts", ...options]);
}

/** Ends whatever a test left running: to be called after each. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
