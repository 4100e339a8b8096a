/**
 * Lines from a byte stream, bounded: a readline parser buffers without end and in quadratic time, so what has no line end
 * within the limit never reaches it (PROTOCOL.md section 6).
 */
import { type Readable, Transform } from "node:stream";
import { ReadlineParser } from "@serialport/parser-readline";
import { MAX_LINE } from "./frame.ts";

const LF = 10;

/** Passes whole lines on; drops what is longer than MAX_LINE up to the next LF, and tells it once. */
function createLineGuard(onOversize: (bytes: number) => void): Transform {
  let held: Buffer[] = [];
  let length = 0;
  let dropped = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let from = 0;
      for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
        length += end + 1 - from;
        // The line end itself does not count.
        if (length - 1 > MAX_LINE || dropped > 0) onOversize(dropped + length - 1);
        else this.push(Buffer.concat([...held, chunk.subarray(from, end + 1)]));
        held = [];
        length = 0;
        dropped = 0;
        from = end + 1;
      }
      if (from < chunk.length) {
        held.push(chunk.subarray(from));
        length += chunk.length - from;
        if (length > MAX_LINE) {
          dropped += length;
          held = [];
          length = 0;
        }
      }
      done();
    },
    flush(done) {
      if (dropped > 0) onOversize(dropped + length);
      // A last line without its end is still a line: whoever reads it sees that it is cut.
      else if (length > 0) this.push(Buffer.concat([...held, Buffer.of(LF)]));
      done();
    },
  });
}

/** Calls `onLine` with every line (no LF; bytes as latin1), `onOversize` with the size of every line that was dropped. */
export function readLines(stream: Readable, onLine: (line: string) => void, onOversize: (bytes: number) => void): void {
  stream
    .pipe(createLineGuard(onOversize))
    .pipe(new ReadlineParser({ delimiter: "\n", encoding: "latin1" }))
    .on("data", onLine);
}
