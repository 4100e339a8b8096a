/** A temperature without spikes, of the body or of the skin as the site has it, and whether it still moves. Device side. */
import { type Channel, FLAG_BUS_FAULT, FLAG_TEST_SIGNAL } from "../../drivers/driver.ts";
import { createTemperatureFilter, SETTLED_WITHIN, type SmoothedTemperature } from "../dsp/temperature.ts";
import { temperatureOf } from "../sites.ts";
import { MICROSECONDS, SILENCE, type Source } from "./source.ts";

/** 0 Cel in K. */
const KELVIN = 27315 / 100;
/** Readings that may be missing before there is no temperature any more. */
const MISSING = 3;

/**
 * `temperature`: the sensor's channel at `place`, in Cel or K. The chip's own readings are sent as they are, with the flags
 * of the mean; the vital is the mean, in Cel, and null where no reading has come for 3 s and three readings' time.
 * A prediction (dsp/temperature.ts) is never part of it.
 */
export function createTemperature(temperature: Channel, place: number, site: string | undefined): Source {
  let scale = temperature.mul;
  for (let i = temperature.exp10; i < 0; i++) scale /= 10;
  const physical = (raw: number): number => (raw + temperature.offset) * scale;
  const filter = createTemperatureFilter({
    rate: temperature.rate,
    tolerance: SETTLED_WITHIN,
    minimum: physical(temperature.minimum),
    maximum: physical(temperature.maximum),
  });
  const zero = temperature.unit === "K" ? KELVIN : 0;
  const silence = Math.max(SILENCE, (MISSING * MICROSECONDS) / temperature.rate);
  const smoothed: SmoothedTemperature = { value: null, flags: 0 };
  const kind = { mdc: temperatureOf(site).mdc, ucum: "Cel", exp10: -2, scale: 100, bits: 16 };
  /** Board time of the last reading, us. */
  let heard = 0;
  let barred = 0;
  return {
    kinds: [site === undefined ? kind : Object.assign(kind, { site })],
    take(channel, block) {
      if (channel !== place) return;
      if (block.count > 0) {
        if (heard > 0 && block.time - heard > silence) filter.reset();
        heard = block.time + ((block.count - 1) * MICROSECONDS) / temperature.rate;
        const was = barred;
        barred = block.flags & FLAG_TEST_SIGNAL;
        if (was !== barred) filter.reset();
      }
      for (let i = 0; i < block.count; i++) filter.push(physical(block.samples[i]));
    },
    flags(channel) {
      if (channel !== place) return 0;
      filter.read(smoothed);
      return smoothed.flags;
    },
    quality: () => null,
    interrupted(channel, why) {
      if (channel !== place) return;
      filter.reset();
      barred = why;
    },
    read(now, emit) {
      filter.read(smoothed);
      const why = barred | (now - heard > silence ? FLAG_BUS_FAULT : 0);
      if (why !== 0 || smoothed.value === null) emit(0, null, why === 0 ? smoothed.flags : why, null, null);
      else emit(0, smoothed.value - zero, smoothed.flags, null, null);
    },
  };
}
