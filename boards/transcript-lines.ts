/** The lines of a transcript: one JSON object a line, a header first, an end last, none longer than LINE_LENGTH. */

export const VERSION = 1;
/** Characters of a line at most. What is longer is written in pieces, a line each. */
export const LINE_LENGTH = 4096;
/** Characters of a piece: JSON writes a quotation mark or a backslash as two, and what stands around has room. */
const PIECE_LENGTH = 2000;
/** Characters of one object at most, its pieces together. */
const OBJECT_LENGTH = 1 << 22;

/** A transcript that cannot be replayed, or a firmware that does other things than it says. */
export class TranscriptError extends Error {
  /** Where in the transcript, from 1. */
  readonly line: number;
  constructor(line: number, what: string) {
    super(`transcript line ${line}: ${what}`);
    this.name = "TranscriptError";
    this.line = line;
  }
}

/** One object of a transcript and the line that it ends in. */
export interface Entry {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LineWriter {
  /** Writes the text of one JSON object. */
  put(text: string): void;
  /** Writes the last line; `put` writes nothing after it. */
  end(): void;
}

export interface LineReader {
  /** The next object; the end's again and again. Throws TranscriptError where there is none, or it is none. */
  peek(): Entry;
  /** The same, and goes on behind it. */
  take(): Entry;
}

export function createLineWriter(write: (line: string) => void): LineWriter {
  let lines = 0;
  let ended = false;
  const line = (text: string) => {
    lines++;
    write(text);
  };
  return {
    put(text) {
      if (ended) return;
      if (text.length <= LINE_LENGTH) return line(text);
      const pieces = Math.ceil(text.length / PIECE_LENGTH);
      for (let i = 0; i < pieces; i++) {
        const piece = text.slice(i * PIECE_LENGTH, (i + 1) * PIECE_LENGTH);
        line(JSON.stringify({ piece, left: pieces - 1 - i }));
      }
    },
    end() {
      if (!ended) line(JSON.stringify({ end: lines }));
      ended = true;
    },
  };
}

export function createLineReader(lines: Iterable<string>): LineReader {
  const source = lines[Symbol.iterator]();
  /** Where `next` is; lines without a character in them count here, but not in the end's number. */
  let line = 0;
  let seen = 0;
  let ahead: Entry | null = null;

  const next = (): string | null => {
    for (;;) {
      const { value, done } = source.next();
      if (done) return null;
      line++;
      if (value.trim() !== "") return value;
    }
  };
  const cut = () =>
    new TranscriptError(line, "it is cut off here, with no end; what comes before is whole. Record to the end()");
  const parse = (text: string, whole: boolean): Entry["fields"] => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      const at = line;
      if (whole && next() === null) throw cut();
      throw new TranscriptError(at, "it is no JSON; take the line as it was written");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new TranscriptError(line, "it is no JSON object; take the line as it was written");
    return value as Entry["fields"];
  };
  const fetch = (): Entry["fields"] => {
    const text = next();
    if (text === null) throw cut();
    seen++;
    if (text.length > LINE_LENGTH)
      throw new TranscriptError(line, `it has ${text.length} characters, the most is ${LINE_LENGTH}`);
    return parse(text, true);
  };
  const read = (): Entry => {
    let fields = fetch();
    if (fields.piece !== undefined) {
      let text = "";
      for (let { left } = fields; ; fields = fetch(), left = (left as number) - 1) {
        if (typeof fields.piece !== "string" || typeof left !== "number" || fields.left !== left)
          throw new TranscriptError(line, "a piece is missing; take the lines as they were written");
        text += fields.piece;
        if (text.length > OBJECT_LENGTH)
          throw new TranscriptError(line, `pieces of more than ${OBJECT_LENGTH} characters together`);
        if (left === 0) break;
      }
      fields = parse(text, false);
    }
    const entry = { line, fields };
    if (fields.end === undefined) return entry;
    const before = seen - 1;
    if (fields.end !== before)
      throw new TranscriptError(line, `${fields.end} lines were written before the end, here are ${before}`);
    if (next() !== null) throw new TranscriptError(line, "there is more behind the end; one transcript a file");
    return entry;
  };
  const peek = () => {
    ahead ??= read();
    return ahead;
  };
  return {
    peek,
    take() {
      const entry = peek();
      if (entry.fields.end === undefined) ahead = null;
      return entry;
    },
  };
}

/** A field that must be there and of its type. Throws TranscriptError otherwise. */
export function numberOf({ line, fields }: Entry, name: string): number {
  const value = fields[name];
  if (typeof value !== "number") throw new TranscriptError(line, `"${name}" must be a number, it is ${show(value)}`);
  return value;
}

/** Bytes as `hexOf` writes them. */
export function bytesOf(line: number, value: unknown): Uint8Array {
  if (typeof value !== "string" || !/^(?:[0-9a-f]{2})*$/.test(value))
    throw new TranscriptError(line, `bytes must be pairs of hexadecimal digits, they are ${show(value)}`);
  const bytes = new Uint8Array(value.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(value.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** For an error: a value as it stands in the line, shortened. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
