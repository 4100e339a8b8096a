import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { max30102 } from "../../../drivers/index.ts";
import {
  type Calibration,
  type CalibrationTable,
  createCalibration,
  isPublished,
  LOWEST_SPO2,
  PUBLISHED,
  publishedCalibration,
  saturationOf,
} from "../../../firmware/dsp/calibration.ts";
import * as oximetry from "../../../firmware/dsp/oximetry.ts";
import { createVitals } from "../../../firmware/vitals.ts";
import { claimText } from "../../../gateway/dashboard/scales.ts";
import { MDC_SPO2 } from "../../../protocol/messages.ts";

const line = { square: 0, linear: -25, constant: 111 };
const table: CalibrationTable = [
  [0.4, 100],
  [1, 85],
  [2, 60],
];

describe("a table", () => {
  test("gives a straight line from pair to pair, and its ends beyond them", () => {
    const calibration: Calibration = createCalibration({ id: "a", table });
    for (const [ratio, expected] of [
      [0, 100],
      [0.4, 100],
      [0.7, 92.5],
      [1, 85],
      [1.5, 72.5],
      [2, 60],
      [9, 60],
    ] as const) {
      expect(saturationOf(ratio, calibration)).toBeCloseTo(expected, 12);
    }
  });

  test("of any pairs that are taken never rises with R and stays within its ends", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 })), {
      minLength: 1,
      maxLength: 15,
    });
    const ratio = fc.integer({ min: 0, max: 500 }).map((value) => value / 100);
    fc.assert(
      fc.property(steps, ratio, ratio, (all, a, b) => {
        let [r, spo2] = [0.2, 99];
        const pairs: [number, number][] = [[r, spo2]];
        for (const [up, down] of all) {
          r += up / 100;
          spo2 -= down;
          pairs.push([r, spo2]);
        }
        fc.pre(spo2 >= 0 && spo2 < 70);
        const calibration = createCalibration({ id: "any", table: pairs });
        const high = saturationOf(Math.min(a, b), calibration)!;
        const low = saturationOf(Math.max(a, b), calibration)!;
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(spo2);
        expect(high).toBeLessThanOrEqual(99);
      }),
    );
  });
});

describe("a device's own calibration", () => {
  test("gives what its curve gives, clamped where that turns", () => {
    const curve = { square: -45, linear: 30, constant: 95 };
    const calibration = createCalibration({ id: "finger-07", curve });
    expect(saturationOf(1, calibration)).toBe(80);
    expect(saturationOf(0.1, calibration)).toBe(100);
    expect(saturationOf(3, calibration)).toBeNull();
    expect(oximetry.spo2Of(1, curve)).toBe(80);
    expect(isPublished(calibration)).toBe(false);
  });

  test.each(["", "Finger", "a b", "ä", "x".repeat(33), "a_b", "a\n"])("is refused with the id %j", (id) => {
    expect(() => createCalibration({ id, curve: line })).toThrow(/an id is 1 to 32 of a-z, 0-9 and "-"/);
  });

  test.each(["a", "x".repeat(32), "0-9-z"])("is taken with the id %s", (id) => {
    expect(createCalibration({ id, curve: line }).id).toBe(id);
  });

  test("may not have a published curve's name", () => {
    for (const { id } of PUBLISHED) expect(() => createCalibration({ id, curve: line })).toThrow(/published curve/);
  });

  test.each([
    [{ ...line, linear: Number.NaN }, /curve 0, NaN, 111: give three numbers/],
    [{ ...line, constant: Number.POSITIVE_INFINITY }, /Infinity: give three numbers/],
    [{ square: 0, linear: 2, constant: 90 }, /linear 2 makes SpO2 rise with R/],
    [{ square: 0, linear: 0, constant: 90 }, /linear 0 makes SpO2 rise with R/],
    [{ square: 0, linear: -25, constant: 90 }, /the curve is 87.5 % at its highest.*it must reach 95 %/],
    [{ square: 0, linear: -25, constant: -1 }, /below 0/],
    // turns at R 1, 80 %: everything lower would be shown as 80
    [{ square: 20, linear: -40, constant: 100 }, /the curve ends at 80 %.*would show that for anything lower/],
    [{ square: 0, linear: -5, constant: 100 }, /ends at 80 %/],
    // rises for every R above 0
    [{ square: 20, linear: 40, constant: 120 }, /the curve ends at 100 %/],
  ])("is refused with the curve %j", (curve, message) => {
    expect(() => createCalibration({ id: "a", curve })).toThrow(message);
  });

  test.each<[CalibrationTable, RegExp]>([
    [[[0.4, 99]], /2 to 16 pairs of R and SpO2, not 1/],
    [Array.from({ length: 17 }, (_, i) => [0.4 + i / 10, 100 - 3 * i] as const), /not 17/],
    [[[0.05, 99], ...table], /pair 1: R 0.05 is outside 0.1..4/],
    [[...table, [4.5, 50]], /pair 4: R 4.5 is outside/],
    [[[Number.NaN, 99], ...table], /pair 1: R NaN/],
    [[[0.2, 101], ...table], /pair 1: SpO2 101 is outside 0..100/],
    [[table[0]!, [0.4, 80], table[2]!], /pair 2: R 0.4 is not above 0.4 before it/],
    [[table[0]!, [1, 100], table[2]!], /pair 2: SpO2 100 is not below 100 before it/],
    [table.slice(1), /begins at 85 %; it must begin at 95 % or more/],
    [table.slice(0, 2), /ends at 85 % and would show that for anything lower/],
  ])("is refused with the table %j", (pairs, message) => {
    expect(() => createCalibration({ id: "a", table: pairs })).toThrow(message);
  });
});

describe("published curves", () => {
  test.each([
    ["maxim-reference-design", 1, 80.139],
    ["maxim-an6845", 1, 79.6260559],
    ["line-104-17", 1, 87],
    ["line-110-25", 1, 85],
  ])("%s is there by name and marked so", (id, ratio, expected) => {
    const calibration = publishedCalibration(id)!;
    expect(saturationOf(ratio, calibration)).toBeCloseTo(expected, 7);
    expect(isPublished(calibration)).toBe(true);
  });

  test("others are not there", () => {
    expect(publishedCalibration("finger-07")).toBeNull();
  });
});

test.each([
  [100, "100"],
  [97.5, "98"],
  [70, "70"],
  [69.9, "< 70"],
  [12, "< 70"],
])("an SpO2 of %f is shown as %s", (percent, text) => {
  expect(LOWEST_SPO2).toBe(70);
  const channels = max30102.create({}, {}).channels();
  const definition = createVitals([{ channels }])
    .definitions(0)
    .find(({ mdc }) => mdc === MDC_SPO2)!;
  expect(claimText(definition, Math.round(percent * 10), 0)).toBe(text);
});
