import { describe, expect, test } from "vitest";
import { FLAG_MOTION } from "../../../drivers/driver.ts";
import {
  converterNoise,
  convertLight,
  createFinger,
  type SyntheticFinger,
} from "../../../simulator/evaluate/spo2-light.ts";
import { between, follow, normal } from "./oximeter.ts";
import { finger, join } from "./pulses.ts";

type SteadyFinger = SyntheticFinger & { readonly spo2: number };

describe("motion of an oximeter", () => {
  test("a burst of motion is flagged; R is that from before it, at most 8 s old, or that from after it, never of both", () => {
    const light = join(finger({ ...normal, seconds: 30 }), finger({ ...normal, seconds: 30, ratio: 1.2 }));
    const burst = (time: number) => (time > 30 && time < 33 ? 0.05 * Math.sin(2 * Math.PI * 2.3 * time) : 0);
    for (let i = 0; i < light.red.length; i++) {
      light.red[i] = Math.round(light.red[i]! * (1 + burst(i / 100)));
      light.infrared[i] = Math.round(light.infrared[i]! * (1 + burst(i / 100)));
    }
    const shown = follow(light);
    expect(between(shown, 32, 33).every(({ flags }) => (flags & FLAG_MOTION) !== 0)).toBe(true);
    for (const [i, { ratio }] of between(shown, 30, 60).entries()) {
      if (ratio !== null && i < 16 && ratio < 1) expect(ratio).toBeCloseTo(0.7, 2);
      else if (ratio !== null) expect(ratio).toBeCloseTo(1.2, 2);
    }
    expect(between(shown, 36.5, 60).every(({ ratio }) => ratio !== null && ratio > 1)).toBe(true);
    for (const { flags, pulseRate } of between(shown, 40, 60)) {
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

  /** Root mean square error of SpO2 by the reference design's curve, points; shown, percent; longest blank, s: from 15 s on. */
  const score = (fingers: readonly SteadyFinger[]) => {
    let [squares, count, all, blank, longest] = [0, 0, 0, 0, 0];
    for (const one of fingers) {
      const light = convertLight(createFinger(one), one.seconds, converterNoise(one));
      blank = 0;
      for (const [i, shown] of follow(light, { rate: 100, saturatedAbove: 262_143 }).entries()) {
        const time = (i + 1) / 2;
        if (time < 15) continue;
        all++;
        blank = shown.spo2 === null ? blank + 1 / 2 : 0;
        longest = Math.max(longest, blank);
        if (shown.spo2 === null) continue;
        squares += (shown.spo2 - one.spo2) ** 2;
        count++;
      }
    }
    return { rms: Math.sqrt(squares / count), shown: (100 * count) / all, longest };
  };

  test.each([
    [2, 0.1],
    [0.2, 0.6],
  ])(
    "bursts of motion at a perfusion of %f percent cost no more than %f points where shown, and 85 percent is",
    (perfusionIndex, limit) => {
      const fingers = [75, 90, 97].flatMap((spo2) =>
        [60, 75, 96].map((pulseRate): SteadyFinger => {
          return { condition: "motion bursts", spo2, perfusionIndex, pulseRate, seed: 11, seconds: 120 };
        }),
      );
      const { rms, shown, longest } = score(fingers);
      expect(rms).toBeLessThan(limit);
      expect(shown).toBeGreaterThan(85);
      expect(longest).toBeLessThan(10);
    },
  );

  test("motion of half a minute is taken for no pulse, and the pulse is back within 6 s", () => {
    for (const pulseRate of [60, 90]) {
      const artefacts = [{ kind: "motion", from: 30, to: 60, amplitude: 2 }] as const;
      const one: SyntheticFinger = {
        condition: "quiet",
        spo2: 95,
        perfusionIndex: 2,
        pulseRate,
        seed: 5,
        seconds: 80,
        artefacts,
      };
      const shown = follow(convertLight(createFinger(one), 80, converterNoise(one)));
      for (const { spo2 } of shown.slice(30)) if (spo2 !== null) expect(spo2).toBeCloseTo(95, 0);
      expect(between(shown, 40, 59).every(({ flags }) => (flags & FLAG_MOTION) !== 0)).toBe(true);
      expect(between(shown, 66, 80).every(({ spo2 }) => spo2 !== null)).toBe(true);
    }
  });

  test.each([2, 0.5, 0.2])(
    "a fall from 97 to 82 in a minute is shown all the time at a perfusion of %f percent, 5 s late at most",
    (perfusionIndex) => {
      const course = (time: number) => Math.min(97, Math.max(82, 97 - (time - 30) / 4));
      for (const pulseRate of [60, 96]) {
        const one: SyntheticFinger = {
          condition: "respiration",
          spo2: course,
          perfusionIndex,
          pulseRate,
          seed: 3,
          seconds: 110,
        };
        const fall = follow(convertLight(createFinger(one), 110, converterNoise(one)));
        for (const [i, { spo2, flags }] of fall.entries()) {
          const time = (i + 1) / 2;
          if (time < 15) continue;
          expect(flags & FLAG_MOTION).toBe(0);
          expect(spo2).not.toBeNull();
          // noise of three standard deviations besides
          const noise = 0.2 / perfusionIndex + 0.1;
          expect(spo2!).toBeLessThan(course(time - 5) + noise);
          expect(spo2!).toBeGreaterThan(course(time) - noise);
        }
      }
    },
  );

  test("a fall from 97 to 70 % in 20 s and the return in 10 s are no motion", () => {
    const course = (time: number) =>
      time < 50 ? Math.min(97, Math.max(70, 97 - ((time - 30) * 27) / 20)) : Math.min(97, 70 + (time - 50) * 2.7);
    const one: SyntheticFinger = {
      condition: "respiration",
      spo2: course,
      perfusionIndex: 1,
      pulseRate: 80,
      seed: 4,
      seconds: 80,
    };
    const shown = follow(convertLight(createFinger(one), 80, converterNoise(one)));
    for (const { spo2 } of between(shown, 15, 80)) expect(spo2).not.toBeNull();
    expect(Math.min(...between(shown, 45, 58).map(({ spo2 }) => spo2!))).toBeLessThan(76);
    expect(shown.at(-1)!.spo2).toBeCloseTo(97, 0);
  });
});
