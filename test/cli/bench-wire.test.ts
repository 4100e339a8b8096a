/** `vitalwire bench wire`: its formats read back what they wrote, and the sizes of PROTOCOL.md hold. Nothing here holds a time. */
import { readFileSync } from "node:fs";
import { decode as decodeCborX } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Figure } from "../../cli/bench/bench.ts";
import { edfSignals, sizeFigures, sourceFigures } from "../../cli/bench/wire.ts";
import {
  edf,
  json,
  protobufDifferences,
  protobufPlain,
  type SenmlRecord,
  senmlJson,
  senmlPack,
  type WireFormat,
} from "../../cli/bench/wire-formats.ts";
import { chipPackets, type WirePacket } from "../../cli/bench/wire-packets.ts";
import { decodeSenmlCbor, encodeSenmlCbor, senmlCbor } from "../../cli/bench/wire-senml-cbor.ts";
import { lineOf, payloadOf, seal, unlined, valuesOf } from "../../cli/bench/wire-vsp.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { countStatements } from "../../tools/count-statements.ts";
import { dataFolder, lacks, vectorFolder } from "../support/needs.ts";

const SECONDS = 4;
const chips = chipPackets(SECONDS);
const quiet = () => {};

const sample = fc.integer({ min: -(2 ** 23) + 1, max: 2 ** 23 - 1 });
const wave = (id: number, name: string) =>
  fc.record({
    id: fc.constant(id),
    name: fc.constant(name),
    rate: fc.constantFrom(100, 250, 256, 360),
    bits: fc.constant(24),
    samples: fc.array(sample, { minLength: 1, maxLength: 300 }).map((values) => Int32Array.from(values)),
    idx: fc.integer({ min: 0, max: 2 ** 31 }),
    dt: fc.integer({ min: -2e6, max: 2e6 }),
  });
const anyPacket: fc.Arbitrary<WirePacket> = fc.record({
  boot: fc.nat(),
  seq: fc.nat(),
  tick: fc.integer({ min: 2000, max: 2 ** 31 }),
  cfg: fc.integer({ min: 0, max: 65535 }),
  waves: fc.tuple(wave(0, "ecg"), wave(1, "red"), wave(2, "infrared")),
  temperature: fc.record({ id: fc.constant(3), dt: fc.integer({ min: -2e6, max: 2e6 }), value: sample }),
});
const valuesIn = ({ waves, temperature }: WirePacket) => [
  ...waves.map(({ samples }) => [...samples]),
  [temperature.value],
];

