/** A serial line as a source: any duplex stream of bytes. */
import type { Duplex } from "node:stream";
import { decodeLine, encodeLine } from "../../protocol/frame.ts";
import { readLines } from "../../protocol/lines.node.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Gateway } from "../gateway.ts";
import { type Counters, createCounters, type Origin } from "../origin.ts";

/** Lines that were sent and may come back, at most. */
const ECHOES = 64;

/**
 * Reads packets from a line and answers on it. Text lines go to the log; a line that equals one that was sent is an echo
 * and dropped (PROTOCOL.md section 6). `name`: "serial:/dev/ttyUSB0"; `counters` go on where the same port was open before.
 */
export function attachSerial(gateway: Gateway, stream: Duplex, name: string, counters?: Counters): Origin {
  const sent = new Set<string>();
  const origin: Origin = {
    name,
    counters: counters ?? createCounters(),
    reply(message) {
      const line = encodeLine(message);
      sent.add(line.trimEnd());
      for (const oldest of sent) {
        if (sent.size <= ECHOES) break;
        sent.delete(oldest);
      }
      if (stream.writable) stream.write(line);
    },
  };
  const onLine = (line: string) => {
    if (sent.delete(line.trimEnd())) return;
    let message: Uint8Array | null;
    try {
      message = decodeLine(line);
    } catch (error) {
      gateway.refuse(origin, (error as Refusal).reason, (error as Refusal).message);
      return;
    }
    if (message === null) gateway.log(origin, line);
    else gateway.receive(message, origin);
  };
  readLines(stream, onLine, (bytes) =>
    gateway.refuse(
      origin,
      "size",
      `${bytes} bytes without a line end were dropped; wrong baud rate, or no vitalwire board?`,
    ),
  );
  return origin;
}
