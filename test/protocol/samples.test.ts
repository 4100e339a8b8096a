import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { type Codec, decodeSamples, encodeBest, encodeRice, encodeSamples } from "../../protocol/samples.ts";
import { bytes, reasonOf, refusalOf, vectors } from "./support.ts";

const LARGEST = 2 ** 23 - 1;
const int32 = (list: number[]) => Int32Array.from(list);

/** Blocks of several characters: noise, walks, steps, all of the range, flat. */
const anywhere = fc.integer({ min: -LARGEST, max: LARGEST });
const clamp = (x: number) => Math.max(-LARGEST, Math.min(LARGEST, x));
const walk = (step: number) =>
  fc.array(fc.integer({ min: -step, max: step }), { minLength: 1, maxLength: 120 }).map((steps) => {
    let x = 0;
    return steps.map((d) => {
      x = clamp(x + d);
      return x;
    });
  });
const block = fc
  .oneof(
    fc.array(anywhere, { minLength: 1, maxLength: 60 }),
    fc.array(fc.constantFrom(-LARGEST, LARGEST, 0), { minLength: 1, maxLength: 60 }),
    walk(3),
    walk(500),
    walk(200000),
    fc.tuple(fc.integer({ min: 1, max: 1024 }), anywhere).map(([n, x]) => new Array<number>(n).fill(x)),
  )
  .map(int32);

/**
 * Codec 2 once more, written from PROTOCOL.md section 2.1 with strings of bits and without any of the codec's shortcuts.
 */
function riceByTheBook(x: Int32Array, order: number, k0: number): string {
  const zigzag = (v: number) => (v < 0 ? -2 * v - 1 : 2 * v);
  const binary = (v: number, width: number) => (width === 0 ? "" : v.toString(2).padStart(width, "0"));
  let head = toHex(Uint8Array.of(order * 32 + k0));
  for (let i = 0; i < order; i++) {
    let u = zigzag((x[i] as number) - (i === 0 ? 0 : (x[i - 1] as number)));
    do {
      head += toHex(Uint8Array.of((u % 128) + (u >= 128 ? 128 : 0)));
      u = Math.floor(u / 128);
    } while (u > 0);
  }
  let bits = "";
  let sum = 4 * 2 ** k0;
  let count = 4;
  let k = k0;
  for (let i = order; i < x.length; i++) {
    const [one, two] = [x[i - 1] as number, x[i - 2] as number];
    const u = zigzag((x[i] as number) - (order === 0 ? 0 : order === 1 ? one : 2 * one - two));
    const q = Math.floor(u / 2 ** k);
    bits += q <= 15 ? `${"0".repeat(q)}1${binary(u % 2 ** k, k)}` : "0".repeat(16) + binary(u, 32);
    sum += u;
    count += 1;
    if (count >= 16) {
      sum = Math.floor(sum / 2);
      count = Math.floor(count / 2);
    }
    for (k = 20; k > 0 && count * 2 ** k > sum; ) k--;
  }
  for (const byte of bits.match(/.{1,8}/g) ?? []) head += toHex(Uint8Array.of(Number.parseInt(byte.padEnd(8, "0"), 2)));
  return head;
}

describe("the committed blocks", () => {
  for (const vector of vectors("samples").blocks) {
    test(`${vector.name}: the same bytes in all three codecs, and back`, () => {
      const samples = int32(vector.samples);
      const n = samples.length;
      expect(toHex(encodeSamples(0, samples, 0, n))).toBe(vector.raw24be);
      expect(toHex(encodeSamples(1, samples, 0, n))).toBe(vector.delta);
      expect(toHex(encodeRice(samples, 0, n, vector.rice.order, vector.rice.k0))).toBe(vector.rice.hex);
      expect(riceByTheBook(samples, vector.rice.order, vector.rice.k0)).toBe(vector.rice.hex);
      expect(decodeSamples(0, fromHex(vector.raw24be), n)).toEqual(samples);
      expect(decodeSamples(1, fromHex(vector.delta), n)).toEqual(samples);
      expect(decodeSamples(2, fromHex(vector.rice.hex), n)).toEqual(samples);
    });
  }
});

