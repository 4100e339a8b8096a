/** MAX30101: its defaults and LEDs; checks and registers are the MAX30102's. Device side. */
import type { Chip } from "../driver.ts";
import { createLights } from "../max30102/chip.ts";
import { LEDS } from "../max30102/registers.ts";
import type { Max30101Configuration } from "./registers.ts";

export type { Max30101Configuration } from "./registers.ts";

/** The MAX30101, and the MAX30105, which has the same registers. */
export const chip: Chip<Max30101Configuration> = createLights<Max30101Configuration>("MAX30101", LEDS, {
  sampleRate: 100,
  averaging: 1,
  pulseWidth: 411,
  adcRange: 8192,
  ledCurrent: { red: 31 / 5, infrared: 31 / 5, green: 31 / 5 },
});
