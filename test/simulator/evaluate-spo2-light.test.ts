import { describe, expect, test } from "vitest";
import { chip } from "../../drivers/max30102/chip.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import {
  converterNoise,
  convertLight,
  createFinger,
  HIGHEST_CODE,
  type Spo2Condition,
  type SyntheticFinger,
  spo2Conditions,
} from "../../simulator/evaluate/spo2-light.ts";

const conditions = Object.keys(spo2Conditions) as Spo2Condition[];
const fingerOf = (more: Partial<SyntheticFinger>): SyntheticFinger => ({
  condition: "quiet",
  spo2: 85,
  perfusionIndex: 0.5,
  pulseRate: 75,
  seed: 3,
  seconds: 20,
  ...more,
});
const light = (more: Partial<SyntheticFinger> = {}) => {
  const finger = fingerOf(more);
  return convertLight(createFinger(finger), finger.seconds, converterNoise(finger));
};

/** What the driver decodes from the emulated chip, noise and all. */
function throughChip(finger: SyntheticFinger) {
  const ppg = createFinger(finger);
  const bench = createBench(chip, emulated, { noise: converterNoise(finger) });
  bench.emulator.set("red", (_, sinceStart) => ppg.red(sinceStart, sinceStart));
  bench.emulator.set("infrared", (_, sinceStart) => ppg.infrared(sinceStart, sinceStart));
  const read: Record<string, number[]> = { red: [], infrared: [] };
  bench.run(bench.driver.open());
  while (read.infrared!.length < finger.seconds * chip.defaults.sampleRate) {
    bench.wait(100);
    const { channels } = bench.run(bench.driver.poll());
    for (const [at, { name }] of bench.driver.channels().entries()) {
      const block = channels[at]!;
      expect(block.lost).toBe(0);
      read[name]?.push(...block.samples.subarray(0, block.count));
    }
  }
  return read;
}

describe("light of a synthetic finger as a MAX30102 gives it", () => {
  test.each(conditions)("%s: is what the driver decodes from the emulated chip, code for code", (condition) => {
    const finger = fingerOf({ condition });
    const { red, infrared } = light({ condition });
    const decoded = throughChip(finger);
    expect(decoded.red!.slice(0, red.length)).toEqual([...red]);
    expect(decoded.infrared!.slice(0, infrared.length)).toEqual([...infrared]);
  });

  test("lies in the converter's range with its DC in the middle, and has the chip's noise: about 4.6 codes", () => {
    const { red, infrared } = light({ perfusionIndex: 0 });
    for (const samples of [red, infrared]) {
      const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
      const deviation = Math.sqrt(samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples.length);
      expect(deviation).toBeGreaterThan(4);
      expect(deviation).toBeLessThan(5.2);
      expect(mean / HIGHEST_CODE).toBeGreaterThan(0.4);
      expect(mean / HIGHEST_CODE).toBeLessThan(0.6);
    }
  });

  test("the same finger gives the same light; each of its numbers makes another one", () => {
    const { infrared } = light();
    expect(light().infrared).toEqual(infrared);
    const others = [{ seed: 4 }, { perfusionIndex: 0.4 }, { spo2: 84 }, { pulseRate: 76 }];
    for (const more of [...others, ...conditions.slice(1).map((condition) => ({ condition }))])
      expect(light(more).infrared).not.toEqual(infrared);
  });

  test("at every perfusion the motion is the same, in parts of the pulse", () => {
    const motion = (perfusionIndex: number) =>
      createFinger(fingerOf({ condition: "motion bursts", perfusionIndex, seconds: 90 })).artefacts;
    expect(motion(2).truth).toEqual(motion(0.1).truth);
    const [high, low] = [motion(2), motion(0.1)];
    const middle = (high.truth[0]!.from + high.truth[0]!.to) / 2;
    expect((high.red(middle, 1) - 1) / 20).toBeCloseTo(low.red(middle, 1) - 1, 12);
  });
});
