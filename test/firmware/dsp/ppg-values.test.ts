import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_LOW_PERFUSION, FLAG_SETTLING, FLAG_UNCALIBRATED } from "../../../drivers/driver.ts";
import { spo2Of } from "../../../firmware/dsp/oximetry.ts";
import { createOximeter } from "../../../firmware/dsp/ppg.ts";
import { curve, follow, last, normal, options } from "./oximeter.ts";
import { finger, gaussianNoise } from "./pulses.ts";

describe("what an oximeter tells", () => {
  test("infrared alone has the same pulse and perfusion, no R, and what is missing concerns SpO2 alone", () => {
    const light = finger({ ...normal, noise: 5 });
    const both = last(light);
    const alone = createOximeter(options);
    alone.push(null, light.infrared, light.infrared.length);
    expect(alone.result).toMatchObject({
      spo2: null,
      ratio: null,
      flags: FLAG_UNCALIBRATED,
      pulseFlags: 0,
      swapped: false,
    });
    expect(alone.result.pulseRate).toBe(both.pulseRate);
    expect(alone.result.perfusionIndex).toBe(both.perfusionIndex);
    expect(alone.result.quality).toBeGreaterThan(60);
    // a second light that comes later begins anew
    alone.push(light.red, light.infrared, 100);
    expect(alone.result).toMatchObject({ pulseRate: null, flags: FLAG_SETTLING });
  });

  test("quality is high for a strong pulse, lower for one in noise, low for one that cannot be told, null without light", () => {
    const quality = (more: Partial<Parameters<typeof finger>[0]>) => last(finger({ ...normal, ...more })).quality;
    const weak = quality({ perfusionIndex: 0.15, noise: 10 })!;
    const weaker = quality({ perfusionIndex: 0.08, noise: 15 }) ?? 0;
    expect(quality({})).toBeGreaterThan(85);
    expect(weak).toBeLessThan(80);
    expect(weaker).toBeLessThan(weak);
    expect(quality({ finger: () => false })).toBeNull();
  });

  test("every beat is told, at 100 and 400 hz within 20 ms of where the light falls the fastest, how far and from where", () => {
    for (const rate of [100, 400]) {
      const told: { at: number; height: number; brightness: number }[] = [];
      const onBeat = (index: number, height: number, brightness: number) =>
        told.push({ at: index / rate, height, brightness });
      last(finger({ ...normal, rate, perfusionIndex: 2 }), { rate, onBeat });
      expect(told.length).toBeGreaterThan(43);
      for (const { at, height, brightness } of told) {
        // beats begin at -2 + 0.8 k; the systolic wave is steepest a standard deviation before its top
        const phase = (at + 2) % 0.8;
        expect(Math.abs(phase - (0.17 - 0.06) * Math.sqrt(0.8))).toBeLessThan(0.02);
        expect(height / brightness).toBeGreaterThan(0.014);
        expect(height / brightness).toBeLessThan(0.021);
        expect(brightness / 120_000).toBeCloseTo(1, 1);
      }
    }
  });

  test("red and infrared that are swapped are known by an R of no blood, with a curve, a table and without one", () => {
    const light = finger({ ...normal, ratio: 0.45 });
    const table = { id: "one", table: [[0.4, 100] as const, [1.6, 60] as const] };
    for (const more of [{}, { calibration: null }, { calibration: table }]) {
      const right = last(light, more);
      const wrong = last({ red: light.infrared, infrared: light.red }, more);
      expect(right.swapped).toBe(false);
      expect(wrong).toMatchObject({ spo2: null, swapped: true, flags: FLAG_UNCALIBRATED });
      expect(wrong.ratio).toBeCloseTo(1 / 0.45, 1);
    }
  });

  test("an SpO2 of 50 % is a patient's, and no swapped sensor's", () => {
    expect(last(finger({ ...normal, ratio: 1.38 }))).toMatchObject({ swapped: false, flags: 0 });
    // 34 %, or 94 % if swapped: neither is said
    expect(last(finger({ ...normal, ratio: 1.5 })).spo2).toBeNull();
  });

  test("a calibration gives its SpO2, by table as by curve", () => {
    const table = { id: "one", table: [[0.4, 100] as const, [1.6, 60] as const] };
    expect(last(finger(normal), { calibration: table }).spo2).toBeCloseTo(90, 0);
    expect(
      last(finger(normal), { calibration: { id: "two", curve: { square: 0, linear: -25, constant: 110 } } }).spo2,
    ).toBeCloseTo(92.5, 0);
  });

  test("red in which the pulse is lost gives no R, flagged as too weak, and the pulse of infrared is shown all the same", () => {
    const light = finger({ ...normal, perfusionIndex: 0.5, seconds: 60 });
    const random = gaussianNoise(3);
    for (let i = 0; i < light.red.length; i++) light.red[i]! += Math.round(400 * random());
    const all = follow(light);
    // what red leaves could be motion's for half a minute (belief.ts)
    for (const { pulseRate, pulseFlags } of all.slice(20, 58)) {
      expect(pulseRate).toBeCloseTo(75, 0);
      expect(pulseFlags).toBe(FLAG_SETTLING);
    }
    for (const shown of all.slice(70)) {
      expect(shown).toMatchObject({ spo2: null, ratio: null, flags: FLAG_LOW_PERFUSION, pulseFlags: 0 });
      expect(shown.pulseRate).toBeCloseTo(75, 0);
      expect(shown.quality).toBeLessThan(25);
    }
  });

  test("without a curve R is given and SpO2 is not, marked uncalibrated", () => {
    const shown = last(finger(normal), { calibration: null });
    expect(shown).toMatchObject({ spo2: null, flags: FLAG_UNCALIBRATED });
    expect(shown.ratio).toBeCloseTo(0.7, 2);
  });

  test("an R that no blood has, as where red and infrared are swapped, gives no SpO2", () => {
    const shown = last(finger({ ...normal, ratio: 2.2 }));
    expect(shown).toMatchObject({ spo2: null, flags: FLAG_UNCALIBRATED });
    expect(shown.ratio).toBeCloseTo(2.2, 1);
  });
});

