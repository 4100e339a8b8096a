/** Objects that are no messages, first of all revocation lists and firmware announcements: committed bytes both ways, and everything else refused. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cbor, encode, map } from "../../protocol/cbor.ts";
import { type Crypto, type Signer, sign1 } from "../../protocol/cose.ts";
import { decodeRevocations, encodeRevocations, MAX_REVOKED, type RevocationList } from "../../protocol/crl.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { decodeFirmware, encodeFirmware, type Firmware } from "../../protocol/firmware-object.ts";
import { decodeGatewayState, encodeGatewayState } from "../../protocol/gateway-state.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { tweetnaclCrypto, tweetnaclSigner } from "../../protocol/tweetnacl.node.ts";
import { bytes, device, fromJson, gateway, reasonOf, site, testSigner, uint, vectors } from "./support.ts";

const release = testSigner("TEST-ONLY vitalwire release");
const { keys, objects } = vectors("objects");
const seedOf = (name: string) => new Uint8Array(createHash("sha256").update(keys[name].seed).digest());

/** Each kind by its name in the vectors. */
const kinds: Record<
  string,
  {
    seal: (object: never, signer: Signer) => Uint8Array;
    open: (sealed: Uint8Array, publicKey: Uint8Array, crypto: Crypto) => unknown;
  }
> = {
  crl: { seal: encodeRevocations, open: decodeRevocations },
  firmware: { seal: encodeFirmware, open: decodeFirmware },
  state: { seal: encodeGatewayState, open: decodeGatewayState },
};

const openList = (sealed: Uint8Array) => decodeRevocations(sealed, site.publicKey, nodeCrypto);
const openFirmware = (sealed: Uint8Array) => decodeFirmware(sealed, release.publicKey, nodeCrypto);

const list: RevocationList = {
  issuer: "ward-7",
  issuedAt: 1796169600,
  number: 2,
  revoked: [{ kid: device.kid, reason: 1, time: 1796169600 }],
};
const firmware: Firmware = { version: 7, size: 183204, digest: new Uint8Array(32).fill(9), board: "esp32" };

describe("the committed objects", () => {
  for (const vector of objects)
    test(`${vector.name}: is made by both signers, and opens under both libraries`, () => {
      const decoded = fromJson(vector.decoded) as never;
      for (const make of [nodeSigner, tweetnaclSigner]) {
        expect(toHex(kinds[vector.kind]!.seal(decoded, make(seedOf(vector.signedBy))))).toBe(vector.hex);
        expect(vector.hex).toContain(vector.payload);
      }
      for (const crypto of [nodeCrypto, tweetnaclCrypto]) {
        expect(kinds[vector.kind]!.open(fromHex(vector.hex), fromHex(keys[vector.signedBy].publicKey), crypto)).toEqual(
          decoded,
        );
      }
    });

  test("flipped in any bit, none opens", () => {
    for (const vector of objects) {
      const sealed = fromHex(vector.hex);
      const publicKey = fromHex(keys[vector.signedBy].publicKey);
      for (let at = 0; at < sealed.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = new Uint8Array(sealed);
          flipped[at] = flipped[at]! ^ (1 << bit);
          expect(reasonOf(() => kinds[vector.kind]!.open(flipped, publicKey, nodeCrypto))).toMatch(
            /^(cbor|header|kid|signature)$/,
          );
        }
      }
    }
  });
});

