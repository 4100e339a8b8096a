import { expect, test } from "vitest";
import { FLAG_SETTLING } from "../../../drivers/driver.ts";
import { createTemperatureFilter, type SmoothedTemperature } from "../../../firmware/dsp/temperature.ts";

/** What is shown after each reading. */
function filtered(readings: readonly number[], rate = 1, tolerance = 0.05): SmoothedTemperature[] {
  const filter = createTemperatureFilter({ rate, tolerance });
  return readings.map((reading) => {
    const shown: SmoothedTemperature = { value: -1, flags: -1 };
    filter.push(reading);
    filter.read(shown);
    return shown;
  });
}

/** Readings of a sensor of 23 degrees put on a skin of 34, one a second. */
const warming = (seconds: number, constant: number) =>
  Array.from({ length: seconds }, (_, time) => 34 - 11 * Math.exp(-time / constant));

test("before the third reading there is no temperature", () => {
  const shown = filtered([33, 33, 33]);
  expect(shown.slice(0, 2)).toEqual([
    { value: null, flags: FLAG_SETTLING },
    { value: null, flags: FLAG_SETTLING },
  ]);
  expect(shown[2]?.value).toBe(33);
});

test("a single wrong reading, however wrong, leaves no trace", () => {
  for (const wrong of [-256, 0, 125, 1e9]) {
    const readings = new Array(100).fill(36.5);
    readings[40] = wrong;
    for (const { value } of filtered(readings).slice(2)) expect(value).toBeCloseTo(36.5, 12);
  }
});

test.each([30, 120, 300])(
  "while a sensor with a time constant of %i s warms up it settles, and is never ahead of it",
  (constant) => {
    const readings = warming(6 * constant + 500, constant);
    const shown = filtered(readings);
    shown.forEach(({ value, flags }, time) => {
      if (value !== null) expect(value).toBeLessThanOrEqual(readings[time]!);
      if (flags === 0) expect(34 - value!).toBeLessThan(0.05 * (1 + constant / 56) + 0.01);
    });
    expect(shown[63]?.flags).toBe(FLAG_SETTLING);
    expect(shown.findIndex(({ flags }) => flags === 0)).toBeGreaterThan(2 * constant);
    expect(shown.at(-1)).toEqual({ value: expect.closeTo(34, 1), flags: 0 });
  },
);

test("a constant temperature is settled after 64 s, at any rate of readings", () => {
  for (const rate of [0.25, 1, 4]) {
    const shown = filtered(new Array(100 * rate).fill(37), rate);
    expect(shown.findIndex(({ flags }) => flags === 0)).toBe(64 * rate - 1);
  }
});

test("what was settled and moves again is settling again", () => {
  const shown = filtered([...new Array(100).fill(34), ...new Array(20).fill(36)]);
  expect(shown[99]?.flags).toBe(0);
  expect(shown[110]?.flags).toBe(FLAG_SETTLING);
});

test("noise of 0.02 degrees is averaged down and does not unsettle", () => {
  const readings = Array.from({ length: 400 }, (_, k) => 36 + 0.02 * Math.sin(k * 1.7) + 0.02 * Math.sin(k * 2.9));
  for (const { value, flags } of filtered(readings).slice(100)) {
    expect(Math.abs(value! - 36)).toBeLessThan(0.01);
    expect(flags).toBe(0);
  }
});

test("after a reset nothing from before is left", () => {
  const filter = createTemperatureFilter({ rate: 1, tolerance: 0.05 });
  const shown: SmoothedTemperature = { value: -1, flags: -1 };
  for (let k = 0; k < 100; k++) filter.push(20);
  filter.reset();
  filter.push(37);
  filter.push(37);
  filter.read(shown);
  expect(shown).toEqual({ value: null, flags: FLAG_SETTLING });
  filter.push(37);
  filter.read(shown);
  expect(shown).toEqual({ value: 37, flags: FLAG_SETTLING });
});

test.each([
  [0, 0.05, "rate 0"],
  [-1, 0.05, "rate -1"],
  [Number.NaN, 0.05, "rate NaN"],
  [1, 0, "tolerance 0"],
])("refuses a rate of %f hz with a tolerance of %f", (rate, tolerance, message) => {
  expect(() => createTemperatureFilter({ rate, tolerance })).toThrow(message);
});
