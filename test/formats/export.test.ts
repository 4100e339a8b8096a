import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  exportCsvSync,
  exportWfdbSync,
  INVALID_SAMPLE,
  isOwnExport,
  physical,
  type Recording,
  readAnnotationsSync,
  readRecordSync,
  recordingName,
  wfdbOfRecording,
} from "../../formats/index.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-export-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const recording: Recording = {
  kid: "00112233aabbccdd",
  boot: 12,
  rate: 256,
  epoch: Date.UTC(2024, 1, 29, 12, 30, 5) * 1000 + 123_456,
  channels: [
    {
      name: "ecg",
      unit: "mV",
      offset: -3,
      mul: 38147,
      exp10: -8,
      pieces: [
        { at: 0, samples: Int32Array.of(8388607, -8388607, 3) },
        { at: 4, samples: Int32Array.of(5) },
      ],
    },
    {
      name: "respiration",
      unit: "Ohm",
      offset: 0,
      mul: 1,
      exp10: 2,
      pieces: [{ at: 1, samples: Int32Array.of(7, 8) }],
    },
  ],
  beats: [{ index: 1.4 }, { index: 300.6, symbol: "V" }],
};

describe("a recording as WFDB", () => {
  test("is one record in format 24, named KID_BOOT_RATE, with raw values as stored and gaps as invalid samples", () => {
    const paths = exportWfdbSync(folder, recording);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      "00112233aabbccdd_12_256.dat",
      "00112233aabbccdd_12_256.atr",
      "00112233aabbccdd_12_256.hea",
    ]);
    const { signals, rate, sampleCount } = readRecordSync(join(folder, recordingName(recording)));
    expect([rate, sampleCount]).toEqual([256, 5]);
    expect(signals.map(({ format, description, units }) => [format, description, units])).toEqual([
      [24, "ecg", "mV"],
      [24, "respiration", "Ohm"],
    ]);
    const gap = INVALID_SAMPLE[24];
    expect([...signals[0]!.samples]).toEqual([8388607, -8388607, 3, gap, 5]);
    expect([...signals[1]!.samples]).toEqual([gap, 7, 8, gap, gap]);
  });

  test("carries the scale as gain and baseline", () => {
    exportWfdbSync(folder, recording);
    const [ecg, respiration] = readRecordSync(join(folder, recordingName(recording))).signals;
    expect([ecg?.baseline, respiration?.gain]).toEqual([3, 0.01]);
    const values = physical(ecg!);
    expect([values[2], values[3]]).toEqual([0, Number.NaN]);
    expect(values[4]).toBeCloseTo(2 * 38147e-8, 15);
    expect([...physical(respiration!)].slice(1, 3)).toEqual([700, 800]);
  });

  test("has the UTC of its first sample as base time and date, to the microsecond in a comment", () => {
    const { record } = wfdbOfRecording(recording);
    expect([record.baseTime, record.baseDate]).toEqual(["12:30:05.123", "29/02/2024"]);
    expect(record.comments).toContain("sample 0 at 2024-02-29T12:30:05.123456Z");
    const { epoch, ...without } = recording;
    expect(wfdbOfRecording(without).record.baseTime).toBeUndefined();
  });

  test("has its beats in .atr, marked twice as our own so that no one takes them for a reference", () => {
    exportWfdbSync(folder, recording);
    const annotations = readAnnotationsSync(join(folder, `${recordingName(recording)}.atr`));
    expect(annotations.map(({ sample, symbol }) => [sample, symbol])).toEqual([
      [0, '"'],
      [0, '"'],
      [1, "N"],
      [301, "V"],
    ]);
    expect(annotations[0]?.aux).toBe("## time resolution: 256");
    expect(isOwnExport(annotations, [])).toBe(true);
    expect(isOwnExport([], readRecordSync(join(folder, recordingName(recording))).comments)).toBe(true);
    expect(isOwnExport(annotations.slice(2), ["75 F 1011 654 x1"])).toBe(false);
    expect(readFileSync(join(folder, `${recordingName(recording)}.hea`), "utf8")).toContain("\n# vitalwire export\n");
    expect(wfdbOfRecording({ ...recording, beats: [] }).annotations).toBeNull();
  });

  test("refuses what WFDB cannot hold and says which channel", () => {
    const channel = recording.channels[0]!;
    const export_ = (change: object) => () => wfdbOfRecording({ ...recording, channels: [{ ...channel, ...change }] });
    expect(export_({ pieces: [{ at: 2, samples: Int32Array.of(0, 8388608) }] })).toThrow(
      "channel ecg: sample 3 is 8388608",
    );
    expect(export_({ pieces: [{ at: 0, samples: Int32Array.of(-8388608) }] })).toThrow("sample 0 is -8388608");
    expect(export_({ mul: 0 })).toThrow("scale 0 x 10^-8 has no WFDB gain");
    expect(export_({ pieces: [{ at: 2 ** 40, samples: new Int32Array(1) }] })).toThrow("export a shorter time");
    expect(() => recordingName({ ...recording, kid: "../x" })).toThrow("cannot name a record");
  });

  test("names a fractional rate without a dot", () => {
    expect(recordingName({ ...recording, rate: 199.8 })).toBe("00112233aabbccdd_12_199_8");
  });
});

describe("a recording as a CSV file", () => {
  test("is one file per device, boot and rate, whole also where it is long", () => {
    const samples = Int32Array.from({ length: 2000 }, (_, k) => k);
    const path = exportCsvSync(folder, {
      kid: "ab",
      boot: 1,
      rate: 100,
      channels: [{ name: "x", unit: "1", offset: 0, mul: 1, exp10: 0, pieces: [{ at: 0, samples }] }],
    });
    expect(path).toBe(join(folder, "ab_1_100.csv"));
    const lines = readFileSync(path, "utf8").split("\r\n");
    expect([lines.length, lines[0], lines[1], lines[2000]]).toEqual([2002, "time_s,x [1]", "0,0", "19.99,1999"]);
  });
});