describe("SpO2 of a curve", () => {
  test("is the curve's on its falling branch", () => {
    expect(spo2Of(1, curve)).toBeCloseTo(-45.06 + 30.354 + 94.845, 12);
    expect(spo2Of(1, { square: 0, linear: -25, constant: 110 })).toBe(85);
    expect(spo2Of(0.8, { square: 1.5958422, linear: -34.6596622, constant: 112.6898759 })).toBeCloseTo(85.9835, 4);
  });

  test("does not fall again below the turning point, R 0.34 in the reference design", () => {
    const turn = 30.354 / (2 * 45.06);
    for (const ratio of [0, 0.1, 0.3, turn]) expect(spo2Of(ratio, curve)).toBeCloseTo(99.957, 3);
    expect(spo2Of(turn + 0.1, curve)).toBeLessThan(99.6);
  });

  test("never rises with R, and is 0 to 100 or null, for any curve that falls somewhere", () => {
    const part = (min: number, max: number) => fc.integer({ min, max }).map((value) => value / 16);
    const curves = fc.record({ square: part(-960, 480), linear: part(-960, -16), constant: part(1280, 2080) });
    const ratio = part(0, 80);
    fc.assert(
      fc.property(curves, ratio, ratio, (any, a, b) => {
        const low = spo2Of(Math.max(a, b), any) ?? -1;
        const high = spo2Of(Math.min(a, b), any) ?? -1;
        expect(low).toBeLessThanOrEqual(high + 1e-9);
        expect(high).toBeLessThanOrEqual(100);
      }),
    );
  });

  test("is null where the curve is below 0", () => {
    expect(spo2Of(2, curve)).toBeNull();
  });
});
