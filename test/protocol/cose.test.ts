import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cbor, decode, decodeTagged, encode, encodeTagged, map } from "../../protocol/cbor.ts";
import { decodeEnvelope, MAX_MESSAGE, sign1, toBeSigned, verify1 } from "../../protocol/cose.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { tweetnaclCrypto } from "../../protocol/tweetnacl.node.ts";
import { lacks, vectorFolder } from "../support/needs.ts";
import { bytes, device, outcomeOf, reasonOf, refusalOf, vectors } from "./support.ts";

const payload = fromHex("8405110200");
const kid = device.kid;
const EMPTY = new Uint8Array(0);

/** A COSE object with any headers, signed over whatever they are. */
function object(header: Cbor, unprotected: Cbor = map([]), tag = 18, content: Cbor = payload): Uint8Array {
  const protectedBytes = header instanceof Uint8Array ? header : encode(header);
  const signature = device.sign(encode(["Signature1", protectedBytes, EMPTY, content]));
  return encodeTagged(tag, [protectedBytes, unprotected, content, signature]);
}
const good: Array<readonly [Cbor, Cbor]> = [
  [1, -8],
  [4, kid],
];

describe("sealing", () => {
  test("a message is d2 84, protected {1: -8, 4: kid}, an empty map, the payload, 64 bytes: 86 over the payload", () => {
    const message = sign1(payload, device);
    expect(toHex(message)).toMatch(
      new RegExp(`^d2844da20127 0448${toHex(kid)}a045${toHex(payload)}5840`.replace(" ", "")),
    );
    // 84 over a payload whose length fits the initial byte; 85 from 24 bytes on, 86 from 256 on.
    expect([5, 23, 24, 255, 256, 4000].map((n) => sign1(new Uint8Array(n), device).length - n)).toEqual([
      84, 84, 85, 85, 86, 86,
    ]);
  });

  test("an object carries its typ as the last label of the protected header (RFC 9596)", () => {
    expect(toHex(sign1(payload, device, "vsp-card"))).toContain(
      `a30127 0448${toHex(kid)}10687673702d63617264`.replace(" ", ""),
    );
  });

  test("what is sealed verifies, by node:crypto and by tweetnacl", () => {
    const envelope = decodeEnvelope(sign1(payload, device));
    expect(envelope).toMatchObject({ tag: 18, alg: -8, kid, typ: null, payload });
    expect(verify1(envelope, device.publicKey, nodeCrypto)).toBe(true);
    expect(verify1(envelope, device.publicKey, tweetnaclCrypto)).toBe(true);
  });

  test("algorithm -19 (RFC 9864) is the same signature under another number, and verifies too", () => {
    const envelope = decodeEnvelope(sign1(payload, { ...device, alg: -19 }));
    expect(envelope.alg).toBe(-19);
    expect(verify1(envelope, device.publicKey, nodeCrypto)).toBe(true);
  });

  test("a message of 4096 bytes is sealed, one of 4097 is refused", () => {
    expect(sign1(new Uint8Array(MAX_MESSAGE - 86), device)).toHaveLength(4096);
    expect(reasonOf(() => sign1(new Uint8Array(MAX_MESSAGE - 85), device))).toBe("size");
  });

  test("a signer that no receiver would take is refused", () => {
    expect(reasonOf(() => sign1(payload, { ...device, kid: new Uint8Array(7) }))).toBe("header");
    expect(reasonOf(() => sign1(payload, { ...device, alg: -7 }))).toBe("header");
    expect(reasonOf(() => sign1(payload, { ...device, sign: () => new Uint8Array(63) }))).toBe("signature");
  });
});

