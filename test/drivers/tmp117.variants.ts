/** Configurations of the TMP117 in which the conformance tests run once more. */
import type { Tmp117Configuration } from "../../drivers/tmp117/chip.ts";

export const variants: Record<string, Partial<Tmp117Configuration>> = {
  "64 hz without averaging": { sampleRate: 64, averaging: 1 },
  "64 averages": { averaging: 64 },
  "an offset": { averaging: 32, offset: -0.5 },
  "one-shot": { mode: "oneShot" },
  "one-shot, 8 hz without averaging": { mode: "oneShot", sampleRate: 8, averaging: 1 },
  "one-shot, limits": { mode: "oneShot", averaging: 1, sampleRate: 4, alert: { low: -60, high: 160 } },
  limits: { alert: { low: -60, high: 160 } },
};
