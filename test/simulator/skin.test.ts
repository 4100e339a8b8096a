import { expect, test } from "vitest";
import { createRandom, createSkin, siteTemperatures } from "../../simulator/index.ts";

const random = createRandom(1);

test("the sensor warms from the room to the body with its time constant", () => {
  const at = createSkin({ equilibrium: 36.8, ambient: 22, timeConstant: 40, wander: 0, random });
  expect(at(0)).toBe(22);
  expect(at(40)).toBeCloseTo(22 + 14.8 * (1 - Math.exp(-1)), 9);
  expect(at(80)).toBeCloseTo(22 + 14.8 * (1 - Math.exp(-2)), 9);
  expect(at(1200)).toBeCloseTo(36.8, 9);
});

test("it stays at the room's temperature until it is put on", () => {
  const at = createSkin({ equilibrium: 34, contact: 60, random });
  expect([at(0), at(59.9), at(60)]).toEqual([23, 23, 23]);
  expect(at(61)).toBeGreaterThan(23.2);
});

test("once settled it wanders by the set standard deviation, slowly", () => {
  const at = createSkin({ equilibrium: 36.8, wander: 0.02, random });
  const seconds = Array.from({ length: 20_000 }, (_, i) => at(1000 + i));
  const mean = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
  const variance = seconds.reduce((sum, value) => sum + (value - mean) ** 2, 0) / seconds.length;
  expect(mean).toBeCloseTo(36.8, 2);
  expect(Math.sqrt(variance)).toBeGreaterThan(0.018);
  expect(Math.sqrt(variance)).toBeLessThan(0.022);
  const steps = seconds.slice(1).map((value, i) => Math.abs(value - seconds[i]!));
  expect(Math.max(...steps)).toBeLessThan(0.005);
});

test("each site settles between 33 and 37 Cel", () => {
  for (const equilibrium of Object.values(siteTemperatures)) {
    const settled = createSkin({ equilibrium, wander: 0, random })(3600);
    expect(settled).toBeGreaterThanOrEqual(33);
    expect(settled).toBeLessThanOrEqual(37);
  }
});

test("an option outside its range is named with its value", () => {
  expect(() => createSkin({ equilibrium: 98.6, random })).toThrow("equilibrium 98.6 is outside 20..45 Cel");
  expect(() => createSkin({ equilibrium: 36, timeConstant: 0, random })).toThrow("timeConstant 0");
  expect(() => createSkin({ equilibrium: Number.NaN, random })).toThrow("equilibrium NaN");
});
