import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFlutterGuard } from "../../../firmware/dsp/flutter.ts";
import { createQrsDetector } from "../../../firmware/dsp/qrs.ts";
import { createQualityMeter } from "../../../firmware/dsp/quality.ts";
import { lacks } from "../../support/needs.ts";
import { readLead } from "../../support/recorded-lead.ts";
import { readRecordBeats } from "../../support/reference-beats.ts";

/** The values a second after each 10 s of beats (ms), with the same noise and restlessness throughout. */
function valuesOf(beats: readonly number[], seconds: number, noise = 0.1, restlessness = 0.1): (number | null)[] {
  const meter = createQualityMeter(1000);
  const values: (number | null)[] = [];
  let next = 0;
  meter.begin(0);
  for (let now = 0; now <= seconds * 1000 + 1000; now += 250) {
    while (next < beats.length && beats[next]! <= now) meter.beat(beats[next++]!);
    meter.update(now, noise, restlessness);
    if (now > 10_000 && now % 10_000 === 1000) values.push(meter.read());
    else if (now < 10_000) expect(meter.read()).toBe(null);
  }
  return values;
}
const steady = (interval: number, seconds: number) =>
  Array.from({ length: Math.floor((seconds * 1000) / interval) }, (_, k) => 100 + k * interval);

test("regular beats in a quiet signal are good, from the first 10 s on", () => {
  expect(valuesOf(steady(800, 40), 40).every((value) => value! > 85)).toBe(true);
});

test("where it is restless, a missed beat and a false one make their 10 s bad, and no others", () => {
  const beats = steady(800, 40);
  const missed = valuesOf(
    beats.filter((_, k) => k !== 18),
    40,
    0.3,
    0.3,
  );
  const extra = valuesOf([...beats.slice(0, 19), beats[18]! + 250, ...beats.slice(19)], 40, 0.3, 0.3);
  for (const [first, second, third, fourth] of [missed, extra]) {
    expect(second!).toBeLessThan(50);
    for (const value of [first, third, fourth]) expect(value!).toBeGreaterThan(60);
  }
  expect(extra[1]!).toBeLessThan(missed[1]!);
});

test("intervals that all differ are no sign of a wrong beat", () => {
  const irregular = steady(800, 40).map((at, k) => at + [0, 260, -120, 180, -240, 90, 300][k % 7]!);
  for (const value of valuesOf(irregular, 40)) expect(value!).toBeGreaterThan(65);
});

test("it is told with the first beat after the 10 s, and that beat's interval counts for both sides", () => {
  const meter = createQualityMeter(1000);
  meter.begin(0);
  for (let at = 100; at < 9000; at += 800) meter.beat(at);
  meter.beat(10_400);
  const value = meter.read()!;
  expect(value).toBeLessThan(valuesOf(steady(800, 10), 10, 0, 0)[0]!);
  for (let at = 11_200; at < 20_000; at += 800) meter.beat(at);
  meter.beat(20_100);
  expect(meter.read()!).toBeLessThan(95);
});

test("it is 50 less 50/8 of the regression's log-odds that a beat is wrong, within 0 to 100", () => {
  for (const [intervals, noise, restlessness] of [
    [[800, 790, 900, 700, 810, 1300, 820, 800, 860], 0.3, 0.15],
    [[2000, 2300, 2100, 1900], 0.1, 0.2],
    [[4000, 4400], 0, 0.1],
    [[600, 620, 400, 900, 610, 600, 640, 500, 720, 610, 600, 590, 600, 610, 600], 0.8, 0.25],
  ] as const) {
    const beats = [200];
    for (const interval of intervals) beats.push(beats.at(-1)! + interval);
    const mean = intervals.reduce((a, b) => a + b, 0) / intervals.length;
    const steps = intervals.slice(1).map((interval, k) => Math.abs(interval - intervals[k]!));
    const unsteady = steps.reduce((a, b) => a + b, 0) / steps.length / mean;
    const open = Math.max(...intervals, 10_000 - beats.at(-1)!);
    const odds =
      -9.16 + 8.01 * Math.log(open / Math.min(...intervals)) + 2.05 * noise + 18.82 * restlessness - 8.5 * unsteady;
    const expected = Math.max(0, Math.min(100, Math.round(50 - (odds * 50) / 8)));
    expect(expected).toBeGreaterThan(0);
    expect(valuesOf(beats, 10, noise, restlessness)[0]).toBe(expected);
  }
});

