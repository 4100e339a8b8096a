import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FLAG_LOW_PERFUSION,
  FLAG_MOTION,
  FLAG_OFF_BODY,
  FLAG_SATURATED,
  FLAG_SETTLING,
  FLAG_UNCALIBRATED,
} from "../../../drivers/driver.ts";
import { spo2Of } from "../../../firmware/dsp/oximetry.ts";
import { createOximeter, type OximeterOptions, type Oximetry } from "../../../firmware/dsp/ppg.ts";
import { countStatements } from "../../../tools/count-statements.ts";
import { type FingerOptions, finger, join, type Light } from "./pulses.ts";

/** Maxim reference design MAXREFDES117. */
const curve = { square: -45.06, linear: 30.354, constant: 94.845 };
const options: OximeterOptions = { rate: 100, curve, offBodyBelow: 10_000, saturatedAbove: 262_143 };
const RATES = [50, 100, 200] as const;

const normal: FingerOptions = { rate: 100, seconds: 40, pulseRate: 75, ratio: 0.7, perfusionIndex: 1 };
const unmeasured = { pulseRate: null, spo2: null, perfusionIndex: null, ratio: null };

/** What is shown every `every` samples (half a second), and at the end. */
function follow(light: Light, more: Partial<OximeterOptions> = {}): Oximetry[] {
  const oximeter = createOximeter({ ...options, ...more });
  const every = (more.rate ?? 100) / 2;
  const shown: Oximetry[] = [];
  for (let at = 0; at < light.red.length; at += every) {
    const count = Math.min(every, light.red.length - at);
    oximeter.push(light.red.subarray(at), light.infrared.subarray(at), count);
    shown.push({ ...oximeter.result });
  }
  return shown;
}

