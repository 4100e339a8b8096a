import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Crypto } from "../../protocol/cose.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, hasCanonicalScalar, kidOf, kidText, toHex } from "../../protocol/keys.ts";
import { tweetnaclCrypto, tweetnaclSigner } from "../../protocol/tweetnacl.node.ts";
import { lacks, vectorFolder } from "../support/needs.ts";
import { bytes, device, vectors } from "./support.ts";

const both: Array<[string, Crypto]> = [
  ["node:crypto", nodeCrypto],
  ["tweetnacl", tweetnaclCrypto],
];
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The signature with S replaced by S + times x L, where that still fits 32 bytes. */
function shifted(signature: Uint8Array, times: bigint): Uint8Array | null {
  let s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + times * L;
  if (s >= 2n ** 256n) return null;
  const out = Uint8Array.from(signature);
  for (let i = 32; i < 64; i++) {
    out[i] = Number(s & 255n);
    s >>= 8n;
  }
  return out;
}

describe("names of keys", () => {
  test("kid is the first 8 bytes of the RFC 9679 thumbprint: the worked example", () => {
    const { keys } = vectors("examples");
    const kid = kidOf(fromHex(keys.device), nodeCrypto);
    expect(kidText(kid)).toBe(keys.kid);
    const thumbprint = createHash("sha256").update(`a301012006215820${keys.device}`, "hex").digest("hex");
    expect(kidText(kid)).toBe(thumbprint.slice(0, 16));
  });

  test("a key or kid of another length is a fault of the caller", () => {
    expect(() => kidOf(new Uint8Array(31), nodeCrypto)).toThrow("31 bytes");
    expect(() => kidText(new Uint8Array(7))).toThrow("7 bytes");
  });

  test("hexadecimal goes both ways, in lower case out, in either case in", () => {
    fc.assert(
      fc.property(bytes(0, 40), (input) => {
        expect(toHex(input)).toBe(Buffer.from(input).toString("hex"));
        expect(fromHex(toHex(input))).toEqual(input);
        expect(fromHex(toHex(input).toUpperCase())).toEqual(input);
      }),
    );
  });

  test("what is not hexadecimal is refused with its place", () => {
    expect(() => fromHex("abc")).toThrow("3 digits");
    expect(() => fromHex("00zz")).toThrow('"z" at 2');
    expect(() => fromHex("0 ")).toThrow('" " at 1');
  });
});

describe("Ed25519", () => {
  describe.skipIf(lacks("vectors"))("RFC 8032", () => {
    interface Vector {
      priv: string;
      pub: string;
      msg: string;
      sig: string;
    }
    const published: Vector[] = JSON.parse(readFileSync(`${vectorFolder}/ed25519/rfc8032-ed25519.json`, "utf8"));

    test("both signers give the published key and signature, both verifiers accept it", () => {
      expect(published.length).toBeGreaterThan(3);
      for (const vector of published) {
        const message = fromHex(vector.msg);
        for (const make of [nodeSigner, tweetnaclSigner]) {
          const signer = make(fromHex(vector.priv));
          expect(toHex(signer.publicKey)).toBe(vector.pub);
          expect(toHex(signer.sign(message))).toBe(vector.sig);
        }
        for (const [, crypto] of both)
          expect(crypto.verify(fromHex(vector.pub), message, fromHex(vector.sig))).toBe(true);
      }
    });
  });

  test("the two signers are the same signer, byte for byte", () => {
    fc.assert(
      fc.property(bytes(32, 32), bytes(0, 200), (seed, message) => {
        const [a, b] = [nodeSigner(seed), tweetnaclSigner(seed)];
        expect([toHex(a.kid), a.alg, toHex(a.publicKey)]).toEqual([toHex(b.kid), b.alg, toHex(b.publicKey)]);
        expect(toHex(a.sign(message))).toBe(toHex(b.sign(message)));
      }),
      { numRuns: 10 },
    );
  });

  test.each(both)(
    "%s refuses every S + kL: a message has one accepted signature (RFC 8032 section 5.1.7)",
    (_, crypto) => {
      const message = new TextEncoder().encode("malleable");
      const signature = device.sign(message);
      expect(crypto.verify(device.publicKey, message, signature)).toBe(true);
      let variants = 0;
      for (let times = 1n; times < 16n; times++) {
        const variant = shifted(signature, times);
        if (variant === null) continue;
        variants++;
        expect(hasCanonicalScalar(variant)).toBe(false);
        expect(crypto.verify(device.publicKey, message, variant)).toBe(false);
      }
      expect(variants).toBeGreaterThan(13);
    },
  );

  test("tweetnacl alone would take S + L, so the check before it is what refuses", async () => {
    const nacl = (await import("tweetnacl")).default;
    const message = new TextEncoder().encode("malleable");
    const variant = shifted(device.sign(message), 1n) as Uint8Array;
    expect(nacl.sign.detached.verify(message, variant, device.publicKey)).toBe(true);
  });

  test("the scalar's bound is exact: L - 1 is below, L and L + 1 are not", () => {
    const none = new Uint8Array(64);
    expect(hasCanonicalScalar(none)).toBe(true);
    const order = shifted(none, 1n) as Uint8Array;
    expect(hasCanonicalScalar(order)).toBe(false);
    for (const [step, expected] of [
      [-1, true],
      [1, false],
    ] as const) {
      const next = Uint8Array.from(order);
      next[32] = (next[32] as number) + step;
      expect(hasCanonicalScalar(next)).toBe(expected);
    }
    for (const length of [0, 63, 65]) expect(hasCanonicalScalar(new Uint8Array(length))).toBe(false);
  });

  test.each(both)("%s says false to any bit flipped in message, signature or key", (_, crypto) => {
    const message = new TextEncoder().encode("one bit");
    const signature = device.sign(message);
    const flip = (of: Uint8Array, bit: number) => {
      const copy = Uint8Array.from(of);
      copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
      return copy;
    };
    for (let bit = 0; bit < 512; bit += 7)
      expect(crypto.verify(device.publicKey, message, flip(signature, bit))).toBe(false);
    for (let bit = 0; bit < 256; bit += 7)
      expect(crypto.verify(flip(device.publicKey, bit), message, signature)).toBe(false);
    for (let bit = 0; bit < 56; bit += 7)
      expect(crypto.verify(device.publicKey, flip(message, bit), signature)).toBe(false);
  });

  test.each(both)("%s takes a public key of 32 bytes only", (_, crypto) => {
    for (const length of [0, 31, 33])
      expect(() => crypto.verify(new Uint8Array(length), new Uint8Array(1), new Uint8Array(64))).toThrow("32");
  });

  test("a seed of another length makes no signer", () => {
    for (const make of [nodeSigner, tweetnaclSigner]) expect(() => make(new Uint8Array(31))).toThrow("31 bytes");
  });

  test("verifying goes on beyond the number of keys that are kept parsed", () => {
    const message = new Uint8Array([1]);
    const signature = device.sign(message);
    expect(nodeCrypto.verify(device.publicKey, message, signature)).toBe(true);
    const other = new Uint8Array(32);
    for (let i = 0; i < 1100; i++) {
      new DataView(other.buffer).setUint32(0, i + 2);
      nodeCrypto.verify(other, message, signature);
    }
    expect(nodeCrypto.verify(device.publicKey, message, signature)).toBe(true);
  });

  test("SHA-256 of abc (FIPS 180-4)", () => {
    for (const [, crypto] of both)
      expect(toHex(crypto.sha256(new TextEncoder().encode("abc")))).toBe(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      );
  });
});
