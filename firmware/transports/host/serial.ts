/** A serial line on a host: any duplex stream of bytes. One message, one line (PROTOCOL.md section 6). */
import type { Duplex } from "node:stream";
import { decodeLine, encodeLine } from "../../../protocol/frame.ts";
import { readLines } from "../../../protocol/lines.node.ts";
import type { Link } from "../../link.ts";

export interface SerialLink extends Link {
  /** Bytes written, framing included. */
  readonly linkBytes: number;
  /** Writes a line of text for a person. */
  log(text: string): void;
}

/** Bytes that may wait for a line that nobody reads. */
const QUEUE = 1 << 16;

/** `queue`: bytes that may wait in the stream; beyond them the line counts as busy, and messages stay in the outbox. */
export function createSerialLink(stream: Duplex, queue = QUEUE): SerialLink {
  let linkBytes = 0;
  let up = false;
  const write = (line: string) => {
    linkBytes += line.length;
    stream.write(line);
  };
  return {
    presence: false,
    get linkBytes() {
      return linkBytes;
    },
    open(events) {
      const onLine = (line: string) => {
        try {
          const message = decodeLine(line);
          if (message !== null) events.onMessage(message);
        } catch {
          // A damaged line from the gateway: the message it held is sent again, as what it acknowledged is.
        }
      };
      readLines(stream, onLine, () => {});
      stream.on("close", () => {
        up = false;
        events.onDown();
      });
      up = true;
      events.onUp(1);
    },
    send(_letter, message) {
      if (!up || !stream.writable || stream.writableLength > queue) return false;
      write(encodeLine(message));
      return true;
    },
    log: (text) => write(`${text}\n`),
    close(done) {
      up = false;
      stream.end(done);
    },
  };
}
