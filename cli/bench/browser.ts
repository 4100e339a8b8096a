/** A browser to measure in, steered over the Chrome DevTools Protocol; and what its processes use. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** How long starting and each answer may take, ms. */
const LIMIT = 20_000;
/** Clock ticks a second of /proc/PID/stat (USER_HZ, which Linux shows to programs as 100 everywhere). */
const TICKS = 100;

interface Answer {
  readonly id: number;
  readonly error?: { readonly message: string };
  readonly result: {
    readonly result?: { readonly value: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description: string } };
  };
}

export interface Browser {
  /** Goes to another address in the same page. */
  open(address: string): Promise<void>;
  /** The value of an expression in the page. Throws Error where it throws, or does not answer in time. */
  evaluate(expression: string): Promise<unknown>;
  /** CPU time of all its processes so far, s; null: not known on this system. */
  cpuSeconds(): number | null;
  close(): void;
}

/** Path of a Chromium; CHROMIUM_BIN names another. null: there is none. */
export function findBrowser(): string | null {
  return [process.env.CHROMIUM_BIN ?? "", ...PATHS].find((path) => path !== "" && existsSync(path)) ?? null;
}

/** Opens one page in a headless browser that draws without a graphics card. */
export async function openBrowser(path: string, url: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "vitalwire-browser-"));
  const flags = [
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--no-sandbox",
  ];
  const options = [...flags, "--window-size=1440,900", "--remote-debugging-port=0", `--user-data-dir=${profile}`, url];
  const child = spawn(path, options, { stdio: ["ignore", "ignore", "pipe"] });
  const close = () => {
    child.kill("SIGKILL");
    child.once("close", () => rmSync(profile, { recursive: true, force: true, maxRetries: 3 }));
  };
  try {
    const port = await debuggingPort(child);
    const socket = await connect(await pageAddress(port));
    let id = 0;
    const call = (method: string, params: object) =>
      new Promise<Answer>((resolve, reject) => {
        const own = ++id;
        const timer = setTimeout(() => reject(new Error(`the browser did not answer in ${LIMIT / 1000} s`)), LIMIT);
        const onMessage = (data: Buffer) => {
          const answer = JSON.parse(String(data)) as Answer;
          if (answer.id !== own) return;
          clearTimeout(timer);
          socket.off("message", onMessage);
          if (answer.error === undefined) resolve(answer);
          else reject(new Error(`${method}: ${answer.error.message}`));
        };
        socket.on("message", onMessage);
        socket.send(JSON.stringify({ id: own, method, params }));
      });
    const evaluate = async (expression: string) => {
      const { result } = await call("Runtime.evaluate", { expression, returnByValue: true });
      const fault = result.exceptionDetails?.exception?.description;
      if (fault !== undefined) throw new Error(`in the page: ${fault.split("\n")[0]}`);
      return result.result?.value;
    };
    // As a person who types an address: a page that leads there would not be given the session's cookie.
    const open = async (address: string) => void (await call("Page.navigate", { url: address }));
    return { evaluate, open, cpuSeconds: () => cpuSeconds(child.pid!), close };
  } catch (error) {
    close();
    throw error;
  }
}

function debuggingPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(
      () => reject(new Error(`the browser did not start in ${LIMIT / 1000} s:\n${text}`)),
      LIMIT,
    );
    child.once("error", reject);
    child.stderr!.on("data", (data) => {
      text += data;
      const found = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(text);
      if (found === null) return;
      clearTimeout(timer);
      resolve(Number(found[1]));
    });
  });
}

async function pageAddress(port: number): Promise<string> {
  const deadline = performance.now() + LIMIT;
  while (performance.now() < deadline) {
    const list = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const page = list.find(({ type }) => type === "page");
    if (page !== undefined) return page.webSocketDebuggerUrl;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the browser opened no page");
}

function connect(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Of a process and all that descend from it (proc(5): fields 4, 14 and 15 of /proc/PID/stat). */
function cpuSeconds(root: number): number | null {
  if (!existsSync("/proc/self/stat")) return null;
  const processes = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      processes.set(pid, { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has just ended.
    }
  }
  const descends = (pid: number): boolean =>
    pid === root || (processes.has(pid) && descends(processes.get(pid)!.parent));
  let ticks = 0;
  for (const [pid, one] of processes) if (descends(pid)) ticks += one.ticks;
  return ticks / TICKS;
}
