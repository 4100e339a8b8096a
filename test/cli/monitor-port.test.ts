/** vitalwire monitor on a port: two ends of a pseudo terminal, a board on the other one. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  type WriteStream,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeCards } from "../../cli/keys.ts";
import { type MonitorOptions, runMonitor } from "../../cli/monitor/monitor.ts";
import { encodeCard } from "../../protocol/card.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { createTestDevice, site } from "../support/gateway.ts";
import { lacks } from "../support/needs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PATIENCE = 15_000;
const device = createTestDevice("monitor");
const lines = [device.birth(), device.data(1), device.data(2)].map((message) => encodeLine(device.seal(message)));

const until = async (condition: () => boolean, what: () => string) => {
  const deadline = Date.now() + PATIENCE;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not in ${PATIENCE} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe.skipIf(lacks("socat"))("with a pseudo terminal", () => {
  let folder: string;
  let socat: ChildProcess;
  let board: WriteStream;
  let port: string;
  const plug = async () => {
    const ends = [join(folder, "board"), port];
    socat = spawn(
      "socat",
      ends.map((link) => `PTY,raw,echo=0,link=${link}`),
      { stdio: "ignore" },
    );
    await until(
      () => ends.every(existsSync),
      () => "socat's ends",
    );
    board = createWriteStream(ends[0]);
    board.on("error", () => {});
    // opened later, when the pseudo terminal is gone, it would make a file of that name
    await new Promise((resolve) => board.once("open", resolve));
  };
  const unplug = async () => {
    board.destroy();
    if (socat.exitCode !== null || socat.signalCode !== null) return;
    const ended = new Promise((resolve) => socat.once("close", resolve));
    socat.kill();
    await ended;
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "vitalwire-monitor-"));
    port = join(folder, "port");
    const { kid, signer } = device;
    const life = { issuedAt: 0, expires: 4e9 };
    const card = encodeCard({ issuer: "TEST-ONLY", role: "device", kid, publicKey: signer.publicKey, ...life }, site);
    writeCards(folder, site.publicKey, [{ kid, card }]);
    await plug();
  });
  afterEach(async () => {
    await unplug();
    // what the monitor still writes as it ends may be there a moment later
    rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 20 });
  });

  /** The monitor in this process; time goes by as the test says, besides as it does. */
  const watch = (options: MonitorOptions = {}, terminal = {}) => {
    const seen = { out: "", err: "" };
    const abort = new AbortController();
    const self = { seen, skip: 0, ended: Promise.resolve(), stop: async () => {} };
    const into = (name: "out" | "err") => (text: string) => {
      seen[name] += text;
    };
    const ended = runMonitor(
      port,
      { cards: folder, ...options },
      {
        out: { ...terminal, write: into("out") },
        err: { write: into("err") },
        now: () => Date.now() + self.skip,
        environment: {},
        interrupt: abort.signal,
      },
    );
    self.ended = ended;
    self.stop = () => {
      abort.abort();
      return ended;
    };
    return self;
  };
  const sees = (monitor: ReturnType<typeof watch>, name: "out" | "err", what: RegExp) =>
    until(
      () => what.test(monitor.seen[name]),
      () => `${what} in ${JSON.stringify(monitor.seen)}`,
    );

  test("packets and log lines are shown and recorded byte for byte, and the recording reads as the same", async () => {
    const record = join(folder, "recording");
    const monitor = watch({ record, json: true });
    await sees(monitor, "err", /open at 115200 baud/);
    const sent = `I (9) ready\n${lines.join("")}`;
    board.write(sent);
    await sees(monitor, "out", /"seq":2/);
    await monitor.stop();
    expect(readFileSync(record, "latin1")).toBe(sent);
    expect(monitor.seen.err).toContain(`recorded ${sent.length} bytes in ${record}`);
    const objects = monitor.seen.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(objects[0].hostTime).toBeGreaterThan(1.7e12);
    expect(objects.at(-1)).toMatchObject({ type: "summary", lines: 4, packets: 3, verified: 3, gaps: 0 });
    const again = { out: "" };
    const out = {
      write(text: string) {
        again.out += text;
      },
    };
    const interrupt = new AbortController().signal;
    await runMonitor(record, { json: true }, { out, err: out, now: Date.now, environment: {}, interrupt });
    expect(again.out).toContain('"lines":4,"packets":3,"verified":3');
  });

  test("a recording is never written over", async () => {
    const record = join(folder, "recording");
    writeFileSync(record, "precious");
    await expect(watch({ record }).stop()).rejects.toThrow(/it holds 8 bytes already; name another file/);
    expect(readFileSync(record, "utf8")).toBe("precious");
  });

  test("a recording that the disk does not take ends the monitor with what went wrong, and with the summary", async () => {
    const monitor = watch({ record: "/dev/full" });
    await sees(monitor, "err", /open at/);
    const ended = expect(monitor.ended).rejects.toThrow(/--record \/dev\/full: ENOSPC.*is the disk full\?/);
    board.write(lines[0]);
    await ended;
    expect(monitor.seen.out).toMatch(/rejected 0/);
  });

  test("silence is explained after three seconds, and so is a wrong baud rate", async () => {
    const monitor = watch();
    await sees(monitor, "err", /open at/);
    expect(monitor.seen.err).not.toMatch(/nothing arrives/);
    monitor.skip = 3000;
    await sees(monitor, "err", /nothing arrives/);
    board.write(Uint8Array.from({ length: 400 }, (_, i) => [0, 0xf8, 0x80, 0xfe, 0x41][i % 5]));
    await sees(monitor, "err", /115200 baud is probably wrong: try --baud 9600/);
    await monitor.stop();
  });

  test("a port that is unplugged is told, and read on when it is there again", async () => {
    const monitor = watch();
    await sees(monitor, "err", /open at/);
    board.write(lines[0]);
    await sees(monitor, "out", /birth #0 signed/);
    await unplug();
    await sees(monitor, "err", /unplugged/);
    await plug();
    await until(
      () => monitor.seen.err.split("open at").length === 3,
      () => monitor.seen.err,
    );
    board.write(lines[1]);
    await sees(monitor, "out", /data #1 signed .*ecg 3 samples/);
    await monitor.stop();
    expect(monitor.seen.out).toMatch(/gaps 0.*\n(.*\n)+2 lines {2}2 packets {2}2 verified/);
  });

  test("on a terminal the block says that the port is unplugged as long as it is", async () => {
    const monitor = watch({}, { isTTY: true, columns: 200, rows: 50 });
    /** What was drawn last. */
    const block = () => monitor.seen.out.slice(monitor.seen.out.lastIndexOf("── "));
    const drawn = (what: RegExp) =>
      until(
        () => what.test(block()),
        () => `${what} in ${JSON.stringify(block())}`,
      );
    await sees(monitor, "out", /open at/);
    await unplug();
    await drawn(/unplugged/);
    await plug();
    await until(
      () => !/unplugged/.test(block()),
      () => JSON.stringify(block()),
    );
    board.write(lines[0]);
    await drawn(/1 verified/);
    // A port that is well takes no line of the block.
    expect(block()).not.toMatch(/open at/);
    await monitor.stop();
    expect(monitor.seen.out.lastIndexOf("\x1b[?25h")).toBeGreaterThan(monitor.seen.out.lastIndexOf("\x1b[?25l"));
  });

  test("a log line has the host's time and an estimate of the board's, but for one that carries the board's own", async () => {
    const monitor = watch();
    await sees(monitor, "err", /open at/);
    board.write(`${lines[0]}${lines[2]}free memory\nI (2001) own time\n\x1b[0;32mI (2002) coloured\x1b[0m\n`);
    await sees(monitor, "out", /own time/);
    expect(monitor.seen.out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}~0:00:02\.\d {2}free memory$/m);
    expect(monitor.seen.out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}I \(2001\) own time$/m);
    await sees(monitor, "out", /\.\d{3} {2}\\x1b\[0;32mI \(2002\) coloured/);
    await monitor.stop();
  });

  test("Ctrl-C gives the summary and exit 130 within a second", async () => {
    const program = `import("./cli/monitor/monitor.ts").then(({ monitor }) => monitor(${JSON.stringify(port)}, { cards: ${JSON.stringify(folder)} }))`;
    const child = spawn(process.execPath, ["--import", "tsx", "-e", program], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const seen = { out: "", err: "" };
    child.stdout.on("data", (some) => {
      seen.out += some;
    });
    child.stderr.on("data", (some) => {
      seen.err += some;
    });
    const code = new Promise((resolve) => child.on("close", resolve));
    await until(
      () => /open at/.test(seen.err),
      () => JSON.stringify(seen),
    );
    board.write(lines[0]);
    await until(
      () => /birth #0/.test(seen.out),
      () => JSON.stringify(seen),
    );
    const at = performance.now();
    child.kill("SIGINT");
    expect(await code).toBe(130);
    // The promise is a second; the process itself gives up after 0.9 s.
    expect(performance.now() - at).toBeLessThan(1500);
    expect(seen.out).toMatch(/1 line {2}1 packet {2}1 verified/);
  });
});
