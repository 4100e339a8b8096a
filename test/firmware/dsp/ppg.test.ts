import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_LOW_PERFUSION, FLAG_SETTLING } from "../../../drivers/driver.ts";
import { spo2Of } from "../../../firmware/dsp/oximetry.ts";
import { createOximeter } from "../../../firmware/dsp/ppg.ts";
import { countStatements } from "../../../tools/count-statements.ts";
import { between, curve, follow, last, normal, options, RATES } from "./oximeter.ts";
import { finger, join } from "./pulses.ts";

describe("the oximeter", () => {
  test.each(RATES.flatMap((rate) => [15, 25, 40, 60, 90, 120, 180, 240, 280].map((bpm) => [rate, bpm] as const)))(
    "at %i hz shows a pulse of %i a minute within 0.5, and R within 0.01",
    (rate, bpm) => {
      const shown = last(finger({ ...normal, rate, pulseRate: bpm }), { rate });
      expect(shown.flags).toBe(0);
      expect(Math.abs(shown.pulseRate! - bpm)).toBeLessThan(0.5);
      expect(Math.abs(shown.ratio! - 0.7)).toBeLessThan(0.01);
    },
  );

  test.each([0.35, 0.5, 0.8, 1, 1.2, 1.4])("an R of %f gives the SpO2 of the curve within 0.1", (ratio) => {
    const shown = last(finger({ ...normal, ratio }));
    expect(shown.ratio).toBeCloseTo(ratio, 2);
    expect(Math.abs(shown.spo2! - spo2Of(ratio, curve)!)).toBeLessThan(0.1);
  });

  test.each([
    [10, 0.05],
    [2, 0.05],
    [0.5, 0.15],
    [0.2, 0.5],
  ])("breathing moves SpO2 at a perfusion of %f percent by no more than %f RMS", (perfusionIndex, limit) => {
    const baseline = (time: number) => 0.003 * Math.sin(2 * Math.PI * 0.25 * time);
    const light = finger({ ...normal, seconds: 60, ratio: 0.8, perfusionIndex, baseline });
    const errors = between(follow(light), 15, 60).map(({ spo2 }) => spo2! - spo2Of(0.8, curve)!);
    expect(errors).toHaveLength(90);
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)).toBeLessThan(limit);
  });

  test.each([
    [2, 0.2],
    [1, 0.4],
    [0.5, 0.8],
  ])("noise of 15 counts moves SpO2 at a perfusion of %f percent by no more than %f RMS", (perfusionIndex, limit) => {
    const light = finger({ ...normal, seconds: 60, ratio: 0.8, perfusionIndex, noise: 15 });
    const errors = between(follow(light), 15, 60).map(({ spo2 }) => spo2! - spo2Of(0.8, curve)!);
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)).toBeLessThan(limit);
  });

  test.each([0.15, 0.5, 2, 10])("shows a perfusion index of %f percent within a tenth of it", (perfusionIndex) => {
    for (const rate of RATES) {
      const shown = last(finger({ ...normal, rate, perfusionIndex }), { rate }).perfusionIndex!;
      expect(Math.abs(shown / perfusionIndex - 1)).toBeLessThan(0.1);
    }
  });

  test("nothing depends on how bright the light is, or on red and infrared being equally bright", () => {
    const dim = last(finger({ ...normal, red: 30_000, infrared: 20_000 }));
    const bright = last(finger({ ...normal, red: 120_000, infrared: 240_000 }));
    for (const shown of [dim, bright]) {
      expect(shown.flags).toBe(0);
      expect(shown.ratio).toBeCloseTo(0.7, 2);
      expect(shown.perfusionIndex).toBeCloseTo(0.96, 1);
    }
  });

  test.each([0.05, 0.07, 0.13])("a dicrotic wave %f s wide is no beat, whatever the rate", (dicrotic) => {
    for (const pulseRate of [20, 35, 50, 70, 100]) {
      for (const shown of between(follow(finger({ ...normal, pulseRate, dicrotic })), 15, 40)) {
        expect(Math.abs(shown.pulseRate! - pulseRate)).toBeLessThan(1);
      }
    }
  });

  test.each([
    [80, 120],
    [80, 40],
  ])("a step of the pulse from %i to %i a minute is shown within 11 s", (before, after) => {
    const pulseRate = (time: number) => (time < 30 ? before : after);
    const shown = follow(finger({ ...normal, seconds: 50, pulseRate }));
    for (const { pulseRate: rate } of between(shown, 15, 30)) expect(rate).toBeCloseTo(before, 0);
    for (const { pulseRate: rate } of between(shown, 41, 50)) expect(rate).toBeCloseTo(after, 0);
  });

  test("a pulse that becomes four times smaller is found again within 8 s, one that becomes larger at once", () => {
    for (const [before, after] of [
      [2, 0.5],
      [0.5, 2],
    ] as const) {
      const first = finger({ ...normal, seconds: 24, perfusionIndex: before });
      const second = finger({ ...normal, seconds: 24, perfusionIndex: after });
      for (const shown of between(follow(join(first, second)), 34, 48)) {
        expect(shown.pulseRate).toBeCloseTo(75, 0);
        expect(shown.perfusionIndex! / after).toBeCloseTo(1, 0);
        expect(shown.ratio).toBeCloseTo(0.7, 1);
      }
    }
  });

  test("a perfusion under 0.1 % is flagged; one under 0.05 % is shown itself and nothing else is", () => {
    const bright = { red: 200_000, infrared: 200_000 };
    expect(last(finger({ ...normal, ...bright, perfusionIndex: 0.15 })).flags).toBe(0);
    const weak = last(finger({ ...normal, ...bright, perfusionIndex: 0.07 }));
    expect(weak.flags).toBe(FLAG_LOW_PERFUSION);
    expect(weak.ratio).toBeCloseTo(0.7, 2);
    const none = last(finger({ ...normal, ...bright, perfusionIndex: 0.045 }));
    expect(none).toMatchObject({ pulseRate: null, spo2: null, ratio: null, flags: FLAG_LOW_PERFUSION, quality: null });
    expect(none.perfusionIndex).toBeCloseTo(0.04, 2);
  });

  test("red and infrared that move against each other give no R", () => {
    const light = finger(normal);
    const against = { red: light.red.map((value) => 200_000 - value), infrared: light.infrared };
    expect(last(against)).toMatchObject({ spo2: null, ratio: null, flags: FLAG_SETTLING });
  });

  test.each([25, 30, 40, 64, 125, 128, 250, 400])("at %i hz shows pulse and R too", (rate) => {
    for (const pulseRate of [40, 75, 130, 180]) {
      const shown = last(finger({ ...normal, rate, pulseRate }), { rate });
      expect(shown.flags).toBe(0);
      expect(Math.abs(shown.pulseRate! - pulseRate)).toBeLessThan(0.5);
      expect(Math.abs(shown.ratio! - 0.7)).toBeLessThan(0.01);
    }
  });

  test("any split into blocks gives identical results at every place where two splits meet", () => {
    const cases = RATES.map((rate) => {
      const light = finger({ ...normal, rate, seconds: 16, noise: 10, finger: (time) => time < 12 || time > 13 });
      light.red[Math.round(14 * rate)] = 262_143;
      const each = createOximeter({ ...options, rate });
      const whole = Array.from(light.red, (_, at) => {
        each.push(light.red.subarray(at), light.infrared.subarray(at), 1);
        return { ...each.result };
      });
      return { rate, light, whole };
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 60 }),
        ({ rate, light, whole }, lengths) => {
          const oximeter = createOximeter({ ...options, rate });
          for (let at = 0, k = 0; at < whole.length; k++) {
            const count = Math.min(lengths[k % lengths.length]! || k % 2, whole.length - at);
            oximeter.push(light.red.subarray(at), light.infrared.subarray(at), count);
            at += count;
            if (at > 0) expect(oximeter.result).toEqual(whole[at - 1]);
          }
        },
      ),
      { numRuns: 40 },
    );
    for (const { whole } of cases) expect(new Set(whole.map(({ flags }) => flags)).size).toBeGreaterThan(3);
  });

  test("after a reset it is as new, whatever it saw before", () => {
    const light = finger({ ...normal, seconds: 12 });
    const other = finger({ ...normal, seconds: 12, pulseRate: 130, ratio: 1.3, finger: (time) => time < 8 });
    const fresh = createOximeter(options);
    const start = { ...fresh.result };
    fresh.push(light.red, light.infrared, 1200);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1200 }), (seen) => {
        const oximeter = createOximeter(options);
        oximeter.push(other.red, other.infrared, seen);
        oximeter.reset();
        expect(oximeter.result).toEqual(start);
        oximeter.push(light.red, light.infrared, 1200);
        expect(oximeter.result).toEqual(fresh.result);
      }),
      { numRuns: 40 },
    );
  });

  test.each([0, 24, 401, Number.NaN])("refuses %f hz and says which rates there are", (rate) => {
    expect(() => createOximeter({ ...options, rate })).toThrow(`rate ${rate} hz is not 25 to 400; choose another`);
  });

  test.each([
    [0, 1000],
    [1000, 1000],
    [Number.NaN, 1000],
    [1000, Number.NaN],
  ])("refuses the limits %f and %f", (offBodyBelow, saturatedAbove) => {
    const create = () => createOximeter({ ...options, offBodyBelow, saturatedAbove });
    expect(create).toThrow(`offBodyBelow ${offBodyBelow} must be above 0 and below saturatedAbove ${saturatedAbove}`);
  });

  test.each([
    [50, 75],
    [100, 40],
    [200, 25],
  ])("at %i hz costs no more than %i statements a sample of red and infrared", (rate, limit) => {
    const light = finger({ ...normal, rate });
    const { statements } = countStatements({
      entry: "firmware/dsp/ppg.ts",
      run: (dsp: { createOximeter: typeof createOximeter }) => {
        const oximeter = dsp.createOximeter({ ...options, rate });
        for (let at = 0; at < light.red.length; at += 20)
          oximeter.push(light.red.subarray(at), light.infrared.subarray(at), 20);
      },
    });
    expect(statements / light.red.length).toBeLessThan(limit);
  });
});
