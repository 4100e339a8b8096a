/** Writes down all that a board gives to the firmware above it, while it gives it. */
import type { Outcome, Sampled } from "../drivers/driver.ts";
import type { AnalogExecutor, Board, Executor, Storage, Target } from "./board.ts";
import { createLineWriter, hexOf, VERSION } from "./transcript-lines.ts";

/** For what comes into the firmware beside the board (a link): into the same transcript, in its place. */
export interface RecordingTape {
  /**
   * The firmware asks for something: `record` is checked at the replay, `pack` of what `perform` returns is given back
   * then. Without `pack`: nothing.
   */
  ask<T>(record: object, perform: () => T, pack?: (given: T) => unknown): T;
  /** Something comes to the firmware. */
  event<T>(record: object, deliver: () => T): T;
}

export interface Recording extends Board {
  /** A name for this moment: `Replay.run` stops there, so that what was done from outside can be done again. */
  mark(name: string): void;
  /** Writes the last line. The board goes on, nothing more is written. */
  end(): void;
  /** The error of `write` that ended the recording; null: none. The firmware does not notice it. */
  readonly failed: Error | null;
  readonly tape: RecordingTape;
}

/**
 * The same board, with a transcript: `write` is given one line after the other, without line ends. All that the firmware
 * asks of a board must go through what this returns, from the beginning. `about`: what a replay has to know of that firmware,
 * as JSON can hold it; into the header.
 */
export function recordBoard(board: Board, write: (line: string) => void, about?: object): Recording {
  let failed: Error | null = null;
  const writer = createLineWriter((line) => {
    if (failed !== null) return;
    try {
      write(line);
    } catch (error) {
      failed = error as Error;
    }
  });
  /** What a replay knows of the clock at this place, us. */
  let known = board.now();
  /** Clock readings since the last line that is none. */
  let readings = 0;
  /** Calls of the firmware that have not returned. */
  let depth = 0;
  /** The innermost of them, not written yet: its answer belongs into the same line, unless something comes first. */
  let held: string | null = null;
  writer.put(JSON.stringify({ transcript: "vitalwire", version: VERSION, model: board.model, t: known, about }));

  const flush = () => {
    if (held !== null) writer.put(held);
    held = null;
  };
  const put = (text: string) => {
    flush();
    readings = 0;
    writer.put(text);
  };
  const within = () => depth > 0 && { within: depth };
  const tape: RecordingTape = {
    ask(record, perform, pack) {
      const text = JSON.stringify(record);
      flush();
      held = text;
      depth++;
      const answer = (name: "got" | "threw", value: unknown) => {
        if (held === null) {
          put(JSON.stringify({ [name]: value, within: depth }));
          return;
        }
        held = null;
        put(`${text.slice(0, -1)},"${name}":${JSON.stringify(value)}}`);
      };
      try {
        const given = perform();
        if (pack !== undefined) answer("got", pack(given));
        else if (held !== null) {
          held = null;
          put(text);
        }
        return given;
      } catch (error) {
        answer("threw", (error as Error).message);
        throw error;
      } finally {
        depth--;
      }
    },
    event(record, deliver) {
      const t = board.now();
      put(JSON.stringify({ ...record, ...within(), ...(t !== known && { t }) }));
      known = t;
      return deliver();
    },
  };

  const counts = { bus: 0, chip: 0, run: 0, timer: 0, watch: 0, recovery: 0 };
  const wrap = <E extends Executor>(kind: "i2c" | "spi" | "analog", options: object, make: () => E): E => {
    const bus = counts.bus++;
    const inner = tape.ask({ ask: kind, n: bus, options }, make, (made) => ({
      maxRead: made.maxRead,
      ...("converter" in made && { converter: made.converter }),
      ...(made.recover !== undefined && { recovers: true }),
    }));
    const chipOf = createTargets(bus, counts, (record) => tape.ask(record, () => {}));
    const run: Executor["run"] = (target, ops, done) => {
      const chip = chipOf(target);
      const n = counts.run++;
      const deliver = (outcome: Outcome) =>
        tape.event({ event: "done", of: n, ...packed(outcome) }, () => done(outcome));
      tape.ask({ ask: "run", n, chip, ops }, () => inner.run(target, ops, deliver));
    };
    const recover = (done: (free: boolean) => void) => {
      const n = counts.recovery++;
      const told = (free: boolean) => tape.event({ event: "recovered", of: n, free }, () => done(free));
      tape.ask({ ask: "recover", n, bus }, () => inner.recover?.(told));
    };
    const { maxRead } = inner;
    const converter = "converter" in inner && { converter: inner.converter };
    return { maxRead, ...converter, run, ...(inner.recover !== undefined && { recover }) } as unknown as E;
  };

  return {
    model: board.model,
    i2c: (options) => wrap("i2c", options, () => board.i2c(options)),
    spi: (options) => wrap("spi", options, () => board.spi(options)),
    analog: (options) => wrap<AnalogExecutor>("analog", options, () => board.analog(options)),
    now() {
      const t = board.now();
      if (t !== known) {
        flush();
        writer.put(JSON.stringify({ now: t, reading: readings, ...within() }));
        known = t;
      }
      readings++;
      return t;
    },
    timer(ms, callback) {
      const n = counts.timer++;
      let live = true;
      const fire = () => {
        if (!live) return;
        live = false;
        tape.event({ event: "timer", of: n }, callback);
      };
      const cancel = tape.ask({ ask: "timer", n, ms }, () => board.timer(ms, fire));
      return () => {
        if (!live) return;
        live = false;
        tape.ask({ ask: "cancel", timer: n }, cancel);
      };
    },
    watch(pin, edge, callback) {
      const n = counts.watch++;
      let live = true;
      const seen = (at: number) => {
        if (live) tape.event({ event: "edge", of: n, at }, () => callback(at));
      };
      const cancel = tape.ask({ ask: "watch", n, pin, edge }, () => board.watch(pin, edge, seen));
      return () => {
        if (!live) return;
        live = false;
        tape.ask({ ask: "unwatch", watch: n }, cancel);
      };
    },
    storage: recordStorage(board.storage, tape),
    mark: (name) => tape.event({ event: "mark", name }, () => {}),
    end: () => writer.end(),
    get failed() {
      return failed;
    },
    tape,
  };
}

/** Numbers for whom steps are: who is new is told once. The same at record and replay. */
export function createTargets(bus: number, counts: { chip: number }, tell: (record: object) => void) {
  const known = new Map<string, number>();
  return (target: Target): number => {
    const text = JSON.stringify(target);
    const old = known.get(text);
    if (old !== undefined) return old;
    const chip = counts.chip++;
    known.set(text, chip);
    tell({ ask: "chip", n: chip, bus, target });
    return chip;
  };
}

function packed({ replies, error, began, ended, inputs, sampled }: Outcome): object {
  return {
    replies: replies.map(hexOf),
    ...(error !== null && { error }),
    began,
    ended,
    ...(inputs !== 0 && { inputs }),
    ...(sampled !== undefined && { sampled: packedSamples(sampled) }),
  };
}

const packedSamples = ({ samples, count, ...rest }: Sampled): object => ({
  samples: Array.from(samples.subarray(0, count)),
  ...rest,
});

function recordStorage(storage: Storage, tape: RecordingTape): Storage {
  return {
    read: (name) =>
      tape.ask(
        { ask: "read", name },
        () => storage.read(name),
        (bytes) => (bytes === undefined ? null : hexOf(bytes)),
      ),
    write: (name, bytes) => tape.ask({ ask: "write", name, bytes: hexOf(bytes) }, () => storage.write(name, bytes)),
  };
}
