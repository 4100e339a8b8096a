/** Configurations of the MAX30205 in which the conformance tests run once more. "continuous" loses by design: max30205-faults.test.ts. */
import type { Max30205Configuration } from "../../drivers/max30205/chip.ts";

export const variants: Record<string, Partial<Max30205Configuration>> = {
  "extended format": { extended: true },
  "10 hz": { sampleRate: 10 },
  "limits that are never reached, OS active high": {
    sampleRate: 1 / 10,
    alert: { low: 60, high: 61 },
    faultQueue: 6,
    activeHigh: true,
    busTimeout: false,
  },
};
