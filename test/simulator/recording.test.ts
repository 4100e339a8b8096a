import fc from "fast-check";
import { expect, test } from "vitest";
import { recordingSignal } from "../../simulator/index.ts";

test("a recording is played in volts, sample by sample at its own rate", () => {
  const signal = recordingSignal(Float64Array.of(0, 1, -2, 0.5), 360);
  expect([0, 1, 2, 3].map((k) => signal(0, k / 360))).toEqual([0, 0.001, -0.002, 0.0005]);
});

test("between samples it is interpolated linearly, at t = k / rate from the start of conversion", () => {
  const samples = Float64Array.from({ length: 361 }, (_, i) => 3 * i - 40);
  const signal = recordingSignal(samples, 360);
  for (let k = 0; k <= 256; k++) expect(signal(1e6, k / 256) * 1000).toBeCloseTo((3 * 360 * k) / 256 - 40, 9);
});

test("the chip's start of conversion counts, not the wiring's clock", () => {
  const signal = recordingSignal(Float64Array.of(1, 2, 3), 1);
  expect(signal(500, 1)).toBe(signal(0, 1));
});

test("the last sample is played at every rate of a chip, and what lies beyond throws with what there is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3600 }),
      fc.constantFrom(125, 128, 250, 256, 360, 500, 512),
      fc.constantFrom(125, 128, 250, 256, 360, 500, 512),
      (seconds, rate, chip) => {
        const samples = new Float64Array(seconds * rate + 1);
        samples[samples.length - 1] = 5;
        const signal = recordingSignal(samples, rate);
        expect(signal(0, (seconds * chip) / chip)).toBe(0.005);
        expect(() => signal(0, seconds + 1 / chip)).toThrow(`covers 0..${seconds} s`);
      },
    ),
    { numRuns: 30 },
  );
});

test("the last sample is played also where k / rate * rate rounds up past it", () => {
  const last = 2007;
  expect((last / 125) * 125).toBeGreaterThan(last);
  const samples = new Float64Array(last + 1);
  samples[last] = 5;
  expect(recordingSignal(samples, 125)(0, last / 125)).toBe(0.005);
});

test("a time before the start, or none, throws", () => {
  const signal = recordingSignal(Float64Array.of(1, 2), 10);
  expect(() => signal(0, -0.01)).toThrow("no sample at -0.01 s");
  expect(() => signal(0, Number.NaN)).toThrow("no sample at NaN s");
});

test("a gap in the record is never played as a voltage", () => {
  const signal = recordingSignal(Float64Array.of(1, Number.NaN, 2, 3), 1);
  expect(signal(0, 0)).toBe(0.001);
  expect(() => signal(0, 0.5)).toThrow("gap at 0.5 s (sample 0)");
  expect(() => signal(0, 1)).toThrow("gap at 1 s (sample 1)");
  expect(signal(0, 2)).toBe(0.002);
});

test("an empty record and a rate that is none are refused before anything is played", () => {
  expect(() => recordingSignal(new Float64Array(0), 360)).toThrow("no samples");
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => recordingSignal(Float64Array.of(1), rate)).toThrow(`${rate} Hz`);
  }
});