test("less rest and more noise never make it better", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 1500 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (interval, noise, restlessness) => {
        const beats = steady(interval, 10).filter((_, k) => k !== 3);
        const value = valuesOf(beats, 10, noise, restlessness)[0]!;
        expect(valuesOf(beats, 10, noise + 0.1, restlessness)[0]!).toBeLessThanOrEqual(value);
        expect(valuesOf(beats, 10, noise, restlessness + 0.1)[0]!).toBeLessThanOrEqual(value);
        expect(Number.isInteger(value) && value >= 0 && value <= 100).toBe(true);
      },
    ),
  );
});

test("without beats, or with two alone, it is 0", () => {
  expect(valuesOf([], 20)).toEqual([0, 0]);
  expect(valuesOf([1000, 1800], 20)).toEqual([0, 0]);
});

test("where a signal begins anew it is null again until there are 10 s of it", () => {
  const meter = createQualityMeter(1000);
  for (const start of [0, 100_000]) {
    meter.begin(start);
    for (let now = start; now < start + 10_000; now += 500) {
      meter.beat(now);
      meter.update(now, 0.1, 0.1);
      expect(meter.read()).toBe(null);
    }
    meter.update(start + 10_499, 0.1, 0.1);
    expect(meter.read()).toBe(null);
    meter.update(start + 10_500, 0.1, 0.1);
    expect(meter.read()!).toBeGreaterThan(85);
  }
});

test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
  expect(() => createQualityMeter(perSecond)).toThrow(`${perSecond} units a second`);
});

describe.skipIf(lacks("recordings"))("on recordings", () => {
  test("windows with a wrong beat are told from those without, by records of which both kinds are many", () => {
    const good: number[] = [];
    const bad: number[] = [];
    for (const record of ["108", "116", "203", "208", "101", "119"]) {
      const { counts, microvoltsPerCount } = readLead(record, 128);
      const meter = createQualityMeter(128);
      const guard = createFlutterGuard(128, microvoltsPerCount);
      const own: number[] = [];
      const detector = createQrsDetector(128, microvoltsPerCount, (index) => {
        own.push(index / 128);
        meter.beat(index);
      });
      meter.begin(0);
      const truth = readRecordBeats(record).beats;
      for (let from = 0; from + 64 <= counts.length; from += 64) {
        detector.push(counts.subarray(from, from + 64), 64);
        guard.push(counts.subarray(from, from + 64), 64);
        meter.update(from + 64, 0, guard.restlessness());
        if ((from + 64) % 1280 !== 128 || from < 1280) continue;
        const [start, end] = [(from + 64) / 128 - 11, (from + 64) / 128 - 1];
        const inside = (times: readonly number[], slack: number) =>
          times.filter((time) => time >= start - slack && time < end + slack);
        const wrong = (times: readonly number[], others: readonly number[]) =>
          inside(times, 0).some((time) => !inside(others, 1).some((other) => Math.abs(other - time) <= 0.15));
        (wrong(truth, own) || wrong(own, truth) ? bad : good).push(meter.read()!);
      }
    }
    let above = 0;
    for (const value of bad) for (const other of good) above += other > value ? 1 : other === value ? 0.5 : 0;
    expect(bad.length).toBeGreaterThan(20);
    expect(above / (bad.length * good.length)).toBeGreaterThan(0.85);
  });
});
