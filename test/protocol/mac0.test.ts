import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cbor, encode, encodeTagged, map } from "../../protocol/cbor.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { hmacSha256 } from "../../protocol/hmac.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { decodeMac0, mac0, macLabelOf, verifyMac0 } from "../../protocol/mac0.ts";
import { encodeMessage } from "../../protocol/messages.ts";
import { peekPayload } from "../../protocol/peek.ts";
import { lacks, vectorFolder } from "../support/needs.ts";
import { everyFlip, example, keyOf, kid, modes } from "./modes.ts";
import { message as anyMessage, bytes, outcomeOf, reasonOf, refusalOf, vectors } from "./support.ts";

const payload = fromHex("860411190e141a0036fe34088411190e060201");
const key = keyOf("d2g mac");
const EMPTY = new Uint8Array(0);
const good: Array<readonly [Cbor, Cbor]> = [
  [1, 4],
  [4, kid],
];

/** As a receiver does it: strict, then the key that the peek chooses among this boot's. Throws Refusal. */
function receive(message: Uint8Array): Uint8Array {
  const opened = decodeMac0(message);
  const found = peekPayload(opened.payload);
  const named = toHex(found.kid ?? opened.kid);
  if (named !== modes.secret.kid || toHex(opened.kid) !== named || found.boot !== modes.secret.boot)
    throw Object.assign(new Error(), { reason: "kid" });
  if (!verifyMac0(opened, keyOf(macLabelOf(found.type)), nodeCrypto))
    throw Object.assign(new Error(), { reason: "signature" });
  return opened.payload;
}

/** A COSE_Mac0 with any headers, MACed over whatever they are. */
function object(header: Cbor, unprotected: Cbor = map([]), tag = 17, length = 8, content: Cbor = payload): Uint8Array {
  const protectedBytes = header instanceof Uint8Array ? header : encode(header);
  const mac = hmacSha256(key, encode(["MAC0", protectedBytes, EMPTY, content]), nodeCrypto);
  return encodeTagged(tag, [protectedBytes, unprotected, content, mac.subarray(0, length)]);
}

describe("mode M: the committed vectors", () => {
  for (const vector of modes.mac0)
    test(`${vector.name}: seals to the committed bytes, and opens under the key that its payload chooses`, () => {
      if (vector.example !== undefined) expect(vector.hex).toBe(example(vector.example).hex);
      expect(macLabelOf(peekPayload(fromHex(vector.payload)).type)).toBe(vector.label);
      expect(toHex(mac0(fromHex(vector.payload), kid, keyOf(vector.label), nodeCrypto))).toBe(vector.hex);
      expect(toHex(receive(fromHex(vector.hex)))).toBe(vector.payload);
    });

  test("both worked examples in mode M of PROTOCOL.md section 9 are among them", () => {
    const names = vectors("examples")
      .examples.map((one: { name: string }) => one.name)
      .filter((name: string) => name.endsWith(" M"));
    expect(modes.mac0.map((one) => one.example).filter((name) => name !== undefined)).toEqual(names);
  });

  test("the serial line of Data M opens", () => {
    const line = vectors("examples").examples.find((one: { name: string }) => one.name === "Data M").line;
    expect(toHex(receive(decodeLine(line) as Uint8Array))).toBe(example("Data payload").payload);
  });

  test("every byte of every one, flipped in any way, is refused", () => {
    let flips = 0;
    for (const vector of modes.mac0)
      flips += everyFlip(fromHex(vector.hex), (flipped, what) =>
        expect(
          outcomeOf(() => receive(flipped)),
          `${vector.name}, ${what}`,
        ).not.toBe("ok"),
      );
    expect(flips).toBeGreaterThan(2000);
  });

  test("cut short anywhere, or with a byte behind it, it is refused", () => {
    const whole = fromHex(modes.mac0[0]?.hex as string);
    for (let n = 0; n < whole.length; n++) expect(outcomeOf(() => receive(whole.subarray(0, n)))).toBe("cbor");
    expect(outcomeOf(() => receive(Uint8Array.of(...whole, 0)))).toBe("cbor");
  });
});

describe("mode M: sealing", () => {
  test("is 29 bytes over a payload of 256 bytes and more", () => {
    expect([5, 23, 24, 255, 256, 4067].map((n) => mac0(new Uint8Array(n), kid, key, nodeCrypto).length - n)).toEqual([
      27, 27, 28, 28, 29, 29,
    ]);
  });

  test("4096 bytes are sealed, 4097 are refused; a kid or key of another length too", () => {
    expect(mac0(new Uint8Array(4067), kid, key, nodeCrypto)).toHaveLength(4096);
    expect(reasonOf(() => mac0(new Uint8Array(4068), kid, key, nodeCrypto))).toBe("size");
    expect(reasonOf(() => mac0(payload, kid.subarray(1), key, nodeCrypto))).toBe("header");
    expect(() => mac0(payload, kid, key.subarray(1), nodeCrypto)).toThrow(/MAC key of 31 bytes/);
  });

  test("any message that is sealed opens, and its peek is what the message says", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const opened = decodeMac0(mac0(encodeMessage(message), kid, key, nodeCrypto));
        expect(verifyMac0(opened, key, nodeCrypto)).toBe(true);
        const found = peekPayload(opened.payload);
        expect(found.boot).toBe(message.boot);
        expect(found.kid).toEqual("kid" in message ? message.kid : null);
      }),
    );
  });
});

