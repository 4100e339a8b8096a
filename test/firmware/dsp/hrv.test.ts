import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHrvMeter, type HeartRateVariability } from "../../../firmware/dsp/hrv.ts";
import { createRrSeries, RR_ECTOPIC, RR_NORMAL } from "../../../firmware/dsp/rr.ts";
import { lacks } from "../../support/needs.ts";
import { readRecordBeats } from "../../support/reference-beats.ts";

const blank = (): HeartRateVariability => ({ sdnn: -1, rmssd: -1, pnn50: -1, count: -1, coverage: -1 });

interface Interval {
  readonly at: number;
  readonly ms: number;
  readonly kind: number;
}

/** As of `now` (ms), the formulas of the Task Force over the normal intervals of ten whole 30 s since `origin`. */
function expected(intervals: readonly Interval[], now: number, origin: number) {
  const end = origin + Math.floor((now - origin) / 30_000) * 30_000;
  const inside = ({ at }: Interval) => at < end && at >= end - 300_000;
  const normal = intervals.filter((one) => one.kind === RR_NORMAL && inside(one)).map(({ ms }) => ms);
  const mean = normal.reduce((a, b) => a + b, 0) / normal.length;
  const differences = intervals.flatMap((one, k) => {
    const before = intervals[k - 1];
    return before !== undefined && before.kind === RR_NORMAL && one.kind === RR_NORMAL && inside(one)
      ? [one.ms - before.ms]
      : [];
  });
  return {
    sdnn: Math.sqrt(normal.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / (normal.length - 1)),
    rmssd: Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / differences.length),
    pnn50: (100 * differences.filter((d) => Math.abs(d) > 50).length) / differences.length,
    count: normal.length,
    coverage: normal.reduce((a, b) => a + b, 0) / 300_000,
  };
}

/** Intervals with a slow and a fast swing and some luck, from 1 s on. */
function walk(seconds: number, draws: readonly number[]): Interval[] {
  const found: Interval[] = [];
  for (let at = 1000, k = 0; at < seconds * 1000; k++) {
    const draw = draws[k % draws.length]!;
    const ms = 800 + Math.round(60 * Math.sin(k / 9) + 40 * Math.sin(k / 2.1)) + (draw % 41);
    at += ms;
    found.push({ at, ms, kind: draw % 17 === 0 ? RR_ECTOPIC : RR_NORMAL });
  }
  return found;
}

test("at any time it is what the formulas give over the last ten whole half minutes, in any unit of time", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(10_000), { minLength: 20, maxLength: 60 }),
      fc.integer({ min: 301, max: 1200 }),
      fc.constantFrom(1, 1000, 1e6),
      (draws, seconds, perSecond) => {
        const intervals = walk(seconds, draws);
        const meter = createHrvMeter(perSecond);
        for (const { at, ms, kind } of intervals) meter.add((at * perSecond) / 1000, (ms * perSecond) / 1000, kind);
        const hrv = blank();
        const now = intervals.at(-1)!.at;
        meter.read((now * perSecond) / 1000, hrv);
        const truth = expected(intervals, now, 1000);
        expect(hrv.count).toBe(truth.count);
        expect(hrv.coverage).toBeCloseTo(truth.coverage, 9);
        if (hrv.coverage < 0.8) return;
        expect(Math.abs(hrv.sdnn! - truth.sdnn)).toBeLessThan(1 / 2000);
        expect(Math.abs(hrv.rmssd! - truth.rmssd)).toBeLessThan(1 / 2000);
        expect(hrv.pnn50).toBeCloseTo(truth.pnn50, 9);
      },
    ),
    { numRuns: 60 },
  );
});

test("nothing is shown before five minutes, and the count says how far it is", () => {
  const meter = createHrvMeter(1000);
  const hrv = blank();
  for (let k = 1; k <= 299; k++) meter.add(1000 * k, 1000, RR_NORMAL);
  meter.read(299_999, hrv);
  expect(hrv).toEqual({ sdnn: null, rmssd: null, pnn50: null, count: 269, coverage: 269 / 300 });
});

