/** VSP/1 in Python, from docs/verify-a-packet.md and two of Debian's packages: both sides take what the other one makes. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cbor, decode, encode, isMap, map } from "../../protocol/cbor.ts";
import { decodeEnvelope, MAX_MESSAGE, sign1, verify1 } from "../../protocol/cose.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { decodeMessage, encodeMessage, type Message } from "../../protocol/messages.ts";
import { encodeBest, encodeRice } from "../../protocol/samples.ts";
import { lacks, python } from "../support/needs.ts";
import { device, gateway, int, message, uint, vectors } from "./support.ts";

const page = readFileSync(new URL("../../docs/verify-a-packet.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program in Python; throws Error where it writes to stderr. Exit codes 0 and 1 are both answers. */
function run(program: string, ...words: string[]): string[] {
  const { stdout, stderr } = spawnSync(python, [program, ...words], { cwd: folder, encoding: "utf8" });
  if (stderr !== "") throw new Error(stderr);
  return stdout.trimEnd().split("\n");
}

/** As verify.py shows a payload. */
function show(value: Cbor): string {
  if (value instanceof Uint8Array) return `h'${toHex(value)}'`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (isMap(value)) return `{${value.entries.map(([key, item]) => `${show(key)}: ${show(item)}`).join(", ")}}`;
  return typeof value === "string" ? `'${value}'` : String(value);
}

/** As JSON, for programs that must not start from our bytes. */
function plain(value: Cbor): unknown {
  if (value instanceof Uint8Array) return { bytes: toHex(value) };
  if (Array.isArray(value)) return value.map(plain);
  return isMap(value) ? { map: value.entries.map(([key, item]) => [plain(key), plain(item)]) } : value;
}

/** What Python does with values: encodes them, and seals them with the seed given, by nothing but its own packages. */
const SEAL = `
import json, sys
import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from verify import kid_of

def value(given):
    if isinstance(given, list):
        return [value(item) for item in given]
    if isinstance(given, dict):
        if "bytes" in given:
            return bytes.fromhex(given["bytes"])
        return {value(key): value(item) for key, item in given["map"]}
    return given

key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(sys.argv[1]))
kid = kid_of(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
for given in json.load(open(sys.argv[2])):
    payload = cbor2.dumps(value(given), canonical=True)
    header = cbor2.dumps({1: -8, 4: kid}, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", header, b"", payload]))
    print(payload.hex(), cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature])).hex())
`;

const header = { boot: 17, tick: 3_600_512 };
const sine = (count: number) => Int32Array.from({ length: count }, (_, i) => Math.round(3000 * Math.sin(i / 9)));
/** A data message with a waveform of `count` samples, a value, and one that is missing. */
const dataOf = (count: number): Message => ({
  ...header,
  type: "data",
  seq: count,
  cfg: 1,
  channels: [
    { kind: "wave", id: 0, seg: 1, idx: 70_000, dt: -4000, ...encodeBest(sine(count), 0, count), n: count, qual: 90 },
    { kind: "num", id: 3, dt: -12, value: 4674, qual: null },
    { kind: "num", id: 4, dt: 0, value: null, qual: 255 },
  ],
});
const examples = vectors("examples").examples as Array<{ name: string; hex?: string; payload?: string }>;
const bytesOf = (name: string, of: "hex" | "payload") =>
  fromHex(examples.find((example) => example.name === name)?.[of] ?? "");

const messages: Message[] = [
  ...[1, 23, 24, 255, 256, 1024].map(dataOf),
  decodeMessage(bytesOf("Birth S", "payload")),
  decodeMessage(bytesOf("Manifest S", "payload")),
  { ...header, type: "event", seq: 70_000, code: 8, small: [17, 3590, 2, 1] },
  { ...header, type: "event", seq: 4_294_967_295, code: 7, small: null },
  { type: "presence", boot: 17, connection: 2, state: 0 },
];

/** L of Ed25519, and the signature with `times` L added to its scalar: the same point, another signature. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
function malleated(sealed: Uint8Array, times: bigint): Uint8Array {
  const copy = Uint8Array.from(sealed);
  const scalar = copy.subarray(-32);
  const raised = BigInt(`0x${toHex(scalar.slice().reverse())}`) + times * ORDER;
  scalar.set(fromHex(raised.toString(16).padStart(64, "0")).reverse());
  return copy;
}

/** Values that VSP/1's CBOR can carry. Keys of one map are of one type, as in all of its maps but a COSE_Key. */
const value = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(int, fc.boolean(), fc.constant(null), fc.string({ unit: "binary", maxLength: 300 })),
    fc.uint8Array({ maxLength: 300 }).map((array) => new Uint8Array(array)),
    fc.array(tie("value"), { maxLength: 30 }),
    fc.uniqueArray(fc.tuple(uint, tie("value")), { selector: ([key]) => key, maxLength: 30 }).map(map),
    fc.uniqueArray(fc.tuple(fc.string({ maxLength: 40 }), tie("value")), { selector: ([key]) => key }).map(map),
  ),
})).value;

