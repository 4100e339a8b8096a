import { describe, expect, test } from "vitest";
import { type Card, decodeCard, encodeCard } from "../../protocol/card.ts";
import { type Cbor, encode, map } from "../../protocol/cbor.ts";
import { sign1 } from "../../protocol/cose.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, kidText, toHex } from "../../protocol/keys.ts";
import { tweetnaclCrypto } from "../../protocol/tweetnacl.node.ts";
import { device, gateway, reasonOf, site, vectors } from "./support.ts";

const card: Card = {
  issuer: "ward-7",
  role: "device",
  kid: device.kid,
  publicKey: device.publicKey,
  issuedAt: 1764028800,
  expires: 1827100800,
};
const open = (bytes: Uint8Array) => decodeCard(bytes, site.publicKey, nodeCrypto);

/** Claims as they should be, some replaced; null drops one. */
function claims(changes: Record<number, Cbor | undefined>): Uint8Array {
  const key = map([
    [1, 1],
    [-1, 6],
    [-2, device.publicKey],
  ]);
  const all: Record<number, Cbor> = {
    1: "ward-7",
    2: `vsp:${kidText(device.kid)}`,
    4: 1827100800,
    6: 1764028800,
    8: map([[1, key]]),
  };
  const entries = Object.entries({ ...all, ...changes }).filter(
    (entry): entry is [string, Cbor] => entry[1] !== undefined,
  );
  return sign1(encode(map(entries.map(([label, value]) => [Number(label), value] as const))), site, "vsp-card");
}
const confirmation = (key: Cbor) => claims({ 8: map([[1, key]]) });

describe("cards (RFC 8392, RFC 8747)", () => {
  test("the card of the worked example opens under its site's key and encodes to the same payload", () => {
    const document = vectors("examples");
    const example = document.examples[0];
    for (const crypto of [nodeCrypto, tweetnaclCrypto]) {
      const opened = decodeCard(fromHex(example.hex), fromHex(document.keys.site), crypto);
      expect(opened).toMatchObject({ issuer: "ward-7", role: "device", issuedAt: 1764028800, expires: 1827100800 });
      expect(toHex(opened.kid)).toBe(document.keys.kid);
      // Header and claims as in the example; the site's private key is not known, so kid and signature are ours.
      const again = toHex(encodeCard(opened, site));
      expect(again.slice(0, 14)).toBe(example.hex.slice(0, 14));
      expect(again.slice(34, -128)).toBe(example.hex.slice(34, -128));
    }
  });

  test("a card comes back as it was signed, for a device and for a gateway", () => {
    expect(open(encodeCard(card, site))).toEqual(card);
    const other: Card = { ...card, role: "gateway", kid: gateway.kid, publicKey: gateway.publicKey };
    expect(open(encodeCard(other, site))).toEqual(other);
    expect(open(claims({}))).toEqual(card);
  });

  test("a card of another site is refused by its kid, one with its kid forged by its signature", () => {
    expect(reasonOf(() => open(encodeCard(card, gateway)))).toBe("kid");
    const forged = { ...site, sign: (message: Uint8Array) => gateway.sign(message) };
    expect(reasonOf(() => open(encodeCard(card, forged)))).toBe("signature");
  });

  test("a message or another object does not pass for a card", () => {
    const content = encode(map([]));
    expect(reasonOf(() => open(sign1(content, site)))).toBe("header");
    for (const typ of ["vsp-crl", "vsp-fw", "vsp-checkpoint", "vsp-card2"])
      expect(reasonOf(() => open(sign1(content, site, typ)))).toBe("header");
  });

  test("a subject that is not the key's kid is refused, whatever else holds", () => {
    for (const subject of [
      kidText(device.kid),
      `vsp:${kidText(gateway.kid)}`,
      `vsp:${kidText(device.kid).toUpperCase()}`,
      `vsp-gw:${kidText(gateway.kid)}`,
      `vsp:${kidText(device.kid)} `,
      "",
      7,
    ])
      expect(reasonOf(() => open(claims({ 2: subject })))).toBe("kid");
  });

  test("the set of claims is exact", () => {
    for (const label of [1, 2, 4, 6, 8]) expect(reasonOf(() => open(claims({ [label]: undefined })))).toBe("payload");
    for (const label of [3, 5, 7, 9]) {
      expect(reasonOf(() => open(claims({ [label]: 1 })))).toBe("payload");
      expect(reasonOf(() => open(claims({ 1: undefined, [label]: 1 })))).toBe("payload");
    }
    for (const content of [[], 1, "x", null] as Cbor[])
      expect(reasonOf(() => open(sign1(encode(content), site, "vsp-card")))).toBe("payload");
  });

  test("an issuer that is empty, too long or no text is refused in both directions", () => {
    for (const issuer of ["", "µ".repeat(33), 7, null])
      expect(reasonOf(() => open(claims({ 1: issuer })))).toBe("payload");
    for (const issuer of ["", "µ".repeat(33)])
      expect(reasonOf(() => encodeCard({ ...card, issuer }, site))).toBe("payload");
  });

  test("times that are not seconds, or not in order, are refused in both directions", () => {
    for (const time of [-1, "1827100800", null, 1764028800, 0])
      expect(reasonOf(() => open(claims({ 4: time })))).toBe("payload");
    for (const time of [-1, "1764028800", null, 1827100800])
      expect(reasonOf(() => open(claims({ 6: time })))).toBe("payload");
    expect(reasonOf(() => encodeCard({ ...card, expires: card.issuedAt }, site))).toBe("payload");
    expect(reasonOf(() => encodeCard({ ...card, issuedAt: -1 }, site))).toBe("payload");
  });

  test("a key that is not Ed25519, or not just that, is refused", () => {
    const x = device.publicKey;
    const keys: Cbor[] = [
      map([
        [1, 2],
        [-1, 6],
        [-2, x],
      ]),
      map([
        [1, 1],
        [-1, 4],
        [-2, x],
      ]),
      map([
        [1, 1],
        [-1, 6],
      ]),
      map([
        [1, 1],
        [-1, 6],
        [-2, x.subarray(1)],
      ]),
      map([
        [1, 1],
        [-1, 6],
        [-2, toHex(x)],
      ]),
      map([
        [1, 1],
        [-1, 6],
        [-2, x],
        [-4, new Uint8Array(32)],
      ]),
      map([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, x],
      ]),
      [1, 6, x],
      x,
    ];
    for (const key of keys) expect(reasonOf(() => open(confirmation(key)))).toBe("payload");
    for (const cnf of [map([]), map([[3, x]]), 1] as Cbor[])
      expect(reasonOf(() => open(claims({ 8: cnf })))).toBe("payload");
    expect(reasonOf(() => encodeCard({ ...card, publicKey: x.subarray(1) }, site))).toBe("payload");
  });

  test("every byte of a card, flipped, is refused", () => {
    const bytes = encodeCard(card, site);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = (bytes[at] as number) ^ 0x10;
      expect(["cbor", "header", "kid", "signature"]).toContain(reasonOf(() => open(bytes)));
      bytes[at] = (bytes[at] as number) ^ 0x10;
    }
  });
});
