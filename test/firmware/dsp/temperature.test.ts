import fc from "fast-check";
import { expect, test } from "vitest";
import { FLAG_SATURATED, FLAG_SETTLING } from "../../../drivers/driver.ts";
import {
  createTemperatureFilter,
  type PredictedTemperature,
  type SmoothedTemperature,
  type TemperatureFilterOptions,
} from "../../../firmware/dsp/temperature.ts";
import { countStatements } from "../../../tools/count-statements.ts";

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

test.each([0.1, 1, 5, 16])(
  "at %f hz a sensor of 300 s is settled when it has less than 0.1 degrees to go, not before",
  (rate) => {
    const readings = Array.from({ length: 3600 * rate }, (_, k) => 34 - 11 * Math.exp(-k / rate / 300));
    const shown = filtered(readings, rate, 1 / 16);
    for (const { value, flags } of shown) if (flags === 0) expect(34 - value!).toBeLessThan(0.1);
    const at = shown.findIndex(({ flags }) => flags === 0) / rate;
    expect(at).toBeGreaterThan(300 * Math.log(11 / 0.1));
    expect(at).toBeLessThan(300 * Math.log(11 / 0.03));
    expect(shown.slice(at * rate).every(({ flags }) => flags === 0)).toBe(true);
  },
);

test("a sensor of 10 s put on after an hour in the room is settled within 150 s", () => {
  const readings = Array.from({ length: 3600 + 150 }, (_, k) => (k < 3600 ? 23 : 34 - 11 * Math.exp((3600 - k) / 10)));
  const shown = filtered(readings);
  expect(shown[3599]?.flags).toBe(0);
  for (let k = 3604; k < 3664; k++) expect(shown[k]?.flags).toBe(FLAG_SETTLING);
  expect(shown.at(-1)).toEqual({ value: expect.closeTo(34, 2), flags: 0 });
});

test("on a slow ramp a quick sensor is settled, one of 300 s that trails 0.12 degrees behind is not", () => {
  for (const [constant, flags] of [
    [30, 0],
    [300, FLAG_SETTLING],
  ] as const) {
    let sensor = 23;
    const readings = Array.from({ length: 3600 }, (_, k) => {
      sensor += (36 + (1.5 / 3600) * k - sensor) / constant;
      return sensor;
    });
    expect(
      filtered(readings, 1, 1 / 16)
        .slice(-900)
        .filter((shown) => shown.flags !== flags),
    ).toEqual([]);
  }
});

/** The last of what is shown, and predicted, of these readings. */
function lastOf(readings: readonly number[], options: Partial<TemperatureFilterOptions> = {}) {
  const filter = createTemperatureFilter({ rate: 1, tolerance: 1 / 16, ...options });
  const shown: SmoothedTemperature = { value: -1, flags: -1 };
  const predicted: PredictedTemperature = { value: -1, flags: -1 };
  for (const reading of readings) filter.push(reading);
  filter.read(shown);
  filter.predict(predicted);
  return { shown, predicted };
}

