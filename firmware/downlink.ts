/** Opens what comes from a gateway: fail-closed, nothing acts on a message before its signature holds (PROTOCOL.md section 4). */
import { type Crypto, decodeEnvelope, verify1 } from "../protocol/cose.ts";
import { type AckMessage, decodeMessage } from "../protocol/messages.ts";

export interface GatewayKey {
  readonly kid: Uint8Array;
  readonly publicKey: Uint8Array;
}

export interface Downlink {
  /** Messages that were not accepted: wrong key, signature, boot or counter, or nothing that a device takes. */
  readonly refused: number;
  /** The ack, verified, ours, of the current boot, newer than any before; null otherwise. */
  open(message: Uint8Array): AckMessage | null;
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** `kid`: this device's; `boot`: its current boot. */
export function createDownlink(
  gateways: readonly GatewayKey[],
  kid: Uint8Array,
  boot: number,
  crypto: Crypto,
): Downlink {
  const lastN: number[] = [];
  let refused = 0;

  const verified = (message: Uint8Array): AckMessage | null => {
    const envelope = decodeEnvelope(message);
    for (let i = 0; i < gateways.length; i++) {
      if (!sameBytes(gateways[i].kid, envelope.kid)) continue;
      if (!verify1(envelope, gateways[i].publicKey, crypto)) return null;
      const ack = decodeMessage(envelope.payload);
      if (ack.type !== "ack" || !sameBytes(ack.kid, kid) || ack.boot !== boot) return null;
      if (ack.n <= (lastN[i] ?? -1)) return null;
      lastN[i] = ack.n;
      return ack;
    }
    return null;
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
