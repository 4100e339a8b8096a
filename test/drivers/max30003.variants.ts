/** Configurations of the MAX30003 in which the conformance tests run too. */
import type { Max30003Configuration } from "../../drivers/max30003/chip.ts";

export const variants: Record<string, Partial<Max30003Configuration>> = {
  "512 sps, gain 160": { sampleRate: 512, gain: 160 },
  "200 sps": { sampleRate: 200, fastRecovery: "off" },
  "128 sps, low-pass": { sampleRate: 128, lowPass: 28, highPass: true, leadOffThreshold: 500 },
  "leads not looked for": { leadOff: 0, leadBias: 0 },
  "R-to-R": { rrInterval: true },
  "waits for leads": { leadOn: 10, leadOffPullUp: "negative" },
};
