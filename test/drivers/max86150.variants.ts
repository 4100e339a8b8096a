/** Configurations of the MAX86150 in which the conformance tests run too. */
import type { Max86150Configuration } from "../../drivers/max86150/chip.ts";

export const variants: Record<string, Partial<Max86150Configuration>> = {
  "ecg alone, fast and wide": { channels: ["ecg"], sampleRate: 1600, gain: 5, tuning: false },
  "light alone, averaged": {
    channels: ["red", "infrared"],
    sampleRate: 400,
    averaging: 8,
    pulseWidth: 200,
    ledCurrent: { red: 80, infrared: 20.2 },
    adcRange: 32768,
  },
  "infrared and ecg": { channels: ["ecg", "infrared"], sampleRate: 800, pulseWidth: 50, gain: 400 },
};
