/** vitalwire monitor: what comes over a serial line, or stands in a capture, as a bench tester reads it. */

import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { keepPort, type PortReport } from "../../gateway/sources/port.ts";
import { readLines } from "../../protocol/lines.node.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { type KeysOptions, preSharedKeys } from "../keys/pre-shared.ts";
import { UsageError } from "../usage.ts";
import { ByteCounter, diagnose, type Evidence, type Finding, type Where } from "./diagnosis.ts";
import { type Keyring, readKeyring } from "./keyring.ts";
import { lineOf } from "./lines.ts";
import { objectOf, summaryObject } from "./objects.ts";
import { FlowMeter } from "./rates.ts";
import { createScreen, type Out, type Screen, wantsColor } from "./screen.ts";
import { type Entry, Session } from "./session.ts";
import { createRecorder, kindOf, type Recorder, readFile } from "./source.ts";
import { statusLines } from "./status.ts";
import { jsonLine, type Tone } from "./text.ts";

export interface MonitorOptions extends KeysOptions {
  /** Folder with site.pub and cards/; absent: beside the file, for a port the working folder. */
  readonly cards?: string;
  /** File for the bytes as they come. */
  readonly record?: string;
  /** Bits a second; default 115200. */
  readonly baud?: number;
  readonly json?: boolean;
}

/** What a monitor has of the world; a test brings its own. */
export interface World {
  readonly out: Out & { readonly writableNeedDrain?: boolean; once?(event: "drain", listener: () => void): unknown };
  readonly err: Out;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly environment: NodeJS.ProcessEnv;
  /** Ctrl-C. */
  readonly interrupt: AbortSignal;
}

const DEFAULT_BAUD = 115_200;
/** The status block is drawn, and the port judged, this often, ms. */
const REDRAW = 250;
/** Columns of the last words where there is no terminal, and their lines at most. */
const PLAIN_WIDTH = 100;
const LAST_WORDS = 100;

/** Throws UsageError, or Error where a file cannot be read or a recording not be written. */
export async function monitor(source: string, options: MonitorOptions): Promise<void> {
  const abort = new AbortController();
  void listenForInterrupt().coming.then(() => abort.abort());
  // Whoever read our output has gone: there is nobody to tell anything.
  process.stdout.on("error", () => process.exit(INTERRUPTED));
  const { stdout: out, stderr: err, env: environment } = process;
  await runMonitor(source, options, { out, err, now: Date.now, environment, interrupt: abort.signal });
  if (abort.signal.aborted) process.exit(INTERRUPTED);
}

/** The monitor without the process around it; ends at the end of a file, or by the interrupt. */
export async function runMonitor(source: string, options: MonitorOptions, world: World): Promise<void> {
  const kind = kindOf(source);
  if (kind === "file" && options.record !== undefined) {
    throw new UsageError(`--record is for a port; ${source} is a recording already`);
  }
  const folder = options.cards ?? (kind === "file" ? dirname(source) : ".");
  const keyring = readKeyring(folder, options.cards !== undefined, world.now(), preSharedKeys(options));
  const recorder = options.record === undefined ? null : createRecorder(options.record);
  const baud = kind === "port" ? (options.baud ?? DEFAULT_BAUD) : null;
  const where = { name: source, baud, cards: keyring.given ? folder : null };
  const view = new View(where, keyring, options.json === true, recorder, world);
  try {
    for (const note of keyring.notes) view.note(note);
    if (kind === "file") await view.readFile(source);
    else await view.watchPort(source, baud ?? DEFAULT_BAUD);
  } finally {
    view.end();
    recorder?.close();
  }
}

/** One run: what came, and how it is shown. */
class View {
  private readonly session: Session;
  private readonly screen: Screen;
  private readonly where: Where;
  private readonly keyring: Keyring;
  private readonly json: boolean;
  private readonly recorder: Recorder | null;
  private readonly world: World;
  private readonly live: boolean;
  private readonly load = new FlowMeter();
  private bytes = new ByteCounter();
  /** Totals at the opening of the port. */
  private before = { logs: 0, packets: 0, verified: 0, unchecked: 0, rejected: new Map() as Evidence["rejected"] };
  private openedAt: number | null = null;
  private byteAt: number | null = null;
  private wholeAt: number | null = null;
  private trouble: string | null = null;
  private finding: Finding | null = null;

  constructor(where: Where, keyring: Keyring, json: boolean, recorder: Recorder | null, world: World) {
    this.where = where;
    this.keyring = keyring;
    this.json = json;
    this.recorder = recorder;
    this.world = world;
    this.live = where.baud !== null;
    const { out, environment, now } = world;
    const live = this.live && !json && environment.TERM !== "dumb";
    this.screen = createScreen(out, { live, color: wantsColor(out, environment) });
    const time = () => (this.live ? now() : null);
    this.session = new Session({ keyring, now: time, onEntry: (entry) => this.show(entry) });
  }

  /** Reads to the end, then says what it was. */
  async readFile(path: string): Promise<void> {
    const { out, interrupt } = this.world;
    await readFile(path, {
      session: this.session,
      onBytes: (chunk) => this.bytes.take(chunk),
      drained: async () => {
        if (out.writableNeedDrain) await new Promise<void>((resolve) => out.once?.("drain", resolve));
      },
      interrupted: () => interrupt.aborted,
    });
    this.judge(Number.POSITIVE_INFINITY);
  }

