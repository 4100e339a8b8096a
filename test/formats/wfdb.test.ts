import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  decodeRecord,
  encodeRecord,
  INVALID_SAMPLE,
  isBeat,
  millivolts,
  parseHeader,
  physical,
  readAnnotationsSync,
  readRecordSync,
  type WfdbFormat,
  writeRecordSync,
} from "../../formats/index.ts";
import { dataFolder, lacks } from "../support/needs.ts";
import { anyRecord } from "./records.ts";

fc.configureGlobal({ seed: 20240229 }); // the same cases every time

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vitalwire-wfdb-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe.skipIf(lacks("recordings"))("recorded signals", () => {
  const names = () =>
    readdirSync(`${dataFolder}/mitdb`)
      .filter((file) => file.endsWith(".hea"))
      .map((file) => file.slice(0, -4))
      .sort();

  test("all 24 records of the MIT-BIH database here read with right checksums, lengths and first samples", () => {
    expect(names()).toHaveLength(24);
    for (const name of names()) {
      const record = readRecordSync(`${dataFolder}/mitdb/${name}`);
      expect([record.name, record.rate, record.sampleCount, record.signals.length]).toEqual([name, 360, 650000, 2]);
      for (const signal of record.signals) {
        expect(signal.samples).toHaveLength(650000);
        expect(signal.samples[0]).toBe(signal.initialValue);
      }
    }
  });

  test("they hold 55,437 reference beats, as many per record as the database's directory says", () => {
    const beats: Record<string, number> = {};
    for (const name of names()) {
      const annotations = readAnnotationsSync(`${dataFolder}/mitdb/${name}.atr`);
      beats[name] = annotations.filter(({ symbol }) => isBeat(symbol)).length;
    }
    expect(Object.values(beats).reduce((a, b) => a + b)).toBe(55437);
    expect(beats).toMatchObject({ 101: 1865, 108: 1763, 119: 1987, 207: 1860, 215: 3363, 230: 2256 });
  });

  test("record 101 begins as the database shows it: 955 steps are -0.345 mV in lead MLII", () => {
    const { signals, comments } = readRecordSync(`${dataFolder}/mitdb/101`);
    const [lead] = signals;
    expect(lead).toMatchObject({
      description: "MLII",
      gain: 200,
      baseline: 1024,
      units: "mV",
      adcZero: 1024,
      resolution: 11,
    });
    expect(physical(lead!)[0]).toBe(-0.345);
    expect(comments).toEqual(["75 F 1011 654 x1", "Diapres"]);
  });

  test("noise without calibration (gain 0) counts as 200 steps per mV, header(5)", () => {
    const { signals } = readRecordSync(`${dataFolder}/nstdb/ma`);
    expect([signals[0]?.gain, signals[0]?.resolution, signals[0]?.samples[0]]).toEqual([0, 12, -18]);
    expect(physical(signals[0]!)[0]).toBe(-0.09);
  });

  test("a record read and written again has the same bytes and the same checksums", () => {
    const record = readRecordSync(`${dataFolder}/mitdb/208`);
    const { header, files } = encodeRecord(record);
    const original = readFileSync(`${dataFolder}/mitdb/208.dat`);
    expect(Buffer.compare(files.get("208.dat")!, original)).toBe(0);
    const again = decodeRecord(parseHeader(header), files);
    expect(again.signals.map(({ checksum }) => checksum)).toEqual([8074, 20649]);
    expect(again.comments).toEqual(record.comments);
  });
});