describe("the envelope", () => {
  test("4097 bytes are refused before anything is read", () => {
    expect(reasonOf(() => decodeEnvelope(new Uint8Array(4097)))).toBe("size");
    expect(reasonOf(() => decodeEnvelope(new Uint8Array(4096)))).toBe("cbor");
  });

  test("modes M and E are refused with the header's word and say which mode is read", () => {
    for (const name of ["Data M", "Ack M", "E"]) {
      const example = vectors("examples").examples.find((one: { name: string }) => one.name === name);
      const refusal = refusalOf(() => decodeEnvelope(fromHex(example.hex)));
      expect(refusal.reason).toBe("header");
      expect(refusal.message).toContain("a signed object (18) is read here");
    }
  });

  test("another tag, or none, is not strict enough an envelope", () => {
    for (const tag of [0, 15, 19, 61, 98])
      expect(reasonOf(() => decodeEnvelope(object(map(good), map([]), tag)))).toBe("cbor");
    expect(reasonOf(() => decodeEnvelope(object(map(good)).subarray(1)))).toBe("cbor");
  });

  const headers: Array<[string, Cbor, Cbor?]> = [
    ["no algorithm", map([[4, kid]])],
    ["no kid", map([[1, -8]])],
    ["nothing", map([])],
    [
      "an algorithm that is not Ed25519",
      map([
        [1, -7],
        [4, kid],
      ]),
    ],
    [
      "an HMAC algorithm",
      map([
        [1, 4],
        [4, kid],
      ]),
    ],
    [
      "an algorithm as text",
      map([
        [1, "EdDSA"],
        [4, kid],
      ]),
    ],
    [
      "a kid of 7 bytes",
      map([
        [1, -8],
        [4, kid.subarray(1)],
      ]),
    ],
    [
      "a kid of 9 bytes",
      map([
        [1, -8],
        [4, new Uint8Array(9)],
      ]),
    ],
    [
      "a kid as text",
      map([
        [1, -8],
        [4, "12345678"],
      ]),
    ],
    ["one label more", map([...good, [3, 0]])],
    ["a critical label", map([...good, [2, [1]]])],
    ["a typ where a message is due", map([...good, [16, "vsp-card"]])],
    ["kid in the unprotected header", map([[1, -8]]), map([[4, kid]])],
    ["anything in the unprotected header", map(good), map([[5, EMPTY]])],
    ["an unprotected header that is no map", map(good), []],
    ["a protected header that is no map", [1, -8]],
  ];
  test.each(headers)("a protected header with %s is refused", (_, header, unprotected) => {
    expect(reasonOf(() => decodeEnvelope(object(header, unprotected ?? map([]))))).toBe("header");
  });

  test("a protected header that is not strict CBOR is refused as such", () => {
    // no bytes, which RFC 9052 section 3 would allow; keys out of order; the algorithm in two bytes; a byte behind
    for (const text of [
      "",
      `a20448${toHex(kid)}0127`,
      `a201380704 48${toHex(kid)}`.replace(" ", ""),
      `a201270448${toHex(kid)}00`,
    ])
      expect(reasonOf(() => decodeEnvelope(object(fromHex(text))))).toBe("cbor");
  });

  test("a structure that is no COSE_Sign1 is refused", () => {
    const header = encode(map(good));
    const shapes: Cbor[] = [
      1,
      [],
      [header, map([]), payload],
      [header, map([]), payload, EMPTY, EMPTY],
      [map(good), map([]), payload, EMPTY],
      [header, map([]), null, new Uint8Array(64)],
      [header, map([]), "text", new Uint8Array(64)],
      [header, map([]), payload, "text"],
    ];
    for (const shape of shapes) expect(reasonOf(() => decodeEnvelope(encodeTagged(18, shape)))).toBe("header");
  });

  test("one object cannot pass for another: its typ must be the one expected", () => {
    const card = object(map([...good, [16, "vsp-card"]]));
    expect(decodeEnvelope(card, "vsp-card").typ).toBe("vsp-card");
    expect(reasonOf(() => decodeEnvelope(card, "vsp-crl"))).toBe("header");
    expect(reasonOf(() => decodeEnvelope(card))).toBe("header");
    expect(reasonOf(() => decodeEnvelope(object(map(good)), "vsp-card"))).toBe("header");
    expect(reasonOf(() => decodeEnvelope(object(map([...good, [17, "vsp-card"]])), "vsp-card"))).toBe("header");
    expect(reasonOf(() => decodeEnvelope(object(map([...good, [16, 61]])), "vsp-card"))).toBe("header");
  });
});

