/** What the protocol's tests share: committed vectors, refusals, TEST-ONLY signers, arbitrary messages. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { nodeSigner } from "../../protocol/crypto.node.ts";
import * as protocol from "../../protocol/index.ts";
import type { Attributes, Message, Num, Scalar, Wave } from "../../protocol/messages.ts";

const folder = new URL("../../protocol/", import.meta.url);

/** A file of protocol/ as text. */
export const read = (name: string) => readFileSync(new URL(name, folder), "utf8");

/** Bytes stand as {"hex": "…"} in the vectors; deep. */
export function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "hex") return protocol.fromHex(entries[0][1] as string);
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item)]));
}

export const vectors = (name: string) => JSON.parse(read(`vectors/${name}.json`));

/** TEST-ONLY signer: its seed is the SHA-256 of a text. */
export const testSigner = (text: string) => nodeSigner(createHash("sha256").update(text).digest());
export const device = testSigner("TEST-ONLY vitalwire device");
export const site = testSigner("TEST-ONLY vitalwire site");
export const gateway = testSigner("TEST-ONLY vitalwire gateway");

/** The reason word with which `action` is refused. Fails where it is not, or throws anything else. */
export function reasonOf(action: () => unknown): string {
  return refusalOf(action).reason;
}

export function refusalOf(action: () => unknown): protocol.Refusal {
  try {
    action();
  } catch (error) {
    if (protocol.isRefusal(error)) return error;
    throw new Error(`not a refusal: ${error}`, { cause: error });
  }
  throw new Error("accepted, where a refusal was due");
}

/** "ok", or the reason; anything else that is thrown goes through. */
export function outcomeOf(action: () => unknown): string {
  try {
    action();
    return "ok";
  } catch (error) {
    if (protocol.isRefusal(error)) return error.reason;
    throw error;
  }
}

export const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));
const MAX = Number.MAX_SAFE_INTEGER;
export const uint = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: MAX }),
  fc.constantFrom(0, MAX),
);
export const int = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer({ min: -MAX, max: MAX }));
export const u16 = fc.integer({ min: 0, max: 65535 });
export const u32 = fc.oneof(fc.integer({ min: 0, max: 70000 }), fc.integer({ min: 0, max: 4294967295 }));
const text = fc.string({ unit: "binary", maxLength: 20 }).filter((value) => Buffer.byteLength(value) <= 64);
const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const qual = fc
  .tuple(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(null)), fc.integer({ min: 0, max: 2047 }))
  .map(([sqi, flags]) => protocol.makeQual(sqi, flags));
const id = fc.integer({ min: 0, max: 63 });
const wave: fc.Arbitrary<Wave> = fc.record({
  kind: fc.constant("wave" as const),
  id,
  seg: uint,
  idx: uint,
  dt: int,
  codec: fc.constantFrom(0 as const, 1 as const, 2 as const),
  n: fc.integer({ min: 1, max: 1024 }),
  bytes: bytes(1, 60),
  qual: option(qual),
});
const num: fc.Arbitrary<Num> = fc
  .record({ kind: fc.constant("num" as const), id, dt: int, value: option(int), qual: option(qual) })
  .filter((value) => value.value !== null || (value.qual ?? 0) >= 128);
const header = { boot: u32, seq: u32, tick: uint };
const downlink = { kid: bytes(8, 8), boot: u32, n: uint };
const attributes = fc.record(
  {
    role: text,
    chip: text,
    site: text,
    lead: text,
    processing: fc.constantFrom(0, 1, 2, 3),
    delay: int,
    calibration: text,
    minimum: int,
    maximum: int,
    identity: fc.constantFrom(0, 1, 2),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Attributes>;
const definition = fc.record({
  id,
  mdc: u32,
  rateMilliHz: uint,
  bits: fc.integer({ min: 1, max: 32 }),
  offset: int,
  mul: int,
  exp10: fc.integer({ min: -30, max: 30 }),
  ucum: text,
  attributes,
});
const scalar: fc.Arbitrary<Scalar> = fc.oneof(int, fc.constant(null), text, bytes(0, 64));
const claims = fc.record(
  {
    ueid: bytes(16, 16).map((random) => Uint8Array.of(1, ...random)),
    bootseed: bytes(16, 16),
    swname: text,
    swversion: fc.tuple(text),
    uptime: uint,
    offline: uint,
  },
  { requiredKeys: ["ueid", "bootseed", "swname", "swversion"] },
);
const parameters = fc
  .uniqueArray(fc.tuple(uint, fc.oneof(int, text, bytes(0, 80))), { selector: ([key]) => key, maxLength: 8 })
  .map((pairs) => pairs.sort(([a], [b]) => a - b));

/** Every kind of message, everything in it arbitrary within the rules. */
export const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    ...header,
    type: fc.constant("data" as const),
    cfg: u16,
    channels: fc.array(fc.oneof(wave, num), { minLength: 1, maxLength: 16 }),
  }),
  fc
    .record({
      ...header,
      type: fc.constant("birth" as const),
      cfg: u16,
      claims,
      channels: fc.uniqueArray(definition, { minLength: 1, maxLength: 32, selector: (channel) => channel.id }),
      prev: option(fc.record({ boot: u32, seq: u32 })),
      hint: option(fc.record({ gatewayMs: uint, tick: uint, uncertaintyMs: uint })),
    })
    .map((birth) => ({ ...birth, claims: { ...birth.claims, bootcount: birth.boot } }) as Message),
  fc.record({
    ...header,
    type: fc.constant("manifest" as const),
    ofBoot: u32,
    first: fc.integer({ min: 0, max: 4294967296 - 240 }),
    hashes: fc.integer({ min: 1, max: 240 }).chain((n) => bytes(16 * n, 16 * n)),
  }),
  fc.record({
    ...header,
    type: fc.constant("event" as const),
    code: uint,
    small: fc.oneof(scalar, fc.array(scalar, { maxLength: 16 })),
  }),
  fc.record({
    type: fc.constant("presence" as const),
    boot: u32,
    connection: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
    state: fc.constantFrom(0 as const, 1 as const, 2 as const),
  }),
  fc.record({
    ...downlink,
    type: fc.constant("command" as const),
    expires: uint,
    op: fc.integer({ min: 1, max: 31 }),
    parameters,
  }),
  fc.record({
    ...downlink,
    type: fc.constant("ack" as const),
    ofBoot: u32,
    next: u32,
    bitmap: bytes(0, 32),
    refused: fc.array(fc.record({ seq: u32, reason: uint }), { maxLength: 16 }),
  }),
  fc.record({ ...downlink, type: fc.constant("time" as const), echoTick: uint, gatewayMs: uint }),
);
