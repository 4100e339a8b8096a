/** What of a gateway's messages a device obeys: ours, of the current boot, newer than any before (PROTOCOL.md section 4). */
import { equalBytes } from "../protocol/constant-time.ts";
import { kidText } from "../protocol/keys.ts";
import { type AckMessage, decodeMessage } from "../protocol/messages.ts";
import type { Sealer } from "./sealer.ts";

export interface Downlink {
  /** Messages that were not accepted: wrong key, signature, boot or counter, or nothing that a device takes. */
  readonly refused: number;
  /** The ack, verified, ours, of the current boot, newer than any before; null otherwise. */
  open(message: Uint8Array): AckMessage | null;
}

/** `open`: the board's sealer's; `kid`: this device's; `boot`: its current boot. */
export function createDownlink(open: Sealer["open"], kid: Uint8Array, boot: number): Downlink {
  /** Highest n of each gateway. */
  const lastN: { [gateway: string]: number } = {};
  let refused = 0;

  const verified = (message: Uint8Array): AckMessage | null => {
    const opened = open(message);
    if (opened === null) return null;
    const ack = decodeMessage(opened.payload);
    if (ack.type !== "ack" || !equalBytes(ack.kid, kid) || ack.boot !== boot) return null;
    const gateway = kidText(opened.gateway);
    if (ack.n <= (lastN[gateway] ?? -1)) return null;
    lastN[gateway] = ack.n;
    return ack;
  };
  return {
    get refused() {
      return refused;
    },
    open(message) {
      let ack: AckMessage | null = null;
      try {
        ack = verified(message);
      } catch (_error) {
        // A message that cannot be decoded is counted like one that cannot be verified.
      }
      if (ack === null) refused++;
      return ack;
    },
  };
}
