import { describe, expect, test } from "vitest";
import { readMeter } from "../../simulator/evaluate/spo2-meter.ts";
import { type FingerOptions, finger } from "../firmware/dsp/pulses.ts";
import { oximeterPeers } from "./ppg-oximeters.ts";
import { createRmsMeter } from "./ppg-rms.ts";

const limits = { offBodyBelow: 10_000, saturatedAbove: 262_143 };
const normal: FingerOptions = { rate: 100, seconds: 20, pulseRate: 75, ratio: 0.7, perfusionIndex: 2 };

describe.each(oximeterPeers)("$name", ({ factory, name }) => {
  const read = (more: Partial<FingerOptions>, spoil: (infrared: Int32Array) => void = () => {}) => {
    const options = { ...normal, ...more };
    const light = finger(options);
    spoil(light.infrared);
    return readMeter(factory, { rate: options.rate, ...light }, limits);
  };

  test.each([25, 30, 50, 100, 200, 400])("finds R of a clean pulse at %i hz within 0.02, from 4 s on", (rate) => {
    for (const ratio of [0.4, 0.7, 1.2]) {
      const shown = read({ rate, ratio });
      expect(shown.slice(0, 3)).toEqual([null, null, null]);
      for (const value of shown.slice(4)) expect(Math.abs(value! - ratio)).toBeLessThan(0.02);
    }
  });

  test("a straight drift of the light does not move it much", () => {
    for (const value of read({ baseline: (time) => time / 1000 }).slice(4))
      expect(Math.abs(value! - 0.7)).toBeLessThan(0.03);
  });

  test("without a finger, and where the light clips, there is none until 4 s after it", () => {
    const away = read({ finger: (time) => time < 10 || time >= 12 });
    expect(away.slice(4, 10).every((value) => value !== null)).toBe(true);
    expect(away.slice(10, 15)).toEqual([null, null, null, null, null]);
    expect(away[16]).toBeCloseTo(0.7, 1);
    const clipped = read({}, (infrared) => {
      infrared[1050] = 262_143;
    });
    expect(clipped.slice(10, 14)).toEqual([null, null, null, null]);
    expect(clipped[9]).not.toBeNull();
    expect(clipped[14]).not.toBeNull();
  });

  test("a light without a pulse has no R, or a rate too low is refused by value", () => {
    const still = new Int32Array(1000).fill(100_000);
    for (const value of readMeter(factory, { rate: 100, red: still, infrared: still }, limits))
      expect(value).toBeNull();
    expect(() => factory({ rate: 20, ...limits })).toThrow(`${name}: rate 20 hz is below 25`);
  });
});

test("the RMS ratio takes a straight drift off, however steep, but no wave", () => {
  const shown = (baseline: (time: number) => number) =>
    readMeter(createRmsMeter, { rate: 100, ...finger({ ...normal, baseline }) }, limits).slice(4);
  for (const ratio of shown((time) => time / 50)) expect(Math.abs(ratio! - 0.7)).toBeLessThan(0.05);
  for (const ratio of shown((time) => 0.02 * Math.sin(time * 1.6))) expect(ratio).toBeGreaterThan(0.9);
});
