import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPulseDetector } from "../../../firmware/dsp/pulse.ts";
import { createPulseQualityMeter, GOOD_PULSE } from "../../../firmware/dsp/pulse-quality.ts";
import { finger } from "./pulses.ts";

/** Quality at `now`, ms, of beats at these times and of these heights (1 where there are none). */
function quality(times: readonly number[], now: number, heights: readonly number[] = []): number | null {
  const meter = createPulseQualityMeter(1000);
  meter.begin(0);
  for (const [k, time] of times.entries()) meter.beat(time, heights[k] ?? 1);
  return meter.read(now);
}
const steady = (interval: number, until: number) =>
  Array.from({ length: Math.floor((until - 100) / interval) + 1 }, (_, k) => 100 + k * interval);

describe("the quality of the pulse", () => {
  test.each([250, 400, 800, 1500, 3000])("beats that are alike, one in %i ms, are good", (interval) => {
    expect(quality(steady(interval, 20_000), 20_000)).toBeGreaterThan(75);
  });

  test("a missed beat and a false one are not", () => {
    const beats = steady(800, 20_000);
    expect(quality(beats.toSpliced(18, 1), 20_000)).toBeLessThan(50);
    expect(quality(beats.toSpliced(19, 0, beats[18]! + 300), 20_000)).toBeLessThan(50);
  });

  test("so are beats that stopped: the silence counts as an interval", () => {
    const beats = steady(800, 20_000);
    const last = beats.at(-1)!;
    const then = [0.9, 1.5, 2, 3, 5, 8].map((seconds) => quality(beats, last + seconds * 1000)!);
    expect(then[0]).toBeGreaterThan(75);
    expect(then[3]).toBeLessThan(GOOD_PULSE);
    expect(then).toEqual(then.toSorted((a, b) => b - a));
    expect(quality(beats, last + 9500)).toBe(0);
  });

  test("heights that jump from beat to beat make it worse", () => {
    const beats = steady(800, 20_000);
    const heights = beats.map((_, k) => (k % 2 === 0 ? 1 : 5));
    expect(quality(beats, 20_000, heights)!).toBeLessThan(quality(beats, 20_000)! - 10);
  });

  test("intervals of no order (atrial fibrillation) are better than a steady rhythm with the same longest and shortest", () => {
    const scattered = [100];
    for (const interval of [700, 500, 900, 450, 800, 550, 850, 600, 950, 480, 750, 520, 900, 600, 800, 500])
      scattered.push(scattered.at(-1)! + interval);
    const spoilt = [100];
    for (const interval of [700, 700, 700, 450, 700, 700, 700, 700, 950, 700, 700, 700, 700, 700, 700])
      spoilt.push(spoilt.at(-1)! + interval);
    const now = 10_300;
    expect(quality(scattered, now)!).toBeGreaterThan(quality(spoilt, now)!);
  });

  test("it is 50 less 50/8 of the regression's log-odds that a beat is wrong, within 0 to 100", () => {
    for (const [intervals, heights] of [
      [
        [800, 790, 900, 700, 810, 900, 820, 800, 860, 800, 790, 810],
        [1, 1.2, 0.9, 1.5, 1, 1, 1.1, 1, 0.8, 1, 1, 1.3, 1],
      ],
      [
        [2000, 2300, 2100, 1900, 1600],
        [3, 3, 2, 3, 4, 3],
      ],
      [[600, 620, 500, 700, 610, 600, 640, 560, 720, 610, 600, 590, 600, 610, 600, 600], new Array(17).fill(5)],
    ] as [number[], number[]][]) {
      const beats = [200];
      for (const interval of intervals) beats.push(beats.at(-1)! + interval);
      const mean = intervals.reduce((a, b) => a + b, 0) / intervals.length;
      const changes = intervals.slice(1).map((interval, k) => Math.abs(interval - intervals[k]!));
      const jumps = heights.slice(1).map((height, k) => Math.abs(Math.log(height / heights[k]!)));
      const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      const ratio = Math.log(Math.max(...intervals) / Math.min(...intervals));
      const odds = -5.76 + 9.74 * ratio + 1.37 * average(jumps) - (0.47 * average(changes)) / mean;
      const expected = Math.max(0, Math.min(100, Math.round(50 - (odds * 50) / 8)));
      expect(expected).toBeGreaterThan(0);
      expect(quality(beats, Math.max(10_000, beats.at(-1)!), heights)).toBe(expected);
    }
  });

  test("is null before there are 10 s, and again where a signal begins anew; 0 with one interval or none", () => {
    const meter = createPulseQualityMeter(1000);
    for (const start of [0, 50_000]) {
      meter.begin(start);
      for (let time = start; time < start + 12_000; time += 800) {
        meter.beat(time, 1);
        if (time < start + 10_000) expect(meter.read(time)).toBeNull();
        else expect(meter.read(time)).toBeGreaterThan(75);
      }
    }
    expect(quality([], 10_000)).toBe(0);
    expect(quality([1000, 5000], 10_000)).toBe(0);
  });

  test("only the last 10 s count, whatever was before", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 200, max: 4000 }), { maxLength: 200 }),
        fc.array(fc.tuple(fc.integer({ min: 200, max: 2000 }), fc.integer({ min: 0, max: 100 })), { minLength: 60 }),
        (before, after) => {
          const meters = [createPulseQualityMeter(1000), createPulseQualityMeter(1000)];
          for (const meter of meters) meter.begin(0);
          let now = 0;
          for (const interval of before) {
            now += interval;
            meters[0]!.beat(now, 1);
          }
          now += 20_000;
          for (const [interval, height] of after) {
            now += interval;
            for (const meter of meters) meter.beat(now, height);
          }
          const [one, other] = meters.map((meter) => meter.read(now));
          expect(one).toEqual(other);
          expect(Number.isInteger(one) && one! >= 0 && one! <= 100).toBe(true);
        },
      ),
    );
  });

  test("with the detector: a clean pulse is good, one with bursts of motion is not while they last", () => {
    const clean = finger({ rate: 100, seconds: 70, pulseRate: 75, ratio: 0.7, perfusionIndex: 1, noise: 5 });
    const light = clean.infrared;
    for (let i = 3000; i < 4500; i++)
      light[i]! += Math.round(2000 * Math.sin(i / 9) * Math.sin(i / 61) + 900 * Math.sin(i / 23));
    const meter = createPulseQualityMeter(100);
    meter.begin(0);
    const detector = createPulseDetector(100, (index, _, height) => meter.beat(index, height));
    for (let at = 0; at < light.length; at += 100) {
      detector.push(light.subarray(at), 100);
      const second = at / 100 + 1;
      const value = meter.read(at + 100);
      if (second < 10) expect(value).toBeNull();
      else if (second < 30 || second > 57) expect(value).toBeGreaterThan(60);
      else if (second > 36 && second < 46) expect(value).toBeLessThan(50);
    }
  });

  test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
    expect(() => createPulseQualityMeter(perSecond)).toThrow(`${perSecond} units a second`);
  });
});
