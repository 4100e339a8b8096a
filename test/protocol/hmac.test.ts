import { createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { hkdfSha256, hmacSha256 } from "../../protocol/hmac.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { bytes } from "./support.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const run = (first: number, count: number) => Uint8Array.from({ length: count }, (_, i) => first + i);
const same = (value: number, count: number) => new Uint8Array(count).fill(value);

describe("HMAC-SHA-256", () => {
  const cases: Array<[string, Uint8Array, Uint8Array, string]> = [
    ["1", same(0x0b, 20), ascii("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      "2",
      ascii("Jefe"),
      ascii("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    ["3", same(0xaa, 20), same(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
    ["4", run(1, 25), same(0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"],
    ["5, cut to 128 bits", same(0x0c, 20), ascii("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
    [
      "6, a key longer than a block",
      same(0xaa, 131),
      ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      "7, key and text longer than a block",
      same(0xaa, 131),
      ascii(
        "This is a test using a larger than block-size key and a larger than block-size data. " +
          "The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ];
  for (const [name, key, text, expected] of cases)
    test(`RFC 4231 test case ${name}`, () => {
      expect(toHex(hmacSha256(key, text, nodeCrypto)).slice(0, expected.length)).toBe(expected);
    });

  test("is node:crypto's for any key and text, at the block's edge too", () => {
    const key = fc.oneof(bytes(0, 140), bytes(63, 66));
    fc.assert(
      fc.property(key, bytes(0, 200), (secret, text) => {
        const expected = createHmac("sha256", secret).update(text).digest("hex");
        expect(toHex(hmacSha256(secret, text, nodeCrypto))).toBe(expected);
      }),
    );
  });
});

describe("HKDF-SHA-256", () => {
  const none = new Uint8Array(0);
  const cases: Array<[string, Uint8Array, Uint8Array, Uint8Array, string]> = [
    [
      "1",
      same(0x0b, 22),
      run(0, 13),
      run(0xf0, 10),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ],
    [
      "2, longer inputs and three blocks",
      run(0, 80),
      run(0x60, 80),
      run(0xb0, 80),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ],
    [
      "3, no salt and no info",
      same(0x0b, 22),
      none,
      none,
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ],
  ];
  for (const [name, ikm, salt, info, expected] of cases)
    test(`RFC 5869 test case ${name}`, () => {
      expect(toHex(hkdfSha256(ikm, salt, info, expected.length / 2, nodeCrypto))).toBe(expected);
    });

  test("is node:crypto's for any input and length", () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(32, 33, 64, 8160));
    fc.assert(
      fc.property(bytes(1, 80), bytes(0, 80), bytes(0, 80), length, (ikm, salt, info, count) => {
        const expected = Buffer.from(hkdfSync("sha256", ikm, salt, info, count)).toString("hex");
        expect(toHex(hkdfSha256(ikm, salt, info, count, nodeCrypto))).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("a length that it cannot give is an error", () => {
    for (const length of [0, -1, 8161, 1.5, Number.NaN])
      expect(() => hkdfSha256(fromHex("00"), none, none, length, nodeCrypto), `${length}`).toThrow(/gives 1\.\.8160/);
  });
});
