import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CsvField, csvLine, csvOfRecording, exactDecimal, type Recording, rfc3339 } from "../../formats/index.ts";

fc.configureGlobal({ seed: 20240229 }); // the same cases every time

/** A reader of RFC 4180, written from its section 2 for these tests. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let value = "";
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (text[at] === '"' && text[at + 1] === '"') value += text[at++];
        else if (text[at] === '"') break;
        else value += text[at];
      }
      at++;
    } else while (at < text.length && text[at] !== "," && text[at] !== "\r") value += text[at++];
    row.push(value);
    if (text[at] === ",") at++;
    else {
      expect(text.slice(at, at + 2)).toBe("\r\n");
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const recording = (more: Partial<Recording> = {}): Recording => ({
  kid: "0011223344556677",
  boot: 3,
  rate: 4,
  channels: [
    { name: "ecg", unit: "mV", offset: 0, mul: 5, exp10: -3, pieces: [{ at: 0, samples: Int32Array.of(-1, 0, 250) }] },
    {
      name: "red, raw",
      unit: "nA",
      offset: 10,
      mul: 78125,
      exp10: -4,
      pieces: [
        { at: 1, samples: Int32Array.of(1) },
        { at: 3, samples: Int32Array.of(-10, 6) },
      ],
    },
  ],
  ...more,
});
const text = (value: Recording) => [...csvOfRecording(value)].join("");

describe("a recording as CSV", () => {
  test("has units in the header, time from the sample clock, and an empty field for a missing sample (protocentral_max30003#16)", () => {
    expect(text(recording())).toBe(
      'time_s,ecg [mV],"red, raw [nA]"\r\n' +
        "0,-0.005,\r\n" +
        "0.25,0,85.9375\r\n" +
        "0.5,1.25,\r\n" +
        "0.75,,0\r\n" +
        "1,,125\r\n",
    );
  });

  test("with an epoch has UTC in RFC 3339 with microseconds", () => {
    const epoch = Date.UTC(2024, 1, 29, 23, 59, 59) * 1000 + 500_001;
    const times = parseCsv(text(recording({ epoch }))).map(([time]) => time);
    expect(times).toEqual([
      "time_utc",
      "2024-02-29T23:59:59.500001Z",
      "2024-02-29T23:59:59.750001Z",
      "2024-03-01T00:00:00.000001Z",
      "2024-03-01T00:00:00.250001Z",
      "2024-03-01T00:00:00.500001Z",
    ]);
  });

  test("takes its times from a clock fit where there is one", () => {
    const times = parseCsv(text(recording({ epoch: (index) => 1e15 + index * 250_010 }))).map(([time]) => time);
    expect(times.slice(1, 3)).toEqual(["2001-09-09T01:46:40.000000Z", "2001-09-09T01:46:40.250010Z"]);
    expect(() => text(recording({ epoch: () => 1e15 }))).toThrow(
      "sample 1: its time 2001-09-09T01:46:40.000000Z is not after",
    );
  });

  test("never has two lines with one time, at any rate and length, and time_s reads back as index / rate", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 25, 125.5, 256, 360, 44100), fc.integer({ min: 1, max: 2000 }), (rate, length) => {
        const pieces = [{ at: 0, samples: new Int32Array(length) }];
        const channels = [{ name: "x", unit: "1", offset: 0, mul: 1, exp10: 0, pieces }];
        const rows = parseCsv(text(recording({ rate, channels }))).slice(1);
        expect(rows.map(([time]) => Number(time))).toEqual(Array.from({ length }, (_, k) => k / rate));
        const utc = parseCsv(text(recording({ rate, channels, epoch: 1.7e15 }))).map(([time]) => time);
        expect(new Set(utc).size).toBe(length + 1);
      }),
      { numRuns: 40 },
    );
  });

  test("refuses pieces that overlap, and a rate that is none", () => {
    const pieces = [
      { at: 0, samples: new Int32Array(2) },
      { at: 1, samples: new Int32Array(1) },
    ];
    const channels = [{ name: "x", unit: "1", offset: 0, mul: 1, exp10: 0, pieces }];
    expect(() => text(recording({ channels }))).toThrow(
      "channel x: a piece begins at sample 1, the one before it ends at 2",
    );
    expect(() => text(recording({ rate: 0 }))).toThrow("rate 0");
  });

  test("comes some hundred lines at a time, so that a day of samples need not fit in memory", () => {
    const pieces = [{ at: 0, samples: new Int32Array(5000) }];
    const channels = [{ name: "x", unit: "1", offset: 0, mul: 1, exp10: 0, pieces }];
    const lines = [...csvOfRecording(recording({ channels }))].map((part) => part.split("\r\n").length - 1);
    expect(lines.reduce((sum, count) => sum + count)).toBe(5001);
    expect(Math.max(...lines)).toBeLessThan(1000);
  });

  test("of no samples is its header alone", () => {
    expect(text(recording({ channels: [] }))).toBe("time_s\r\n");
  });
});

describe("values", () => {
  test.each([
    [0, 0, 78125, -7, "0"],
    [-1, 0, 78125, -7, "-0.0078125"],
    [4769, 0, 78125, -7, "37.2578125"],
    [10, -10, 3, -2, "0"],
    [-5, 0, 2, 3, "-10000"],
    [8388607, 8388608, 4294967297, -9, "72057589.759737855"],
    [100, 0, 1, -2, "1"],
    [7, 0, 1, -30, "0.000000000000000000000000000007"],
  ])("(%i + %i) x %i x 10^%i is exactly %s", (raw, offset, mul, exp10, expected) => {
    expect(exactDecimal(raw, offset, mul, exp10)).toBe(expected);
  });

  test("an exact decimal times its power of ten is the integer product", () => {
    const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(int, int, int, fc.integer({ min: -12, max: 6 }), (raw, offset, mul, exp10) => {
        const decimal = exactDecimal(raw, offset, mul, exp10);
        expect(decimal).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
        const [whole = "", fraction = ""] = decimal.split(".");
        const scaled = BigInt(whole + fraction.padEnd(12, "0"));
        expect(scaled).toBe((BigInt(raw) + BigInt(offset)) * BigInt(mul) * 10n ** BigInt(exp10 + 12));
      }),
    );
  });

  test("a scale that is not of integers is refused, not rounded", () => {
    expect(() => exactDecimal(1, 0, 0.5, 0)).toThrow("(1 + 0) x 0.5 x 10^0");
    expect(() => exactDecimal(1, 0, 1, 31)).toThrow("exponent within 30");
  });

  test("a time is exact to the microsecond also before 1970, and refused where it is no whole number", () => {
    expect(rfc3339(-1)).toBe("1969-12-31T23:59:59.999999Z");
    expect(rfc3339(951_782_400_000_007)).toBe("2000-02-29T00:00:00.000007Z");
    for (const bad of [1e18, 0.5, Number.NaN]) expect(() => rfc3339(bad)).toThrow(`${bad} is not a whole number of us`);
  });
});

describe("RFC 4180", () => {
  test("null is an empty field, and what is no number has no field at all", () => {
    expect(csvLine([1, null, "", 0.1])).toBe("1,,,0.1\r\n");
    expect(() => csvLine([1, Number.NaN])).toThrow("field 1: NaN");
    expect(() => csvLine([Number.POSITIVE_INFINITY])).toThrow("field 0: Infinity");
  });

  test("any fields read back as they were (section 2, rules 5 to 7)", () => {
    const field: fc.Arbitrary<CsvField> = fc.oneof(
      fc.string(),
      fc.constantFrom(",", '"', "\r\n", '",\n"', "a b", ""),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 5 }), { maxLength: 5 }), (rows) => {
        const read = parseCsv(rows.map(csvLine).join(""));
        expect(read).toEqual(rows.map((row) => row.map((value) => (value === null ? "" : String(value)))));
      }),
    );
  });
});
