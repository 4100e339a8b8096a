import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_OFF_BODY, FLAG_SATURATED, FLAG_SETTLING } from "../../../drivers/driver.ts";
import { createOximeter } from "../../../firmware/dsp/ppg.ts";
import { between, blank, follow, last, normal, options } from "./oximeter.ts";
import { finger, join } from "./pulses.ts";

describe("light of an oximeter", () => {
  test("while it settles everything is null and says so; all is shown within 10 s", () => {
    const shown = follow(finger(normal));
    expect(shown[0]).toEqual(blank(FLAG_SETTLING));
    for (const { flags, spo2, pulseRate } of shown) {
      if (spo2 === null || pulseRate === null) expect(flags).toBe(FLAG_SETTLING);
      else expect(flags).toBe(0);
    }
    expect(between(shown, 10, 40).every(({ flags }) => flags === 0)).toBe(true);
  });

  test("a pulse that stops is null within 5 s, and nothing from before is shown when it comes back", () => {
    const first = finger({ ...normal, seconds: 20 });
    const still = { red: new Int32Array(2000).fill(100_000), infrared: new Int32Array(2000).fill(120_000) };
    const second = finger({ ...normal, seconds: 20, pulseRate: 120, ratio: 1.2 });
    const shown = follow(join(first, still, second));
    for (const values of between(shown, 25, 40)) expect(values).toEqual(blank(FLAG_SETTLING));
    for (const { pulseRate, ratio } of between(shown, 41, 60)) {
      if (pulseRate !== null) expect(Math.abs(pulseRate - 120)).toBeLessThan(3);
      if (ratio !== null) expect(Math.abs(ratio - 1.2)).toBeLessThan(0.15);
    }
    expect(shown.at(-1)?.flags).toBe(0);
  });

  test("without a finger all is null and flagged off the body within 0.5 s; it settles anew when one comes", () => {
    const there = (time: number) => time < 20.25 || time >= 30.25;
    const shown = follow(finger({ ...normal, seconds: 60, finger: there, noise: 10 }));
    expect(between(shown, 19, 20).every(({ flags }) => flags === 0)).toBe(true);
    for (const values of between(shown, 20.5, 30)) expect(values).toEqual(blank(FLAG_OFF_BODY));
    expect(between(shown, 31, 33).every(({ flags, spo2 }) => flags === FLAG_SETTLING && spo2 === null)).toBe(true);
    for (const { ratio } of between(shown, 31, 60)) if (ratio !== null) expect(ratio).toBeCloseTo(0.7, 1);
    expect(between(shown, 42, 60).every(({ flags }) => flags === 0)).toBe(true);
    expect(last(finger({ ...normal, finger: () => false }))).toEqual(blank(FLAG_OFF_BODY));
  });

  test("a finger that leaves shows no wrong number on its way, and none once it is gone", () => {
    for (let phase = 0; phase < 2; phase += 0.1) {
      const light = finger({ ...normal, seconds: 30, finger: (time) => time < 20 + phase });
      const oximeter = createOximeter(options);
      for (let at = 0; at < light.red.length; at += 2) {
        oximeter.push(light.red.subarray(at), light.infrared.subarray(at), 2);
        const { ratio, pulseRate } = oximeter.result;
        if (light.infrared[at]! < 1000) expect(oximeter.result).toEqual(blank(FLAG_OFF_BODY));
        if (ratio !== null) expect(ratio).toBeCloseTo(0.7, 1);
        if (pulseRate !== null) expect(pulseRate).toBeCloseTo(75, 0);
      }
    }
  });

  test("a finger taken off for half a second and another one put on: nothing of the first is shown", () => {
    const other = finger({ ...normal, pulseRate: 120, ratio: 1.2, perfusionIndex: 3, finger: (time) => time > 0.5 });
    for (const { pulseRate, ratio, perfusionIndex } of between(follow(join(finger(normal), other)), 41, 80)) {
      if (pulseRate !== null) expect(pulseRate).toBeCloseTo(120, 0);
      if (ratio !== null) expect(ratio).toBeCloseTo(1.2, 1);
      if (perfusionIndex !== null) expect(perfusionIndex).toBeGreaterThan(2);
    }
  });

  test.each(["red", "infrared"] as const)(
    "one saturated sample of %s blanks everything at once, for a second",
    (channel) => {
      const light = finger({ ...normal, finger: (time) => time < 38 });
      light[channel][2010] = 262_143;
      const shown = follow(light);
      expect(shown[39]?.flags).toBe(0);
      for (const values of between(shown, 20.5, 21)) expect(values).toEqual(blank(FLAG_SATURATED));
      expect(shown[43]?.flags).toBe(FLAG_SETTLING);
      expect(between(shown, 32, 38).every(({ flags }) => flags === 0)).toBe(true);
      expect(shown.at(-1)?.flags).toBe(FLAG_OFF_BODY);
    },
  );

  test("every null comes with a flag, whatever the light does", () => {
    const sample = fc.integer({ min: 0, max: 262_143 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), sample, sample), { minLength: 5, maxLength: 60 }),
        (pieces) => {
          const oximeter = createOximeter({ ...options, rate: 50 });
          for (const [length, from, to] of pieces) {
            const infrared = Int32Array.from({ length }, (_, k) => from + Math.round(((to - from) * k) / length));
            oximeter.push(infrared, infrared, length);
            const { pulseRate, spo2, perfusionIndex, ratio, flags } = oximeter.result;
            for (const value of [pulseRate, spo2, perfusionIndex, ratio]) {
              if (value === null) expect(flags).not.toBe(0);
              else expect(Number.isFinite(value)).toBe(true);
            }
            if (spo2 !== null) expect(spo2).toBeLessThanOrEqual(100);
          }
        },
      ),
    );
  });

  test("new LED currents, with a reset, make no false value: none is shown until there is enough of the new light", () => {
    const before = finger({ ...normal, seconds: 20, ratio: 0.5 });
    const after = finger({ ...normal, seconds: 20, ratio: 0.9, red: 60_000, infrared: 30_000 });
    const oximeter = createOximeter(options);
    oximeter.push(before.red, before.infrared, before.red.length);
    expect(oximeter.result.ratio).toBeCloseTo(0.5, 2);
    oximeter.reset();
    expect(oximeter.result).toEqual(blank(FLAG_SETTLING));
    const seen: number[] = [];
    for (let at = 0; at < after.red.length; at += 50) {
      oximeter.push(after.red.subarray(at), after.infrared.subarray(at), 50);
      const { ratio, pulseRate } = oximeter.result;
      if (pulseRate !== null) expect(pulseRate).toBeCloseTo(75, 0);
      if (ratio !== null) seen.push(ratio);
    }
    for (const ratio of seen) expect(ratio).toBeCloseTo(0.9, 1);
    expect(seen.length).toBeGreaterThan(20);
  });

  test.each([
    ["red", 0.7],
    ["infrared", 1.4],
    ["both", 0.8],
  ])("a step of %s light that nobody told of moves R by no more than 0.02", (which, factor) => {
    const light = finger({ ...normal, seconds: 50 });
    for (let i = 2503; i < light.red.length; i++) {
      if (which !== "infrared") light.red[i] = Math.round(light.red[i]! * factor);
      if (which !== "red") light.infrared[i] = Math.round(light.infrared[i]! * factor);
    }
    for (const { ratio } of between(follow(light), 15, 50)) {
      if (ratio !== null) expect(Math.abs(ratio - 0.7)).toBeLessThan(0.02);
    }
    expect(between(follow(light), 30, 50).every(({ ratio }) => ratio !== null)).toBe(true);
  });

  test.each([100, 120])("light of lamps that flicker with %i hz, as far as it is left, does no harm", (hz) => {
    // as sampled at 100 hz: 0.02 hz and 20 hz off
    const light = finger({ ...normal, seconds: 60, ratio: 0.8, perfusionIndex: 0.5 });
    for (let i = 0; i < light.red.length; i++) {
      const flicker = Math.round(60 * Math.sin(2 * Math.PI * (hz + 0.02) * (i / 100)));
      light.red[i]! += flicker;
      light.infrared[i]! += flicker;
    }
    for (const { ratio, pulseRate } of between(follow(light), 15, 60)) {
      expect(Math.abs(ratio! - 0.8)).toBeLessThan(0.03);
      expect(pulseRate).toBeCloseTo(75, 0);
    }
  });

  test.each([150, 180, 240])(
    "what is seen while a finger with %i beats a minute is being put down does not count",
    (pulseRate) => {
      const landing = finger({ ...normal, seconds: 0.6, pulseRate, ratio: 1.6 });
      const shown = follow(join(landing, finger({ ...normal, seconds: 20, pulseRate }))).filter(
        ({ ratio }) => ratio !== null,
      );
      expect(shown.length).toBeGreaterThan(25);
      for (const { ratio } of shown) expect(Math.abs(ratio! - 0.7)).toBeLessThan(0.02);
    },
  );
});
