/**
 * MAX30101 pulse oximeter: red, infrared and green light. The MAX30102's driver with a third LED; README.md tells what
 * is the same and what is not. Device side.
 */
import type { Chip } from "../driver.ts";
import { createChip } from "../max30102/driver.ts";
import { LEDS } from "../max30102/registers.ts";
import type { Max30101Configuration } from "./registers.ts";

export type { Max30101Configuration } from "./registers.ts";

/** The MAX30101, and the MAX30105, which has the same registers. */
export const chip: Chip<Max30101Configuration> = createChip<Max30101Configuration>("MAX30101", LEDS, {
  sampleRate: 100,
  averaging: 1,
  pulseWidth: 411,
  adcRange: 8192,
  ledCurrent: { red: 31 / 5, infrared: 31 / 5, green: 31 / 5 },
});
