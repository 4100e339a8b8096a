import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Calibration, createCalibration, saturationOf } from "../../../firmware/dsp/calibration.ts";
import { type CalibrationFit, type Form, fitCalibration, type Pair } from "../../../simulator/evaluate/calibrate.ts";
import { createRandom } from "../../../simulator/index.ts";

interface Taken {
  readonly count?: number;
  readonly from?: number;
  readonly to?: number;
  /** Standard deviation, points. */
  readonly noise?: number;
  readonly seed?: number;
  readonly subject?: (k: number) => string;
}

/** Pairs of a device whose truth is known, R evenly over a range. */
function take(truth: (ratio: number) => number, options: Taken = {}): Pair[] {
  const { count = 60, from = 0.45, to = 1.6, noise = 0, seed = 1, subject } = options;
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, k) => {
    const ratio = from + ((to - from) * k) / (count - 1);
    const spo2 = Math.min(100, truth(ratio) + noise * random.normal());
    return { ratio, spo2, ...(subject && { subject: subject(k) }) };
  });
}

const straight = (ratio: number) => 110 - 25 * ratio;
const bent = (ratio: number) => 106 - 11 * ratio - 9 * ratio * ratio;
const stepped = (ratio: number) =>
  ratio < 0.8 ? 100 - 5 * ratio : ratio < 1 ? 96 - 90 * (ratio - 0.8) : 78 - 18 * (ratio - 1);
const of = (fit: CalibrationFit, form: Form) => fit.fits.find((one) => one.form === form)!;
const calibrationOf = (fit: CalibrationFit): Calibration => createCalibration({ id: "found", ...fit.chosen.shape });

