import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cbor, decode, encode, map } from "../../protocol/cbor.ts";
import { fromHex } from "../../protocol/keys.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  makeQual,
  type Num,
  qualFlags,
  qualSqi,
  type Wave,
} from "../../protocol/messages.ts";
import { bytes, message, reasonOf, refusalOf } from "./support.ts";

const wave: Wave = {
  kind: "wave",
  id: 0,
  seg: 0,
  idx: 0,
  dt: 0,
  codec: 1,
  n: 1,
  bytes: new Uint8Array(1),
  qual: null,
};
const num: Num = { kind: "num", id: 1, dt: 0, value: 1, qual: null };
const header = { boot: 17, seq: 3, tick: 400 };
const data = { type: "data", ...header, cfg: 1, channels: [wave, num] } satisfies Message;
const claims = {
  ueid: new Uint8Array(17).fill(1),
  bootcount: 17,
  bootseed: new Uint8Array(16),
  swname: "vitalwire",
  swversion: ["0.1.0"],
};
const definition = {
  id: 0,
  mdc: 131328,
  rateMilliHz: 250000,
  bits: 18,
  offset: 0,
  mul: 1,
  exp10: 0,
  ucum: "V",
  attributes: {},
};
const birth = {
  type: "birth",
  ...header,
  cfg: 1,
  claims,
  channels: [definition],
  prev: null,
  hint: null,
} satisfies Message;
const manifest = { type: "manifest", ...header, ofBoot: 16, first: 7, hashes: new Uint8Array(32) } satisfies Message;
const event = { type: "event", ...header, code: 3, small: [0, 4] } satisfies Message;
const presence = { type: "presence", boot: 17, connection: 2, state: 0 } satisfies Message;
const downlink = { kid: new Uint8Array(8), boot: 17, n: 5 };
const command = { type: "command", ...downlink, expires: 100, op: 5, parameters: [[1, 24]] } satisfies Message;
const ack = {
  type: "ack",
  ...downlink,
  ofBoot: 17,
  next: 9,
  bitmap: Uint8Array.of(128),
  refused: [{ seq: 8, reason: 9 }],
} satisfies Message;
const time = { type: "time", ...downlink, echoTick: 1, gatewayMs: 2 } satisfies Message;
const samples: Message[] = [data, birth, manifest, event, presence, command, ack, time];

