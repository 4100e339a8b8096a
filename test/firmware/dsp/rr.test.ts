import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRrSeries, RR_ARTEFACT, RR_ECTOPIC, RR_NONE, RR_NORMAL } from "../../../firmware/dsp/rr.ts";
import { lacks } from "../../support/needs.ts";
import { readRecordBeats } from "../../support/reference-beats.ts";

/** What each interval is, of beats that these intervals (ms) separate. */
function kindsOf(intervals: readonly number[], perSecond = 1000): number[] {
  const series = createRrSeries(perSecond);
  let at = 40 * perSecond;
  series.beat(at);
  return intervals.map((interval) => {
    at += (interval * perSecond) / 1000;
    return series.beat(at);
  });
}
const steady = (interval: number, count: number) => Array.from({ length: count }, () => interval);

test("before three intervals there is nothing to hold one against", () => {
  expect(kindsOf(steady(800, 6))).toEqual([RR_NONE, RR_NONE, RR_NONE, RR_NORMAL, RR_NORMAL, RR_NORMAL]);
});

test("normal is up to 20 % from the median of the five before", () => {
  const before = [780, 800, 760, 840, 820];
  for (const [interval, kind] of [
    [641, RR_NORMAL],
    [639, RR_ECTOPIC],
    [959, RR_NORMAL],
    [961, RR_ECTOPIC],
  ] as const)
    expect(kindsOf([...before, interval]).at(-1)).toBe(kind);
});

test("a premature beat costs its own interval and the pause after it, and no more", () => {
  expect(kindsOf([...steady(800, 6), 500, 950, 800, 800]).slice(6)).toEqual([
    RR_ECTOPIC,
    RR_ECTOPIC,
    RR_NORMAL,
    RR_NORMAL,
  ]);
});

test("directly after one that was not normal, normal is up to 10 %", () => {
  for (const [interval, kind] of [
    [879, RR_NORMAL],
    [881, RR_ECTOPIC],
    [721, RR_NORMAL],
    [719, RR_ECTOPIC],
  ] as const)
    expect(kindsOf([...steady(800, 6), 500, interval]).at(-1)).toBe(kind);
});

test("a missed beat costs one interval, a false one two", () => {
  expect(kindsOf([...steady(800, 6), 1600, 800]).slice(6)).toEqual([RR_ECTOPIC, RR_NORMAL]);
  expect(kindsOf([...steady(800, 6), 300, 500, 800]).slice(6)).toEqual([RR_ECTOPIC, RR_ECTOPIC, RR_NORMAL]);
});

test("after a lasting change of the interval they are normal again within four beats", () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 2000 }), fc.integer({ min: 300, max: 2000 }), (first, second) => {
      const kinds = kindsOf([...steady(first, 8), ...steady(second, 8)]);
      expect(kinds.slice(11)).toEqual(steady(RR_NORMAL, 5));
    }),
  );
});

test("outside 0.2 to 4 s it is no interval of a heart, and moves nothing", () => {
  expect(kindsOf([...steady(800, 6), 199, 4001, 800]).slice(6)).toEqual([RR_ARTEFACT, RR_ARTEFACT, RR_NORMAL]);
});

test("the unit of time does not matter", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(150, 400, 410, 500, 600, 610, 700, 790, 800, 810, 1300, 1700, 4500), { minLength: 1 }),
      fc.constantFrom(1, 128, 1e6),
      (intervals, perSecond) => {
        expect(kindsOf(intervals, perSecond)).toEqual(kindsOf(intervals));
      },
    ),
  );
});

test("the beat after a gap ends no interval; what is typical stays known", () => {
  const series = createRrSeries(1000);
  for (let k = 0; k < 8; k++) series.beat(800 * k);
  expect(series.interval()).toBe(800);
  series.gap();
  expect(series.beat(60_000)).toBe(RR_NONE);
  expect(series.interval()).toBe(0);
  expect(series.beat(60_810)).toBe(RR_NORMAL);
  expect(series.interval()).toBe(810);
});

test("after a reset it is as new", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 150, max: 4500 }), { maxLength: 30 }), (before) => {
      const series = createRrSeries(1000);
      before.reduce((at, interval) => {
        series.beat(at);
        return at + interval;
      }, 0);
      series.reset();
      const kinds = [900, 901, 902, 903, 1500, 900].map((_, k, all) => {
        if (k === 0) series.beat(0);
        return series.beat(all.slice(0, k + 1).reduce((a, b) => a + b));
      });
      expect(kinds).toEqual(kindsOf([900, 901, 902, 903, 1500, 900]));
    }),
  );
});

test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
  expect(() => createRrSeries(perSecond)).toThrow(`${perSecond} units a second`);
});

describe.skipIf(lacks("recordings"))("against the annotations of the MIT-BIH Arrhythmia Database", () => {
  test("98 % of the normal intervals are kept and two thirds of those with an ectopic beat left out", () => {
    const records = "101 106 108 109 112 114 115 116 118 119 122 124 205 208 209 215 220 223 230".split(" ");
    let normal = 0;
    let kept = 0;
    let other = 0;
    let left = 0;
    for (const record of records) {
      const { beats, symbols } = readRecordBeats(record);
      const series = createRrSeries(1);
      beats.forEach((at, k) => {
        const kind = series.beat(at);
        if (k < 5) return;
        if ("NLRej/".includes(symbols[k]!) && "NLRej/".includes(symbols[k - 1]!)) {
          normal++;
          if (kind === RR_NORMAL) kept++;
        } else {
          other++;
          if (kind !== RR_NORMAL) left++;
        }
      });
    }
    expect(normal).toBeGreaterThan(35_000);
    expect(kept / normal).toBeGreaterThan(0.98);
    expect(left / other).toBeGreaterThan(0.67);
  });
});