describe("mode M: the strict envelope", () => {
  test("the headers are {1: 4, 4: kid} and {}, and nothing else", () => {
    expect(outcomeOf(() => receive(object(map(good))))).toBe("ok");
    const headers: Cbor[] = [
      map([[1, 4]]),
      map([[4, kid]]),
      map([...good, [16, "vsp-card"]]),
      map([...good, [5, EMPTY]]),
      map([
        [1, 4],
        [4, kid.subarray(1)],
      ]),
      map([
        [1, 4],
        [4, "kid"],
      ]),
      map([
        [1, -8],
        [4, kid],
      ]),
      map([
        [1, 5],
        [4, kid],
      ]),
      map([
        [1, 10],
        [4, kid],
      ]),
      map([
        [2, 4],
        [4, kid],
      ]),
      [1, 4],
    ];
    for (const header of headers)
      expect(
        reasonOf(() => decodeMac0(object(header))),
        toHex(encode(header)),
      ).toBe("header");
    expect(reasonOf(() => decodeMac0(object(map(good), map([[4, kid]]))))).toBe("header");
    expect(reasonOf(() => decodeMac0(object(map(good), [])))).toBe("header");
    expect(reasonOf(() => decodeMac0(object(EMPTY)))).toBe("cbor");
    expect(reasonOf(() => decodeMac0(object(fromHex("a20104044801020304050607080a"))))).toBe("cbor");
  });

  test("a tag of another length than 8 bytes is refused, though it is a longer cut of the same HMAC", () => {
    for (const length of [0, 4, 7, 9, 16, 32])
      expect(refusalOf(() => decodeMac0(object(map(good), map([]), 17, length))).message).toMatch(/header: a tag of/);
  });

  test("another mode's tag is refused as a header, anybody else's as no envelope", () => {
    for (const tag of [16, 18]) expect(reasonOf(() => decodeMac0(object(map(good), map([]), tag)))).toBe("header");
    for (const tag of [0, 15, 19, 97]) expect(reasonOf(() => decodeMac0(object(map(good), map([]), tag)))).toBe("cbor");
    expect(reasonOf(() => decodeMac0(new Uint8Array(4097)))).toBe("size");
    expect(reasonOf(() => decodeMac0(fromHex(example("Data S").hex)))).toBe("header");
    // and the other way: mode S does not take a MAC for a signature
    expect(reasonOf(() => decodeEnvelope(fromHex(example("Data M").hex)))).toBe("header");
  });

  test("a structure that is no COSE_Mac0 is refused", () => {
    const parts: Cbor[] = [encode(map(good)), map([]), payload, new Uint8Array(8)];
    expect(reasonOf(() => decodeMac0(encodeTagged(17, parts.slice(0, 3))))).toBe("header");
    expect(reasonOf(() => decodeMac0(encodeTagged(17, [...parts, 1])))).toBe("header");
    expect(reasonOf(() => decodeMac0(encodeTagged(17, map([]))))).toBe("header");
    for (let i = 0; i < 4; i++)
      expect(
        reasonOf(() =>
          decodeMac0(
            encodeTagged(
              17,
              parts.map((part, j) => (i === j ? null : part)),
            ),
          ),
        ),
      ).toBe("header");
  });

  test("no bytes raise anything but a refusal", () => {
    fc.assert(fc.property(bytes(0, 120), (garbage) => outcomeOf(() => receive(garbage)) !== "ok"));
    fc.assert(
      fc.property(
        bytes(0, 40),
        (garbage) => outcomeOf(() => receive(object(map(good), map([]), 17, 8, garbage))) !== "",
      ),
    );
  });
});

describe("mode M: which key", () => {
  test("another of the boot's keys does not hold, nor the key of another boot", () => {
    for (const vector of modes.mac0)
      for (const label of ["birth", "d2g mac", "g2d mac"])
        expect(verifyMac0(decodeMac0(fromHex(vector.hex)), keyOf(label), nodeCrypto)).toBe(label === vector.label);
  });

  test("a peek reads 16 bytes at most, and names no key for what is no message", () => {
    const ack = fromHex(example("Ack M").payload);
    const longest = Uint8Array.of(...ack.subarray(0, 11), 0x1a, 0xff, 0xff, 0xff, 0xff);
    expect(peekPayload(longest)).toEqual({ type: 17, kid, boot: 4294967295 });
    for (let n = 0; n < longest.length; n++)
      expect(reasonOf(() => peekPayload(longest.subarray(0, n)))).toBe("signature");
    // no list, too short a list, no type, a type of more bytes than it needs, boot: not shortest, over 32 bits, negative
    for (const hex of [
      "05",
      "830511",
      "a60111",
      "8a0111",
      "860611",
      "86180111",
      "8601181100",
      "86011900ff",
      "86011a0000ffff",
    ])
      expect(
        reasonOf(() => peekPayload(fromHex(hex))),
        hex,
      ).toBe("signature");
    for (const hex of ["86011b0000000100000000", "860120", "8601f6", "8710471563545644dd02b011"])
      expect(
        reasonOf(() => peekPayload(fromHex(hex))),
        hex,
      ).toBe("signature");
  });
});

describe.skipIf(lacks("vectors"))("the COSE working group's HMAC 256/64 example", () => {
  test("its tag is our HMAC over its MAC_structure, cut to 64 bits", () => {
    const one = JSON.parse(readFileSync(`${vectorFolder}/cose/hmac-examples/HMac-05.json`, "utf8"));
    const tag = hmacSha256(fromHex(one.intermediates.CEK_hex), fromHex(one.intermediates.ToMac_hex), nodeCrypto);
    expect(one.output.cbor_diag.toLowerCase()).toContain(`h'${toHex(tag.subarray(0, 8))}'`);
  });
});
