/** Configurations in which the conformance runs too. */
import type { Max30101Configuration } from "../../drivers/max30101/chip.ts";

export const variants: Record<string, Partial<Max30101Configuration>> = {
  "averages of 4": { averaging: 4, slots: ["green", "red"] },
  "18 bits at 400 hz": { sampleRate: 400 },
  "69 us at 1600 hz": { pulseWidth: 69, sampleRate: 1600 },
  "green alone": { slots: ["green"] },
  "three slots": { slots: ["red", "infrared", "green"] },
  "four slots": { slots: ["green", "red", "infrared", "green"], sampleRate: 200 },
  "die temperature": { dieTemperature: true, slots: ["red", "infrared", "green"] },
  "interrupt for every sample": { interruptOn: "sample", slots: ["red", "infrared", "green"] },
};