describe("fitting a calibration", () => {
  test("a line is found again, and chosen though a parabola fits it as well", () => {
    const fit = fitCalibration(take(straight));
    expect(fit.chosen.form).toBe("line");
    expect(fit.chosen.shape).toEqual({ curve: { square: 0, linear: -25, constant: 110 } });
    expect(fit.chosen.byPair).toEqual({ rms: 0, worst: 0 });
    expect(of(fit, "parabola").byPair?.rms).toBe(0);
    expect(fit).toMatchObject({ pairs: 60, subjects: 0, ratio: [0.45, 1.6], spo2: [70, 98.75] });
  });

  test("a parabola is found again and chosen where it is better on what it has not seen", () => {
    const fit = fitCalibration(take(bent, { noise: 0.3 }));
    expect(fit.chosen.form).toBe("parabola");
    for (const ratio of [0.45, 0.8, 1.2, 1.6])
      expect(Math.abs(saturationOf(ratio, calibrationOf(fit))! - bent(ratio))).toBeLessThan(0.3);
    expect(of(fit, "line").byPair!.rms).toBeGreaterThan(fit.chosen.byPair!.rms);
  });

  test("a table is chosen where neither can follow; it falls, and ends where all is shown as below 70", () => {
    const fit = fitCalibration(take(stepped, { count: 120, noise: 0.3 }));
    expect(fit.chosen.form).toBe("table");
    const calibration = calibrationOf(fit);
    expect(Math.abs(saturationOf(0.7, calibration)! - stepped(0.7))).toBeLessThan(1);
    expect(saturationOf(4, calibration)).toBeLessThan(70);
    expect(saturationOf(0.1, calibration)).toBeGreaterThan(95);
  });

  test("a table goes on below its lowest pair, and pools neighbours that do not fall", () => {
    const high = fitCalibration(take(stepped, { count: 120, noise: 0.2, to: 1.2 }));
    expect(high.spo2[0]).toBeGreaterThan(73);
    expect(high.chosen.form).toBe("table");
    expect(saturationOf(2, calibrationOf(high))).toBe(65);
    // it rises from R 0.9 to 1.1
    const bump = (ratio: number) =>
      ratio < 0.9 ? 120 - 30 * ratio : ratio < 1.1 ? 93 + 20 * (ratio - 0.9) : 97 - 60 * (ratio - 1.1);
    const { shape } = of(fitCalibration(take(bump, { count: 120 })), "table");
    if (shape === null || !("table" in shape)) throw new Error("no table");
    for (const [k, [ratio, spo2]] of shape.table.entries()) {
      if (k > 0) expect(ratio > shape.table[k - 1]![0] && spo2 < shape.table[k - 1]![1]).toBe(true);
    }
  });

  test("the chosen form is the simplest that none with more freedom beats by 3 % on what was left out", () => {
    const forms = new Set<Form>();
    let close = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { fits, chosen } = fitCalibration(
        take((ratio) => bent(ratio) / 3 + (straight(ratio) * 2) / 3, { seed, noise: 1.5 }),
      );
      let best = fits[0]!;
      for (const one of fits.slice(1)) {
        if (one.refused !== null) continue;
        if (one.byPair!.rms < best.byPair!.rms && one.byPair!.rms >= 0.97 * best.byPair!.rms) close++;
        if (one.byPair!.rms < 0.97 * best.byPair!.rms) best = one;
      }
      expect(chosen.form).toBe(best.form);
      forms.add(chosen.form);
    }
    expect(forms.size).toBeGreaterThan(1);
    expect(close).toBeGreaterThan(0);
  });

  test("what decides with several people is the error on people, not on pairs", () => {
    // each person has a piece of R and an offset: to pairs that looks like a curve with steps
    const offsets: Record<string, number> = { a: 0, b: -2, c: 0 };
    const pieces = take(straight, { count: 90, to: 1.5, noise: 1, subject: (k) => "abc"[Math.floor(k / 30)]! }).map(
      (pair) => ({ ...pair, spo2: Math.min(100, pair.spo2 + offsets[pair.subject!]!) }),
    );
    const alone = fitCalibration(pieces.map(({ ratio, spo2 }) => ({ ratio, spo2 })));
    expect(alone.chosen.form).toBe("table");
    expect(fitCalibration(pieces).chosen.form).toBe("parabola");
  });

  test("with noise, what was left out is further off than what was fitted, and both are about the noise", () => {
    const fit = fitCalibration(take(straight, { noise: 2, count: 40 }));
    for (const one of fit.fits) expect(one.byPair!.rms).toBeGreaterThan(one.fitted!.rms);
    expect(of(fit, "line").byPair!.rms).toBeGreaterThan(1.3);
    expect(of(fit, "line").byPair!.rms).toBeLessThan(2.7);
  });

  test("leaving a pair out is what it says", () => {
    const pairs = take(straight, { noise: 1, count: 12 });
    const errors = pairs.map((pair) => {
      const { linear, constant } = lineOf(pairs.filter((other) => other !== pair));
      return linear * pair.ratio + constant - pair.spo2;
    });
    const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    expect(of(fitCalibration(pairs), "line").byPair?.rms).toBeCloseTo(rms, 2);
  });

  test("where people differ, the error on people not seen is larger and decides", () => {
    const offsets: Record<string, number> = { a: -3, b: 0, c: 3 };
    const pairs = take(straight, { count: 90, noise: 0.2, subject: (k) => "abc"[k % 3]! }).map((pair) => ({
      ...pair,
      spo2: Math.min(100, pair.spo2 + offsets[pair.subject!]!),
    }));
    const fit = fitCalibration(pairs);
    expect(fit.subjects).toBe(3);
    for (const one of fit.fits) expect(one.bySubject!.rms).toBeGreaterThan(one.byPair!.rms);
    expect(fit.chosen.form).toBe("line");
  });

  test("a form for which too little remains without one person is refused, not judged by pairs", () => {
    const fit = fitCalibration(take(stepped, { count: 21, subject: (k) => "abc"[k % 3]! }));
    expect(of(fit, "table").byPair).not.toBeNull();
    expect(of(fit, "table").refused).toBe("what remains when some are left out is too little for it");
    expect(fit.chosen.form).not.toBe("table");
  });

  test("one person is no several: no error by subject", () => {
    expect(fitCalibration(take(straight, { subject: () => "a" })).chosen.bySubject).toBeNull();
  });

  test("tells what published curves make of the same pairs", () => {
    const { published } = fitCalibration(take(straight));
    expect(published.find(({ id }) => id === "line-110-25")?.rms).toBe(0);
    expect(published.find(({ id }) => id === "line-104-17")!.rms).toBeGreaterThan(2);
  });

  test("a form that may not be taken is refused with why, and another one is chosen", () => {
    // a parabola through these turns at 80 %
    const fit = fitCalibration(take((ratio) => 80 + 18 * (1.6 - ratio) ** 2, { noise: 0.1, from: 0.6, to: 1.6 }));
    expect(of(fit, "parabola").refused).toMatch(/the curve ends at 8\d.* % .*would show that for anything lower/);
    expect(fit.chosen.form).not.toBe("parabola");
    expect(of(fitCalibration(take(straight, { count: 12 })), "table").refused).toBe("12 pairs are too few for it");
  });

  test.each<[string, Pair[], RegExp]>([
    ["too few pairs", take(straight, { count: 9 }), /^9 pairs; at least 10 are needed/],
    ["too many", take(straight, { count: 2001 }), /^2001 pairs; at most 2000: average/],
    ["healthy people alone", take(straight, { from: 0.5, to: 0.75 }), /^SpO2 goes from 91.25 to 97.5 %: less than 8 %/],
    [
      "R that hardly moves",
      take((ratio) => 95 - 100 * (ratio - 0.5), { from: 0.5, to: 0.65 }),
      /^R goes from 0.5 to 0.65: less than 0.2/,
    ],
    ["SpO2 that rises", take((ratio) => 60 + 20 * ratio), /^SpO2 rises with R, by 20 points each.*swapped/],
    [
      "a line that never reaches 95 %",
      take((ratio) => 94 - 15 * ratio, { count: 15 }),
      /^no form may be taken: line: .*must reach 95 %/,
    ],
  ])("%s: refused", (_, pairs, message) => {
    expect(() => fitCalibration(pairs)).toThrow(message);
  });

  test("whatever falls, the chosen one is a calibration; the order of the pairs makes no difference", () => {
    const slope = fc.integer({ min: 15, max: 40 });
    const order = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(slope, fc.integer({ min: 0, max: 3 }), order, (fall, noise, seed) => {
        const pairs = take((ratio) => 108 - fall * (ratio - 0.2), { noise, seed, count: 30, to: 1.3 });
        const fit = fitCalibration(pairs);
        expect(createCalibration({ id: "any", ...fit.chosen.shape }).id).toBe("any");
        const random = createRandom(seed);
        const mixed = pairs.map((pair) => ({ pair, key: random.uniform() })).sort((a, b) => a.key - b.key);
        expect(fitCalibration(mixed.map(({ pair }) => pair)).chosen).toEqual(fit.chosen);
      }),
      { numRuns: 30 },
    );
  });
});

function lineOf(pairs: readonly Pair[]) {
  const n = pairs.length;
  const sum = (of: (pair: Pair) => number) => pairs.reduce((total, pair) => total + of(pair), 0);
  const [x, y] = [sum(({ ratio }) => ratio), sum(({ spo2 }) => spo2)];
  const linear = (n * sum(({ ratio, spo2 }) => ratio * spo2) - x * y) / (n * sum(({ ratio }) => ratio * ratio) - x * x);
  return { linear, constant: (y - linear * x) / n };
}
