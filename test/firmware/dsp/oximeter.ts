/** An oximeter at work on synthetic light, for its tests. */
import { expect } from "vitest";
import { FLAG_SETTLING } from "../../../drivers/driver.ts";
import { createOximeter, type OximeterOptions, type Oximetry } from "../../../firmware/dsp/ppg.ts";
import type { FingerOptions, Light } from "./pulses.ts";

/** Maxim reference design MAXREFDES117. */
export const curve = { square: -45.06, linear: 30.354, constant: 94.845 };
export const options: OximeterOptions = {
  rate: 100,
  calibration: { id: "reference", curve },
  offBodyBelow: 10_000,
  saturatedAbove: 262_143,
};
export const RATES = [50, 100, 200] as const;

export const normal: FingerOptions = { rate: 100, seconds: 40, pulseRate: 75, ratio: 0.7, perfusionIndex: 1 };
export const unmeasured = { pulseRate: null, spo2: null, perfusionIndex: null, ratio: null };
/** Nothing at all is shown, with these flags. */
export const blank = (flags: number) => ({
  ...unmeasured,
  flags,
  pulseFlags: flags,
  quality: flags === FLAG_SETTLING ? expect.toSatisfy((quality) => quality === null || quality === 0) : null,
  swapped: false,
});

/** What is shown every `every` samples (half a second), and at the end. */
export function follow(light: Light, more: Partial<OximeterOptions> = {}): Oximetry[] {
  const oximeter = createOximeter({ ...options, ...more });
  const every = Math.floor((more.rate ?? 100) / 2);
  const shown: Oximetry[] = [];
  for (let at = 0; at < light.red.length; at += every) {
    const count = Math.min(every, light.red.length - at);
    oximeter.push(light.red.subarray(at), light.infrared.subarray(at), count);
    shown.push({ ...oximeter.result });
  }
  return shown;
}

/** The shown values from one time to another, s. */
export const between = (shown: readonly Oximetry[], from: number, to: number) => shown.slice(from * 2, to * 2);
export const last = (light: Light, more: Partial<OximeterOptions> = {}) => follow(light, more).at(-1)!;
