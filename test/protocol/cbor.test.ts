import { readFileSync } from "node:fs";
import { Encoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cbor, decode, decodeTagged, encode, encodeTagged, get, isMap, map } from "../../protocol/cbor.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { lacks, vectorFolder } from "../support/needs.ts";
import { bytes, reasonOf, refusalOf } from "./support.ts";

const hex = (value: Cbor) => toHex(encode(value));
const from = (text: string) => decode(fromHex(text));

/** Values that VSP/1 can carry, at most 4 containers deep. */
const { value } = fc.letrec<{ value: Cbor; leaf: Cbor }>((tie) => ({
  leaf: fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -70000, max: 70000 }),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.boolean(),
    fc.constant(null),
    bytes(0, 40),
  ),
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "cbor" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 6, depthIdentifier: "cbor" }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.integer(), fc.string({ maxLength: 8 })), tie("value")), {
        selector: ([key]) => key,
        maxLength: 6,
        depthIdentifier: "cbor",
      })
      .map((entries) => map(entries)),
  ),
}));

describe("encoding", () => {
  test("the shortest form is used at every boundary of an integer (RFC 8949 section 4.2.1)", () => {
    const pairs: Array<[number, string]> = [
      [0, "00"],
      [23, "17"],
      [24, "1818"],
      [255, "18ff"],
      [256, "190100"],
      [65535, "19ffff"],
      [65536, "1a00010000"],
      [4294967295, "1affffffff"],
      [4294967296, "1b0000000100000000"],
      [9007199254740991, "1b001fffffffffffff"],
      [-1, "20"],
      [-24, "37"],
      [-25, "3818"],
      [-256, "38ff"],
      [-257, "390100"],
      [-65536, "39ffff"],
      [-65537, "3a00010000"],
      [-4294967296, "3affffffff"],
      [-4294967297, "3b0000000100000000"],
      [-9007199254740991, "3b001ffffffffffffe"],
    ];
    for (const [number, text] of pairs) {
      expect(hex(number)).toBe(text);
      expect(from(text)).toBe(number);
    }
  });

  test("minus zero is sent as zero", () => {
    expect(hex(-0)).toBe("00");
  });

  test("a number that is no integer below 2^53 is refused", () => {
    for (const number of [0.5, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(reasonOf(() => encode([number]))).toBe("cbor");
  });

  test("what has no type in VSP/1 is refused", () => {
    for (const other of [undefined, 1n, Symbol("x"), () => 1])
      expect(reasonOf(() => encode(other as unknown as Cbor))).toBe("cbor");
  });

  test("pairs are sorted bytewise by their encoded keys (RFC 8949 section 4.2.1, its own example)", () => {
    // 10, 100, -1, "z", "aa", [100], [-1], false
    const keys: Cbor[] = [[-1], false, "aa", [100], "z", -1, 100, 10];
    const sorted = ["0a", "1864", "20", "617a", "626161", "811864", "8120", "f4"].map((key) => `${key}00`);
    expect(hex(map(keys.map((key) => [key, 0] as const)))).toBe(`a8${sorted.join("")}`);
  });

  test("values stay with their keys when pairs are sorted", () => {
    expect(
      hex(
        map([
          ["b", [1, 2]],
          [1, "long enough"],
          [
            "a",
            map([
              [2, 3],
              [1, 4],
            ]),
          ],
        ]),
      ),
    ).toBe("a3016b6c6f6e6720656e6f756768" + "6161a201040203" + "6162820102");
  });

  test("a key given twice is refused, sorted or not", () => {
    expect(
      reasonOf(() =>
        encode(
          map([
            [1, 1],
            [1, 2],
          ]),
        ),
      ),
    ).toBe("cbor");
    expect(
      reasonOf(() =>
        encode(
          map([
            ["a", 1],
            [3, 3],
            ["a", 2],
          ]),
        ),
      ),
    ).toBe("cbor");
  });

  test("half a surrogate pair is refused", () => {
    for (const text of ["\ud800", "a\udc00", "\ud800\ud800", "\udc00\ud800"])
      expect(reasonOf(() => encode(text))).toBe("cbor");
  });

  test("the encoder keeps the decoder's limits: 6 containers deep, 256 items", () => {
    const nested = (depth: number): Cbor => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(decode(encode(nested(6)))).toEqual(nested(6));
    expect(reasonOf(() => encode(nested(7)))).toBe("cbor");
    expect(decode(encode(new Array(256).fill(0)))).toHaveLength(256);
    expect(reasonOf(() => encode(new Array(257).fill(0)))).toBe("cbor");
    expect(reasonOf(() => encode(map(Array.from({ length: 257 }, (_, i) => [i, 0] as const))))).toBe("cbor");
  });

  test("a result is a buffer of its own: the next encoding does not touch it", () => {
    const first = encode([1, 2, 3]);
    encode([4, 5, 6, "longer"]);
    expect(toHex(first)).toBe("83010203");
  });

  test("a value larger than the scratch buffer grows it", () => {
    const large = new Uint8Array(70000).fill(7);
    expect(decode(encode([large, "x".repeat(3000)]))).toEqual([large, "x".repeat(3000)]);
  });
});

describe("decoding", () => {
  const refused: Array<[string, string, RegExp, number]> = [
    ["an indefinite array", "9f00ff", /indefinite/, 0],
    ["an indefinite map", "bf0000ff", /indefinite/, 0],
    ["an indefinite byte string", "5f4100ff", /indefinite/, 0],
    ["an indefinite text", "7f6161ff", /indefinite/, 0],
    ["reserved additional information", "821c00", /reserved/, 1],
    ["23 in two bytes", "1817", /more bytes/, 0],
    ["255 in three bytes", "1900ff", /more bytes/, 0],
    ["65535 in five bytes", "1a0000ffff", /more bytes/, 0],
    ["2^32-1 in nine bytes", "1b00000000ffffffff", /more bytes/, 0],
    ["a length longer than needed", "580100", /more bytes/, 0],
    ["2^53", "1b0020000000000000", /2\^53/, 0],
    ["-2^53", "3b001fffffffffffff", /2\^53/, 0],
    ["a half float", "81f90000", /float/, 1],
    ["a float", "fa00000000", /float/, 0],
    ["a double", "fb0000000000000000", /float/, 0],
    ["undefined", "f7", /simple/, 0],
    ["simple(16)", "f0", /simple/, 0],
    ["simple(255)", "f8ff", /simple/, 0],
    ["a lone break", "ff", /break/, 0],
    ["a tag inside", "81c100", /tag/, 1],
    ["a tag at the top, where none is asked for", "c100", /tag/, 0],
    ["a key twice", "a201000100", /twice/, 3],
    ["keys out of order", "a202000100", /sorted/, 3],
    ["a longer key before a shorter", "a26261610061" + "6200", /sorted/, 5],
    ["an overlong slash", "62c0af", /UTF-8/, 1],
    ["an overlong three bytes", "63e08080", /overlong/, 1],
    ["an overlong four bytes", "64f0808080", /overlong/, 1],
    ["a surrogate", "63eda080", /surrogate/, 1],
    ["beyond U+10FFFF", "64f4908080", /U\+10FFFF/, 1],
    ["a byte that never begins a character", "61ff", /UTF-8/, 1],
    ["a continuation alone", "6180", /UTF-8/, 1],
    ["a character cut off by the end of its text", "8261c3a9", /UTF-8/, 2],
    ["bytes behind the value", "0000", /behind/, 1],
    ["no bytes", "", /end where/, 0],
    ["an array cut off", "8201", /end where/, 2],
    ["a number cut off", "1901", /inside a number/, 0],
    ["a string cut off", "4201", /inside a string/, 0],
    ["seven containers", "81818181818180", /deep/, 6],
    ["257 items", `990101${"00".repeat(257)}`, /items/, 0],
    ["257 pairs", "b90101", /items/, 0],
    ["2^32 items", "9b0000000100000000", /items/, 0],
    ["seven maps", "a100a100a100a100a100a100a0", /deep/, 12],
    ["maps as keys, seven deep", "a1a1a1a1a1a1a0", /deep/, 6],
    ["reserved information of a text", "7d", /reserved/, 0],
    ["reserved information of a simple value", "fe", /simple/, 0],
    ["a break in an array", "81ff", /break/, 1],
    ["a length of 2^53", "5b0020000000000000", /2\^53/, 0],
    ["a text cut off", "8263c3a9", /inside a string of 3/, 1],
    ["a map without its last value", "a10a", /end where/, 2],
    ["a key in more bytes than it needs", "a1180a00", /more bytes/, 1],
    ["a key twice among others", "a3000001000100", /twice/, 5],
    ["keys equal in value, as text and bytes, out of order", "a261610041" + "6100", /sorted/, 4],
  ];
  test.each(refused)("%s is refused, and the error names rule and offset", (_, text, rule, offset) => {
    const refusal = refusalOf(() => from(text));
    expect(refusal.reason).toBe("cbor");
    expect(refusal.message).toMatch(rule);
    expect(refusal.offset).toBe(offset);
  });

  test("byte strings are views into the input, not copies", () => {
    const input = fromHex("4201ff");
    const view = decode(input) as Uint8Array;
    expect(view.buffer).toBe(input.buffer);
    expect(view).toEqual(Uint8Array.of(1, 255));
  });

  test("characters of one to four bytes are read (RFC 3629)", () => {
    expect(from("6161")).toBe("a");
    expect(from("62c2b5")).toBe("µ");
    expect(from("63efbfbf")).toBe("\uffff");
    expect(from("64f09f92a9")).toBe("\u{1f4a9}");
    expect(from("64f48fbfbf")).toBe("\u{10ffff}");
  });

  test("a tag stands only at the top, once, and only where it is asked for", () => {
    expect(decodeTagged(fromHex("d28101"))).toEqual({ tag: 18, value: [1] });
    expect(toHex(encodeTagged(18, [1]))).toBe("d28101");
  });

  test.each([
    ["no tag", "8101", /no tag/, 0],
    ["no bytes", "", /no tag/, 0],
    ["a tag under the tag", "d2d28101", /tag where none/, 1],
    ["a tag within", "d281d201", /tag where none/, 2],
    ["a tag in more bytes than it needs", "d80101", /more bytes/, 0],
    ["a tag cut off", "d8", /inside a number/, 0],
    ["a tag of an indefinite number", "df01", /indefinite/, 0],
    ["a reserved tag head", "dc01", /reserved/, 0],
    ["a tag of 2^53", "db002000000000000001", /2\^53/, 0],
    ["a tag without its value", "d2", /end where/, 1],
    ["bytes behind the tagged value", "d2810101", /behind/, 3],
    ["seven containers under the tag", "d281818181818180", /deep/, 7],
  ] as const)("under a tag, %s is refused, and the error names rule and offset", (_, text, rule, offset) => {
    const refusal = refusalOf(() => decodeTagged(fromHex(text)));
    expect(refusal.reason).toBe("cbor");
    expect(refusal.message).toMatch(rule);
    expect(refusal.offset).toBe(offset);
  });

  test("every prefix of a message is refused at a place within it, and so is every message with a byte more", () => {
    fc.assert(
      fc.property(value, (original) => {
        const whole = encodeTagged(18, original);
        for (let length = 0; length < whole.length; length++) {
          const { reason, offset } = refusalOf(() => decodeTagged(whole.subarray(0, length)));
          expect(reason).toBe("cbor");
          expect(offset).toBeLessThanOrEqual(length);
        }
        expect(refusalOf(() => decodeTagged(Uint8Array.of(...whole, 0))).offset).toBe(whole.length);
      }),
      { numRuns: 100 },
    );
  });

  test("get finds a value by its key, isMap tells maps from arrays, bytes and null", () => {
    const found = from("a2010203f6");
    expect(isMap(found) && get(found, 1)).toBe(2);
    expect(isMap(found) && get(found, 3)).toBe(null);
    expect(isMap(found) && get(found, 2)).toBe(undefined);
    for (const other of [[], new Uint8Array(0), null, 1, "x", true] as Cbor[]) expect(isMap(other)).toBe(false);
  });
});

describe("one value, one encoding", () => {
  test("what is encoded decodes to itself, and that encodes to the same bytes", () => {
    fc.assert(
      fc.property(value, (original) => {
        const encoded = encode(original);
        const decoded = decode(encoded);
        expect(encode(decoded)).toEqual(encoded);
      }),
      { numRuns: 500 },
    );
  });

  test("bytes that are accepted at all encode to themselves", () => {
    let accepted = 0;
    fc.assert(
      fc.property(value, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 2 }), (original, edits) => {
        const mutated = encode(original);
        for (const [at, byte] of edits) if (mutated.length > 0) mutated[at % mutated.length] = byte;
        let decoded: Cbor;
        try {
          decoded = decode(mutated);
        } catch (error) {
          expect((error as { reason?: string }).reason).toBe("cbor");
          return;
        }
        accepted++;
        expect(encode(decoded)).toEqual(mutated);
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test("cbor-x, told to be deterministic, writes the same bytes", () => {
    const encoder = new Encoder({
      useRecords: false,
      mapsAsObjects: false,
      variableMapSize: true,
      tagUint8Array: false,
    });
    /** Maps in the order of our encoding; integers over 2^32 as bigint, which cbor-x would send as floats. */
    const plain = (item: Cbor): unknown => {
      if (typeof item === "number") return Math.abs(item) > 4294967295 ? BigInt(item) : item;
      if (Array.isArray(item)) return item.map(plain);
      if (!isMap(item)) return item;
      const sorted = decode(encode(item)) as typeof item;
      return new Map(sorted.entries.map(([key, under]) => [plain(key), plain(under)]));
    };
    fc.assert(
      fc.property(value, (original) => {
        expect(toHex(encode(original))).toBe(toHex(encoder.encode(plain(original))));
      }),
      { numRuns: 500 },
    );
  });
});

describe.skipIf(lacks("vectors"))("RFC 8949 Appendix A", () => {
  const examples: Array<{ hex: string }> = JSON.parse(readFileSync(`${vectorFolder}/cbor/appendix_a.json`, "utf8"));

  test("each example decodes and encodes to itself, or is refused for a rule of VSP/1: the partition is exact", () => {
    const rules: Record<string, string[]> = {};
    for (const example of examples) {
      const input = fromHex(example.hex);
      let rule = "round trip";
      try {
        expect(toHex(encode(decode(input)))).toBe(example.hex);
      } catch (error) {
        rule = /(2\^53|float|simple|tag|indefinite)/.exec((error as Error).message)?.[1] ?? `${error}`;
      }
      rules[rule] = [...(rules[rule] ?? []), example.hex];
    }
    const counts = Object.fromEntries(Object.entries(rules).map(([rule, list]) => [rule, list.length]));
    expect(counts).toEqual({ "round trip": 35, "2^53": 2, float: 22, simple: 4, tag: 8, indefinite: 11 });
    expect(rules["2^53"]).toEqual(["1bffffffffffffffff", "3bffffffffffffffff"]);
    expect(rules.simple).toEqual(["f7", "f0", "f818", "f8ff"]);
  });
});
