import { describe, expect, test } from "vitest";
import {
  encodeRecord,
  formatHeader,
  parseHeader,
  type WfdbRecordInput,
  type WfdbSignalInput,
} from "../../formats/index.ts";

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
