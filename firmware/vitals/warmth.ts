/** Whether a thermometer still moves. Device side. */
import type { Channel } from "../../drivers/driver.ts";
import { createTemperatureFilter, type SmoothedTemperature } from "../dsp/temperature.ts";
import type { Source } from "./source.ts";

/** Degrees Celsius between the fast and the slow mean that count as settled. */
const SETTLED = 1 / 16;

export function createWarmth(temperature: Channel, place: number): Source {
  let scale = temperature.mul;
  for (let i = temperature.exp10; i < 0; i++) scale /= 10;
  const filter = createTemperatureFilter({ rate: temperature.rate, tolerance: SETTLED });
  const smoothed: SmoothedTemperature = { value: null, flags: 0 };
  return {
    kinds: [],
    take(channel, block) {
      if (channel !== place) return 0;
      for (let i = 0; i < block.count; i++) filter.push((block.samples[i] + temperature.offset) * scale);
      filter.read(smoothed);
      return smoothed.flags;
    },
    interrupted(channel) {
      if (channel === place) filter.reset();
    },
    read() {},
  };
}