describe("sample formats", () => {
  const one = (format: WfdbFormat, samples: number[]) =>
    encodeRecord({ name: "x", rate: 1, signals: [{ format, samples: Int32Array.from(samples) }] }).files.get("x.dat");

  test("format 212 packs two samples in three bytes, an odd last one in two (signal(5))", () => {
    expect(one(212, [0x123, -0x7ff])).toEqual(Uint8Array.of(0x23, 0x81, 0x01));
    expect(one(212, [-1, 1, 0x7ff])).toEqual(Uint8Array.of(0xff, 0x0f, 0x01, 0xff, 0x07));
  });

  test("formats 16 and 24 store the least significant byte first (signal(5))", () => {
    expect(one(16, [-2, 0x1234])).toEqual(Uint8Array.of(0xfe, 0xff, 0x34, 0x12));
    expect(one(24, [-2, 0x123456])).toEqual(Uint8Array.of(0xfe, 0xff, 0xff, 0x56, 0x34, 0x12));
  });

  test.each([212, 16, 24] as const)(
    "format %i keeps its invalid code as it is, and its physical value is NaN",
    (format) => {
      const samples = Int32Array.of(INVALID_SAMPLE[format], INVALID_SAMPLE[format] + 1, 5);
      const { header, files } = encodeRecord({
        name: "x",
        rate: 1,
        signals: [{ format, samples, gain: 2, baseline: 1 }],
      });
      const signal = decodeRecord(parseHeader(header), files).signals[0]!;
      expect(signal.samples).toEqual(samples);
      expect([...physical(signal)]).toEqual([Number.NaN, (INVALID_SAMPLE[format] + 1 - 1) / 2, 2]);
    },
  );

  test.each([212, 16, 24] as const)("format %i refuses a sample beyond its range and says which", (format) => {
    const limit = -INVALID_SAMPLE[format];
    for (const bad of [limit, -limit - 1, 0x7fffffff]) {
      expect(() => one(format, [0, bad])).toThrow(`signal 0: sample 1 is ${bad}, which format ${format}`);
    }
    expect(one(format, [limit - 1, -limit])).toBeDefined();
  });

  test("microvolts and volts become millivolts, and what is no voltage is refused", () => {
    const of = (units: string) => {
      const { header, files } = encodeRecord({
        name: "x",
        rate: 1,
        signals: [{ samples: Int32Array.of(3), gain: 1, units }],
      });
      return millivolts(decodeRecord(parseHeader(header), files).signals[0]!)[0];
    };
    expect([of("mV"), of("V"), of("uV")]).toEqual([3, 3000, 0.003]);
    expect(() => of("%")).toThrow("is in %, not a voltage");
  });
});

describe("round trip", () => {
  test("what is written is what is read, in all three formats, with skew, frames and several files", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { header, files } = encodeRecord(record);
        const read = decodeRecord(parseHeader(header), files);
        expect(read.signals).toHaveLength(record.signals.length);
        for (const [i, signal] of record.signals.entries()) expect(read.signals[i]).toMatchObject({ ...signal });
        expect([read.name, read.rate, read.baseTime, read.baseDate, read.comments]).toEqual([
          record.name,
          record.rate,
          record.baseTime,
          record.baseDate,
          record.comments,
        ]);
        expect(read.baseCounter).toBe(record.baseCounter);
        expect(encodeRecord(read)).toEqual({ header, files });
      }),
      { numRuns: 300 },
    );
  });

  test("a record whose header gives no number of samples is as long as its files", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { header, files } = encodeRecord(record);
        const read = decodeRecord({ ...parseHeader(header), sampleCount: null }, files);
        expect(read.signals.map(({ samples }) => samples)).toEqual(record.signals.map(({ samples }) => samples));
      }),
    );
  });

  test("files on disk hold the same, and the header is among the paths returned", () => {
    const folder = join(temporaryFolder(), "new");
    const samples = Int32Array.of(1, -2, 3);
    const paths = writeRecordSync(folder, { name: "r", rate: 250, signals: [{ samples, format: 24 }] }, [
      { sample: 2, symbol: "V" },
    ]);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual(["r.dat", "r.atr", "r.hea"]);
    expect(readRecordSync(join(folder, "r")).signals[0]?.samples).toEqual(samples);
    expect(readAnnotationsSync(join(folder, "r.atr"))).toMatchObject([{ sample: 2, symbol: "V" }]);
  });

  test("the skew's samples come before sample 0, and count in the checksum (header(5))", () => {
    const files = new Map([["d", Uint8Array.of(1, 0, 10, 0, 2, 0, 20, 0, 3, 0, 30, 0)]]);
    const header = parseHeader("r 2 100 3\nd 16:1 1 16 0 1 6 0 a\nd 16 1 16 0 10 60 0 b\n");
    const [a, b] = decodeRecord(header, files).signals;
    expect([[...a!.before], [...a!.samples], [...b!.samples]]).toEqual([[1], [2, 3], [10, 20, 30]]);
    const again = encodeRecord({ name: "r", rate: 100, signals: [a!, b!] });
    expect(parseHeader(again.header).signals.map(({ initialValue }) => initialValue)).toEqual([1, 10]);
  });
});