describe("lossless", () => {
  test("every block comes back sample for sample, in every codec", () => {
    fc.assert(
      fc.property(block, fc.constantFrom<Codec>(0, 1, 2), (samples, codec) => {
        const encoded = encodeSamples(codec, samples, 0, samples.length);
        expect(decodeSamples(codec, encoded, samples.length)).toEqual(samples);
      }),
      { numRuns: 1500 },
    );
  });

  test("rice writes what the document says, for every order and first parameter", () => {
    const parameter = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 20 }));
    fc.assert(
      fc.property(block, parameter, (samples, [order, k0]) => {
        fc.pre(order <= samples.length);
        const encoded = encodeRice(samples, 0, samples.length, order, k0);
        expect(toHex(encoded)).toBe(riceByTheBook(samples, order, k0));
        expect(decodeSamples(2, encoded, samples.length)).toEqual(samples);
      }),
      { numRuns: 1000 },
    );
  });

  test("the adaptive sum stays within 32 bits over 1024 samples that jump through the whole range", () => {
    const samples = int32(Array.from({ length: 1024 }, (_, i) => (i % 2 === 0 ? LARGEST : -LARGEST)));
    for (const order of [0, 1, 2])
      for (const k0 of [0, 20]) {
        const encoded = encodeRice(samples, 0, 1024, order, k0);
        expect(toHex(encoded)).toBe(riceByTheBook(samples, order, k0));
        expect(decodeSamples(2, encoded, 1024)).toEqual(samples);
      }
  });

  test("a stretch out of the middle of a buffer is a block of its own", () => {
    const samples = int32([9, 9, 5, 6, 7, 9]);
    for (const codec of [0, 1, 2] as const)
      expect(decodeSamples(codec, encodeSamples(codec, samples, 2, 3), 3)).toEqual(int32([5, 6, 7]));
  });

  test("a result is a buffer of its own: the next block does not touch it", () => {
    for (const codec of [0, 1, 2] as const) {
      const first = encodeSamples(codec, int32([1, 2, 3, 4]), 0, 4);
      encodeSamples(codec, int32([5, -6, 70000, 8]), 0, 4);
      expect(decodeSamples(codec, first, 4)).toEqual(int32([1, 2, 3, 4]));
    }
  });
});

describe("choosing a codec", () => {
  test("the best is never longer than raw, delta, or rice with the estimated parameters", () => {
    fc.assert(
      fc.property(block, (samples) => {
        const n = samples.length;
        const best = encodeBest(samples, 0, n);
        for (const codec of [0, 1, 2] as const)
          expect(best.bytes.length).toBeLessThanOrEqual(encodeSamples(codec, samples, 0, n).length);
        expect(toHex(best.bytes)).toBe(toHex(encodeSamples(best.codec, samples, 0, n)));
        expect(decodeSamples(best.codec, best.bytes, n)).toEqual(samples);
      }),
      { numRuns: 800 },
    );
  });

  test("noise over the whole range goes raw, one small value goes as a delta, a smooth signal as rice", () => {
    const noise = int32(Array.from({ length: 50 }, (_, i) => ((i * 7654321) % (2 * LARGEST)) - LARGEST));
    const sine = int32(Array.from({ length: 256 }, (_, i) => Math.round(20000 * Math.sin(i / 20))));
    expect(encodeBest(noise, 0, 50).codec).toBe(0);
    expect(encodeBest(int32([3]), 0, 1).codec).toBe(1);
    expect(encodeBest(sine, 0, 256).codec).toBe(2);
  });

  test("the estimate costs at most 5 % over the best of all orders and first parameters, on a smooth signal with noise", () => {
    const samples = int32(
      Array.from({ length: 256 }, (_, i) => Math.round(3000 * Math.sin(i / 9)) + ((i * 7919) % 41) - 20),
    );
    let least = Number.POSITIVE_INFINITY;
    for (let order = 0; order < 3; order++)
      for (let k0 = 0; k0 < 21; k0++) least = Math.min(least, encodeRice(samples, 0, 256, order, k0).length);
    expect(encodeBest(samples, 0, 256).bytes.length).toBeLessThanOrEqual(least * 1.05);
  });
});

describe("a caller's faults", () => {
  test("a sample of 2^23 or more is not encoded, and the error names it", () => {
    for (const x of [2 ** 23, -(2 ** 23), 2 ** 31 - 1, -(2 ** 31)])
      for (const codec of [0, 1, 2] as const)
        expect(() => encodeSamples(codec, int32([0, x]), 0, 2)).toThrow(`sample 1 is ${x}`);
    expect(() => encodeBest(int32([2 ** 23]), 0, 1)).toThrow("2^23");
  });

  test("a block that does not exist, or is empty, or has more than 1024 samples is not encoded", () => {
    const samples = new Int32Array(2000);
    for (const [start, n] of [
      [0, 0],
      [0, 1025],
      [-1, 2],
      [1999, 2],
      [0, -1],
      [0, Number.NaN],
    ] as const) {
      expect(() => encodeSamples(1, samples, start, n)).toThrow(/a block has 1\.\.1024/);
      expect(() => encodeBest(samples, start, n)).toThrow(/a block has 1\.\.1024/);
    }
  });

  test("another codec, order or first parameter is not encoded", () => {
    const samples = int32([1, 2]);
    expect(() => encodeSamples(3 as Codec, samples, 0, 2)).toThrow(/codec 3/);
    for (const [order, k0] of [
      [3, 0],
      [-1, 0],
      [0, 21],
      [0, -1],
    ] as const)
      expect(() => encodeRice(samples, 0, 2, order, k0)).toThrow(/order 0\.\.2/);
    expect(() => encodeRice(samples, 0, 1, 2, 0)).toThrow(/at most n/);
  });
});

