import { describe, expect, test } from "vitest";
import { FLAG_MOTION } from "../../../drivers/driver.ts";
import { between, follow, normal } from "./oximeter.ts";
import { finger, join } from "./pulses.ts";

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
});