test("what the chip cannot mean is dropped: it moves nothing, and is flagged as long as it is the last", () => {
  const range = { minimum: -55, maximum: 150 };
  const steady = new Array(100).fill(36.5);
  for (const wrong of [-256, -55, 150, 151, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(lastOf([...steady, wrong, wrong], range).shown).toEqual({ value: 36.5, flags: FLAG_SATURATED });
    expect(lastOf([...steady, wrong, wrong, 36.5], range).shown).toEqual({ value: 36.5, flags: 0 });
  }
  expect(lastOf([...steady, 149, 149.9, 36.5], range).shown.flags).toBe(FLAG_SETTLING);
});

test("after three such readings there is no value, and nothing from before is shown when they end", () => {
  const range = { minimum: -55, maximum: 150 };
  const gone = [...new Array(100).fill(36.5), -256, -256, -256];
  expect(lastOf(gone, range).shown).toEqual({ value: null, flags: FLAG_SETTLING | FLAG_SATURATED });
  expect(lastOf([...gone, -256], range).shown.value).toBeNull();
  expect(lastOf([...gone, 34, 34], range).shown).toEqual({ value: null, flags: FLAG_SETTLING });
  expect(lastOf([...gone, 34, 34, 34], range).shown).toEqual({ value: 34, flags: FLAG_SETTLING });
});

test("a spike is not shown as settled while it is the last reading, and changes nothing after", () => {
  const steady = new Array(100).fill(36.5);
  expect(lastOf([...steady, 39]).shown).toEqual({ value: 36.5, flags: FLAG_SETTLING });
  expect(lastOf([...steady, 39, 36.5]).shown).toEqual({ value: 36.5, flags: 0 });
});

test("kelvin and degrees Celsius do alike", () => {
  const readings = warming(900, 60);
  const inCelsius = filtered(readings);
  for (const [k, shown] of filtered(readings.map((reading) => reading + 273.15)).entries()) {
    expect(shown.flags).toBe(inCelsius[k]?.flags);
    if (shown.value !== null) expect(shown.value - 273.15).toBeCloseTo(inCelsius[k]!.value!, 8);
  }
});

test.each([
  [30, 100, 0.1],
  [100, 100, 0.2],
  [300, 100, 0.5],
  [300, 200, 0.2],
])(
  "of a sensor of %i s, its rest is predicted after %i s within %f degrees, beside the value",
  (constant, after, limit) => {
    const { shown, predicted } = lastOf(warming(after, constant));
    expect(Math.abs(predicted.value! - 34)).toBeLessThan(limit);
    expect(predicted.flags).toBe(FLAG_SETTLING);
    expect(shown.value).toBeLessThan(34 - 11 * Math.exp(-after / constant));
    expect(shown.flags).toBe(FLAG_SETTLING);
  },
);

test("nothing is predicted of what moves evenly, ever faster or not at all, or has just turned back", () => {
  const line = (length: number, slope: number) => Array.from({ length }, (_, k) => 30 + slope * k);
  const cases = [
    new Array(300).fill(36),
    line(300, 0.02),
    line(300, 1).map((value) => (value - 30) ** 2 / 9000 + 25),
    [...warming(200, 60), ...new Array(20).fill(25)],
  ];
  for (const readings of cases) expect(lastOf(readings).predicted).toEqual({ value: null, flags: FLAG_SETTLING });
});

test("whatever comes, a null has a flag, a value lies among the readings, a prediction is always flagged", () => {
  const reading = fc.oneof(
    fc.integer({ min: 20, max: 44 }),
    fc.constantFrom(-256, -55, 150, Number.NaN, 36.5, 36.51, Number.NEGATIVE_INFINITY),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(0.1, 0.25, 1, 4, 16),
      fc.array(fc.tuple(reading, fc.integer({ min: 1, max: 200 })), { minLength: 1, maxLength: 12 }),
      (rate, parts) => {
        const filter = createTemperatureFilter({ rate, tolerance: 1 / 16, minimum: -55, maximum: 150 });
        const shown: SmoothedTemperature = { value: -1, flags: -1 };
        const predicted: PredictedTemperature = { value: -1, flags: -1 };
        for (const [value, times] of parts) {
          for (let k = 0; k < times; k++) {
            filter.push(value);
            filter.read(shown);
            filter.predict(predicted);
            if (shown.value === null) expect(shown.flags).not.toBe(0);
            else expect(shown.value >= 20 && shown.value <= 44).toBe(true);
            expect(predicted.flags).not.toBe(0);
            if (predicted.value !== null) expect(Number.isFinite(predicted.value)).toBe(true);
            if (!(value > -55 && value < 150)) expect(shown.flags & FLAG_SATURATED).not.toBe(0);
          }
        }
      },
    ),
  );
});

test("costs no more than 25 statements a reading", () => {
  const readings = warming(2000, 60);
  const { statements } = countStatements({
    entry: "firmware/dsp/temperature.ts",
    run: (dsp: { createTemperatureFilter: typeof createTemperatureFilter }) => {
      const filter = dsp.createTemperatureFilter({ rate: 1, tolerance: 1 / 16, minimum: -55, maximum: 150 });
      for (const reading of readings) filter.push(reading);
    },
  });
  expect(statements / readings.length).toBeLessThan(25);
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

test("refuses a range that is empty", () => {
  const create = () => createTemperatureFilter({ rate: 1, tolerance: 1, minimum: 50, maximum: 50 });
  expect(create).toThrow("minimum 50 is not below maximum 50");
});
