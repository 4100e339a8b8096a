/** What of a gateway's messages a device obeys: ours, of the current boot, newer than any before (PROTOCOL.md section 4). */
import { equalBytes } from "../protocol/constant-time.ts";
import { kidText } from "../protocol/keys.ts";
import { type AckMessage, type CommandMessage, decodeMessage, type TimeMessage } from "../protocol/messages.ts";
import type { OpenedDownlink, Sealer } from "./sealer.ts";

/** What is to be obeyed. That a command may have expired is for who obeys it to see (commands.ts): that is answered. */
export interface Heard {
  readonly message: AckMessage | CommandMessage | TimeMessage;
  /** kid of who sealed it: a gateway's, in M the device's own. */
  readonly gateway: Uint8Array;
}

/** Why messages were not obeyed, each counted. */
export interface Refusals {
  /** No enrolled gateway's signature, no MAC or AEAD tag that holds, or not decodable so far. */
  signature: number;
  /** Authentic, and no message of the protocol, or none for a device. */
  payload: number;
  /** For another device. */
  kid: number;
  boot: number;
  /** Its n is not above the last of that gateway: an old one, or a repetition. */
  replay: number;
}

export interface Downlink {
  /** How many messages were not obeyed, in all. */
  readonly refused: number;
  readonly refusals: Readonly<Refusals>;
  /** What is to be obeyed; null: nothing, and it was counted. Throws for nothing that a message contains. */
  open(message: Uint8Array): Heard | null;
}

/** `open`: the board's sealer's; `kid`: this device's; `boot`: its current boot. */
export function createDownlink(open: Sealer["open"], kid: Uint8Array, boot: number): Downlink {
  /** Highest n of each gateway: as many as are enrolled, for only they get here. */
  const lastN: { [gateway: string]: number } = {};
  const refusals: Refusals = { signature: 0, payload: 0, kid: 0, boot: 0, replay: 0 };

  const judge = (opened: OpenedDownlink): Heard | keyof Refusals => {
    const message = decodeMessage(opened.payload);
    if (message.type !== "ack" && message.type !== "command" && message.type !== "time") return "payload";
    if (!equalBytes(message.kid, kid)) return "kid";
    if (message.boot !== boot) return "boot";
    const gateway = kidText(opened.gateway);
    if (message.n <= (lastN[gateway] ?? -1)) return "replay";
    lastN[gateway] = message.n;
    return { message: message, gateway: opened.gateway };
  };
  return {
    get refused() {
      return refusals.signature + refusals.payload + refusals.kid + refusals.boot + refusals.replay;
    },
    refusals: refusals,
    open(message) {
      const opened = open(message);
      let verdict: Heard | keyof Refusals = "signature";
      if (opened !== null) {
        try {
          verdict = judge(opened);
        } catch (_error) {
          verdict = "payload";
        }
      }
      if (typeof verdict !== "string") return verdict;
      refusals[verdict]++;
      return null;
    },
  };
}
