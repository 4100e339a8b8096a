import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCard } from "../../protocol/card.ts";
import { decode, decodeTagged } from "../../protocol/cbor.ts";
import { decodeCheckpoint } from "../../protocol/checkpoint.ts";
import { decodeEnvelope, sign1 } from "../../protocol/cose.ts";
import { decodeRevocations } from "../../protocol/crl.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0 } from "../../protocol/encrypt0.ts";
import { decodeFirmware } from "../../protocol/firmware-object.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { decodeGatewayState, TYP_GATEWAY_STATE } from "../../protocol/gateway-state.ts";
import { fromHex } from "../../protocol/keys.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { decodeMessage } from "../../protocol/messages.ts";
import { peekPayload } from "../../protocol/peek.ts";
import { type Codec, decodeSamples } from "../../protocol/samples.ts";
import { bytes, outcomeOf, site, vectors } from "./support.ts";

const decoders: Record<string, (input: Uint8Array) => unknown> = {
  decode,
  decodeTagged,
  decodeEnvelope: (input) => decodeEnvelope(input),
  decodeMac0,
  decodeEncrypt0,
  peekPayload,
  "decodeEnvelope of a card": (input) => decodeEnvelope(input, "vsp-card"),
  decodeMessage,
  decodeCard: (input) => decodeCard(input, site.publicKey, nodeCrypto),
  decodeCheckpoint: (input) => decodeCheckpoint(input, site.publicKey, nodeCrypto),
  decodeRevocations: (input) => decodeRevocations(input, site.publicKey, nodeCrypto),
  "decodeRevocations behind the site's signature": (input) =>
    decodeRevocations(sign1(input, site, "vsp-crl"), site.publicKey, nodeCrypto),
  "decodeFirmware behind its signature": (input) =>
    decodeFirmware(sign1(input, site, "vsp-fw"), site.publicKey, nodeCrypto),
  "decodeGatewayState behind its signature": (input) =>
    decodeGatewayState(sign1(input, site, TYP_GATEWAY_STATE), site.publicKey, nodeCrypto),
  "decodeSamples raw": (input) => decodeSamples(0, input, Math.max(1, Math.floor(input.length / 3))),
  "decodeSamples delta": (input) => decodeSamples(1, input, 1 + (input.length % 30)),
  "decodeSamples rice": (input) => decodeSamples(2 as Codec, input, 1 + (input.length % 30)),
  decodeLine: (input) => decodeLine(`~${Buffer.from(input).toString("latin1")}`),
  "decodeLine of base64": (input) => decodeLine(`~${Buffer.from(input).toString("base64").replaceAll("=", "")}`),
};

/** Every committed message, payload and object, as seeds for mutation. */
const seeds: Uint8Array[] = [
  ...vectors("examples").examples,
  ...vectors("sealed").messages,
  vectors("sealed").card,
  vectors("sealed").checkpoint,
  ...vectors("objects").objects,
].flatMap((vector: { hex?: string; payload?: string }) =>
  [vector.hex, vector.payload].filter((hex) => hex !== undefined).map((hex) => fromHex(hex)),
);

/** A seed cut, spliced or with bytes replaced. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    fc.option(fc.tuple(fc.constantFrom(...seeds), fc.nat(), fc.nat())),
  )
  .map(([seed, edits, splice]) => {
    let out = Uint8Array.from(seed);
    for (const [at, byte] of edits) out[at % out.length] = byte;
    if (splice !== null) {
      const [other, from, to] = splice;
      out = Uint8Array.of(...out.subarray(0, from % out.length), ...other.subarray(to % other.length));
    }
    return out;
  });

describe("hostile input: only refusals come out, never another exception", () => {
  for (const [name, decoder] of Object.entries(decoders)) {
    for (const [kind, input] of [
      ["random bytes", bytes(0, 120)],
      ["committed messages, mutated and spliced", mutated],
    ] as const)
      test(`${name}: ${kind}`, () => {
        const property = fc.property(input, (garbage) => {
          // Anything that is not a refusal is thrown on, and fails the property.
          outcomeOf(() => decoder(garbage));
        });
        fc.assert(property, { numRuns: 1000 });
      });
  }

  test("deep nesting and huge counts end at their limits, without eating stack or memory", () => {
    for (const head of [0x81, 0xa1, 0x9b, 0xbb, 0x5b, 0x7b, 0xd2, 0xc1])
      expect(outcomeOf(() => decode(new Uint8Array(100000).fill(head)))).toBe("cbor");
    expect(outcomeOf(() => decode(fromHex("9affffffff")))).toBe("cbor");
    expect(outcomeOf(() => decode(fromHex("5affffffff00")))).toBe("cbor");
    expect(outcomeOf(() => decode(fromHex("bb001fffffffffffff")))).toBe("cbor");
  });
});