describe("formats", () => {
  const formats: WireFormat[] = [senmlJson, senmlCbor, json, protobufPlain, protobufDifferences];

  test.each(formats.map((format) => [format.name, format] as const))("%s reads back what it wrote", (_name, format) => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        expect(format.decode(format.encode(packet))).toEqual(valuesIn(packet));
      }),
      { numRuns: 50 },
    );
  });

  test.each([0, 1, 2] as const)("a sealed line reads back what was put in, codec %i", (codec) => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        const line = lineOf(seal(payloadOf({ ...packet, waves: packet.waves.slice(0, 1) }, codec)));
        const [ecg, temperature] = [valuesIn(packet)[0], valuesIn(packet)[3]];
        expect(valuesOf(unlined(line))).toEqual([ecg, temperature]);
      }),
      { numRuns: 30 },
    );
  });

  test("a sealed packet with one bit changed is not read", () => {
    const sealed = seal(payloadOf(chips[0]!, 2));
    sealed[100]! ^= 1;
    expect(() => valuesOf(sealed)).toThrow("the signature does not hold");
  });

  test("BDF keeps 24 bits; EDF keeps 16, and of 18 the upper 16", () => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        const format = edf(
          24,
          edfSignals([{ ...packet, waves: packet.waves.map((one) => ({ ...one, name: "ecg" })) }], 24),
        );
        expect(format.decode(format.encode(packet))).toEqual(valuesIn(packet));
      }),
      { numRuns: 50 },
    );
    const format = edf(16, edfSignals(chips, 16));
    const bytes = format.encode(chips[0]!);
    expect(bytes).toHaveLength(2 * (256 + 100 + 100 + 1));
    const found = format.decode(bytes);
    for (const [s, { samples }] of chips[0]!.waves.entries()) {
      expect(found[s]).toEqual([...samples].map((value) => Math.floor(value / 4) * 4));
    }
    expect(found[3]).toEqual([chips[0]!.temperature.value]);
  });

  test("a value beyond EDF's 16 bits is refused", () => {
    const format = edf(16, [{ length: 1, offset: 0, cut: 0 }]);
    const { temperature } = chips[0]!;
    const one = { ...chips[0]!, waves: [], temperature: { ...temperature, value: 32768 } };
    expect(() => format.encode(one)).toThrow(/out of range/);
  });

  test("protobuf's varints are those of its specification: 300 is ac 02, -1 zigzags to 1", () => {
    const { temperature } = chips[0]!;
    const packet = { ...chips[0]!, boot: 300, seq: 1, tick: 2, cfg: 3, waves: [] };
    const bytes = protobufPlain.encode({ ...packet, temperature: { ...temperature, id: 3, dt: -1, value: 150 } });
    expect(Buffer.from(bytes).toString("hex")).toBe("08ac0210011802200332070803100118ac02");
  });

  /** A pack as another decoder gives it. */
  const withCborX = (bytes: Uint8Array) => decodeCborX(Buffer.from(bytes)) as Map<number, unknown>[] | object[];

  test("SenML CBOR is read alike by cbor-x: labels of RFC 8428 section 6, same values, same times", () => {
    const pack = senmlPack(chips[0]!);
    const read = withCborX(encodeSenmlCbor(pack));
    expect(read).toHaveLength(457);
    const get = (record: object, label: number) =>
      record instanceof Map ? record.get(label) : (record as Record<string, unknown>)[String(label)];
    for (const [i, { bn, v }] of pack.entries()) {
      expect(get(read[i]!, 2)).toBe(v);
      expect(get(read[i]!, -2)).toBe(bn);
    }
    expect(decodeSenmlCbor(encodeSenmlCbor(pack))).toEqual(pack);
    // k / 256 s is a half float, which another decoder knows; the first record has no time of its own.
    expect(pack.slice(0, 3).map(({ t }) => t)).toEqual([undefined, 1 / 256, 2 / 256]);
    expect(get(read[2]!, 6)).toBe(2 / 256);
  });

  test("numbers are written in their shortest form", () => {
    const size = (v: number) => encodeSenmlCbor([{ v }]).length - 3;
    expect([23, 24, -24, 256, 65536].map(size)).toEqual([1, 2, 1, 3, 5]);
    // 0.5 as half float, 0.004 as 4 x 10^-3, 1 / 3 as double
    expect([0.5, 0.004, 1 / 3, 1 / 65536].map(size)).toEqual([3, 4, 9, 5]);
  });

  test.skipIf(lacks("vectors"))("the SenML packs that RFC 8428 prints have the labels used here", () => {
    const pack = JSON.parse(readFileSync(`${vectorFolder}/senml/ex2.gen.json`, "utf8")) as SenmlRecord[];
    expect(pack.length).toBeGreaterThan(0);
    for (const record of pack)
      expect(["bn", "bt", "bu", "n", "u", "v", "t", "bver"]).toEqual(expect.arrayContaining(Object.keys(record)));
  });
});

test("the packets are seconds that follow one another, the same whenever they are drawn", () => {
  const again = chipPackets(SECONDS + 1);
  expect(again.slice(0, SECONDS).map(({ waves }) => waves)).toEqual(chips.map(({ waves }) => waves));
  for (const s of [0, 1, 2]) {
    const seen = new Set(again.map(({ waves }) => waves[s]!.samples.join()));
    expect(seen.size).toBe(SECONDS + 1);
    expect(again.map(({ waves }) => waves[s]!.idx)).toEqual(again.map((_, k) => (3600 + k) * again[0]!.waves[s]!.rate));
  }
});

