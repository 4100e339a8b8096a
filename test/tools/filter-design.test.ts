import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { projectRoot } from "../../tools/files.ts";
import {
  decimators,
  designDecimator,
  designFollower,
  designLowPass,
  designMainsAverage,
  designSection,
  differences,
  RATES,
  render,
  SECTION_SCALE,
  TAP_SCALE,
} from "../../tools/filter-design.ts";

test("firmware/dsp/designs.ts is as the program writes it", () => {
  expect(differences(readFileSync(`${projectRoot}/firmware/dsp/designs.ts`, "utf8"))).toEqual([]);
});

test("says which line is not, what it should be, and how it becomes so", () => {
  const text = render();
  const changed = text.replace("TAP_SCALE = 65536", "TAP_SCALE = 65535");
  expect(differences(changed)).toEqual([
    expect.stringMatching(/designs\.ts:\d+ has ".*65535;", not ".*65536;": run .*filter-design\.ts --write$/),
  ]);
  expect(differences(`${text}\n`)).toHaveLength(1);
  expect(differences("").length).toBeGreaterThan(50);
});

test("low-pass taps are integers that add up to their denominator, and none is left out that counts", () => {
  const halves = [...decimators.map(designDecimator), ...RATES.map(designLowPass)];
  for (const half of halves) {
    expect(half.every(Number.isInteger)).toBe(true);
    const ends = half.slice(0, -1).reduce((a, b) => a + b, 0);
    expect(2 * ends + half.at(-1)!).toBe(TAP_SCALE);
    expect(half[0]).not.toBe(0);
    // Sums of 32-bit samples stay exact (firmware/dsp/fir.ts).
    const magnitude = 2 * half.slice(0, -1).reduce((a, b) => a + Math.abs(b), 0) + half.at(-1)!;
    expect(magnitude).toBeLessThan(2 * TAP_SCALE);
  }
});

test("sections are stable, with their phase turned by half a circle at their frequency", () => {
  for (const rate of RATES) {
    for (const hz of [40, 50, 60]) {
      const [c1, c2] = designSection(rate, hz, 10).map((c) => c / SECTION_SCALE) as [number, number];
      expect(c2).toBeLessThan(1);
      expect(Math.abs(c1)).toBeLessThan(1 + c2);
      expect(-c1 / (1 + c2)).toBeCloseTo(Math.cos((2 * Math.PI * hz) / rate), 8);
    }
  }
});

test("windows of a mains period are symmetrical and add up to their denominator; followers follow by their share", () => {
  for (const rate of RATES) {
    for (const mains of [50, 60]) {
      const taps = designMainsAverage(rate, mains);
      expect(taps.every(Number.isInteger)).toBe(true);
      expect(taps).toEqual(taps.toReversed());
      expect(taps.reduce((a, b) => a + b, 0)).toBe(TAP_SCALE);
    }
    expect(designFollower(rate, 0.05) / SECTION_SCALE).toBeCloseTo((2 * Math.PI * 0.05) / rate, 5);
  }
});
