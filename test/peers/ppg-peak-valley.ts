/**
 * Peak over valley: the rules of the program that Maxim published with its reference design MAXREFDES117 (RD117, 2016), which
 * most libraries for the MAX30102 carry. Windows of 4 s at 25 hz, once a second:
 *
 *   infrared, mean taken off, turned over, mean of 4 samples; its peaks above 30 counts that are more than 4 samples from a
 *   higher one are the valleys of the light
 *   between two valleys: AC is how far the light's maximum lies above the line through them, DC is that maximum
 *   R = (AC_red / DC_red) / (AC_infrared / DC_infrared), the median of the first five, if within 0.02 .. 1.84
 *
 * The program counts R in hundredths; here it is not rounded.
 */
import type { Spo2MeterFactory } from "../../simulator/evaluate/spo2-meter.ts";
import { type LightWindow, windowed } from "./ppg-window.ts";

const SMOOTH = 4;
/** Samples. */
const APART = 4;
/** Counts. */
const THRESHOLD = 30;
const MOST_RATIOS = 5;
const LOWEST = 0.02;
const HIGHEST = 1.84;

/** Places of the valleys, rising. */
function valleysOf({ infrared }: LightWindow): number[] {
  const mean = infrared.reduce((sum, value) => sum + value, 0) / infrared.length;
  const turned = Array.from({ length: infrared.length - SMOOTH + 1 }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < SMOOTH; i++) sum += mean - infrared[k + i]!;
    return sum / SMOOTH;
  });
  const peaks: number[] = [];
  for (let k = 1; k < turned.length - 1; k++) {
    if (turned[k]! > THRESHOLD && turned[k]! > turned[k - 1]! && turned[k]! >= turned[k + 1]!) peaks.push(k);
  }
  const kept: number[] = [];
  for (const peak of peaks.sort((a, b) => turned[b]! - turned[a]!)) {
    if (kept.every((other) => Math.abs(other - peak) > APART)) kept.push(peak);
  }
  return kept.sort((a, b) => a - b);
}

/** AC over DC between two valleys. */
function height(light: Float64Array, from: number, to: number): number {
  let top = from;
  for (let k = from; k < to; k++) if (light[k]! > light[top]!) top = k;
  const line = light[from]! + ((light[to]! - light[from]!) * (top - from)) / (to - from);
  return (light[top]! - line) / light[top]!;
}

/** See Spo2MeterFactory. */
export const createPeakValleyMeter: Spo2MeterFactory = windowed("peak-valley", (window) => {
  const valleys = valleysOf(window);
  const ratios: number[] = [];
  for (let k = 1; k < valleys.length && ratios.length < MOST_RATIOS; k++) {
    const [from, to] = [valleys[k - 1]!, valleys[k]!];
    const infrared = height(window.infrared, from, to);
    if (infrared > 0) ratios.push(height(window.red, from, to) / infrared);
  }
  if (ratios.length === 0) return null;
  ratios.sort((a, b) => a - b);
  const middle = ratios.length >> 1;
  const ratio = ratios.length % 2 === 1 ? ratios[middle]! : (ratios[middle - 1]! + ratios[middle]!) / 2;
  return ratio > LOWEST && ratio < HIGHEST ? ratio : null;
});