describe("a revocation list", () => {
  const claims = (changes: Record<number, Cbor | undefined>) => {
    const all: Record<number, Cbor | undefined> = {
      1: "ward-7",
      6: 1796169600,
      [-70001]: 2,
      [-70002]: map([[device.kid, [1, 1796169600]]]),
      ...changes,
    };
    const entries = Object.entries(all).filter((one): one is [string, Cbor] => one[1] !== undefined);
    return sign1(encode(map(entries.map(([label, value]) => [Number(label), value] as const))), site, "vsp-crl");
  };

  test("comes back as it was signed, its keys in order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ kid: bytes(8, 8), reason: fc.integer({ min: 0, max: 10 }), time: uint }), {
          selector: ({ kid }) => toHex(kid),
          maxLength: 20,
        }),
        (revoked) => {
          const sorted = [...revoked].sort((a, b) => Buffer.compare(a.kid, b.kid));
          expect(openList(encodeRevocations({ ...list, revoked }, site))).toEqual({ ...list, revoked: sorted });
        },
      ),
      { numRuns: 50 },
    );
    expect(openList(claims({}))).toEqual(list);
  });

  test("holds as many keys as it says, at most, within a message's size", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        kid: Uint8Array.of(0, 0, 0, 0, 0, 0, i >> 8, i),
        reason: 10,
        time: 2 ** 40,
      }));
    const full = encodeRevocations(
      { ...list, issuer: "w".repeat(64), number: 2 ** 50, issuedAt: 2 ** 40, revoked: many(MAX_REVOKED) },
      site,
    );
    expect(openList(full).revoked).toHaveLength(MAX_REVOKED);
    expect(full.length).toBeLessThanOrEqual(4096);
    expect(reasonOf(() => encodeRevocations({ ...list, revoked: many(MAX_REVOKED + 1) }, site))).toBe("payload");
    const over = map(many(MAX_REVOKED + 1).map(({ kid }) => [kid, [0, 0]] as const));
    expect(reasonOf(() => openList(claims({ [-70002]: over })))).toBe("payload");
  });

  test("of another site is refused by its kid, one with that forged by its signature", () => {
    expect(reasonOf(() => openList(encodeRevocations(list, gateway)))).toBe("kid");
    const forged = { ...site, sign: (message: Uint8Array) => gateway.sign(message) };
    expect(reasonOf(() => openList(encodeRevocations(list, forged)))).toBe("signature");
  });

  test("has exactly its claims", () => {
    for (const label of [1, 6, -70001, -70002])
      expect(reasonOf(() => openList(claims({ [label]: undefined })))).toBe("payload");
    for (const label of [2, 4, 7, -70003]) {
      expect(reasonOf(() => openList(claims({ [label]: 1 })))).toBe("payload");
      expect(reasonOf(() => openList(claims({ 1: undefined, [label]: 1 })))).toBe("payload");
    }
    for (const content of [[], 1, "x", null] as Cbor[])
      expect(reasonOf(() => openList(sign1(encode(content), site, "vsp-crl")))).toBe("payload");
  });

  test("with a field that is not what it must be is refused when read and when written", () => {
    for (const issuer of ["", "µ".repeat(33), 7, null])
      expect(reasonOf(() => openList(claims({ 1: issuer })))).toBe("payload");
    for (const time of [-1, "1", null]) expect(reasonOf(() => openList(claims({ 6: time })))).toBe("payload");
    for (const number of [0, -1, "2", null])
      expect(reasonOf(() => openList(claims({ [-70001]: number })))).toBe("payload");
    const revoked: Cbor[] = [
      [],
      map([[device.kid.subarray(1), [1, 1]]]),
      map([["1563545644dd02b0", [1, 1]]]),
      map([[device.kid, [1]]]),
      map([[device.kid, [1, 1, 1]]]),
      map([[device.kid, [11, 1]]]),
      map([[device.kid, [-1, 1]]]),
      map([[device.kid, [1, -1]]]),
      map([[device.kid, [1, null]]]),
      map([[device.kid, 1]]),
    ];
    for (const one of revoked) expect(reasonOf(() => openList(claims({ [-70002]: one })))).toBe("payload");
    const write = (changes: object) => reasonOf(() => encodeRevocations({ ...list, ...changes }, site));
    expect(write({ issuer: "" })).toBe("payload");
    expect(write({ number: 0 })).toBe("payload");
    expect(write({ number: 1.5 })).toBe("payload");
    expect(write({ issuedAt: -1 })).toBe("payload");
    expect(write({ revoked: [{ kid: device.kid, reason: 11, time: 0 }] })).toBe("payload");
    expect(write({ revoked: [{ kid: device.kid.subarray(1), reason: 1, time: 0 }] })).toBe("payload");
    expect(write({ revoked: [list.revoked[0], list.revoked[0]] })).toBe("cbor");
  });
});

describe("a firmware announcement", () => {
  const parts = (...content: Cbor[]) => sign1(encode(content), release, "vsp-fw");
  const { version, size, digest, board } = firmware;

  test("comes back as it was signed", () => {
    expect(openFirmware(encodeFirmware(firmware, release))).toEqual(firmware);
    expect(openFirmware(parts(version, size, digest, board))).toEqual(firmware);
  });

  test("of another key is refused by its kid, one with that forged by its signature", () => {
    expect(reasonOf(() => openFirmware(encodeFirmware(firmware, site)))).toBe("kid");
    const forged = { ...release, sign: (message: Uint8Array) => site.sign(message) };
    expect(reasonOf(() => openFirmware(encodeFirmware(firmware, forged)))).toBe("signature");
  });

  test("of another form is refused when read and when written", () => {
    const wrong: Cbor[][] = [
      [],
      [version, size, digest],
      [version, size, digest, board, 1],
      [0, size, digest, board],
      ["7", size, digest, board],
      [version, 0, digest, board],
      [version, size, digest.subarray(1), board],
      [version, size, toHex(digest), board],
      [version, size, digest, ""],
      [version, size, digest, "µ".repeat(33)],
      [version, size, digest, 1],
    ];
    for (const one of wrong) expect(reasonOf(() => openFirmware(parts(...one)))).toBe("payload");
    expect(reasonOf(() => openFirmware(sign1(encode(map([[1, version]])), release, "vsp-fw")))).toBe("payload");
    for (const change of [{ version: 0 }, { size: 0 }, { digest: digest.subarray(1) }, { board: "" }])
      expect(reasonOf(() => encodeFirmware({ ...firmware, ...change }, release))).toBe("payload");
  });
});
