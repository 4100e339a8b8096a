/** A board out of a transcript: it answers as was answered then, and lets happen what happened, without a chip or a clock. */
import type { BusError, Converter, Outcome, Sampled } from "../drivers/driver.ts";
import type { AnalogExecutor, Board, Executor } from "./board.ts";
import {
  bytesOf,
  createLineReader,
  type Entry,
  hexOf,
  numberOf,
  show,
  TranscriptError,
  VERSION,
} from "./transcript-lines.ts";
import { createTargets } from "./transcript-record.ts";

/** For what comes into the firmware beside the board: the other side of `RecordingTape`. */
export interface ReplayTape {
  /** What was packed then; undefined: nothing was. Throws TranscriptError where something else was asked for. */
  ask(record: object): unknown;
  /** Who takes the events of this name. */
  on(event: string, deliver: (entry: Entry) => void): void;
}

export interface Replay extends Board {
  /** What the recording says about its firmware; undefined: nothing. */
  readonly about: unknown;
  /**
   * Lets happen what happened, up to the next mark, whose name it returns, or to the end: null. Throws TranscriptError
   * where the firmware does something else than then, where the transcript is cut off, where a line is none.
   */
  run(): string | null;
  readonly tape: ReplayTape;
}

/**
 * A board that plays the firmware's part of the world from the lines that `recordBoard` wrote, each without or with its
 * line end. Whoever stands above it does what the recorded firmware did, calls `run()`, and gets the same outcomes, times,
 * edges and stored bytes in the same order. Throws TranscriptError where this is no transcript.
 */
export function replayBoard(lines: Iterable<string>): Replay {
  const reader = createLineReader(lines);
  const header = reader.take();
  const { transcript, version, model, about } = header.fields;
  if (transcript !== "vitalwire" || typeof model !== "string")
    throw new TranscriptError(header.line, `no transcript begins with ${show(header.fields)}`);
  if (version !== VERSION)
    throw new TranscriptError(header.line, `its version is ${show(version)}, this program reads ${VERSION}`);

  const takers = new Map<string, (entry: Entry) => void>();
  let known = numberOf(header, "t");
  /** Clock readings since the last line that is none. */
  let readings = 0;
  /** Calls of the firmware that have not returned. */
  let depth = 0;
  let failure: TranscriptError | null = null;

  /** Firmware may take an error for one of the board's and go on: so the first ends all that comes after it. */
  const guarded = <T>(what: () => T): T => {
    if (failure !== null) throw failure;
    try {
      return what();
    } catch (error) {
      if (error instanceof TranscriptError) failure ??= error;
      throw error;
    }
  };
  /** The next line that is no reading of the clock. The clock may be read more often than then, or less. */
  const peek = (): Entry => {
    for (;;) {
      const entry = reader.peek();
      if (entry.fields.now === undefined) return entry;
      known = numberOf(reader.take(), "now");
    }
  };
  const take = (): Entry => {
    peek();
    readings = 0;
    return reader.take();
  };
  const deliver = (entry: Entry) => {
    const { event, t } = entry.fields;
    const taker = typeof event === "string" ? takers.get(event) : undefined;
    if (taker === undefined) throw new TranscriptError(entry.line, `nobody here takes the event ${show(event)}`);
    if (t !== undefined) known = numberOf(entry, "t");
    taker(entry);
  };
  const answerOf = ({ fields }: Entry): unknown => {
    if (fields.threw !== undefined) throw new Error(String(fields.threw));
    return fields.got;
  };
  const check = (record: object): Entry => {
    const asked = JSON.stringify(record);
    const entry = peek();
    const { got, threw, ...then } = entry.fields;
    if (JSON.stringify(then) === asked) return take();
    throw new TranscriptError(entry.line, `${told(then)}; now the firmware asks for ${asked}`);
  };
  const ask = (record: object): unknown =>
    guarded(() => {
      const entry = check(record);
      if (entry.fields.got !== undefined || entry.fields.threw !== undefined) return answerOf(entry);
      depth++;
      try {
        // What came before the call had returned. Readings after it are not looked at yet.
        for (let next = reader.peek(); next.fields.within === depth; next = reader.peek()) {
          if (next.fields.now !== undefined) known = numberOf(reader.take(), "now");
          else if (next.fields.event !== undefined) deliver(take());
          else return answerOf(take());
        }
        return undefined;
      } finally {
        depth--;
      }
    });
  const tape: ReplayTape = {
    ask,
    on: (event, taker) => {
      takers.set(event, taker);
    },
  };

  const runs = createWaiters<(outcome: Outcome) => void>("the outcome of run");
  const timers = createWaiters<() => void>("timer");
  const watches = createWaiters<(at: number) => void>("an edge of watch");
  const recoveries = createWaiters<(free: boolean) => void>("the end of recovery");
  tape.on("done", (entry) => runs.once(entry)(unpacked(entry)));
  tape.on("timer", (entry) => timers.once(entry)());
  tape.on("edge", (entry) => watches.of(entry)(numberOf(entry, "at")));
  tape.on("recovered", (entry) => recoveries.once(entry)(entry.fields.free === true));
  tape.on("mark", () => {});

  const counts = { bus: 0, chip: 0, run: 0, timer: 0, watch: 0, recovery: 0 };
  const executor = (kind: "i2c" | "spi" | "analog", options: object): Executor => {
    const bus = counts.bus++;
    const { fields, maxRead } = guarded(() => {
      const { line } = peek();
      const fields = ask({ ask: kind, n: bus, options }) as Record<string, unknown>;
      return { fields, maxRead: numberOf({ line, fields }, "maxRead") };
    });
    const chipOf = createTargets(bus, counts, ask);
    const run: Executor["run"] = (target, ops, done) => {
      const chip = chipOf(target);
      const n = counts.run++;
      runs.set(n, done);
      ask({ ask: "run", n, chip, ops });
    };
    const recover = (done: (free: boolean) => void) => {
      const n = counts.recovery++;
      recoveries.set(n, done);
      ask({ ask: "recover", n, bus });
    };
    const converter = fields.converter !== undefined && { converter: fields.converter as Converter };
    return { maxRead, ...converter, run, ...(fields.recovers === true && { recover }) } as Executor;
  };

  return {
    about,
    model,
    i2c: (options) => executor("i2c", options),
    spi: (options) => executor("spi", options),
    analog: (options) => executor("analog", options) as AnalogExecutor,
    now: () =>
      guarded(() => {
        for (let next = reader.peek(); next.fields.now !== undefined; next = reader.peek()) {
          if (numberOf(next, "reading") > readings) break;
          known = numberOf(reader.take(), "now");
        }
        readings++;
        return known;
      }),
    timer(ms, callback) {
      const n = counts.timer++;
      timers.set(n, callback);
      ask({ ask: "timer", n, ms });
      return () => {
        if (timers.delete(n)) ask({ ask: "cancel", timer: n });
      };
    },
    watch(pin, edge, callback) {
      const n = counts.watch++;
      watches.set(n, callback);
      ask({ ask: "watch", n, pin, edge });
      return () => {
        if (watches.delete(n)) ask({ ask: "unwatch", watch: n });
      };
    },
    storage: {
      read: (name) =>
        guarded(() => {
          const { line } = peek();
          const got = ask({ ask: "read", name });
          return got === null ? undefined : bytesOf(line, got);
        }),
      write(name, bytes) {
        ask({ ask: "write", name, bytes: hexOf(bytes) });
      },
    },
    run: () =>
      guarded(() => {
        for (;;) {
          const entry = peek();
          if (entry.fields.end !== undefined) return null;
          if (entry.fields.event === undefined)
            throw new TranscriptError(entry.line, `${told(entry.fields)}; now it asks for nothing`);
          deliver(take());
          if (failure !== null) throw failure;
          if (entry.fields.event === "mark") return String(entry.fields.name);
        }
      }),
    tape,
  };
}

