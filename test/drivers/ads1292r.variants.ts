/** Configurations of the ADS1292R in which the conformance tests run too. */
import type { Ads1292rConfiguration } from "../../drivers/ads1292r/chip.ts";

export const variants: Record<string, Partial<Ads1292rConfiguration>> = {
  "two leads, 500 hz": { channel1: "ecg", sampleRate: 500, gain1: 12, gain2: 1, rightLegDrive: "both" },
  "read continuously, 4000 hz": { sampleRate: 4000, continuous: true, reference: 4033 / 1000 },
  "one lead, continuously": { channel1: "off", sampleRate: 250, continuous: true, leadOff: 0, gain2: 8 },
};
