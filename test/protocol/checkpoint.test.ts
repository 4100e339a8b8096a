import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Cbor, encode, map } from "../../protocol/cbor.ts";
import { CHAIN_START, chainStep, decodeCheckpoint, encodeCheckpoint } from "../../protocol/checkpoint.ts";
import { sign1 } from "../../protocol/cose.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { device, gateway, reasonOf } from "./support.ts";

const checkpoint = { position: 4711, chain: new Uint8Array(32).fill(7), time: 1764028800123 };
const open = (bytes: Uint8Array) => decodeCheckpoint(bytes, gateway.publicKey, nodeCrypto);
const seal = (content: Cbor, typ = "vsp-checkpoint") => sign1(encode(content), gateway, typ);

describe("checkpoints", () => {
  test("a checkpoint comes back as it was signed", () => {
    expect(open(encodeCheckpoint(checkpoint, gateway))).toEqual(checkpoint);
    const first = { position: 0, chain: CHAIN_START, time: 0 };
    expect(open(encodeCheckpoint(first, gateway))).toEqual(first);
  });

  test("another signer, a forged one, and another object are refused", () => {
    expect(reasonOf(() => open(encodeCheckpoint(checkpoint, device)))).toBe("kid");
    const forged = { ...gateway, sign: (message: Uint8Array) => device.sign(message) };
    expect(reasonOf(() => open(encodeCheckpoint(checkpoint, forged)))).toBe("signature");
    expect(
      reasonOf(() =>
        open(
          seal(
            map([
              [1, 1],
              [2, CHAIN_START],
              [3, 1],
            ]),
            "vsp-card",
          ),
        ),
      ),
    ).toBe("header");
  });

  test("a payload of other keys or values is refused", () => {
    const bad: Cbor[] = [
      [],
      map([]),
      map([
        [1, 1],
        [2, CHAIN_START],
      ]),
      map([
        [1, 1],
        [2, CHAIN_START],
        [4, 1],
      ]),
      map([
        [1, 1],
        [2, CHAIN_START],
        [3, 1],
        [4, 1],
      ]),
      map([
        [1, -1],
        [2, CHAIN_START],
        [3, 1],
      ]),
      map([
        [1, "1"],
        [2, CHAIN_START],
        [3, 1],
      ]),
      map([
        [1, 1],
        [2, new Uint8Array(31)],
        [3, 1],
      ]),
      map([
        [1, 1],
        [2, toHex(CHAIN_START)],
        [3, 1],
      ]),
      map([
        [1, 1],
        [2, CHAIN_START],
        [3, -1],
      ]),
      map([
        [1, 1],
        [2, CHAIN_START],
        [3, null],
      ]),
    ];
    for (const content of bad) expect(reasonOf(() => open(seal(content)))).toBe("payload");
  });

  test("values that no reader would take are not signed", () => {
    for (const change of [
      { position: -1 },
      { position: 0.5 },
      { chain: new Uint8Array(31) },
      { time: -1 },
      { time: Number.NaN },
    ])
      expect(reasonOf(() => encodeCheckpoint({ ...checkpoint, ...change }, gateway))).toBe("payload");
  });

  test("every byte flipped is refused", () => {
    const bytes = encodeCheckpoint(checkpoint, gateway);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = (bytes[at] as number) ^ 0x02;
      expect(["cbor", "header", "kid", "signature"]).toContain(reasonOf(() => open(bytes)));
      bytes[at] = (bytes[at] as number) ^ 0x02;
    }
  });
});

describe("the audit chain (PROTOCOL.md section 8, step 9)", () => {
  const previous = new Uint8Array(32).fill(1);
  const kid = fromHex("1563545644dd02b0");
  const hash = new Uint8Array(32).fill(2);
  const step = (change: Partial<Record<string, Uint8Array | number>> = {}) => {
    const all = {
      previous,
      kid,
      boot: 17,
      seq: 3600,
      hash,
      received: 1764028800123,
      evidence: 3,
      ...change,
    } as never as {
      previous: Uint8Array;
      kid: Uint8Array;
      boot: number;
      seq: number;
      hash: Uint8Array;
      received: number;
      evidence: number;
    };
    return chainStep(nodeCrypto, all.previous, all.kid, all.boot, all.seq, all.hash, all.received, all.evidence);
  };

  test("what a gateway adds to a message follows it in the link; the empty map adds nothing", () => {
    const link = (record?: Uint8Array) =>
      toHex(chainStep(nodeCrypto, previous, kid, 17, 3600, hash, 1764028800123, 3, record));
    const input = new Uint8Array(89);
    input.set(previous, 0);
    input.set(kid, 32);
    input.set(fromHex("0000001100000e10"), 40);
    input.set(hash, 48);
    input[88] = 3;
    new DataView(input.buffer).setBigUint64(80, 1764028800123n);
    const record = fromHex("a10380");
    expect(link()).toBe(toHex(nodeCrypto.sha256(input)));
    expect(link(fromHex("a0"))).toBe(link());
    expect(link(record)).toBe(toHex(nodeCrypto.sha256(Uint8Array.of(...input, ...record))));
    expect(link(fromHex("a10381"))).not.toBe(link(record));
  });

  test("a link is the SHA-256 of previous, kid, boot, seq, message hash, arrival and evidence, integers big-endian", () => {
    const parts = [
      "01".repeat(32),
      "1563545644dd02b0",
      "00000011",
      "00000e10",
      "02".repeat(32),
      "0000019ab84f5c7b",
      "03",
    ];
    expect(toHex(step())).toBe(createHash("sha256").update(parts.join(""), "hex").digest("hex"));
  });

  test("every column is within the link: any change gives another hash", () => {
    const changes = [
      { previous: CHAIN_START },
      { kid: fromHex("1563545644dd02b1") },
      { boot: 18 },
      { seq: 3601 },
      { boot: 4294967295 },
      { hash: CHAIN_START },
      { received: 1764028800124 },
      { received: 1764028800123 + 4294967296 },
      { received: 0 },
      { evidence: 1 },
    ];
    const hashes = new Set([toHex(step()), ...changes.map((change) => toHex(step(change)))]);
    expect(hashes.size).toBe(changes.length + 1);
  });

  test("an argument that the fixed widths cannot hold is a fault of the caller, never cut off", () => {
    for (const change of [
      { previous: new Uint8Array(31) },
      { kid: new Uint8Array(9) },
      { hash: new Uint8Array(16) },
      { boot: 4294967296 },
      { boot: -1 },
      { seq: 4294967296 },
      { seq: 0.5 },
      { received: -1 },
      { received: 0.5 },
      { received: 2 ** 53 },
      { evidence: 4 },
      { evidence: -1 },
    ])
      expect(() => step(change)).toThrow(Error);
  });
});
