/**
 * What proves a message to this browser: its device's signature, or a gateway's countersignature over a MAC that no browser can
 * check, under cards that the site signed.
 */
import { decodeEnvelope, toBeSigned } from "../../protocol/cose.ts";
import { toBeCountersigned } from "../../protocol/countersign.ts";
import { decodeEncrypt0 } from "../../protocol/encrypt0.ts";
import { modeOf } from "../../protocol/header.ts";
import { toHex } from "../../protocol/keys.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { identityOf } from "../../protocol/peek.ts";
import { refuse } from "../../protocol/refusal.ts";
import type { FedMessage } from "./feed.ts";
import type { Signed, Verifier } from "./verify.ts";

/** As it is kept: of E around S the S message inside, so E is around a bare payload here. */
export type Mode = "S" | "M" | "E";

/** A message taken apart, nothing of it proven yet. */
export interface Sealed {
  readonly mode: Mode;
  /** Hexadecimal, of the device. */
  readonly kid: string;
  readonly payload: Uint8Array;
  /** What is signed; null: nothing is, its tag alone proves it to who has the pre-shared key. */
  readonly signed: Signed | null;
  /** Hexadecimal, of the gateway that countersigned; null: what is signed, the device signed. */
  readonly gateway: string | null;
}

/** How a message was proven in this browser. */
export interface Proof {
  readonly mode: Mode;
  /** "nobody": there is a MAC that this browser cannot check, and no countersignature, or that of a gateway without a card. */
  readonly by: "device" | "gateway" | "nobody";
  /** The gateway's kid, hexadecimal; null: by another. */
  readonly gateway: string | null;
}

/** Takes a message of any mode apart. Throws Refusal for what is no message, or cannot be read without a key. */
export function unseal({ message, countersignature, plaintext }: FedMessage): Sealed {
  const mode = modeOf(message);
  if (mode === "S") {
    const envelope = decodeEnvelope(message);
    const signed = { bytes: toBeSigned(envelope), signature: envelope.signature };
    return { mode, kid: toHex(envelope.kid), payload: envelope.payload, signed, gateway: null };
  }
  const target = mode === "M" ? decodeMac0(message) : decodeEncrypt0(message);
  const payload = "tag" in target ? target.payload : plaintext;
  if (payload === null) throw refuse("payload", "an encrypted message without its plaintext");
  if (!("tag" in target)) {
    // The Partial IV stands outside of what is countersigned.
    const { boot, number } = identityOf(payload);
    if (boot !== target.boot || number !== target.number) {
      throw refuse("payload", `boot ${boot} seq ${number} under the Partial IV of ${target.boot} ${target.number}`);
    }
  }
  const kid = toHex(target.kid);
  if (countersignature === null) return { mode, kid, payload, signed: null, gateway: null };
  const bytes = toBeCountersigned(countersignature, target, "tag" in target ? null : payload);
  const signed = { bytes, signature: countersignature.signature };
  return { mode, kid, payload, signed, gateway: toHex(countersignature.kid) };
}

/** null: its signature does not hold. `gateways`: public keys by kid, of cards that were checked. Never rejects. */
export async function prove(
  { mode, signed, gateway }: Sealed,
  device: Uint8Array,
  gateways: ReadonlyMap<string, Uint8Array>,
  verifier: Verifier,
): Promise<Proof | null> {
  const publicKey = gateway === null ? device : gateways.get(gateway);
  if (signed === null || publicKey === undefined) return { mode, by: "nobody", gateway: null };
  if (!(await verifier.verify(publicKey, signed))) return null;
  return { mode, by: gateway === null ? "device" : "gateway", gateway };
}