test("nothing is shown where normal intervals fill less than 80 % of the time", () => {
  for (const [every, shown] of [
    [4, false],
    [6, true],
  ] as const) {
    const meter = createHrvMeter(1000);
    const hrv = blank();
    for (let k = 1; k <= 301; k++) meter.add(1000 * k, 1000, k % every === 0 ? RR_ECTOPIC : RR_NORMAL);
    meter.read(301_000, hrv);
    expect(hrv.sdnn !== null).toBe(shown);
  }
});

test("an ectopic beat joins no pair: the difference across it is none", () => {
  const meter = createHrvMeter(1000);
  const hrv = blank();
  for (let k = 1; k <= 330; k++) {
    const odd = k % 8 === 0;
    meter.add(1000 * k, odd ? 700 : k % 16 < 8 ? 1000 : 1060, odd ? RR_ECTOPIC : RR_NORMAL);
  }
  meter.read(330_000, hrv);
  expect(hrv.rmssd).toBe(0);
  expect(hrv.pnn50).toBe(0);
  expect(hrv.sdnn).toBeGreaterThan(29);
});

test("a minute's silence empties its part of the window; an hour's all of it", () => {
  const meter = createHrvMeter(1000);
  const hrv = blank();
  for (let k = 1; k <= 300; k++) meter.add(1000 * k, 1000, RR_NORMAL);
  meter.read(360_000, hrv);
  expect([hrv.count, hrv.sdnn]).toEqual([241, 0]);
  meter.read(390_000, hrv);
  expect([hrv.count, hrv.sdnn]).toEqual([211, null]);
  meter.read(4_000_000, hrv);
  expect(hrv).toEqual({ sdnn: null, rmssd: null, pnn50: null, count: 0, coverage: 0 });
});

test("after a reset it is as new", () => {
  const meter = createHrvMeter(1000);
  for (const { at, ms, kind } of walk(700, [3, 8, 1])) meter.add(at, ms, kind);
  meter.reset();
  const fresh = createHrvMeter(1000);
  const a = blank();
  const b = blank();
  for (const one of walk(500, [5, 9, 11])) {
    meter.add(one.at, one.ms, one.kind);
    fresh.add(one.at, one.ms, one.kind);
    meter.read(one.at, a);
    fresh.read(one.at, b);
    expect(a).toEqual(b);
  }
});

test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
  expect(() => createHrvMeter(perSecond)).toThrow(`${perSecond} units a second`);
});

describe.skipIf(lacks("recordings"))("on recorded beats", () => {
  test.each(["112", "116", "122", "230"])(
    "record %s: SDNN and RMSSD are those of its annotated normal intervals",
    (record) => {
      const { beats, symbols } = readRecordBeats(record);
      const series = createRrSeries(1);
      const meter = createHrvMeter(1);
      const truth: Interval[] = [];
      const hrv = blank();
      let compared = 0;
      beats.forEach((at, k) => {
        const kind = series.beat(at);
        if (k === 0) return;
        meter.add(at, series.interval(), kind);
        const normal = symbols[k] === "N" && symbols[k - 1] === "N";
        truth.push({ at: at * 1000, ms: (at - beats[k - 1]!) * 1000, kind: normal ? RR_NORMAL : RR_ECTOPIC });
        if (k % 200 !== 0) return;
        meter.read(at, hrv);
        if (hrv.sdnn === null) return;
        const { sdnn, rmssd } = expected(truth, at * 1000, beats[0]! * 1000);
        expect(Math.abs(hrv.sdnn - sdnn)).toBeLessThan(4);
        expect(Math.abs(hrv.rmssd! - rmssd)).toBeLessThan(4);
        compared++;
      });
      expect(compared).toBeGreaterThan(4);
    },
  );
});
