/** A file in a gateway's place: what is written is settled, and the board hears so, in the mode in which it speaks. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { VirtualClock } from "../../boards/virtual-clock.ts";
import type { Link } from "../../firmware/link.ts";
import { createDownlinkSealer, type HeardBoot } from "../../gateway/downlink.ts";
import { decodeEnvelope, type Signer } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0 } from "../../protocol/encrypt0.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { modeOf } from "../../protocol/header.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { type BirthMessage, decodeMessage } from "../../protocol/messages.ts";
import type { SealMode } from "../../simulator/node.ts";

export interface CaptureLink extends Link {
  /** Bytes written, framing included. */
  readonly linkBytes: number;
}

/** The board at the other end. */
export interface CapturedBoard {
  readonly kid: Uint8Array;
  readonly psk: Uint8Array | null;
  readonly seal: SealMode;
}

/** What the file's gateway needs of a message: where it stands, and a birth whole. It believes what it writes. */
function lookInto(bytes: Uint8Array): { boot: number; seq: number; birth: BirthMessage | null } | null {
  const mode = modeOf(bytes);
  if (mode === "E") {
    const { boot, number } = decodeEncrypt0(bytes);
    return { boot, seq: number, birth: null };
  }
  const message = decodeMessage((mode === "M" ? decodeMac0(bytes) : decodeEnvelope(bytes)).payload);
  if (!("seq" in message)) return null;
  return { boot: message.boot, seq: message.seq, birth: message.type === "birth" ? message : null };
}

/** Writes `~` lines to `path`, which begins anew. Acks come as events of the clock; `signer` seals them where the board signs. */
export function createCaptureLink(
  path: string,
  clock: VirtualClock,
  signer: Signer,
  { kid, psk, seal }: CapturedBoard,
): CaptureLink {
  const file = openSync(path, "w");
  const sealer = createDownlinkSealer({ signer, crypto: nodeCrypto, aead: nodeAead });
  let linkBytes = 0;
  let n = 0;
  let heard: HeardBoot | null = null;
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
      const found = lookInto(message);
      if (found === null) return true;
      const { boot, seq, birth } = found;
      if (birth !== null) heard = { kid, boot, births: new Map([[birth.cfg, birth]]), seal: seal.mode };
      if (heard === null) return true;
      // Messages are written in their order, each once.
      const next = seq + 1;
      const ack = {
        type: "ack",
        kid,
        boot,
        n: n++,
        ofBoot: boot,
        next,
        bitmap: new Uint8Array(0),
        refused: [],
      } as const;
      const sealed = sealer.seal({ psk, encrypts: seal.encrypt }, heard, ack);
      clock.at(clock.now, () => deliver(sealed));
      return true;
    },
    close(done) {
      closeSync(file);
      done();
    },
  };
}
