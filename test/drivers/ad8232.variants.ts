/** Configurations in which the conformance is run once more. */
import type { Ad8232Configuration } from "../../drivers/ad8232/chip.ts";

export const variants: Record<string, Partial<Ad8232Configuration>> = {
  "as slow as it goes": { sampleRate: 125, settling: 0 },
  "as fast as it goes": { sampleRate: 1000, settling: 500 },
};
