/** The gateways that a simulated board believes: whose cards of the TEST-ONLY site lie in the cards folder. */

import type { GatewayKey } from "../../firmware/sealer.ts";
import { decodeCard } from "../../protocol/card.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { readCards } from "../keys.ts";
import { testSite } from "../site.ts";

/** Between two looks into the folder, ms. */
const EVERY = 500;

export interface TrustedGateways {
  /** Grows while the simulation runs: a gateway may come later than the board. */
  readonly keys: readonly GatewayKey[];
  stop(): void;
}

export function watchGateways(folder: string, onGateway: (kid: string) => void): TrustedGateways {
  const keys: GatewayKey[] = [];
  const look = () => {
    for (const bytes of readCards(folder)) {
      try {
        const card = decodeCard(bytes, testSite.publicKey, nodeCrypto);
        const known = keys.some(({ kid }) => kidText(kid) === kidText(card.kid));
        if (card.role !== "gateway" || known) continue;
        keys.push(card);
        onGateway(kidText(card.kid));
      } catch {
        // A card that is being written, or of another site: not trusted.
      }
    }
  };
  look();
  // It keeps no program running: where the board fails to start, all ends.
  const timer = setInterval(look, EVERY).unref();
  return { keys, stop: () => clearInterval(timer) };
}