  /** Watches a port until the interrupt. Throws what went wrong with the recording. */
  async watchPort(path: string, baud: number): Promise<void> {
    const { out, interrupt, now } = this.world;
    let stop = (_error?: Error) => {};
    const stopped = new Promise<void>((resolve, reject) => {
      stop = (error) => (error === undefined ? resolve() : reject(error));
    });
    const onAbort = () => stop();
    interrupt.addEventListener("abort", onAbort);
    if (interrupt.aborted) stop();
    const onResize = () => {
      this.screen.resize();
      this.draw();
    };
    if (out === process.stdout) process.stdout.on("resize", onResize);
    const port = keepPort({
      path,
      baud,
      onOpen: (stream) => this.attach(stream, stop),
      onReport: (report) => this.report(report),
    });
    const timer = setInterval(() => {
      if (this.openedAt !== null) this.judge(now() - this.openedAt);
      this.draw();
    }, REDRAW);
    try {
      await stopped;
    } finally {
      clearInterval(timer);
      process.stdout.off("resize", onResize);
      interrupt.removeEventListener("abort", onAbort);
      await port.close();
    }
  }

  /** The last words. */
  end(): void {
    const { out } = this.world;
    this.screen.end();
    if (this.json) {
      out.write(jsonLine(summaryObject(this.session)));
    } else {
      const state = { ...this.state(), trouble: null, finding: null };
      for (const line of statusLines(state, this.screen.width ?? PLAIN_WIDTH, LAST_WORDS)) this.screen.print(line);
    }
    if (this.recorder !== null) this.note(`recorded ${this.recorder.bytes} bytes in ${this.recorder.path}`, "strong");
  }

  /** What is no part of what came: beside the lines on a terminal, on stderr elsewhere. */
  note(text: string, tone: Tone = "warning"): void {
    const { out, err } = this.world;
    if (!this.json && out.isTTY) this.screen.print([[tone, text]]);
    else err.write(`${text}\n`);
  }

  private attach(stream: Duplex, fail: (error: Error) => void): void {
    const { now } = this.world;
    const { logs, packets, verified, unchecked, rejected } = this.session.totals;
    this.before = { logs, packets, verified, unchecked, rejected: new Map(rejected) };
    this.openedAt = now();
    this.bytes = new ByteCounter();
    this.byteAt = null;
    this.wholeAt = null;
    this.finding = null;
    this.session.joined();
    const opened = this.openedAt;
    stream.on("data", (chunk: Buffer) => {
      const at = now();
      this.bytes.take(chunk);
      this.load.add(at, chunk.length);
      this.byteAt = at - opened;
      try {
        this.recorder?.write(chunk);
      } catch (error) {
        fail(new Error(`--record ${this.recorder?.path}: ${(error as Error).message}; is the disk full?`));
      }
    });
    readLines(
      stream,
      (line) => this.session.line(line),
      (bytes) => this.session.oversize(bytes),
    );
  }

  private report({ condition, sentence }: PortReport): void {
    this.trouble = condition === "open" ? null : sentence;
    if (condition !== "open") {
      this.openedAt = null;
      this.finding = null;
    }
    this.note(sentence, condition === "open" ? "dim" : "warning");
    this.draw();
  }

  private show(entry: Entry): void {
    if (entry.type === "packet" && entry.bytes !== null && this.openedAt !== null) {
      this.wholeAt = this.world.now() - this.openedAt;
    }
    if (this.json) {
      this.world.out.write(jsonLine(objectOf(entry)));
      return;
    }
    const line = lineOf(entry, this.session.boards.current().length > 1);
    if (line !== null) this.screen.print(line);
  }

  private judge(elapsed: number): void {
    const { before, bytes, byteAt, wholeAt } = this;
    const { logs, packets, verified, unchecked, rejected } = this.session.totals;
    const since = new Map([...rejected].map(([reason, count]) => [reason, count - (before.rejected.get(reason) ?? 0)]));
    for (const [reason, count] of since) if (count === 0) since.delete(reason);
    const evidence: Evidence = {
      bytes: bytes.bytes,
      characters: bytes.characters,
      odd: bytes.odd,
      logs: logs - before.logs,
      packets: packets - before.packets,
      verified: verified - before.verified,
      unchecked: unchecked - before.unchecked,
      rejected: since,
      byteAt,
      wholeAt,
    };
    const finding = diagnose(evidence, elapsed, this.where);
    // On a terminal the block holds the sentence as long as it is true; elsewhere it is said when it becomes true.
    if (finding !== null && finding.kind !== this.finding?.kind && this.screen.block === 0) this.note(finding.sentence);
    this.finding = finding;
  }

  private state() {
    const { where, trouble, finding, session, keyring, load, live } = this;
    const now = live ? this.world.now() : null;
    return { where, trouble, finding, session, keyring, load: now === null ? null : load.perSecond(now), now };
  }

  private draw(): void {
    const { screen } = this;
    if (screen.block > 0) screen.draw(statusLines(this.state(), screen.width ?? 80, screen.block));
  }
}
