import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cbor, decodeTagged, encode, encodeTagged, map } from "../../protocol/cbor.ts";
import { decodeEnvelope, sign1, verify1 } from "../../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeEncrypt0, encrypt0, openEncrypt0 } from "../../protocol/encrypt0.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { type DataMessage, encodeMessage } from "../../protocol/messages.ts";
import { lacks, vectorFolder } from "../support/needs.ts";
import { encryptionKeys, everyFlip, example, kid, modes } from "./modes.ts";
import { bytes, device, outcomeOf, reasonOf, refusalOf, u32, vectors } from "./support.ts";

const keys = encryptionKeys("d2g");
const payload = fromHex(example("Data payload").payload);
const EMPTY = new Uint8Array(0);
const PARTIAL_IV = fromHex("0000001100000e10");
const good: Array<readonly [Cbor, Cbor]> = [
  [1, 10],
  [4, kid],
];

/** A COSE_Encrypt0 with any headers and content, sealed over whatever they are. */
function object(header: Cbor, unprotected: Cbor = map([[6, PARTIAL_IV]]), tag = 16, content = payload): Uint8Array {
  const protectedBytes = header instanceof Uint8Array ? header : encode(header);
  const nonce = new Uint8Array(keys.iv);
  PARTIAL_IV.forEach((byte, i) => {
    nonce[5 + i] = (nonce[5 + i] as number) ^ byte;
  });
  const ciphertext = nodeAead.seal(keys.key, nonce, encode(["Encrypt0", protectedBytes, EMPTY]), content);
  return encodeTagged(tag, [protectedBytes, unprotected, ciphertext]);
}

/** As a receiver of device messages does it up to the AEAD. */
function receive(message: Uint8Array, of = keys) {
  const outer = decodeEncrypt0(message);
  if (toHex(outer.kid) !== modes.secret.kid || outer.boot !== modes.secret.boot)
    throw Object.assign(new Error(), { reason: "kid" });
  const opened = openEncrypt0(outer, of, nodeAead);
  if (opened === null) throw Object.assign(new Error(), { reason: "signature" });
  return opened;
}

/** A data message whose payload has about `size` bytes. */
const padded = (size: number, boot = 17, seq = 3600): Uint8Array =>
  encodeMessage({
    type: "data",
    boot,
    seq,
    tick: 0,
    cfg: 1,
    channels: [{ kind: "wave", id: 0, seg: 0, idx: 0, dt: 0, codec: 0, n: 1, bytes: new Uint8Array(size), qual: null }],
  } satisfies DataMessage);

describe("mode E: the committed vectors", () => {
  for (const vector of modes.encrypt0)
    test(`${vector.name}: seals to the committed bytes, and opens to what is inside`, () => {
      if (vector.example !== undefined) expect(vector.hex).toBe(example(vector.example).hex);
      const of = encryptionKeys(vector.direction);
      expect(toHex(encrypt0(fromHex(vector.plaintext), kid, of, nodeAead))).toBe(vector.hex);
      const outer = decodeEncrypt0(fromHex(vector.hex));
      expect(toHex(outer.partialIv)).toBe(vector.partialIv);
      const opened = receive(fromHex(vector.hex), of);
      expect(opened.identity.boot).toBe(17);
      const isSigned = vector.plaintext.startsWith("d2");
      expect(toHex(opened.payload)).toBe(
        isSigned ? toHex(decodeEnvelope(fromHex(vector.plaintext)).payload) : vector.plaintext,
      );
      expect(opened.signed === null).toBe(!isSigned);
    });

  test("the worked example E of PROTOCOL.md section 9 is the Data S, whose signature holds inside", () => {
    const vector = modes.encrypt0.find((one) => one.example === "E");
    expect(vector?.plaintext).toBe(example("Data S").hex);
    const opened = receive(fromHex(example("E").hex));
    if (opened.signed === null) throw new Error("signed inside");
    expect(verify1(opened.signed, fromHex(vectors("examples").keys.device), nodeCrypto)).toBe(true);
    expect(toHex(opened.payload)).toBe(example("Data S").payload);
  });

  test("every byte of every one, flipped in any way, is refused", () => {
    let flips = 0;
    for (const vector of modes.encrypt0)
      flips += everyFlip(fromHex(vector.hex), (flipped, what) =>
        expect(
          outcomeOf(() => receive(flipped, encryptionKeys(vector.direction))),
          `${vector.name}, ${what}`,
        ).not.toBe("ok"),
      );
    expect(flips).toBeGreaterThan(2000);
  });

  test("the keys of the other direction do not open it", () => {
    for (const vector of modes.encrypt0) {
      const other = encryptionKeys(vector.direction === "d2g" ? "g2d" : "d2g");
      expect(openEncrypt0(decodeEncrypt0(fromHex(vector.hex)), other, nodeAead), vector.name).toBeNull();
    }
  });
});