describe.skipIf(lacks("python"))("a second implementation, in Python", () => {
  beforeAll(() => {
    for (const [, name, text] of page.matchAll(/^```python (\S+)\n(.*?)^```$/gms))
      writeFileSync(join(folder, name ?? ""), text ?? "");
    writeFileSync(join(folder, "seal.py"), SEAL);
  });

  /** What verify.py says about each message, sent as a line. */
  const verdicts = (sealed: Uint8Array[], publicKey = device.publicKey) => {
    // encodeLine ends each line.
    writeFileSync(join(folder, "lines.txt"), sealed.map(encodeLine).join(""));
    return run("verify.py", toHex(publicKey), "lines.txt");
  };
  /** Python's own encoding of each value, and the message that it seals it into with `seed`. */
  const sealedByPython = (values: Cbor[], seed: Uint8Array) => {
    writeFileSync(join(folder, "values.json"), JSON.stringify(values.map(plain)));
    return run("seal.py", toHex(seed), "values.json").map((line) => line.split(" "));
  };

  test("it takes messages of every size that we seal, and reads the same numbers in them", () => {
    const sealed = messages.map((item) => sign1(encodeMessage(item), device));
    expect(Math.max(...sealed.map((bytes) => bytes.length))).toBeGreaterThan(512);
    expect(verdicts(sealed)).toEqual(messages.map((item) => `valid ${show(decode(encodeMessage(item)))}`));
  });

  test("it takes the other number of the algorithm too", () => {
    const sealed = sign1(encodeMessage(messages[0] as Message), { ...device, alg: -19 });
    expect(verdicts([sealed])).toEqual([expect.stringMatching(/^valid /)]);
  });

  test("it takes no changed byte, no second signature of the same message, no other key", () => {
    const sealed = fromHex(toHex(bytesOf("Data S", "hex")));
    const key = fromHex(vectors("examples").keys.device);
    const changed = Array.from(sealed, (byte, i) => sealed.with(i, byte ^ (1 << (i % 8))));
    const malleable = Array.from({ length: 15 }, (_, i) => malleated(sealed, BigInt(i + 1)));
    const [first, ...others] = verdicts([sealed, ...changed, ...malleable], key);
    expect(first).toMatch(/^valid /);
    expect(others).toHaveLength(sealed.length + 15);
    expect(others.filter((verdict) => !verdict.startsWith("NOT VALID"))).toEqual([]);
    expect(verdicts([sealed], gateway.publicKey)).toEqual(["NOT VALID ValueError another key's kid"]);
  });

  test("it takes the worked example of mode M, and none with a changed kid, payload or MAC", () => {
    const sealed = bytesOf("Data M", "hex");
    const verdict = (bytes: Uint8Array) => {
      writeFileSync(join(folder, "mac.hex"), toHex(bytes));
      return run("mac.py");
    };
    expect(verdict(sealed)).toEqual(["valid"]);
    for (const place of [10, 50, 90])
      expect(verdict(sealed.with(place, (sealed[place] as number) ^ 1)), `byte ${place}`).toEqual(["NOT VALID"]);
  });

  test("what it seals is byte for byte what we seal, for messages of every kind, and our decoder takes it", () => {
    const seed = createHash("sha256").update("TEST-ONLY vitalwire second implementation").digest();
    const signer = nodeSigner(seed);
    const sample = [...messages, ...fc.sample(message, { numRuns: 300, seed: 8 })].filter(
      (item) => encodeMessage(item).length < MAX_MESSAGE - 90,
    );
    const theirs = sealedByPython(
      sample.map((item) => decode(encodeMessage(item))),
      seed,
    );
    expect(theirs).toHaveLength(sample.length);
    theirs.forEach(([payload, sealed], i) => {
      const envelope = decodeEnvelope(fromHex(sealed ?? ""));
      expect(verify1(envelope, signer.publicKey, nodeCrypto)).toBe(true);
      expect(toHex(envelope.payload)).toBe(payload);
      expect(decodeMessage(envelope.payload)).toEqual(decodeMessage(encodeMessage(sample[i] as Message)));
      expect(sealed).toBe(toHex(sign1(encodeMessage(sample[i] as Message), signer)));
    });
  });

  test("its deterministic CBOR is ours, for arbitrary values", () => {
    const key = map([
      [-2, Uint8Array.of(7)],
      [-1, 6],
      [1, 1],
    ]); // its order is the encoder's to find
    const values = [key, ...fc.sample(value, { numRuns: 500, seed: 8 })];
    const theirs = sealedByPython(values, new Uint8Array(32)).map(([payload]) => payload);
    expect(theirs).toEqual(values.map((item) => toHex(encode(item))));
    expect(theirs.some((payload) => (payload ?? "").length > 2000)).toBe(true);
  });

  test("it reads the samples that our encoder makes, in every order and with escapes", () => {
    const blocks: Array<[Int32Array, number, number]> = [
      [sine(1), 0, 0],
      [sine(2), 2, 0],
      [sine(300), 0, 5],
      [sine(300), 1, 20],
      [sine(1024), 2, 3],
      [Int32Array.of(0, 8_388_607, -8_388_607, 1, 2, 3, 4), 1, 0],
    ];
    for (const [samples, order, k0] of blocks) {
      const block = toHex(encodeRice(samples, 0, samples.length, order, k0));
      expect(run("samples.py", String(samples.length), block)).toEqual([`[${samples.join(", ")}]`]);
    }
  });
});
