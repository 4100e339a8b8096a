import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  decodeRecord,
  encodeRecord,
  formatHeader,
  INVALID_SAMPLE,
  isBeat,
  millivolts,
  parseHeader,
  physical,
  readAnnotationsSync,
  readRecordSync,
  type WfdbFormat,
  type WfdbRecordInput,
  type WfdbSignalInput,
  writeRecordSync,
} from "../../formats/index.ts";
import { dataFolder, lacks } from "../support/needs.ts";

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

const anySignal = (format: WfdbFormat, frames: number, file?: string): fc.Arbitrary<WfdbSignalInput> =>
  fc.integer({ min: 1, max: 3 }).chain((samplesPerFrame) =>
    fc.integer({ min: 0, max: Math.min(3, frames) }).chain((skew) =>
      fc.record({
        before: int32(format, skew),
        samples: int32(format, frames * samplesPerFrame - skew),
        format: fc.constant(format),
        samplesPerFrame: fc.constant(samplesPerFrame),
        gain: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        baseline: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
        units: fc.constantFrom("mV", "uV", "nA/cm2", "%", "[degF]"),
        adcZero: fc.integer({ min: -2048, max: 2047 }),
        resolution: fc.integer({ min: 1, max: 24 }),
        description: fc.constantFrom("", "ECG lead II", "x (1) #2"),
        ...(file === undefined ? {} : { file: fc.constant(file) }),
      }),
    ),
  );
const int32 = (format: WfdbFormat, length: number) =>
  fc
    .array(fc.integer({ min: INVALID_SAMPLE[format], max: -INVALID_SAMPLE[format] - 1 }), {
      minLength: length,
      maxLength: length,
    })
    .map((values) => Int32Array.from(values));
const anyFormat = fc.constantFrom<WfdbFormat>(212, 16, 24);
const anyRecord: fc.Arbitrary<WfdbRecordInput> = fc
  .tuple(anyFormat, anyFormat, fc.integer({ min: 1, max: 9 }))
  .chain(([a, b, frames]) =>
    fc.record({
      name: fc.constantFrom("r", "00ff_3_256", "A-1"),
      rate: fc.constantFrom(1, 256, 199.8, 360),
      signals: fc
        .tuple(
          fc.array(anySignal(a, frames), { maxLength: 3 }),
          fc.array(anySignal(b, frames, "other.dat"), { maxLength: 2 }),
        )
        .map(([first, second]) => [...first, ...second]),
      counterRate: fc.constantFrom(null, 60, 0.5),
      baseCounter: fc.constantFrom(null, -12.5, 3),
      baseTime: fc.constantFrom("0:0:0", "13:05:00", "23:59:59.125"),
      baseDate: fc.constantFrom(null, "25/4/1989"),
      comments: fc.constantFrom([], ["75 F", "", "# two"]),
    }),
  );

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

