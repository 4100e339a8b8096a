import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { hashList, manifestCovers, manifestLists, payloadHash } from "../../protocol/manifest.ts";
import { decodeMessage, encodeMessage, type ManifestMessage } from "../../protocol/messages.ts";
import { modes } from "./modes.ts";
import { bytes, reasonOf } from "./support.ts";

const EMPTY = new Uint8Array(0);
const { payloads, first, ofBoot, hashes, payload } = modes.manifest;
const manifestOf = (list: Uint8Array, from = first): ManifestMessage => ({
  type: "manifest",
  boot: 17,
  seq: 3603,
  tick: 3603512,
  ofBoot,
  first: from,
  hashes: list,
});

describe("a manifest's hash list", () => {
  test("is SHA-256(payload)[0..15] of each, in the order of their seqs: the committed bytes, both ways", () => {
    const list = hashList(payloads.map((one) => payloadHash(fromHex(one), nodeCrypto)));
    expect(toHex(list)).toBe(hashes);
    expect(toHex(encodeMessage(manifestOf(list)))).toBe(payload);
    expect(decodeMessage(fromHex(payload))).toEqual(manifestOf(list));
  });

  test("lists each payload under its own seq and boot, and no other", () => {
    const manifest = decodeMessage(fromHex(payload)) as ManifestMessage;
    payloads.forEach((one, i) => {
      const hash = payloadHash(fromHex(one), nodeCrypto);
      for (let seq = first - 1; seq <= first + 3; seq++)
        expect(manifestLists(manifest, ofBoot, seq, hash)).toBe(seq === first + i);
      expect(manifestLists(manifest, ofBoot + 1, first + i, hash)).toBe(false);
      expect(manifestLists(manifest, ofBoot, first + i, hash.subarray(0, 15))).toBe(false);
      expect(manifestLists(manifest, ofBoot, first + i, EMPTY)).toBe(false);
    });
    expect([-1, 0, 2, 3].map((i) => manifestCovers(manifest, ofBoot, first + i))).toEqual([false, true, true, false]);
    expect(manifestCovers(manifest, 16, first)).toBe(false);
  });

  test("does not list a payload with any byte flipped, though its seq is covered", () => {
    const manifest = decodeMessage(fromHex(payload)) as ManifestMessage;
    const one = fromHex(payloads[0] as string);
    for (let at = 0; at < one.length; at++) {
      const other = new Uint8Array(one);
      other[at] = (other[at] as number) ^ 1;
      expect(manifestLists(manifest, ofBoot, first, payloadHash(other, nodeCrypto))).toBe(false);
    }
  });

  test("holds 1 to 240 hashes of 16 bytes", () => {
    const one = new Uint8Array(16);
    expect(hashList(new Array(240).fill(one))).toHaveLength(3840);
    for (const n of [0, 241]) expect(reasonOf(() => hashList(new Array(n).fill(one)))).toBe("payload");
    for (const length of [0, 15, 17, 32])
      expect(reasonOf(() => hashList([one, new Uint8Array(length)]))).toBe("payload");
  });

  test("lists any payloads that it was made over, whichever of them arrived", () => {
    fc.assert(
      fc.property(fc.array(bytes(1, 40), { minLength: 1, maxLength: 240 }), fc.nat(4294967296 - 240), (all, from) => {
        const manifest = manifestOf(hashList(all.map((one) => payloadHash(one, nodeCrypto))), from);
        const read = decodeMessage(encodeMessage(manifest)) as ManifestMessage;
        all.forEach((one, i) => {
          if (!manifestLists(read, ofBoot, from + i, payloadHash(one, nodeCrypto)))
            throw new Error(`${i} is not listed`);
        });
        expect(manifestCovers(read, ofBoot, from + all.length)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});