/** The shown values from one time to another, s. */
const between = (shown: readonly Oximetry[], from: number, to: number) => shown.slice(from * 2, to * 2);
const last = (light: Light, more: Partial<OximeterOptions> = {}) => follow(light, more).at(-1)!;

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

  test.each([0.35, 0.5, 0.8, 1, 1.2, 1.4])("an R of %f gives the SpO2 of the curve within 0.1 %%", (ratio) => {
    const shown = last(finger({ ...normal, ratio }));
    expect(shown.ratio).toBeCloseTo(ratio, 2);
    expect(Math.abs(shown.spo2! - spo2Of(ratio, curve)!)).toBeLessThan(0.1);
  });

  test.each([
    [10, 0.05],
    [2, 0.05],
    [0.5, 0.15],
    [0.2, 0.5],
  ])("breathing moves SpO2 at a perfusion of %f %% by no more than %f %% RMS", (perfusionIndex, limit) => {
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
  ])("noise of 15 counts moves SpO2 at a perfusion of %f %% by no more than %f %% RMS", (perfusionIndex, limit) => {
    const light = finger({ ...normal, seconds: 60, ratio: 0.8, perfusionIndex, noise: 15 });
    const errors = between(follow(light), 15, 60).map(({ spo2 }) => spo2! - spo2Of(0.8, curve)!);
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)).toBeLessThan(limit);
  });

  test.each([0.15, 0.5, 2, 10])("shows a perfusion index of %f %% within a tenth of it", (perfusionIndex) => {
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

  test("while it settles everything is null and says so; all is shown within 10 s", () => {
    const shown = follow(finger(normal));
    expect(shown[0]).toEqual({ ...unmeasured, flags: FLAG_SETTLING });
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
    for (const values of between(shown, 25, 40)) expect(values).toEqual({ ...unmeasured, flags: FLAG_SETTLING });
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
    for (const values of between(shown, 20.5, 30)) expect(values).toEqual({ ...unmeasured, flags: FLAG_OFF_BODY });
    expect(between(shown, 31, 33).every(({ flags, spo2 }) => flags === FLAG_SETTLING && spo2 === null)).toBe(true);
    for (const { ratio } of between(shown, 31, 60)) if (ratio !== null) expect(ratio).toBeCloseTo(0.7, 1);
    expect(between(shown, 42, 60).every(({ flags }) => flags === 0)).toBe(true);
    expect(last(finger({ ...normal, finger: () => false }))).toEqual({ ...unmeasured, flags: FLAG_OFF_BODY });
  });

  test("a finger that leaves shows no wrong number on its way, and none once it is gone", () => {
    for (let phase = 0; phase < 2; phase += 0.1) {
      const light = finger({ ...normal, seconds: 30, finger: (time) => time < 20 + phase });
      const oximeter = createOximeter(options);
      for (let at = 0; at < light.red.length; at += 2) {
        oximeter.push(light.red.subarray(at), light.infrared.subarray(at), 2);
        const { ratio, pulseRate } = oximeter.result;
        if (light.infrared[at]! < 1000) expect(oximeter.result).toEqual({ ...unmeasured, flags: FLAG_OFF_BODY });
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

  test("a perfusion under 0.1 %% is shown itself, flagged, and nothing else is", () => {
    const shown = last(finger({ ...normal, perfusionIndex: 0.07, infrared: 200_000, red: 200_000 }));
    expect(shown).toMatchObject({ pulseRate: null, spo2: null, ratio: null, flags: FLAG_LOW_PERFUSION });
    expect(shown.perfusionIndex).toBeCloseTo(0.07, 1);
    expect(last(finger({ ...normal, perfusionIndex: 0.15, infrared: 200_000, red: 200_000 })).flags).toBe(0);
  });

  test.each(["red", "infrared"] as const)(
    "one saturated sample of %s blanks everything at once, for a second",
    (channel) => {
      const light = finger({ ...normal, finger: (time) => time < 38 });
      light[channel][2010] = 262_143;
      const shown = follow(light);
      expect(shown[39]?.flags).toBe(0);
      for (const values of between(shown, 20.5, 21)) expect(values).toEqual({ ...unmeasured, flags: FLAG_SATURATED });
      expect(shown[43]?.flags).toBe(FLAG_SETTLING);
      expect(between(shown, 32, 38).every(({ flags }) => flags === 0)).toBe(true);
      expect(shown.at(-1)?.flags).toBe(FLAG_OFF_BODY);
    },
  );

  test("a burst of motion is flagged and shows no SpO2, nor an R from before it when it ends", () => {
    const light = join(finger({ ...normal, seconds: 30 }), finger({ ...normal, seconds: 30, ratio: 1.2 }));
    const burst = (time: number) => (time > 30 && time < 33 ? 0.05 * Math.sin(2 * Math.PI * 2.3 * time) : 0);
    for (let i = 0; i < light.red.length; i++) {
      light.red[i] = Math.round(light.red[i]! * (1 + burst(i / 100)));
      light.infrared[i] = Math.round(light.infrared[i]! * (1 + burst(i / 100)));
    }
    const shown = follow(light);
    const flagged = shown.filter(({ flags }) => (flags & FLAG_MOTION) !== 0);
    expect(flagged.length).toBeGreaterThan(3);
    for (const { spo2, ratio } of flagged) expect([spo2, ratio]).toEqual([null, null]);
    for (const { ratio } of between(shown, 33.5, 60)) if (ratio !== null) expect(ratio).toBeCloseTo(1.2, 1);
    for (const { flags, pulseRate } of between(shown, 46, 60)) {
      expect(flags).toBe(0);
      expect(pulseRate).toBeCloseTo(75, 0);
    }
  });

  test.each([15, 18, 25, 33, 45])(
    "a pulse of %i a minute, in some stretches twice and in some not, is no motion",
    (bpm) => {
      const shown = follow(finger({ ...normal, seconds: 90, pulseRate: bpm }));
      expect(between(shown, 25, 90).every(({ flags }) => flags === 0)).toBe(true);
    },
  );

  test("red and infrared that move against each other give no R", () => {
    const light = finger(normal);
    const against = { red: light.red.map((value) => 200_000 - value), infrared: light.infrared };
    expect(last(against)).toMatchObject({ spo2: null, ratio: null, flags: FLAG_SETTLING });
  });

  test("without a curve R is given and SpO2 is not, marked uncalibrated", () => {
    const shown = last(finger(normal), { curve: null });
    expect(shown).toMatchObject({ spo2: null, flags: FLAG_UNCALIBRATED });
    expect(shown.ratio).toBeCloseTo(0.7, 2);
  });

  test("an R that no blood has, as where red and infrared are swapped, gives no SpO2", () => {
    const shown = last(finger({ ...normal, ratio: 2.2 }));
    expect(shown).toMatchObject({ spo2: null, flags: FLAG_UNCALIBRATED });
    expect(shown.ratio).toBeCloseTo(2.2, 1);
  });

  test("any split into blocks gives identical results at every place where two splits meet", () => {
    const cases = RATES.map((rate) => {
      const light = finger({ ...normal, rate, seconds: 16, noise: 20, finger: (time) => time < 12 || time > 13 });
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

  test.each([25, 64, 400, Number.NaN])("refuses %f hz and says which rates there are", (rate) => {
    expect(() => createOximeter({ ...options, rate })).toThrow(`rate ${rate} hz is none of 50, 100, 200`);
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
    [50, 55],
    [100, 35],
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
