/** Configurations in which the conformance runs too. */
import type { Max30102Configuration } from "../../drivers/max30102/chip.ts";

export const variants: Record<string, Partial<Max30102Configuration>> = {
  "averages of 4": { averaging: 4 },
  "18 bits at 400 hz": { sampleRate: 400 },
  "69 us at 1600 hz": { pulseWidth: 69, sampleRate: 1600 },
  "one slot": { slots: ["infrared"] },
  "four slots": { slots: ["red", "infrared", "infrared", "red"], sampleRate: 200 },
  "die temperature": { dieTemperature: true },
  "die temperature with an interrupt for every sample": { dieTemperature: 1, interruptOn: "sample", sampleRate: 50 },
  "interrupt for every sample": { interruptOn: "sample" },
  "ambient overflow": { ambientOverflow: true },
};