describe("headers", () => {
  test("every field of the record line and of a signal line is read (header(5))", () => {
    const text =
      "# before\r\nrec_1 1 3.6e2/60.5(-3) 1000 13:05:00 25/4/1989\r\n\r\nd1 24x2:7+512 2.5(-10)/uV 12 -4 9 -77 1024 lead II, left\r\n#after\r\n";
    expect(parseHeader(text)).toEqual({
      name: "rec_1",
      rate: 360,
      counterRate: 60.5,
      baseCounter: -3,
      sampleCount: 1000,
      baseTime: "13:05:00",
      baseDate: "25/4/1989",
      comments: ["before", "after"],
      signals: [
        {
          file: "d1",
          format: 24,
          samplesPerFrame: 2,
          skew: 7,
          byteOffset: 512,
          gain: 2.5,
          baseline: -10,
          units: "uV",
          resolution: 12,
          adcZero: -4,
          initialValue: 9,
          checksum: -77,
          blockSize: 1024,
          description: "lead II, left",
        },
      ],
    });
  });

  test("absent fields have the defaults of header(5)", () => {
    const { rate, sampleCount, signals } = parseHeader("r 2\nd 16\nd 16 100 8 5\n");
    expect([rate, sampleCount]).toEqual([250, null]);
    expect(signals[0]).toMatchObject({
      gain: 0,
      baseline: 0,
      units: "mV",
      resolution: 12,
      checksum: null,
      description: "",
    });
    expect(signals[1]).toMatchObject({ gain: 100, baseline: 5, adcZero: 5, initialValue: 5 });
  });

  test.each([
    [
      "r/3 2 360 1000\n",
      'line 1: "r/3" is a multi-segment record, which is not supported; read its segments one by one',
    ],
    ["r 1 360\nd 310 200\n", "line 2: signal format 310 is not supported; 212, 16 and 24 are"],
    ["r 1 360\nd 80\n", "line 2: signal format 80 is not supported"],
    ["", "no record line"],
    ["r\n", "no number of signals"],
    ["r -1\n", 'number of signals "-1" is not an integer'],
    ["r 9007199254740991 360\n", "9007199254740991 signals announced, 0 signal lines found"],
    ["r 1 0\nd 16\n", "sampling rate 0 is not above 0"],
    ["r 1 1e999\nd 16\n", 'sampling rate "1e999" is not a number'],
    ["r 1 360 12.5\nd 16\n", 'number of samples "12.5" is not an integer'],
    ["r 1 360 1 noon\nd 16\n", 'base time "noon" is not HH:MM:SS'],
    ["r 1 360 1 0:0:0 1989-04-25\nd 16\n", 'base date "1989-04-25" is not DD/MM/YYYY'],
    ["r 1 360 1 0:0:0 1/1/2000 x\nd 16\n", "has 7 fields"],
    ["r 1 360\nd\n", 'signal line "d" has no format'],
    ["r 1 360\nd 16y2\n", 'format "16y2" is not'],
    ["r 1 360\nd 16x0\n", 'samples per frame "0" is not an integer from 1'],
    ["r 1 360\nd 16 abc/mV\n", 'gain "abc" is not a number'],
    ["r 1 360\nd 16 200(1.5)\n", 'baseline "1.5" is not an integer'],
    ["r 1 360\nd 16 200 12 0 0 70000\n", 'checksum "70000" is not an integer from -32768 to 65535'],
  ])("header %j is refused with what is wrong", (text, message) => {
    expect(() => parseHeader(text, "x.hea")).toThrow(message);
    expect(() => parseHeader(text, "x.hea")).toThrow(/^x\.hea/);
  });

  test("a header that could not be read again is not written", () => {
    const samples = Int32Array.of(1);
    const write = (record: Partial<WfdbRecordInput>, signal: Partial<WfdbSignalInput> = {}) =>
      encodeRecord({ name: "r", rate: 1, signals: [{ samples, ...signal }], ...record });
    expect(() => write({ name: "a b" })).toThrow('record name "a b"');
    expect(() => write({ rate: 0 })).toThrow("sampling rate 0");
    expect(() => write({ baseTime: "noon" })).toThrow('base time "noon"');
    expect(() => write({ comments: ["a\nb 16"] })).toThrow("line break");
    expect(() => write({}, { units: "m V" })).toThrow('unit "m V"');
    expect(() => write({}, { description: "a\nb" })).toThrow("line break");
    expect(() => write({}, { file: "#x" })).toThrow("0 signal lines found");
    expect(() => write({}, { baseline: 0.5 })).toThrow("baseline 0.5");
    expect(() => write({}, { gain: Number.NaN })).toThrow("gain NaN");
    expect(() => write({}, { samplesPerFrame: 2 })).toThrow("0.5 frames");
    expect(() => write({ signals: [{ samples }, { samples: new Int32Array(2) }] })).toThrow(
      "signal 1: 2 frames, signal 0 has 1",
    );
    expect(() => write({ signals: [{ samples }, { samples, format: 24 }] })).toThrow("one file has one format");
    expect(() => write({ signals: [{ samples }, { samples, file: "b" }, { samples }] })).toThrow("next to one another");
  });

  test("a counter that starts elsewhere keeps its rate (header(5), base counter value)", () => {
    const header = parseHeader("r 0 250/250(7) 0");
    expect(parseHeader(formatHeader({ ...header, counterRate: null })).baseCounter).toBe(7);
  });
});

