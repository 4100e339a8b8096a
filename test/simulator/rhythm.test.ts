import { describe, expect, test } from "vitest";
import { createRandom, createRhythm } from "../../simulator/index.ts";

const intervals = (beats: number[]) => beats.slice(1).map((beat, i) => beat - beats[i]!);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

/** Power of the RR tachogram at a frequency, s^2, its intervals taken at the beats that begin them. */
function power(beats: number[], hertz: number): number {
  const rr = intervals(beats);
  const average = mean(rr);
  let [re, im] = [0, 0];
  for (let i = 0; i < rr.length; i++) {
    re += (rr[i]! - average) * Math.cos(2 * Math.PI * hertz * beats[i]!);
    im += (rr[i]! - average) * Math.sin(2 * Math.PI * hertz * beats[i]!);
  }
  return (re * re + im * im) / rr.length ** 2;
}

describe("a rhythm", () => {
  test("keeps its mean heart rate within 1 beat/min over 5 minutes", () => {
    for (const heartRate of [40, 55, 72, 95, 150]) {
      for (let seed = 0; seed < 5; seed++) {
        const beats = createRhythm({ heartRate, sdRate: 3, random: createRandom(seed) }).between(0, 300);
        const measured = (60 * (beats.length - 1)) / (beats.at(-1)! - beats[0]!);
        expect(Math.abs(measured - heartRate)).toBeLessThan(1);
      }
    }
  });

  test("has the set standard deviation of its heart rate over a long time", () => {
    const rr = intervals(createRhythm({ heartRate: 60, sdRate: 3, random: createRandom(1) }).between(0, 7200));
    expect(deviation(rr)).toBeGreaterThan(0.046);
    expect(deviation(rr)).toBeLessThan(0.054); // 3 / 60 of 1 s
  });

  test("without variability beats like a clock", () => {
    const rr = intervals(createRhythm({ heartRate: 75, sdRate: 0, random: createRandom(1) }).between(0, 60));
    for (const interval of rr) expect(interval).toBeCloseTo(0.8, 12);
  });

  test("has the two peaks of McSharry 2003, section III, in the set proportion, and nothing between", () => {
    const beats = createRhythm({ heartRate: 70, sdRate: 2, random: createRandom(4) }).between(0, 3600);
    const step = 1 / 3600;
    const band = (from: number, to: number) => {
      let [sum, first, second] = [0, 0, 0];
      for (let hertz = from; hertz < to; hertz += step) {
        const value = power(beats, hertz);
        sum += value;
        first += value * hertz;
        second += value * hertz * hertz;
      }
      return { sum, centre: first / sum, width: Math.sqrt(second / sum - (first / sum) ** 2) };
    };
    const low = band(0.06, 0.14);
    const high = band(0.21, 0.29);
    expect(Math.abs(low.centre - 0.1)).toBeLessThan(0.01);
    expect(Math.abs(high.centre - 0.25)).toBeLessThan(0.01);
    for (const { width } of [low, high]) expect(Math.abs(width - 0.01)).toBeLessThan(0.005);
    expect(low.sum / high.sum).toBeGreaterThan(0.4);
    expect(low.sum / high.sum).toBeLessThan(0.6);
    expect((band(0.005, 0.06).sum + band(0.15, 0.2).sum + band(0.3, 0.5).sum) / (low.sum + high.sum)).toBeLessThan(0.1);
  });

  test("has its upper peak where it breathes", () => {
    const options = { heartRate: 80, sdRate: 2, random: createRandom(3), lowToHigh: 0.01 };
    const beats = createRhythm({ ...options, respirationRate: 20 }).between(0, 1200);
    const at = (hertz: number) => [-2, -1, 0, 1, 2].reduce((sum, k) => sum + power(beats, hertz + k / 200), 0);
    expect(at(20 / 60)).toBeGreaterThan(5 * at(0.25));
  });

  test("breathes at its rate, between -1 and 1", () => {
    const { respiration } = createRhythm({ heartRate: 60, respirationRate: 12, random: createRandom(2) });
    const second = Array.from({ length: 500 }, (_, i) => respiration(i / 100));
    expect(Math.max(...second)).toBeCloseTo(1, 3);
    expect(Math.min(...second)).toBeCloseTo(-1, 3);
    expect(respiration(3)).toBeCloseTo(respiration(8), 9);
    expect(respiration(3)).toBeCloseTo(-respiration(5.5), 9);
  });

  test("can be walked twice at once, and the walks do not disturb each other", () => {
    const rhythm = createRhythm({ heartRate: 66, sdRate: 2, random: createRandom(9) });
    const [one, two] = [rhythm.walk(), rhythm.walk()];
    const first = Array.from({ length: 100 }, one);
    expect(Array.from({ length: 100 }, two)).toEqual(first);
    expect(rhythm.between(10, 40)).toEqual(first.filter((beat) => beat >= 10 && beat < 40));
  });

  test("begins before 0, so that the past of time 0 is known", () => {
    for (const heartRate of [20, 60, 250]) {
      const next = createRhythm({ heartRate, random: createRandom(1) }).walk();
      expect(next()).toBeLessThanOrEqual(-4);
    }
  });

  test("an option outside its range is named with its value and the range", () => {
    const random = createRandom(1);
    expect(() => createRhythm({ heartRate: 300, random })).toThrow("heartRate 300 is outside 20..250 beats/min");
    expect(() => createRhythm({ heartRate: 60, sdRate: 8, random })).toThrow("sdRate 8 is outside 0..7.5");
    expect(() => createRhythm({ heartRate: 60, respirationRate: 0, random })).toThrow("respirationRate 0");
    expect(() => createRhythm({ heartRate: 60, lowToHigh: 0, random })).toThrow("lowToHigh 0 is outside 0.01..100");
  });
});
