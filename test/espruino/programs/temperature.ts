/** A thermometer's readings through the filter, with what it predicts. Device dialect. */
import { createTemperatureFilter } from "../../../firmware/dsp/temperature.ts";
import { temperatureOf } from "../../../firmware/sites.ts";
import { bits } from "./text.ts";

export interface Readings {
  /** hz */
  readonly rate: number;
  /** Steps of 1/128 degree; what is outside -55 to 150 degrees is none. */
  readonly steps: readonly number[];
  /** Body sites. */
  readonly sites: readonly string[];
}

export function program(print: (line: string) => void, given: Readings): void {
  const filter = createTemperatureFilter({ rate: given.rate, tolerance: 1 / 16, minimum: -55, maximum: 150 });
  const shown: { value: number | null; flags: number } = { value: null, flags: 0 };
  const predicted: { value: number | null; flags: number } = { value: null, flags: 0 };
  for (let i = 0; i < given.steps.length; i++) {
    filter.push(given.steps[i] / 128);
    filter.read(shown);
    filter.predict(predicted);
    const value = shown.value === null ? "null" : bits(shown.value);
    print(`${value} ${shown.flags} ${predicted.value === null ? "null" : bits(predicted.value)} ${predicted.flags}`);
  }
  for (let i = 0; i < given.sites.length; i++) {
    const temperature = temperatureOf(given.sites[i]);
    print(`${given.sites[i]} ${temperature.mdc} ${temperature.kind}`);
  }
}