describe("verifying", () => {
  const envelope = decodeEnvelope(sign1(payload, device));

  test("another key, another payload, another header or another length of signature does not hold", () => {
    const other = nodeSigner(new Uint8Array(32));
    for (const crypto of [nodeCrypto, tweetnaclCrypto]) {
      expect(verify1(envelope, other.publicKey, crypto)).toBe(false);
      expect(verify1({ ...envelope, payload: fromHex("8405110201") }, device.publicKey, crypto)).toBe(false);
      expect(verify1({ ...envelope, protectedBytes: EMPTY }, device.publicKey, crypto)).toBe(false);
      for (const length of [0, 63, 65]) {
        const signature = new Uint8Array(length);
        signature.set(envelope.signature.subarray(0, Math.min(length, 64)));
        expect(verify1({ ...envelope, signature }, device.publicKey, crypto)).toBe(false);
      }
    }
  });

  test("a signature that is not 64 bytes does not even reach the verifier", () => {
    const credulous = { ...nodeCrypto, verify: () => true };
    expect(verify1(envelope, device.publicKey, credulous)).toBe(true);
    for (const length of [0, 63, 65])
      expect(verify1({ ...envelope, signature: new Uint8Array(length) }, device.publicKey, credulous)).toBe(false);
  });

  test("an algorithm or a tag of another mode does not hold, whatever the bytes are", () => {
    expect(verify1({ ...envelope, alg: 4 }, device.publicKey, nodeCrypto)).toBe(false);
    expect(verify1({ ...envelope, tag: 17 }, device.publicKey, nodeCrypto)).toBe(false);
  });

  test("every byte of every signed example, flipped in any way, is refused or does not verify", () => {
    const document = vectors("examples");
    let flips = 0;
    for (const example of document.examples) {
      if (example.signedBy === undefined) continue;
      const publicKey = fromHex(document.keys[example.signedBy]);
      const typ = example.name === "Device card" ? "vsp-card" : undefined;
      const accepted = (message: Uint8Array): boolean => {
        const outcome = outcomeOf(() => {
          const opened = decodeEnvelope(message, typ);
          // A flipped kid names another key: there the enrolment would already end it; here the signature must.
          if (!verify1(opened, publicKey, nodeCrypto)) throw Object.assign(new Error(), { reason: "signature" });
        });
        return outcome === "ok";
      };
      const message = fromHex(example.hex);
      expect(accepted(message)).toBe(true);
      for (let at = 0; at < message.length; at++)
        for (const mask of [0x01, 0x80, 0xff, 1 << (at % 8)]) {
          message[at] = (message[at] as number) ^ mask;
          expect(accepted(message), `${example.name}, byte ${at} xor ${mask}`).toBe(false);
          message[at] = (message[at] as number) ^ mask;
          flips++;
        }
    }
    expect(flips).toBeGreaterThan(4000);
  });

  test("any payload that is sealed comes out of its envelope and verifies", () => {
    fc.assert(
      fc.property(bytes(0, 600), (content) => {
        const opened = decodeEnvelope(sign1(content, device));
        expect(opened.payload).toEqual(content);
        expect(verify1(opened, device.publicKey, nodeCrypto)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

interface Example {
  title: string;
  fail?: boolean;
  input: { sign0?: { key: Record<string, string>; external?: string } };
  intermediates?: { ToBeSign_hex?: string };
  output: { cbor: string };
}
const example = (path: string): Example => JSON.parse(readFileSync(`${vectorFolder}/cose/${path}`, "utf8"));
/** An empty protected map is signed as no bytes (RFC 9052 section 4.4, step 2), a case that VSP/1's headers never are. */
const emptied = (header: Uint8Array | undefined) => (header?.length === 1 ? EMPTY : (header as Uint8Array));
const folder = (name: string) => readdirSync(`${vectorFolder}/cose/${name}`).map((file) => `${name}/${file}`);

describe.skipIf(lacks("vectors"))("the COSE working group's examples", () => {
  test("their EdDSA example verifies over our Sig_structure, though its headers are not ours (RFC 9052 section 4.4)", () => {
    const one = example("eddsa-examples/eddsa-sig-01.json");
    const message = fromHex(one.output.cbor);
    const protectedBytes = fromHex("a201270300");
    const opened = {
      tag: 18,
      alg: -8,
      kid: fromHex("3131"),
      typ: null,
      protectedBytes,
      payload: new TextEncoder().encode("This is the content."),
      signature: message.subarray(message.length - 64),
    };
    expect(toHex(toBeSigned(opened)).toUpperCase()).toBe(one.intermediates?.ToBeSign_hex);
    const publicKey = fromHex(one.input.sign0?.key.x_hex as string);
    expect(verify1(opened, publicKey, nodeCrypto)).toBe(true);
    expect(verify1(opened, publicKey, tweetnaclCrypto)).toBe(true);
    expect(reasonOf(() => decodeEnvelope(message))).toBe("header");
  });

  test("the bytes to be signed are theirs, for every single signer without external data (RFC 9052 section 4.4)", () => {
    const files = ["sign1-tests/sign-pass-01", "sign1-tests/sign-pass-03", "RFC8152/Appendix_C_2_1", "CWT/A_3"];
    for (const file of [...files, "eddsa-examples/eddsa-sig-01", "eddsa-examples/eddsa-sig-02"]) {
      const one = example(`${file}.json`);
      const message = fromHex(one.output.cbor);
      const parts = ((message[0] as number) >> 5 === 6 ? decodeTagged(message).value : decode(message)) as Uint8Array[];
      const opened = { tag: 18, alg: -8, kid, typ: null, signature: EMPTY };
      const over = toBeSigned({ ...opened, protectedBytes: emptied(parts[0]), payload: parts[2] as Uint8Array });
      expect(toHex(over).toUpperCase(), file).toBe(one.intermediates?.ToBeSign_hex);
    }
  });

  test("every example has headers or a mode that VSP/1 does not speak, and is refused", () => {
    const files = ["sign1-tests", "eddsa-examples", "mac0-tests", "RFC8152", "CWT", "hmac-examples"].flatMap(folder);
    const outcomes: Record<string, string[]> = {};
    for (const file of files) {
      const hex = example(file).output?.cbor;
      const outcome = hex === undefined ? "no message in it" : outcomeOf(() => decodeEnvelope(fromHex(hex)));
      outcomes[outcome] = [...(outcomes[outcome] ?? []), file.replace(".json", "")];
    }
    expect(Object.fromEntries(Object.entries(outcomes).map(([word, list]) => [word, list.length]))).toEqual({
      header: 31,
      cbor: 24,
    });
  });

  test("the examples of a single signer that must fail are refused, each one", () => {
    const failing = folder("sign1-tests").filter((file) => file.includes("fail"));
    expect(failing).toHaveLength(6);
    for (const file of failing)
      expect(["header", "cbor"]).toContain(reasonOf(() => decodeEnvelope(fromHex(example(file).output.cbor))));
  });
});