describe("what no encoder writes", () => {
  const cases: Array<[string, Codec, string, number, RegExp]> = [
    ["raw: a byte too many", 0, "00000000", 1, /4 bytes for 1/],
    ["raw: a byte too few", 0, "0000", 1, /2 bytes for 1/],
    ["raw: -2^23", 0, "000000800000", 2, /sample 1 would be -8388608/],
    ["delta: no bytes", 1, "", 1, /end before sample 0/],
    ["delta: cut off within a varint", 1, "0080", 2, /end before sample 1/],
    ["delta: a byte behind", 1, "0000", 1, /1 bytes behind/],
    ["delta: a varint with a zero byte at its end", 1, "8000", 1, /longer than it needs/],
    ["delta: 1 in two bytes", 1, "8200" + "00", 2, /longer than it needs/],
    ["delta: five bytes of varint", 1, "8080808001", 1, /beyond any difference/],
    ["delta: 2^23", 1, "80808008", 1, /sample 0 would be 8388608/],
    ["delta: a sum that leaves the range", 1, "feffff0702", 2, /sample 1 would be 8388608/],
    ["delta: a sum that leaves the range below", 1, "fdffff0701", 2, /sample 1 would be -8388608/],
    ["rice: no bytes", 2, "", 1, /no bytes/],
    ["rice: order 3", 2, "600000000080", 4, /order 3/],
    ["rice: k0 21", 2, "1500000000", 1, /k0 21/],
    ["rice: order 2 of one sample", 2, "400000", 1, /at most n/],
    ["rice: cut off before its warm-up", 2, "20", 1, /end before sample 0/],
    ["rice: a padded varint in its warm-up", 2, "208000", 1, /longer than it needs/],
    ["rice: cut off within the zeros", 2, "0000", 1, /end before sample 0/],
    ["rice: cut off within the low bits", 2, "0880", 1, /end before sample 0/],
    ["rice: padding that is not zero", 2, "0081", 1, /padding/],
    ["rice: a byte behind", 2, "008000", 1, /1 bytes behind/],
    ["rice: a byte behind the warm-up alone", 2, "200a80", 1, /1 bytes behind/],
    ["rice: an escape without need", 2, "00" + "0000" + "0000000f", 1, /without need/],
    ["rice: an escaped residual beyond any", 2, "00" + "0000" + "ffffffff", 1, /beyond any/],
    ["rice: an escaped sample out of range", 2, "00" + "0000" + "01000000", 1, /sample 0 would be 8388608/],
  ];
  test.each(cases)("%s is refused", (_, codec, hex, n, rule) => {
    const refusal = refusalOf(() => decodeSamples(codec, fromHex(hex), n));
    expect(refusal.reason).toBe("codec");
    expect(refusal.message).toMatch(rule);
  });

  test("a count or a codec out of range is refused", () => {
    for (const n of [0, -1, 1025, Number.NaN])
      expect(reasonOf(() => decodeSamples(0, new Uint8Array(3), n))).toBe("codec");
    expect(reasonOf(() => decodeSamples(3 as Codec, new Uint8Array(3), 1))).toBe("codec");
  });

  test("random bytes give samples within the range or a refusal, and accepted ones have one encoding", () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        bytes(0, 24),
        fc.constantFrom<Codec>(0, 1, 2),
        fc.integer({ min: 1, max: 20 }),
        (garbage, codec, n) => {
          let samples: Int32Array;
          try {
            samples = decodeSamples(codec, garbage, n);
          } catch (error) {
            expect((error as { reason?: string }).reason).toBe("codec");
            return;
          }
          accepted++;
          expect(samples.every((x) => Math.abs(x) <= LARGEST)).toBe(true);
          const again =
            codec === 2
              ? encodeRice(samples, 0, n, (garbage[0] as number) >> 5, (garbage[0] as number) & 31)
              : encodeSamples(codec, samples, 0, n);
          expect(toHex(again)).toBe(toHex(garbage));
        },
      ),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test("changing a byte of a rice block gives other samples or a refusal, never the same samples", () => {
    fc.assert(
      fc.property(walk(500).map(int32), fc.nat(), fc.integer({ min: 1, max: 255 }), (samples, at, mask) => {
        const encoded = encodeSamples(2, samples, 0, samples.length);
        const place = 1 + (at % Math.max(1, encoded.length - 1));
        encoded[place % encoded.length] = (encoded[place % encoded.length] as number) ^ mask;
        try {
          expect(toHex(new Uint8Array(decodeSamples(2, encoded, samples.length).buffer))).not.toBe(
            toHex(new Uint8Array(samples.buffer)),
          );
        } catch (error) {
          if ((error as { reason?: string }).reason !== "codec") throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