describe("mode E: sealing", () => {
  test("is 38 bytes over a plaintext of 248 bytes and more, so 124 over the payload of an S message", () => {
    const over = (plaintext: Uint8Array) => encrypt0(plaintext, kid, keys, nodeAead).length - plaintext.length;
    const sizes = [20, 100, 300, 3000].map((size) => padded(size));
    expect(sizes.map((one) => [one.length < 248, over(one)])).toEqual([
      [true, 37],
      [true, 37],
      [false, 38],
      [false, 38],
    ]);
    const inner = padded(300);
    const sealed = encrypt0(sign1(inner, device), device.kid, keys, nodeAead);
    expect(sealed.length - inner.length).toBe(86 + 38);
  });

  test("4096 bytes are sealed, 4097 are refused", () => {
    const most = padded(4096 - 38 - (padded(3000).length - 3000));
    expect(encrypt0(most, kid, keys, nodeAead)).toHaveLength(4096);
    expect(reasonOf(() => encrypt0(padded(4097 - 38 - (padded(3000).length - 3000)), kid, keys, nodeAead))).toBe(
      "size",
    );
  });

  test("two identities never share a nonce, and one nonce never repeats within what was sealed", () => {
    const nonces = new Set<string>();
    const spy = {
      ...nodeAead,
      seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) {
        nonces.add(toHex(nonce));
        return nodeAead.seal(key, nonce, aad, plaintext);
      },
    };
    const numbers = [0, 1, 17, 255, 256, 65535, 65536, 4294967295];
    for (const boot of numbers) for (const seq of numbers) encrypt0(padded(8, boot, seq), kid, keys, spy);
    expect(nonces.size).toBe(numbers.length ** 2);
  });

  test("what must not be in E is not sealed: births, presences, other modes, another device's message, no message", () => {
    const refused = (plaintext: Uint8Array, of = kid) =>
      refusalOf(() => encrypt0(plaintext, of, keys, nodeAead)).message;
    for (const name of ["Birth S", "Presence S"]) {
      expect(refused(fromHex(example(name).hex)), name).toMatch(/^payload: a (birth|presence)/);
      expect(refused(fromHex(example(name).payload)), name).toMatch(/^payload: a (birth|presence)/);
    }
    for (const name of ["Data M", "E", "Device card"])
      expect(refused(fromHex(example(name).hex))).toMatch(/^(payload|header)/);
    expect(refused(sign1(payload, device))).toMatch(/the kid outside is not the device's inside/);
    expect(refused(fromHex(example("Ack M").payload), device.kid)).toMatch(/the kid outside/);
    expect(refused(EMPTY)).toMatch(/^payload/);
    expect(refused(payload, kid.subarray(1))).toMatch(/^header: the kid has 7 bytes/);
    // n = 2^32 has no Partial IV
    expect(refused(fromHex("8711481563545644dd02b0111b0000000100000000"))).toMatch(/no n of at most 32 bits/);
  });

  test("keys of another length are an error at both ends", () => {
    const outer = decodeEncrypt0(fromHex(example("E").hex));
    for (const wrong of [
      { key: keys.key.subarray(1), iv: keys.iv },
      { key: keys.key, iv: keys.iv.subarray(1) },
    ]) {
      expect(() => encrypt0(payload, kid, wrong, nodeAead)).toThrow(/bytes: /);
      expect(() => openEncrypt0(outer, wrong, nodeAead)).toThrow(/bytes: /);
    }
  });

  test("any data message that is sealed opens, signed inside or bare", () => {
    fc.assert(
      fc.property(u32, u32, fc.integer({ min: 1, max: 600 }), fc.boolean(), (boot, seq, size, bare) => {
        const inner = padded(size, boot, seq);
        const sealed = encrypt0(bare ? inner : sign1(inner, device), device.kid, keys, nodeAead);
        const outer = decodeEncrypt0(sealed);
        expect([outer.boot, outer.number]).toEqual([boot, seq]);
        const opened = openEncrypt0(outer, keys, nodeAead);
        expect(opened?.payload).toEqual(inner);
        expect(opened?.identity).toEqual({ type: 1, kid: null, boot, number: seq });
      }),
    );
  });
});

