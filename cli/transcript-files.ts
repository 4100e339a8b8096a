/** Transcripts as files: lines of JSON, compressed in blocks (formats/bgzf.ts), never whole in memory. */
import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { BGZF_BLOCK, bgzfBlock, bgzfBytes, bgzfEnd } from "../formats/bgzf.ts";
import { UsageError } from "./usage.ts";

/** Bytes that are read of plain lines at once, and of a line without an end at most. */
const PIECE = 1 << 16;
const LINE = 1 << 20;

export interface TranscriptFile {
  readonly path: string;
  /** Bytes of the lines, and of the file. */
  readonly bytes: number;
  readonly fileBytes: number;
  /** Throws as writeSync does. */
  write(line: string): void;
  close(): void;
}

/** One file a board in a folder that is made where it is not there. Throws UsageError where a file is there already. */
export function createTranscriptFiles(folder: string, boards: number): TranscriptFile[] {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: boards }, (_, index) =>
    createTranscriptFile(join(folder, `board-${index + 1}.transcript.gz`)),
  );
}

function createTranscriptFile(path: string): TranscriptFile {
  const file = openNew(path);
  const buffer = Buffer.alloc(BGZF_BLOCK);
  let used = 0;
  let bytes = 0;
  let fileBytes = 0;
  const flush = (block: Uint8Array) => {
    fileBytes += writeSync(file, block);
  };
  const put = (rest: Buffer) => {
    for (let at = 0; at < rest.length; ) {
      const taken = rest.copy(buffer, used, at);
      at += taken;
      used += taken;
      if (used < buffer.length) continue;
      used = 0;
      flush(bgzfBlock(buffer));
    }
  };
  return {
    path,
    get bytes() {
      return bytes;
    },
    get fileBytes() {
      return fileBytes;
    },
    write(line) {
      const text = Buffer.from(`${line}\n`);
      bytes += text.length;
      put(text);
    },
    close() {
      if (used > 0) flush(bgzfBlock(buffer.subarray(0, used)));
      flush(bgzfEnd());
      closeSync(file);
    },
  };
}

function openNew(path: string): number {
  try {
    return openSync(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new UsageError(`${path}: there is a transcript already; name another folder, or remove it`);
  }
}

/**
 * The lines of a transcript, compressed as above or plain, one after the other. Throws UsageError where it cannot be opened,
 * Error with the place where it is damaged.
 */
export function transcriptLines(path: string): Iterable<string> {
  return linesAndClose(openOld(path));
}

function* linesAndClose(file: number): Generator<string> {
  const read = (at: number, length: number) => {
    const bytes = Buffer.alloc(length);
    let got = 0;
    for (let more = -1; got < length && more !== 0; got += more)
      more = readSync(file, bytes, got, length - got, at + got);
    return bytes.subarray(0, got);
  };
  try {
    const first = read(0, 2);
    const isGzip = first[0] === 0x1f && first[1] === 0x8b;
    yield* linesOf(isGzip ? compressed(read) : plain(read));
  } finally {
    closeSync(file);
  }
}

function openOld(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

function* compressed(read: (at: number, length: number) => Uint8Array): Generator<Uint8Array> {
  try {
    yield* bgzfBytes(read);
  } catch (error) {
    throw new Error(
      `${(error as Error).message}; where it was compressed anew, \`gunzip\` it: plain lines are read too`,
    );
  }
}

function* plain(read: (at: number, length: number) => Uint8Array): Generator<Uint8Array> {
  for (let at = 0; ; ) {
    const piece = read(at, PIECE);
    if (piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}

/** What follows the last line end is a line too. */
function* linesOf(pieces: Iterable<Uint8Array>): Generator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for (const piece of pieces) {
    rest += decoder.write(Buffer.from(piece));
    const lines = rest.split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > LINE) throw new Error(`${LINE} characters without a line end: this is no transcript`);
  }
  if (rest !== "") yield rest;
}
