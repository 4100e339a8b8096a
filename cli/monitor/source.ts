/** What a monitor reads: a port that is kept open, or a file that ends. */
import { closeSync, createReadStream, fsyncSync, openSync, statSync, writeSync } from "node:fs";
import { Readable } from "node:stream";
import { readLines } from "../../protocol/lines.node.ts";
import { createSequenceSplitter, isSequence } from "../capture.ts";
import { UsageError } from "../usage.ts";
import type { Session } from "./session.ts";

/** What a path that is not there may be the name of. */
const PORT_NAME = /^(\/dev\/|COM\d+$|\\\\)/i;

/** A character device is a port; so is a name in /dev, or COM3, that is not there yet. Throws UsageError for a folder and for nothing. */
export function kindOf(path: string): "port" | "file" {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    if (PORT_NAME.test(path)) return "port";
    throw new UsageError(`${path}: no such file or port; "vitalwire ports" lists the ports`);
  }
  if (stat.isCharacterDevice()) return "port";
  if (stat.isFile() || stat.isFIFO()) return "file";
  throw new UsageError(`${path}: a ${stat.isDirectory() ? "folder" : "thing"} that is neither a port nor a capture`);
}

/** How long the last lines of a file may take to come through, ms. */
const DRAIN_LIMIT = 5000;

export interface FileOptions {
  readonly session: Session;
  readonly onBytes: (chunk: Buffer) => void;
  /** Waits until what was written has gone out, so that a long file does not pile up in memory. */
  readonly drained: () => Promise<void>;
  readonly interrupted: () => boolean;
}

/** Reads a capture to its end, or to the interrupt. Throws Error where it cannot be read. */
export async function readFile(path: string, options: FileOptions): Promise<void> {
  const chunks = chunksOf(path, options);
  const first = await chunks.next();
  if (first.done) return;
  const all = prepend(first.value, chunks);
  if (isSequence(first.value)) await readSequence(all, options.session);
  else await readText(all, options.session);
}

async function* chunksOf(path: string, { onBytes, drained, interrupted }: FileOptions): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path)) {
    if (interrupted()) return;
    onBytes(chunk);
    yield chunk;
    await drained();
  }
}

async function* prepend(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function readSequence(chunks: AsyncIterable<Buffer>, session: Session): Promise<void> {
  const splitter = createSequenceSplitter();
  const take = (parts: ReturnType<typeof splitter.end>) => {
    for (const part of parts) {
      if ("message" in part) session.message(part.message, part.where);
      else session.refused(part.refusal, part.where);
    }
  };
  for await (const chunk of chunks) take(splitter.push(chunk));
  take(splitter.end());
}

async function readText(chunks: AsyncIterable<Buffer>, session: Session): Promise<void> {
  // Every line that is not empty comes out of `readLines` once, as a line or as one that was too long.
  let given = 0;
  let delivered = 0;
  let open = 0;
  let ended = false;
  async function* counted() {
    for await (const chunk of chunks) {
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        if (open + end - from > 0) given++;
        open = 0;
        from = end + 1;
      }
      open += chunk.length - from;
      yield chunk;
    }
    if (open > 0) given++;
    ended = true;
  }
  const cutOff = () => ended && open > 0 && delivered === given;
  readLines(
    Readable.from(counted(), { objectMode: false }),
    (line) => {
      delivered++;
      session.line(line, `line ${delivered}${cutOff() ? ", where the capture ends in the middle of it" : ""}`);
    },
    (bytes) => {
      delivered++;
      session.oversize(bytes, `line ${delivered}`);
    },
  );
  const deadline = () => Date.now() + DRAIN_LIMIT;
  let limit = deadline();
  for (let last = -1; !ended || delivered < given; ) {
    await new Promise((resolve) => setImmediate(resolve));
    if (delivered !== last || !ended) limit = deadline();
    else if (Date.now() > limit) throw new Error("the last lines of the capture did not come through; try again");
    last = delivered;
  }
}

/** A recording: the bytes as they came. */
export interface Recorder {
  readonly path: string;
  readonly bytes: number;
  /** Appends. Throws Error where the disk does not take it. */
  write(chunk: Uint8Array): void;
  close(): void;
}

/** Never writes over what is there: throws UsageError for a file that holds something, or cannot be made. */
export function createRecorder(path: string): Recorder {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0)
    throw new UsageError(`--record ${path}: it holds ${size} bytes already; name another file, or remove it`);
  let file: number;
  try {
    file = openSync(path, "a");
  } catch (error) {
    throw new UsageError(`--record ${path}: ${(error as Error).message}; name a file that can be written`);
  }
  let bytes = 0;
  return {
    path,
    get bytes() {
      return bytes;
    },
    write(chunk) {
      for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
      bytes += chunk.length;
    },
    close() {
      try {
        fsyncSync(file);
      } catch (error) {
        // What is no file on a disk has nothing to be flushed to (fsync(2)).
        if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
      } finally {
        closeSync(file);
      }
    },
  };
}
