/** SpO2 by calibrations, and what is refused as one. Device dialect. */
import {
  type Calibration,
  createCalibration,
  isPublished,
  PUBLISHED,
  saturationOf,
} from "../../../firmware/dsp/calibration.ts";
import { bits } from "./text.ts";

export function program(print: (line: string) => void, given: readonly Calibration[]): void {
  for (let i = 0; i < given.length; i++) {
    try {
      print(`taken ${createCalibration(given[i]).id}`);
    } catch (error) {
      print((error as Error).message);
    }
  }
  const all = PUBLISHED.concat(given);
  for (let i = 0; i < all.length; i++) {
    print(`${all[i].id} ${isPublished(all[i])}`);
    for (let ratio = 0; ratio <= 64; ratio++) {
      const value = saturationOf(ratio / 16, all[i]);
      print(value === null ? "null" : bits(value));
    }
  }
}
