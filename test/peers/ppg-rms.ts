/**
 * Ratio of root mean squares: AC is the standard deviation of the light in a window of 4 s, its straight-line trend taken off,
 * DC its mean; R = (AC_red / DC_red) / (AC_infrared / DC_infrared), once a second. Without the trend taken off it is worse
 * wherever the light drifts.
 */
import type { Spo2MeterFactory } from "../../simulator/evaluate/spo2-meter.ts";
import { windowed } from "./ppg-window.ts";

function height(light: Float64Array): number {
  const middle = (light.length - 1) / 2;
  const mean = light.reduce((sum, value) => sum + value, 0) / light.length;
  let [along, times] = [0, 0];
  for (let k = 0; k < light.length; k++) {
    along += (light[k]! - mean) * (k - middle);
    times += (k - middle) ** 2;
  }
  let squares = 0;
  for (let k = 0; k < light.length; k++) squares += (light[k]! - mean - (along / times) * (k - middle)) ** 2;
  return Math.sqrt(squares / light.length) / mean;
}

/** See Spo2MeterFactory. */
export const createRmsMeter: Spo2MeterFactory = windowed("RMS ratio", ({ red, infrared }) => {
  const below = height(infrared);
  return below > 0 ? height(red) / below : null;
});
