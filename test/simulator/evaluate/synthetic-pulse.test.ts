import { expect, test } from "vitest";
import { drawPulse, pulseTimes } from "../../../simulator/evaluate/synthetic-pulse.ts";
import { createRandom } from "../../../simulator/random.ts";

const draw = (more: Partial<Parameters<typeof drawPulse>[0]> = {}) =>
  drawPulse({
    rate: 100,
    seconds: 10,
    beats: pulseTimes(10, () => 60),
    perfusionIndex: () => 2,
    random: createRandom(3),
    ...more,
  });

test("a pulse of 2 % moves the light by 2 % of 120000 counts, downwards from its onset on", () => {
  const light = draw();
  expect(light).toHaveLength(1000);
  expect(Math.max(...light)).toBeGreaterThan(119_000);
  expect((Math.max(...light) - Math.min(...light)) / 120_000).toBeCloseTo(0.02, 2);
  const beat = light.subarray(500, 600);
  expect(Math.abs(beat.indexOf(Math.min(...beat)) - 17)).toBeLessThan(4);
});

test("baseline and noise are added as told, and the same seed draws the same", () => {
  const flat = { perfusionIndex: () => 0, noise: 20 };
  const light = draw(flat);
  const mean = light.reduce((sum, value) => sum + value, 0) / light.length;
  const spread = Math.sqrt(light.reduce((sum, value) => sum + (value - mean) ** 2, 0) / light.length);
  expect([Math.round(mean / 10), Math.abs(spread - 20) < 2]).toEqual([12_000, true]);
  expect(draw(flat)).toEqual(light);
  expect(draw({ perfusionIndex: () => 0, baseline: (time) => time / 100 })[500]).toBe(126_000);
});

test("the times follow a rate that changes", () => {
  const times = pulseTimes(10, (time) => (time < 5 ? 60 : 120));
  expect(times[0]).toBe(-2);
  expect(times.filter((time) => time >= 0 && time < 5)).toHaveLength(5);
  expect(times.filter((time) => time >= 5 && time < 10)).toHaveLength(10);
});