describe("damaged and hostile records", () => {
  const good = encodeRecord({ name: "r", rate: 10, signals: [{ samples: Int32Array.of(1, 2, 3), format: 212 }] });

  test("a changed byte shows in the checksum", () => {
    const bytes = Uint8Array.from(good.files.get("r.dat")!);
    bytes[0]! ^= 1;
    expect(() => decodeRecord(parseHeader(good.header), new Map([["r.dat", bytes]]))).toThrow(
      /checksum is 5, the header says 6/,
    );
  });

  test("a checksum written without its sign is the same checksum", () => {
    const header = "r 1 10 1\nd 16 1 16 0 -1 65535 0 x\n";
    expect(decodeRecord(parseHeader(header), new Map([["d", Uint8Array.of(255, 255)]])).signals[0]?.samples[0]).toBe(
      -1,
    );
  });

  test("the checksum counts all 16 bits, and is written with its sign (header(5))", () => {
    const bytes = Uint8Array.from(good.files.get("r.dat")!);
    bytes[1]! ^= 1; // 0x100 more
    const files = new Map([["r.dat", bytes]]);
    expect(() => decodeRecord(parseHeader(good.header), files)).toThrow("checksum is 262, the header says 6");
    const samples = Int32Array.of(-32768, 32767, 32767, 2);
    expect(encodeRecord({ name: "r", rate: 1, signals: [{ samples }] }).header).toContain(" 16 0 -32768 -32768 0");
  });

  test("a file that is too short, too long or missing is refused with its size", () => {
    const header = parseHeader(good.header);
    const read = (bytes: Uint8Array | null) => decodeRecord(header, new Map(bytes === null ? [] : [["r.dat", bytes]]));
    expect(() => read(new Uint8Array(4))).toThrow("r.dat: 4 bytes, but 3 frames in format 212 need 5; it is truncated");
    expect(() => read(new Uint8Array(7))).toThrow("r.dat: 7 bytes, but 3 frames in format 212 take 5");
    expect(() => read(null)).toThrow("signal file r.dat is missing");
  });

  test("padding of an odd format 212 file to a whole pair, and to the block size, is accepted", () => {
    const padded = (length: number) => {
      const bytes = new Uint8Array(length);
      bytes.set(good.files.get("r.dat")!);
      return new Map([["r.dat", bytes]]);
    };
    expect(decodeRecord(parseHeader(good.header), padded(6)).signals[0]?.samples).toHaveLength(3);
    const three = parseHeader("r 3 10\nr.dat 212\nr.dat 212\nr.dat 212\n");
    expect(decodeRecord(three, padded(6)).signals.map(({ samples }) => [...samples])).toEqual([[1], [2], [3]]);
    expect(() => decodeRecord(three, padded(7))).toThrow("end inside a frame of 3 samples");
    expect(
      decodeRecord(parseHeader(good.header.replace(" 6 0", " 6 512")), padded(512)).signals[0]?.samples,
    ).toHaveLength(3);
  });

  test("numbers that promise more than the file has allocate nothing", () => {
    const bytes = new Map([["d", new Uint8Array(8)]]);
    const read = (text: string) => () => decodeRecord(parseHeader(text), bytes);
    expect(read("r 1 1 9007199254740991\nd 24\n")).toThrow("it is truncated");
    expect(read("r 1 1\nd 16x2147483647\n")).toThrow("end inside a frame of 2147483647 samples");
    expect(read("r 1 1 4\nd 16:2147483647\n")).toThrow("skew 2147483647 is above its 4 samples");
    expect(read("r 1 1\nd 16+99\n")).toThrow("byte offset 99 is beyond its end");
    expect(read("r 2 1\nd 16\ne 16\n")).toThrow("signal file e is missing");
  });

  test("two files of unequal length without a number of samples are refused", () => {
    const files = new Map([
      ["d", new Uint8Array(4)],
      ["e", new Uint8Array(6)],
    ]);
    expect(() => decodeRecord(parseHeader("r 2 1\nd 16\ne 16\n"), files)).toThrow(
      "e: 3 frames, the other signal files have 2",
    );
  });

  test("a header cannot reach for files outside its folder, nor for devices, which may never end", () => {
    const folder = temporaryFolder();
    for (const file of ["../r.dat", "/etc/hostname", "..", "-", "a\\b"]) {
      writeFileSync(join(folder, "bad.hea"), `bad 1 10\n${file} 16\n`);
      expect(() => readRecordSync(join(folder, "bad"))).toThrow("is not a plain file name");
    }
    writeFileSync(join(folder, "bad.hea"), "bad 1 10\ndevice 16\n");
    symlinkSync("/dev/null", join(folder, "device"));
    expect(() => readRecordSync(join(folder, "bad"))).toThrow("device: not a regular file");
    expect(() => readRecordSync(join(folder, "none"))).toThrow("none.hea: no such file");
    expect(() =>
      writeRecordSync(folder, { name: "r", rate: 1, signals: [{ samples: new Int32Array(1), file: "../r.dat" }] }),
    ).toThrow("not a plain file name");
  });

  test("any mixture of header text and bytes is read or refused with a sentence, never anything else", () => {
    const piece = fc.constantFrom(
      "r",
      "d",
      " ",
      "\n",
      "1",
      "0",
      "212",
      "16",
      "24",
      "x",
      ":",
      "+",
      "/",
      "(",
      ")",
      "-",
      "#",
      ".",
      "9e9",
      "é",
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.array(piece, { maxLength: 12 }).map((pieces) => `r 1 360\nd ${pieces.join("")}`),
      fc.array(piece, { maxLength: 12 }).map((pieces) => `r 1 ${pieces.join("")}\nd 16 1`),
      fc.string(),
    );
    fc.assert(
      fc.property(text, fc.uint8Array({ maxLength: 40 }), (header, bytes) => {
        try {
          const record = decodeRecord(parseHeader(header, "f"), new Map([["d", bytes]]));
          for (const signal of record.signals) expect(physical(signal).length).toBeLessThanOrEqual(40);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
          expect(error).not.toBeInstanceOf(RangeError);
          expect((error as Error).message).toMatch(/\w+: |signals in/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("a record cut anywhere, or with any byte of its header changed, is read or refused with a sentence", () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 127 }), (record, cut, place, value) => {
        const { header, files } = encodeRecord(record);
        const at = place % header.length;
        const changed = header.slice(0, at) + String.fromCharCode(value) + header.slice(at + 1);
        const short = new Map([...files].map(([name, bytes]) => [name, bytes.subarray(0, cut % (bytes.length + 1))]));
        for (const read of [
          () => decodeRecord(parseHeader(changed), files),
          () => decodeRecord(parseHeader(header), short),
          () => decodeRecord(parseHeader(header.slice(0, at)), files),
        ]) {
          try {
            read();
          } catch (error) {
            expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