/** Who waits for the event of which number. */
function createWaiters<T>(what: string) {
  const waiting = new Map<number, T>();
  const of = (entry: Entry): T => {
    const n = numberOf(entry, "of");
    const waiter = waiting.get(n);
    if (waiter === undefined) throw new TranscriptError(entry.line, `${what} ${n} came; now nobody waits for it`);
    return waiter;
  };
  return {
    set: (n: number, waiter: T) => waiting.set(n, waiter),
    delete: (n: number) => waiting.delete(n),
    of,
    once(entry: Entry): T {
      const waiter = of(entry);
      waiting.delete(numberOf(entry, "of"));
      return waiter;
    },
  };
}

/** What a line says happened, for an error. */
function told(fields: Entry["fields"]): string {
  if (fields.end !== undefined) return "the recording was ended here";
  if (fields.ask === undefined) return `here came ${show(fields)}`;
  return `the firmware asked for ${JSON.stringify(fields)}`;
}

const KINDS: readonly unknown[] = ["nack", "timeout", "short", "bus"];

function unpacked(entry: Entry): Outcome {
  const { line, fields } = entry;
  const { replies, error, sampled } = fields;
  if (!Array.isArray(replies)) throw new TranscriptError(line, `"replies" must be a list, it is ${show(replies)}`);
  if (error !== undefined && !KINDS.includes((error as Partial<BusError> | null)?.kind))
    throw new TranscriptError(line, `"error" must have a kind of ${KINDS.join(", ")}, it is ${show(error)}`);
  return {
    replies: replies.map((reply) => bytesOf(line, reply)),
    error: (error as BusError | undefined) ?? null,
    began: numberOf(entry, "began"),
    ended: numberOf(entry, "ended"),
    edges: 0,
    edgeAt: 0,
    inputs: fields.inputs === undefined ? 0 : numberOf(entry, "inputs"),
    ...(sampled !== undefined && { sampled: unpackedSamples(line, sampled as Record<string, unknown>) }),
  };
}

function unpackedSamples(line: number, fields: Record<string, unknown>): Sampled {
  if (!Array.isArray(fields?.samples))
    throw new TranscriptError(line, `"sampled" must have a list of samples, it is ${show(fields)}`);
  const entry = { line, fields };
  const samples = Int32Array.from(fields.samples as number[]);
  return {
    samples,
    count: samples.length,
    firstAt: numberOf(entry, "firstAt"),
    lastAt: numberOf(entry, "lastAt"),
    uncertainty: numberOf(entry, "uncertainty"),
    lost: numberOf(entry, "lost"),
    inputs: numberOf(entry, "inputs"),
  };
}