describe("figures", () => {
  const named = (figures: readonly Figure[], name: string) => figures.find((one) => one.name === name);
  const figures = sizeFigures(chips, { data: undefined, seconds: SECONDS, records: 0 }, quiet);

  test("of the chips: every codec, every format, each name once, limits met", () => {
    expect(new Set(figures.map(({ name }) => name)).size).toBe(figures.length);
    for (const one of figures) expect(one.value, one.name).toBeGreaterThan(0);
    expect(figures.filter(({ limit }) => limit !== null).map(({ name, limitValue }) => [name, limitValue])).toEqual([
      ["chips: signed, rice, longest", 720],
      ["chips: overhead of mode S", 86],
      ["chips: overhead of mode M", 29],
      ["chips: manifest of mode M, a message's share", 18],
      ["chips: overhead of mode E", 38],
    ]);
    for (const { ratio, limit } of figures) if (limit !== null) expect(ratio).toBeLessThanOrEqual(1);
    expect(["S", "M", "E"].map((mode) => named(figures, `chips: overhead of mode ${mode}`)?.value)).toEqual([
      86, 29, 38,
    ]);
    expect(named(figures, "chips: ECG, raw24")?.value).toBe(24);
  });

  test("the signed packet is smaller than every lossless format without a signature", () => {
    const signed = named(figures, "chips: signed, rice")!.value;
    const others = [senmlJson, senmlCbor, json, protobufPlain, protobufDifferences].map(({ name }) => name);
    for (const name of [...others, "BDF record, 24 bits"]) {
      expect(named(figures, `chips: ${name}`)!.value, name).toBeGreaterThan(signed);
    }
  });

  test("a packet beyond its limit is told", () => {
    const longest = named(sourceFigures("x", chips, 100), "x: signed, rice, longest")!;
    expect(longest.ratio).toBeGreaterThan(1);
  });

  test("says what it leaves out", () => {
    const said: string[] = [];
    sizeFigures(chips, { data: undefined, seconds: SECONDS, records: 1 }, (line) => said.push(line));
    expect(said.join("\n")).toMatch(/OpenView frames are left out.*\n.*no recordings \(set VITALWIRE_DATA\)/);
    said.length = 0;
    sizeFigures(chips, { data: "/nowhere", seconds: SECONDS, records: 1 }, (line) => said.push(line));
    expect(said.join("\n")).toContain("no recordings at /nowhere/mitdb");
  });

  test.skipIf(lacks("recordings"))("of recordings: 590 B with their own bits, 720 B through the MAX30003", () => {
    const found = sizeFigures(chips, { data: dataFolder, seconds: SECONDS, records: 2 }, quiet);
    for (const [name, limitValue] of [
      ["records, own bits: signed, rice, longest", 590],
      ["records, MAX30003: signed, rice, longest", 720],
    ] as const) {
      expect(named(found, name)).toMatchObject({ limit: "at most", limitValue });
      expect(named(found, name)!.ratio).toBeLessThanOrEqual(1);
    }
    // 11 bits, as PROTOCOL.md section 2.1 measured another record: 4.5
    expect(named(found, "records, own bits: ECG, rice")!.value).toBeLessThan(5.5);
    expect(named(found, "records, own bits: ECG, rice")!.value).toBeGreaterThan(3);
  });

  test("codec 2 encodes each channel of the packet in at most 80 counted statements a sample", () => {
    for (const { name, samples } of chips[0]!.waves) {
      const { statements, result } = countStatements({
        entry: "protocol/samples.ts",
        run: (codecs: typeof import("../../protocol/samples.ts")) =>
          codecs.encodeSamples(2, samples, 0, samples.length),
      });
      expect(statements / samples.length, name).toBeLessThanOrEqual(80);
      expect(statements / samples.length, name).toBeGreaterThan(20);
      expect([...decodeSamples(2, result, samples.length)]).toEqual([...samples]);
    }
  });
});