describe("mode E: the strict envelope", () => {
  test("the headers are {1: 10, 4: kid} and {6: 8 bytes}, and nothing else", () => {
    expect(outcomeOf(() => receive(object(map(good))))).toBe("ok");
    const headers: Cbor[] = [
      map([[1, 10]]),
      map([...good, [16, "vsp-card"]]),
      map([...good, [6, PARTIAL_IV]]),
      map([
        [1, 10],
        [4, kid.subarray(1)],
      ]),
      map([
        [1, 4],
        [4, kid],
      ]),
      map([
        [1, -8],
        [4, kid],
      ]),
      map([
        [1, 12],
        [4, kid],
      ]),
      [],
    ];
    for (const header of headers)
      expect(
        reasonOf(() => decodeEncrypt0(object(header))),
        toHex(encode(header)),
      ).toBe("header");
    const unprotected: Cbor[] = [
      map([]),
      map([[5, PARTIAL_IV]]),
      map([[6, PARTIAL_IV.subarray(1)]]),
      map([[6, new Uint8Array(9)]]),
      map([[6, 17]]),
      map([
        [4, kid],
        [6, PARTIAL_IV],
      ]),
      [],
    ];
    for (const one of unprotected)
      expect(
        reasonOf(() => decodeEncrypt0(object(map(good), one))),
        toHex(encode(one)),
      ).toBe("header");
    expect(reasonOf(() => decodeEncrypt0(object(EMPTY)))).toBe("cbor");
  });

  test("another mode's tag is refused as a header, anybody else's as no envelope; so is another structure", () => {
    for (const tag of [17, 18])
      expect(reasonOf(() => decodeEncrypt0(object(map(good), undefined, tag)))).toBe("header");
    for (const tag of [0, 15, 19, 96])
      expect(reasonOf(() => decodeEncrypt0(object(map(good), undefined, tag)))).toBe("cbor");
    for (const name of ["Data S", "Data M"])
      expect(reasonOf(() => decodeEncrypt0(fromHex(example(name).hex)))).toBe("header");
    expect(reasonOf(() => decodeEncrypt0(new Uint8Array(4097)))).toBe("size");
    const parts: Cbor[] = [encode(map(good)), map([[6, PARTIAL_IV]]), new Uint8Array(9)];
    expect(outcomeOf(() => decodeEncrypt0(encodeTagged(16, parts)))).toBe("ok");
    expect(reasonOf(() => decodeEncrypt0(encodeTagged(16, [...parts, EMPTY])))).toBe("header");
    for (const last of [null, new Uint8Array(8), "text"] as Cbor[])
      expect(reasonOf(() => decodeEncrypt0(encodeTagged(16, [...parts.slice(0, 2), last])))).toBe("header");
  });

  test("what is authentic and still wrong inside is refused: a presence, a birth, another number than the Partial IV's", () => {
    const inside = (content: Uint8Array) => refusalOf(() => receive(object(map(good), undefined, 16, content))).message;
    expect(inside(fromHex(example("Presence S").payload))).toMatch(/a presence has no place in the sequence/);
    expect(inside(fromHex(example("Birth S").hex))).toMatch(/a birth is never encrypted/);
    expect(inside(padded(8, 17, 3601))).toMatch(/the Partial IV is not the boot and number inside/);
    expect(inside(padded(8, 18, 3600))).toMatch(/the Partial IV is not the boot and number inside/);
    expect(inside(sign1(payload, device))).toMatch(/the kid outside is not the device's inside/);
    expect(inside(fromHex(example("Data M").hex))).toMatch(/^payload/);
    expect(inside(Uint8Array.of(0x86))).toMatch(/^payload/);
  });

  test("no bytes raise anything but a refusal, outside or authentic inside", () => {
    fc.assert(fc.property(bytes(0, 120), (garbage) => outcomeOf(() => receive(garbage)) !== "ok"));
    const first = fc.constantFrom([0], [0xd2], [0x86, 1, 17]);
    fc.assert(
      fc.property(first, bytes(0, 40), (start, garbage) => {
        const content = Uint8Array.of(...start, ...garbage);
        expect(outcomeOf(() => receive(object(map(good), undefined, 16, content)))).toMatch(/^[a-z]+$/);
      }),
    );
  });
});

describe("AES-CCM-16-64-128 by node:crypto", () => {
  test("opens what it sealed, and nothing with another key, nonce, aad or byte", () => {
    const nonce = new Uint8Array(13);
    const aad = fromHex("01");
    const sealed = nodeAead.seal(keys.key, nonce, aad, payload);
    expect(sealed).toHaveLength(payload.length + 8);
    expect(nodeAead.open(keys.key, nonce, aad, sealed)).toEqual(payload);
    expect(nodeAead.open(new Uint8Array(16), nonce, aad, sealed)).toBeNull();
    expect(nodeAead.open(keys.key, new Uint8Array(13).fill(1), aad, sealed)).toBeNull();
    expect(nodeAead.open(keys.key, nonce, EMPTY, sealed)).toBeNull();
    for (let n = 0; n < sealed.length; n++)
      expect(nodeAead.open(keys.key, nonce, aad, sealed.subarray(0, n))).toBeNull();
    expect(() => nodeAead.seal(keys.key, nonce, aad, EMPTY)).toThrow(/an empty plaintext/);
    expect(() => nodeAead.seal(EMPTY, nonce, aad, payload)).toThrow(/AES key of 0 bytes/);
    expect(() => nodeAead.open(keys.key, EMPTY, aad, sealed)).toThrow(/nonce of 0 bytes/);
  });

  test.skipIf(lacks("vectors"))("is the COSE working group's example over its Enc_structure", () => {
    const one = JSON.parse(readFileSync(`${vectorFolder}/cose/RFC8152/Appendix_C_4_1.json`, "utf8"));
    const [, , ciphertext] = decodeTagged(fromHex(one.output.cbor)).value as [Cbor, Cbor, Uint8Array];
    const key = fromHex(one.intermediates.CEK_hex);
    const nonce = fromHex(one.input.rng_stream[0]);
    const text = new TextEncoder().encode(one.input.plaintext);
    expect(nodeAead.open(key, nonce, fromHex(one.intermediates.AAD_hex), ciphertext)).toEqual(text);
    expect(nodeAead.seal(key, nonce, fromHex(one.intermediates.AAD_hex), text)).toEqual(ciphertext);
  });
});
