/** A file in a gateway's place: what is written is settled, and the board hears so. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { VirtualClock } from "../../boards/virtual-clock.ts";
import type { Link } from "../../firmware/link.ts";
import { decodeEnvelope, type Signer, sign1 } from "../../protocol/cose.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { decodeMessage, encodeMessage } from "../../protocol/messages.ts";

export interface CaptureLink extends Link {
  /** Bytes written, framing included. */
  readonly linkBytes: number;
}

/** Writes `~` lines to `path`, which begins anew. Acks are sealed by `signer` and come as events of the clock. */
export function createCaptureLink(path: string, clock: VirtualClock, signer: Signer): CaptureLink {
  const file = openSync(path, "w");
  let linkBytes = 0;
  let n = 0;
  let deliver: (message: Uint8Array) => void = () => {};
  return {
    presence: false,
    get linkBytes() {
      return linkBytes;
    },
    open(events) {
      deliver = events.onMessage;
      events.onUp(1);
    },
    send(_letter, message) {
      linkBytes += writeSync(file, encodeLine(message), null, "latin1");
      const envelope = decodeEnvelope(message);
      const content = decodeMessage(envelope.payload);
      if (!("seq" in content)) return true;
      const { boot, seq } = content;
      const ack = encodeMessage({
        type: "ack",
        kid: envelope.kid,
        boot,
        n: n++,
        ofBoot: boot,
        // Messages are written in their order, each once.
        next: seq + 1,
        bitmap: new Uint8Array(0),
        refused: [],
      });
      clock.at(clock.now, () => deliver(sign1(ack, signer)));
      return true;
    },
    close(done) {
      closeSync(file);
      done();
    },
  };
}
