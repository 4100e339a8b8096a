import { describe, expect, test } from "vitest";
import { encode, map } from "../../protocol/cbor.ts";
import {
  countersign,
  countersignatureOf,
  countersignatureParts,
  verifyCountersignature,
} from "../../protocol/countersign.ts";
import { nodeAead, nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, encrypt0 } from "../../protocol/encrypt0.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { decodeMac0, mac0 } from "../../protocol/mac0.ts";
import { encryptionKeys, everyFlip, keyOf, kid } from "./modes.ts";
import { reasonOf } from "./support.ts";

const gateway = nodeSigner(new Uint8Array(32).fill(5));
const payload = fromHex("860411190e141a0036fe34088411190e060201");
const EMPTY = new Uint8Array(0);
const maced = mac0(payload, kid, keyOf("d2g mac"), nodeCrypto);
const encrypted = encrypt0(payload, kid, encryptionKeys("d2g"), nodeAead);
const targets = {
  M: { target: decodeMac0(maced), plaintext: null },
  "bare E": { target: decodeEncrypt0(encrypted), plaintext: payload },
};
const own = encode(
  map([
    [1, -8],
    [4, gateway.kid],
  ]),
);

describe("the countersignature (RFC 9338 section 3.3)", () => {
  test("over a COSE_Mac0 is over its protected header, its payload and its tag, in the second form", () => {
    const { target } = targets.M;
    const structure = encode(["CounterSignatureV2", target.protectedBytes, own, EMPTY, payload, [target.tag]]);
    const { signature, protectedBytes } = countersign(target, null, gateway);
    expect(toHex(protectedBytes)).toBe(toHex(own));
    expect(nodeCrypto.verify(gateway.publicKey, structure, signature)).toBe(true);
  });

  test("over a COSE_Encrypt0 is over its ciphertext, with what was read in it as external data", () => {
    const { target } = targets["bare E"];
    const structure = encode(["CounterSignature", target.protectedBytes, own, payload, target.ciphertext]);
    expect(nodeCrypto.verify(gateway.publicKey, structure, countersign(target, payload, gateway).signature)).toBe(true);
    expect(() => countersign(target, null, gateway)).toThrow(/over its plaintext too/);
  });

  test.each(Object.entries(targets))(
    "of %s holds for this message, this plaintext and this gateway alone",
    (_, { target, plaintext }) => {
      const made = countersignatureOf(countersignatureParts(countersign(target, plaintext, gateway)));
      const holds = (of = target, read = plaintext, key = gateway.publicKey) =>
        verifyCountersignature(made, of, read, key, nodeCrypto);
      expect(toHex(made.kid)).toBe(toHex(gateway.kid));
      expect(holds()).toBe(true);
      expect(holds(target, plaintext, nodeSigner(new Uint8Array(32).fill(6)).publicKey)).toBe(false);
      if (plaintext !== null) everyFlip(plaintext, (flipped) => expect(holds(target, flipped)).toBe(false));
      everyFlip("tag" in target ? maced : encrypted, (flipped, what) => {
        let other: typeof target;
        try {
          other = "tag" in target ? decodeMac0(flipped) : decodeEncrypt0(flipped);
        } catch {
          return;
        }
        // The Partial IV stands in the unprotected header: the plaintext, which is signed, says what it says.
        if ("partialIv" in other && "partialIv" in target && toHex(other.partialIv) !== toHex(target.partialIv)) return;
        expect(holds(other), what).toBe(false);
      });
    },
  );

  test("is taken apart by its exact form alone", () => {
    const parts = countersignatureParts(countersign(targets.M.target, null, gateway)) as [
      Uint8Array,
      never,
      Uint8Array,
    ];
    const [protectedBytes, unprotected, signature] = parts;
    for (const wrong of [
      [protectedBytes, unprotected],
      [protectedBytes, map([[4, kid]]), signature],
      [protectedBytes, unprotected, signature.subarray(1)],
      [
        encode(
          map([
            [1, 4],
            [4, kid],
          ]),
        ),
        unprotected,
        signature,
      ],
      [encode(map([[1, -8]])), unprotected, signature],
      "countersignature",
    ])
      expect(reasonOf(() => countersignatureOf(wrong))).toBe("header");
  });

  test("a signer that no reader would take makes none", () => {
    const { target } = targets.M;
    expect(reasonOf(() => countersign(target, null, { ...gateway, kid: kid.subarray(1) }))).toBe("header");
    expect(reasonOf(() => countersign(target, null, { ...gateway, alg: -7 }))).toBe("header");
    expect(reasonOf(() => countersign(target, null, { ...gateway, sign: () => EMPTY }))).toBe("signature");
  });
});
