/**
 * MAX30102: what can be set (settings.ts), and the chip for who configures it; and what the MAX30101 shares. Device side,
 * for boards that take configurations; a board with a setup needs driver.ts alone.
 */
import { createChip } from "../chip.ts";
import type { Chip } from "../driver.ts";
import { createDriver } from "./driver.ts";
import * as reg from "./registers.ts";
import { selfTest } from "./selftest.ts";
import { setup } from "./settings.ts";

export type Max30102Configuration = reg.Max30102Configuration;

/** Both chips. `leds`: those that the model has, LED1 first. */
export const createLights = <C extends reg.Configuration>(
  model: string,
  leds: readonly string[],
  defaults: C,
): Chip<C> =>
  createChip({
    chip: { model: model, bus: "i2c", addresses: [reg.ADDRESS], defaults: defaults },
    setup: (configuration: C, wiring) => setup(model, leds, configuration, wiring),
    createDriver: createDriver,
    selfTest: selfTest,
  });

/** The MAX30102 (also MAX30101 and MAX30105 with their red and infrared LEDs). */
export const chip: Chip<Max30102Configuration> = /* @__PURE__ */ createLights("MAX30102", reg.LEDS.slice(0, 2), {
  sampleRate: 100,
  averaging: 1,
  pulseWidth: 411,
  adcRange: 8192,
  ledCurrent: { red: 31 / 5, infrared: 31 / 5 },
});
