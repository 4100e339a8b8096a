import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPatient, type Story, stories } from "../../simulator/index.ts";
import { asystole, desaturation, fever, fingerOff } from "../../simulator/story.ts";

const of = (story?: Story) => createPatient({ seed: 1, index: 0, ...(story && { story }) });
const times = Array.from({ length: 24_000 }, (_, k) => k / 100);

/** Lowest and highest of a stretch. */
const range = (signal: (time: number, since: number) => number, from: number, to: number) => {
  const values = times.filter((time) => time >= from && time < to).map((time) => signal(time, 0));
  return Math.max(...values) - Math.min(...values);
};

describe("a desaturation", () => {
  test("falls from 97 to 82 percent between 60 and 120 s, stays a minute, is back at 210 s", () => {
    const spo2 = desaturation().spo2!;
    expect([0, 60, 90, 120, 180, 195, 210, 1000].map(spo2)).toEqual([97, 97, 89.5, 82, 82, 89.5, 97, 97]);
  });

  test("is what the light at the finger says, and nothing else of the person is changed", () => {
    const told = of(desaturation({ begin: 5, change: 5, hold: 5, recovery: 5 }));
    const own = of();
    expect([0, 7.5, 12, 17.5, 30].map((time) => Math.round(10 * told.ppg.spo2(time)) / 10)).toEqual([
      97, 89.5, 82, 89.5, 97,
    ]);
    for (let time = 0; time < 30; time += 0.01) {
      expect(told.signals.infrared(time, 0)).toBe(own.signals.infrared(time, 0));
      expect(told.signals.ecg(time, 0)).toBe(own.signals.ecg(time, 0));
      expect(told.signals.temperature(time, 0)).toBe(own.signals.temperature(time, 0));
    }
    const { spo2: _, ratio: __, beats, pulses, ...rest } = told.truth;
    expect(own.truth).toMatchObject(rest);
    expect(told.truth.beats(0, 30)).toEqual(own.truth.beats(0, 30));
  });

  test("has R in the red light: twice the R is twice the pulse", () => {
    const { signals, ppg } = of(desaturation({ from: 97, to: 70, begin: 30, change: 0, hold: 30, recovery: 0 }));
    const before = range(signals.red, 20, 30) / range(signals.infrared, 20, 30);
    const after = range(signals.red, 40, 50) / range(signals.infrared, 40, 50);
    // Drift and breath move the light as well.
    expect(after / before / (ppg.ratio(45) / ppg.ratio(25))).toBeGreaterThan(0.85);
    expect(after / before / (ppg.ratio(45) / ppg.ratio(25))).toBeLessThan(1.15);
  });
});

test("a fever warms the skin to 39.2 degrees within three minutes, and only the skin", () => {
  const own = of();
  const told = of(fever());
  expect(told.signals.temperature(100, 0)).toBe(own.signals.temperature(100, 0));
  expect(told.signals.temperature(500, 0)).toBeCloseTo(39.2, 0);
  const rise = (time: number) => told.signals.temperature(time, 0) - own.signals.temperature(time, 0);
  const whole = 39.2 - own.truth.temperature;
  expect([270, 360, 600, 720, 840].map((time) => rise(time) / whole)).toEqual(
    [0.5, 1, 1, 0.5, 0].map((part) => expect.closeTo(part, 9)),
  );
  expect(told.signals.red(1000, 0)).toBe(own.signals.red(1000, 0));
});

test("a finger that is away sends no light back, and its pulses go on beneath", () => {
  const { signals } = of(fingerOff({ begin: 10, hold: 5 }));
  const own = of();
  expect(signals.red(12, 0)).toBeLessThan(10);
  expect(signals.infrared(12, 0)).toBeLessThan(10);
  expect(signals.infrared(16, 0)).toBe(own.signals.infrared(16, 0));
});

test("a heart that stands still gives a flat line and light without a pulse; what it gave before is the person's own", () => {
  const told = of(asystole({ begin: 30, hold: 20 }));
  const own = of();
  expect(range(told.signals.ecg, 0, 30)).toBe(range(own.signals.ecg, 0, 30));
  expect(range(told.signals.ecg, 31, 50)).toBe(0);
  expect(range(told.signals.ecg, 52, 60)).toBe(range(own.signals.ecg, 52, 60));
  const beating = range(told.signals.infrared, 20, 30);
  // Drift and breath stay.
  expect(range(told.signals.infrared, 31, 33)).toBeLessThan(beating / 3);
  for (let time = 51; time < 60; time += 0.01) {
    expect(told.signals.infrared(time, 0)).toBe(own.signals.infrared(time, 0));
  }
});

test("every story is known by its name, tells itself, and starts with the person as he is", () => {
  for (const [name, make] of Object.entries(stories)) {
    const story = make();
    expect(story.name).toBe(name);
    expect(story.label).toContain(name);
    expect(story.words.length).toBeGreaterThan(20);
    expect(story.heart?.(0) ?? 1).toBe(1);
    expect(story.finger?.(0) ?? true).toBe(true);
    expect(story.temperature?.(0, 36.5) ?? 36.5).toBe(36.5);
  }
});

test("whatever its times, SpO2 stays between its ends, and other times or ends are another label", () => {
  const seconds = fc.integer({ min: 0, max: 100 });
  const turns = fc.record({ begin: seconds, change: seconds, hold: seconds, recovery: seconds });
  fc.assert(
    fc.property(turns, turns, fc.integer({ min: 0, max: 400 }), (turn, other, time) => {
      const value = desaturation(turn).spo2!(time);
      expect(value).toBeGreaterThanOrEqual(82);
      expect(value).toBeLessThanOrEqual(97);
      const same = JSON.stringify(turn) === JSON.stringify(other);
      expect(desaturation(turn).label === desaturation(other).label).toBe(same);
    }),
  );
});

test("a time or an end outside its range is named with its value", () => {
  expect(() => desaturation({ begin: -1 })).toThrow("begin -1");
  expect(() => desaturation({ to: 101 })).toThrow("to 101");
  expect(() => fever({ to: 50 })).toThrow("to 50");
});
