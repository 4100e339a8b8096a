/** What to say of an oximeter whose red and infrared are taken for each other, as on some clones. Device side. */
import type { Driver } from "../drivers/driver.ts";

interface Settings {
  readonly swapLeds?: boolean;
}

/**
 * A sentence that fits an event (64 bytes for a model of 8), with the line of the configuration that mends it; where the chip
 * has no such line, with what does. `recreate`: as SensorPlan.recreate; absent: the chip is taken to have it.
 */
export function swappedWords(driver: Driver, recreate?: (configuration: unknown) => Driver): string {
  const settings = (driver.configuration ?? {}) as Settings;
  const swap = settings.swapLeds !== true;
  const next = Object.assign({}, settings, { swapLeds: swap });
  // another order of the LEDs is another record; who does not know the line takes it for no change at all
  const has = recreate === undefined || recreate(settings).reconfigure(next) === null;
  const mend = has ? `set swapLeds: ${swap}` : "exchange their wires";
  return `${driver.model}: red and infrared are swapped; ${mend}`;
}