describe("one message, one payload", () => {
  test("every message that keeps the rules decodes to itself", () => {
    fc.assert(
      fc.property(message, (original) => {
        expect(decodeMessage(encodeMessage(original))).toEqual(original);
      }),
      { numRuns: 1000 },
    );
  });

  test("every payload that is accepted encodes to itself, however it was made", () => {
    let accepted = 0;
    const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(message, edits, (original, changes) => {
        const payload = encodeMessage(original);
        for (const [at, byte] of changes) payload[at % payload.length] = byte;
        let decoded: Message;
        try {
          decoded = decodeMessage(payload);
        } catch (error) {
          expect(["cbor", "payload"]).toContain((error as { reason?: string }).reason);
          return;
        }
        accepted++;
        expect(encodeMessage(decoded)).toEqual(payload);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });

  test("parameters of a command are sent in the order of their keys, whatever the order given", () => {
    const swapped: Message = {
      ...command,
      parameters: [
        [300, "b"],
        [2, 1],
        [24, fromHex("00")],
      ],
    };
    expect(decodeMessage(encodeMessage(swapped))).toMatchObject({
      parameters: [
        [2, 1],
        [24, fromHex("00")],
        [300, "b"],
      ],
    });
  });
});

const kid7 = new Uint8Array(7);
const long = "µ".repeat(33); // 66 bytes, 33 characters
/** Replaces one block, one claim, one definition. */
const block = (change: object) => ({ ...data, channels: [{ ...wave, ...change }] });
const value = (change: object) => ({ ...data, channels: [{ ...num, ...change }] });
const claim = (change: object) => ({ ...birth, claims: { ...claims, ...change } });
const channel = (change: object) => ({ ...birth, channels: [{ ...definition, ...change }] });
const attribute = (attributes: object) => channel({ attributes });

/** A message that breaks one rule; the field that the error must name. */
const broken: Array<[string, object, RegExp]> = [
  ["a boot of 2^32", { ...data, boot: 4294967296 }, /boot is 4294967296/],
  ["a negative boot", { ...presence, boot: -1 }, /boot is -1/],
  ["a seq of 2^32", { ...event, seq: 4294967296 }, /seq is 4294967296/],
  ["a negative tick", { ...manifest, tick: -1 }, /tick is -1/],
  ["a tick that is text", { ...data, tick: "1" }, /tick is "1"/],
  ["a cfg of 65536", { ...data, cfg: 65536 }, /data cfg is 65536/],
  ["a birth's cfg of 65536", { ...birth, cfg: 65536 }, /birth cfg/],
  ["no channels", { ...data, channels: [] }, /data channels is a list of 0/],
  ["17 channels", { ...data, channels: new Array(17).fill(num) }, /data channels is a list of 17/],
  ["a channel id of 64", block({ id: 64 }), /channel id is 64/],
  ["a negative seg", block({ seg: -1 }), /wave seg/],
  ["a negative idx", block({ idx: -1 }), /wave idx/],
  ["a fractional dt", block({ dt: 0.5 }), /wave dt is 0\.5/],
  ["codec 3", block({ codec: 3 }), /wave codec is 3/],
  ["a negative codec", block({ codec: -1 }), /wave codec is -1/],
  ["a block of no samples", block({ n: 0 }), /wave n is 0/],
  ["a block of 1025 samples", block({ n: 1025 }), /wave n is 1025/],
  ["a block without bytes", block({ bytes: new Uint8Array(0) }), /wave bytes is 0 bytes/],
  ["bytes that are text", block({ bytes: "x" }), /wave bytes is "x"/],
  ["sqi 101", block({ qual: 101 }), /wave qual is 101/],
  ["sqi 126", value({ qual: 128 + 126 }), /num qual is 254/],
  ["flag 11", value({ qual: 128 * 2048 }), /num qual is 262144/],
  ["a negative qual", block({ qual: -1 }), /wave qual/],
  ["null without a qual", value({ value: null }), /num qual is null/],
  ["null with an sqi but no flag", value({ value: null, qual: 127 }), /num qual is 127/],
  ["a value that is text", value({ value: "36.6" }), /num value is "36.6"/],
  ["a num's dt that is null", value({ dt: null }), /num dt is null/],
  ["a ueid of 16 bytes", claim({ ueid: new Uint8Array(16).fill(1) }), /ueid/],
  ["a ueid of another type", claim({ ueid: new Uint8Array(17).fill(2) }), /ueid.*is 2/],
  ["a bootcount that is not the boot", claim({ bootcount: 18 }), /bootcount.*is 18/],
  ["a bootseed of 15 bytes", claim({ bootseed: new Uint8Array(15) }), /bootseed/],
  ["a swname of 66 bytes", claim({ swname: long }), /swname/],
  ["no swversion", claim({ swversion: [] }), /271/],
  ["two swversions", claim({ swversion: ["1", "2"] }), /271/],
  ["a negative uptime", claim({ uptime: -1 }), /uptime/],
  ["a negative offline time", claim({ offline: -1 }), /-70003/],
  ["no definitions", { ...birth, channels: [] }, /birth channels/],
  ["33 definitions", { ...birth, channels: new Array(33).fill(definition) }, /birth channels/],
  ["a channel defined twice", { ...birth, channels: [definition, definition] }, /definition id is 0/],
  ["a definition's id of 64", channel({ id: 64 }), /definition id/],
  ["an mdc of 2^32", channel({ mdc: 4294967296 }), /definition mdc/],
  ["a negative rate", channel({ rateMilliHz: -1 }), /definition rate/],
  ["0 bits", channel({ bits: 0 }), /definition bits is 0/],
  ["33 bits", channel({ bits: 33 }), /definition bits is 33/],
  ["an offset that is null", channel({ offset: null }), /definition offset/],
  ["a fractional mul", channel({ mul: 0.1 }), /definition mul is 0\.1/],
  ["an exponent of 31", channel({ exp10: 31 }), /definition exp10 is 31/],
  ["an exponent of -31", channel({ exp10: -31 }), /definition exp10 is -31/],
  ["a unit of 66 bytes", channel({ ucum: long }), /definition ucum/],
  ["a role of 66 bytes", attribute({ role: long }), /role/],
  ["a chip of 66 bytes", attribute({ chip: long }), /chip/],
  ["a site of 66 bytes", attribute({ site: long }), /site/],
  ["a lead that is a number", attribute({ lead: 2 }), /lead/],
  ["processing 4", attribute({ processing: 4 }), /processing.*is 4/],
  ["a delay that is text", attribute({ delay: "1" }), /delay/],
  ["a calibration of 66 bytes", attribute({ calibration: long }), /calibration/],
  ["a minimum that is text", attribute({ minimum: "1" }), /minimum/],
  ["a maximum that is null", attribute({ maximum: null }), /maximum/],
  ["identity 3", attribute({ identity: 3 }), /identity.*is 3/],
  ["prev of boot 2^32", { ...birth, prev: { boot: 4294967296, seq: 0 } }, /prev boot/],
  ["prev of a negative seq", { ...birth, prev: { boot: 0, seq: -1 } }, /prev seq/],
  ["a hint before 1970", { ...birth, hint: { gatewayMs: -1, tick: 0, uncertaintyMs: 0 } }, /hint gw-ms/],
  ["a hint of a negative tick", { ...birth, hint: { gatewayMs: 1, tick: -1, uncertaintyMs: 0 } }, /hint tick/],
  ["a hint of negative uncertainty", { ...birth, hint: { gatewayMs: 1, tick: 0, uncertaintyMs: -1 } }, /hint uncer/],
  ["a manifest of boot 2^32", { ...manifest, ofBoot: 4294967296 }, /of-boot/],
  ["a manifest beyond the last seq", { ...manifest, first: 4294967295 }, /manifest first is 4294967295/],
  ["a manifest of nothing", { ...manifest, hashes: new Uint8Array(0) }, /manifest hashes is 0 bytes/],
  ["a manifest of half a hash", { ...manifest, hashes: new Uint8Array(24) }, /manifest hashes is 24 bytes/],
  ["a manifest of 241 hashes", { ...manifest, hashes: new Uint8Array(3856) }, /manifest hashes is 3856 bytes/],
  ["a negative event code", { ...event, code: -1 }, /event code/],
  ["17 event values", { ...event, small: new Array(17).fill(0) }, /event values/],
  ["an event text of 66 bytes", { ...event, small: long }, /event text/],
  ["event bytes of 65", { ...event, small: [new Uint8Array(65)] }, /event bytes/],
  ["an event value that is true", { ...event, small: [true] }, /event (value|bytes) is true/],
  ["a list inside an event", { ...event, small: [[1]] }, /event (value|bytes) is a list/],
  ["a negative conn", { ...presence, connection: -1 }, /presence conn/],
  ["a conn that the audit chain cannot hold", { ...presence, connection: 2 ** 30 }, /presence conn/],
  ["state 3", { ...presence, state: 3 }, /presence state is 3/],
  ["a kid of 7 bytes", { ...command, kid: kid7 }, /kid is 7 bytes/],
  ["a downlink for boot 2^32", { ...ack, boot: 4294967296 }, /boot/],
  ["a negative n", { ...time, n: -1 }, /n is -1/],
  ["a negative expiry", { ...command, expires: -1 }, /command expires/],
  ["op 0", { ...command, op: 0 }, /command op is 0/],
  ["op 32", { ...command, op: 32 }, /command op is 32/],
  ["a negative parameter key", { ...command, parameters: [[-1, 0]] }, /parameter key is -1/],
  ["a parameter that is null", { ...command, parameters: [[1, null]] }, /parameter 1 is null/],
  ["a parameter that is true", { ...command, parameters: [[1, true]] }, /parameter 1 is true/],
  ["an ack of boot 2^32", { ...ack, ofBoot: 4294967296 }, /ack of-boot/],
  ["a next of 2^32", { ...ack, next: 4294967296 }, /ack next/],
  ["a bitmap of 33 bytes", { ...ack, bitmap: new Uint8Array(33) }, /ack bitmap/],
  ["17 refused", { ...ack, refused: new Array(17).fill(ack.refused[0]) }, /ack refused/],
  ["a refused seq of 2^32", { ...ack, refused: [{ seq: 4294967296, reason: 0 }] }, /refused seq/],
  ["a negative reason", { ...ack, refused: [{ seq: 0, reason: -1 }] }, /refused reason/],
  ["a negative echo", { ...time, echoTick: -1 }, /time echo-tick/],
  ["a time before 1970", { ...time, gatewayMs: -1 }, /time gw-ms/],
];

/** The payload of a message without any check, so that the decoder alone is asked. */
function unchecked(of: Record<string, unknown>): Uint8Array {
  const plain = of as never as Record<string, Cbor> & { channels: Array<Record<string, Cbor>> };
  const head = [plain.boot, plain.seq, plain.tick];
  const down = [plain.kid, plain.boot, plain.n];
  const keyed = (from: Record<string, Cbor>, names: string[], first: number[]): Cbor =>
    map(names.flatMap((name, i) => (from[name] === undefined ? [] : [[first[i] as number, from[name]] as const])));
  const tree = (): unknown[] => {
    switch (of.type) {
      case "data":
        return [
          1,
          ...head,
          plain.cfg,
          plain.channels.map((one) => [
            one.id,
            ...(one.kind === "wave" ? [one.seg, one.idx, one.dt, one.codec, one.n, one.bytes] : [one.dt, one.value]),
            ...(one.qual === null ? [] : [one.qual]),
          ]),
        ];
      case "birth": {
        const claimKeys = ["ueid", "uptime", "bootcount", "bootseed", "swname", "swversion", "offline"];
        const names = "role chip site lead processing delay calibration minimum maximum identity".split(" ");
        return [
          2,
          ...head,
          plain.cfg,
          keyed(of.claims as Record<string, Cbor>, claimKeys, [256, 261, 267, 268, 270, 271, -70003]),
          plain.channels.map((one) => [
            ...[one.id, one.mdc, one.rateMilliHz, one.bits, one.offset, one.mul, one.exp10, one.ucum],
            keyed(one.attributes as never, names, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
          ]),
          of.prev === null ? null : Object.values(of.prev as object),
          of.hint === null ? null : Object.values(of.hint as object),
        ];
      }
      case "manifest":
        return [3, ...head, plain.ofBoot, plain.first, plain.hashes];
      case "event":
        return [4, ...head, plain.code, plain.small];
      case "presence":
        return [5, plain.boot, plain.connection, plain.state];
      case "command":
        return [16, ...down, plain.expires, plain.op, map(of.parameters as never)];
      case "ack":
        return [17, ...down, plain.ofBoot, plain.next, plain.bitmap, (of.refused as object[]).map(Object.values)];
      default:
        return [18, ...down, plain.echoTick, plain.gatewayMs];
    }
  };
  return encode(tree() as Cbor[]);
}

describe("the rules of vsp.cddl", () => {
  test("the messages that the cases below break are good themselves", () => {
    for (const one of samples) {
      expect(decodeMessage(encodeMessage(one))).toEqual(one);
      expect(unchecked(one as never)).toEqual(encodeMessage(one));
    }
  });

  test.each(broken)("%s is not sent, and the error names field and value", (_, bad, rule) => {
    const refusal = refusalOf(() => encodeMessage(bad as Message));
    expect(refusal.reason).toBe("payload");
    expect(refusal.message).toMatch(rule);
  });

  // Fractions cannot be put on the wire at all.
  test.each(broken.filter(([name]) => !name.includes("fractional")))("%s is not accepted", (_, bad, rule) => {
    const refusal = refusalOf(() => decodeMessage(unchecked(bad as never)));
    expect(refusal.reason).toBe("payload");
    expect(refusal.message).toMatch(rule);
  });

  test("bounds themselves are good: ids, counts, sizes, exponents", () => {
    const edge: Message[] = [
      { ...data, boot: 4294967295, seq: 4294967295, tick: Number.MAX_SAFE_INTEGER, cfg: 65535 },
      { ...data, channels: new Array(16).fill({ ...wave, id: 63, n: 1024, qual: makeQual(100, 2047) }) },
      { ...data, channels: [{ ...num, value: null, qual: 128 }] },
      { ...birth, channels: Array.from({ length: 32 }, (_, id) => ({ ...definition, id, bits: 32, exp10: -30 })) },
      { ...manifest, first: 4294967294 },
      { ...manifest, hashes: new Uint8Array(3840) },
      { ...event, small: new Array(16).fill("µ".repeat(32)) },
      { ...event, small: [] },
      { ...command, op: 31, parameters: [] },
      { ...ack, bitmap: new Uint8Array(32), refused: new Array(16).fill({ seq: 0, reason: 0 }) },
      { ...ack, bitmap: new Uint8Array(0), refused: [] },
    ];
    for (const one of edge) expect(decodeMessage(encodeMessage(one))).toEqual(one);
  });

  const shapes: Array<[string, Cbor]> = [
    ["no list", map([])],
    ["an empty list", []],
    ["type 0", [0, 1, 2, 3]],
    ["type 6", [6, 1, 2, 3]],
    ["type 15", [15, new Uint8Array(8), 1, 2, 3, 4]],
    ["type 19", [19, new Uint8Array(8), 1, 2, 3, 4]],
    ["a type as text", ["data", 1, 2, 3]],
    ["data with an item more", [1, 17, 3, 400, 1, [[1, 0, 1]], 0]],
    ["data with an item less", [1, 17, 3, 400, 1]],
    ["a num of 2 items", [1, 17, 3, 400, 1, [[1, 0]]]],
    ["a block of 5 items", [1, 17, 3, 400, 1, [[1, 0, 1, 127, 0]]]],
    ["a block of 6 items", [1, 17, 3, 400, 1, [[1, 0, 0, 0, 1, 1]]]],
    ["a block of 9 items", [1, 17, 3, 400, 1, [[1, 0, 0, 0, 1, 1, new Uint8Array(1), 127, 0]]]],
    ["a block that is no list", [1, 17, 3, 400, 1, [7]]],
    ["a qual that is null", [1, 17, 3, 400, 1, [[1, 0, 1, null]]]],
    ["an event with an item less", [4, 17, 3, 400, 3]],
    ["an event with a map", [4, 17, 3, 400, 3, map([])]],
    ["a presence with an item more", [5, 17, 2, 0, 0]],
    ["a birth with an item less", [2, 17, 3, 400, 1, map([]), [], null]],
    ["a birth with empty claims", [2, 17, 3, 400, 1, map([]), [], null, null]],
    ["a manifest with an item more", [3, 17, 3, 400, 16, 7, new Uint8Array(16), 0]],
    ["a command without parameters", [16, new Uint8Array(8), 17, 5, 100, 5]],
    ["a command with a list of parameters", [16, new Uint8Array(8), 17, 5, 100, 5, []]],
    ["a command with a parameter named by text", [16, new Uint8Array(8), 17, 5, 100, 5, map([["led", 1]])]],
    ["an ack with an item less", [17, new Uint8Array(8), 17, 5, 17, 9, new Uint8Array(0)]],
    ["an ack with a refused item of one", [17, new Uint8Array(8), 17, 5, 17, 9, new Uint8Array(0), [[1]]]],
    ["a time with an item more", [18, new Uint8Array(8), 17, 5, 1, 2, 3]],
  ];
  test.each(shapes)("%s is not accepted", (_, tree) => {
    expect(reasonOf(() => decodeMessage(encode(tree)))).toBe("payload");
  });

  test("claims and attributes of other names are not accepted", () => {
    const parts = decode(encodeMessage({ ...birth, claims: { ...claims, uptime: 1, offline: 1 } })) as [...Cbor[]];
    const entries = (parts[5] as { entries: Array<[Cbor, Cbor]> }).entries;
    const withClaims = (changed: Array<readonly [Cbor, Cbor]>) => {
      const copy = [...parts];
      copy[5] = map(changed);
      return () => decodeMessage(encode(copy));
    };
    expect(withClaims(entries)()).toMatchObject({ type: "birth" });
    // One claim left out, another in its place; one claim more.
    for (let i = 0; i < entries.length; i++) {
      const rest = entries.filter((_, j) => j !== i);
      if (i !== 1 && i !== entries.length - 1) expect(reasonOf(withClaims(rest))).toBe("payload");
      expect(reasonOf(withClaims([...rest, [999, 1]]))).toBe("payload");
    }
    expect(reasonOf(withClaims([...entries, [999, 1]]))).toBe("payload");
    for (const key of [0, 11, -1, "role"]) {
      const copy = [...parts];
      copy[6] = [[0, 131328, 250000, 18, 0, 1, 0, "V", map([[key, 1]])]];
      expect(reasonOf(() => decodeMessage(encode(copy)))).toBe("payload");
    }
  });

  test("a payload that is not strict CBOR is refused as such", () => {
    for (const text of ["", "9f05110200ff", "8405110200" + "00", "840511f90000" + "00", "d28405110200"])
      expect(reasonOf(() => decodeMessage(fromHex(text)))).toBe("cbor");
  });

  test("text with half a surrogate pair is not sent", () => {
    expect(reasonOf(() => encodeMessage({ ...event, small: "\ud800" }))).toBe("cbor");
  });
});

describe("quality", () => {
  test("sqi and flags come out of a qual as they went in, null is unknown", () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: 0, max: 100 })), fc.integer({ min: 0, max: 2047 }), (sqi, flags) => {
        const qual = makeQual(sqi, flags);
        expect(qualSqi(qual)).toBe(sqi);
        expect(qualFlags(qual)).toBe(flags);
      }),
    );
    expect(makeQual(null, 1)).toBe(255); // section 9: 255 is "settling, sqi unknown"
  });

  test("a block without a quality has no flags and no sqi", () => {
    expect(qualFlags(null)).toBe(0);
    expect(qualSqi(null)).toBe(null);
  });

  test("what cannot be sent is a fault of the caller", () => {
    for (const sqi of [-1, 101, 127, 0.5, Number.NaN]) expect(() => makeQual(sqi, 0)).toThrow(/sqi/);
    for (const flags of [-1, 2048, 0.5, Number.NaN]) expect(() => makeQual(0, flags)).toThrow(/flags/);
  });
});

test("decoding random bytes never throws anything but a refusal", () => {
  fc.assert(
    fc.property(bytes(0, 80), (garbage) => {
      try {
        decodeMessage(garbage);
      } catch (error) {
        expect(["cbor", "payload"]).toContain((error as { reason?: string }).reason);
      }
    }),
    { numRuns: 3000 },
  );
});
