/** A fence before an MQTT parser, which would gather up to 256 MB of one packet before anybody looks at it. */
import { Duplex } from "node:stream";

/**
 * Follows the packets of a connection by their fixed headers (MQTT 3.1.1, 2.2). Gives the remaining length, bytes, of the
 * first packet above `limit`, as soon as it is announced; null while there is none. A length of more than 4 bytes is infinite.
 */
export function createFence(limit: number): (chunk: Uint8Array) => number | null {
  /** Bytes of the current packet that are still to come; 0: a header is read. */
  let rest = 0;
  /** Bytes of the header so far, and the length they say. */
  let header = 0;
  let length = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (rest > 0) {
        const skipped = Math.min(rest, chunk.length - at);
        rest -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at++]!;
      if (header++ === 0) continue;
      if (header > 5) return Number.POSITIVE_INFINITY;
      length += (byte & 127) * 128 ** (header - 2);
      if (byte >= 128) continue;
      if (length > limit) return length;
      rest = length;
      header = 0;
      length = 0;
    }
    return null;
  };
}

/** The same connection, cut off where a packet above `limit` is announced, before its bytes are kept. */
export function fenced(inner: Duplex, limit: number, onTooLong: (length: number) => void): Duplex {
  const check = createFence(limit);
  const outer = new Duplex({
    read: () => inner.resume(),
    write: (chunk, _encoding, done) => void inner.write(chunk, done),
    // What is written in one turn leaves in one piece.
    writev: (chunks, done) => void inner.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done),
    final: (done) => void inner.end(done),
    destroy(error, done) {
      inner.destroy();
      done(error);
    },
  });
  inner.on("data", (chunk: Buffer) => {
    if (outer.destroyed) return;
    const length = check(chunk);
    if (length !== null) {
      onTooLong(length);
      outer.destroy();
    } else if (!outer.push(chunk)) inner.pause();
  });
  inner.on("end", () => outer.push(null));
  inner.on("error", (error) => outer.destroy(error));
  // Where it has ended in good order, what came before the end (DISCONNECT) is still to be read.
  inner.on("close", () => {
    if (!inner.readableEnded) outer.destroy();
  });
  return outer;
}
