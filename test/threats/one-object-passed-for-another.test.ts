/**
 * Threat: one object passed for another (PROTOCOL.md section 10). Every object that a key of this system signs is offered to
 * every decoder, under the key that signed it: only its own decoder takes it.
 */
import { describe, expect, test } from "vitest";
import { decodeCard, encodeCard } from "../../protocol/card.ts";
import { CHAIN_START, decodeCheckpoint, encodeCheckpoint } from "../../protocol/checkpoint.ts";
import { decodeEnvelope, sign1, verify1 } from "../../protocol/cose.ts";
import { decodeRevocations, encodeRevocations } from "../../protocol/crl.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeFirmware, encodeFirmware } from "../../protocol/firmware-object.ts";
import { decodeGatewayState, encodeGatewayState } from "../../protocol/gateway-state.ts";
import { decodeMessage, encodeMessage } from "../../protocol/messages.ts";
import { refuse } from "../../protocol/refusal.ts";
import { device, reasonOf, site } from "../protocol/support.ts";

/** One key signs them all here: so nothing but the typ can tell them apart. */
const key = site;
const { kid, publicKey } = device;

const objects: Record<string, { bytes: Uint8Array; open: (bytes: Uint8Array) => unknown }> = {
  card: {
    bytes: encodeCard({ issuer: "ward-7", role: "device", kid, publicKey, issuedAt: 1, expires: 2 }, key),
    open: (bytes) => decodeCard(bytes, key.publicKey, nodeCrypto),
  },
  "revocation list": {
    bytes: encodeRevocations({ issuer: "ward-7", issuedAt: 1, number: 1, revoked: [{ kid, reason: 1, time: 1 }] }, key),
    open: (bytes) => decodeRevocations(bytes, key.publicKey, nodeCrypto),
  },
  "firmware announcement": {
    bytes: encodeFirmware({ version: 1, size: 1, digest: new Uint8Array(32), board: "esp32" }, key),
    open: (bytes) => decodeFirmware(bytes, key.publicKey, nodeCrypto),
  },
  checkpoint: {
    bytes: encodeCheckpoint({ position: 1, chain: CHAIN_START, time: 1 }, key),
    open: (bytes) => decodeCheckpoint(bytes, key.publicKey, nodeCrypto),
  },
  "gateway's state": {
    bytes: encodeGatewayState({ state: 1, since: 1 }, key),
    open: (bytes) => decodeGatewayState(bytes, key.publicKey, nodeCrypto),
  },
  message: {
    bytes: sign1(encodeMessage({ type: "event", boot: 1, seq: 1, tick: 1, code: 6, small: [1] }), key),
    open(bytes) {
      const envelope = decodeEnvelope(bytes);
      if (!verify1(envelope, key.publicKey, nodeCrypto)) throw refuse("signature", "does not hold");
      return decodeMessage(envelope.payload);
    },
  },
};
const names = Object.keys(objects);

describe.each(names)("a signed %s", (name) => {
  const { bytes, open } = objects[name]!;

  test("is taken for what it is", () => {
    expect(open(bytes)).toBeTypeOf("object");
  });

  test.each(names.filter((other) => other !== name))("offered as a %s is refused by its header", (other) => {
    expect(reasonOf(() => objects[other]!.open(bytes))).toBe("header");
  });
});
