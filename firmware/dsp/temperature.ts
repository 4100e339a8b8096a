/** A thermometer's readings without spikes, and whether they still move. */
import { FLAG_SETTLING } from "../../drivers/driver.ts";

/** In the unit of what was pushed; null, with the flag settling, before the third reading. */
export interface SmoothedTemperature {
  value: number | null;
  /** Settling: the value is what the sensor has now, but it still moves. */
  flags: number;
}

export interface TemperatureFilter {
  push(reading: number): void;
  /** Filled in place. */
  read(temperature: SmoothedTemperature): void;
  reset(): void;
}

/** Time constants of the mean that is shown and of the one it is held against, s. */
const FAST = 8;
const SLOW = 64;

/**
 * Median of 3, then an exponential mean of 8 s. A second mean, of 64 s, follows behind: settled is what has been read for
 * 64 s with the two no further apart than `tolerance`. On a steady ramp they are 56 s of it apart, so a tolerance of
 * 0.05 degrees means less than 0.054 degrees a minute. Nothing is predicted: the value is never ahead of the sensor.
 * `rate`: readings a second, hz. Throws Error where rate or tolerance is not above 0.
 */
export function createTemperatureFilter(options: {
  readonly rate: number;
  readonly tolerance: number;
}): TemperatureFilter {
  const rate = options.rate;
  const tolerance = options.tolerance;
  if (!(rate > 0)) throw new Error(`temperature: rate ${rate} hz is not above 0`);
  if (!(tolerance > 0)) throw new Error(`temperature: tolerance ${tolerance} is not above 0`);
  const fastShare = Math.min(1, 1 / (FAST * rate));
  const slowShare = Math.min(1, 1 / (SLOW * rate));
  let first = 0;
  let second = 0;
  let fast = 0;
  let slow = 0;
  let count = 0;

  const reset = (): void => {
    count = 0;
  };

  return {
    push: (third) => {
      count++;
      if (count > 2) {
        const middle = Math.max(Math.min(first, second), Math.min(Math.max(first, second), third));
        if (count === 3) fast = slow = middle;
        fast += (middle - fast) * fastShare;
        slow += (middle - slow) * slowShare;
      }
      first = second;
      second = third;
    },
    read: (temperature) => {
      const settled = count > 2 && count >= SLOW * rate && Math.abs(fast - slow) <= tolerance;
      temperature.value = count > 2 ? fast : null;
      temperature.flags = settled ? 0 : FLAG_SETTLING;
    },
    reset,
  };
}
