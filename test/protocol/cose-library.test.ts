/** @auth0/cose, a published COSE library, on what it knows of VSP/1: Sign1 with EdDSA (it has no HMAC 256/64 and no AES-CCM). */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { Algorithms, Headers, ProtectedHeaders, Sign1, UnprotectedHeaders } from "@auth0/cose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sign1 } from "../../protocol/cose.ts";
import { nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { encodeMessage } from "../../protocol/messages.ts";
import { bytes, message, vectors } from "./support.ts";

const keyOf = (publicKey: Uint8Array): KeyObject =>
  createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") },
    format: "jwk",
  });
const verified = async (sealed: Uint8Array, publicKey: Uint8Array) => {
  try {
    await Sign1.decode(Buffer.from(sealed)).verify(keyOf(publicKey));
    return true;
  } catch {
    return false;
  }
};

interface Example {
  readonly name: string;
  readonly signedBy?: string;
  readonly hex: string;
}
const { examples, keys } = vectors("examples") as { examples: Example[]; keys: Record<string, string> };
const signed = examples.filter(({ hex }) => hex?.startsWith("d2"));

test("there are examples of a card and of messages from both ends", () => {
  expect(signed.length).toBeGreaterThanOrEqual(7);
  expect(new Set(signed.map(({ signedBy }) => signedBy))).toEqual(new Set(["device", "site", "gateway"]));
});

test.each(signed)("$name holds under its signer's key, and under no other", async ({ hex, signedBy }) => {
  for (const [name, key] of Object.entries(keys)) {
    expect(await verified(fromHex(hex), fromHex(key)), name).toBe(name === signedBy);
  }
});

test.each(signed)("$name with a bit of its payload or signature changed does not hold", async ({ hex, signedBy }) => {
  const sealed = fromHex(hex);
  for (const place of [20, sealed.length >> 1, sealed.length - 10]) {
    const changed = sealed.with(place, sealed[place]! ^ 4);
    expect(await verified(changed, fromHex(keys[signedBy!]!)), `byte ${place}`).toBe(false);
  }
});

test("what it signs is byte for byte what we sign, for arbitrary messages and keys", async () => {
  await fc.assert(
    fc.asyncProperty(message, bytes(32, 32), async (one, seed) => {
      const payload = encodeMessage(one);
      const signer = nodeSigner(seed);
      const prefix = Buffer.from("302e020100300506032b657004220420", "hex"); // RFC 8410 section 7
      const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
      const header = new ProtectedHeaders([
        [Headers.Algorithm, Algorithms.EdDSA],
        [Headers.KeyID, signer.kid],
      ]);
      const theirs = await Sign1.sign(header, new UnprotectedHeaders(), payload, key);
      expect(toHex(theirs.encode())).toBe(toHex(sign1(payload, signer)));
    }),
    { numRuns: 50 },
  );
});
