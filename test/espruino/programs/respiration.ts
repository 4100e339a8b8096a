/** Feeds beats to the respiration meter and tells what it shows. Device dialect. */
import { createRespirationMeter } from "../../../firmware/dsp/respiration.ts";
import { bits } from "./text.ts";

/** Each [time of a beat in ms, height, brightness]. */
export type Beats = readonly (readonly number[])[];

export function program(print: (line: string) => void, beats: Beats): void {
  const meter = createRespirationMeter(1000);
  const rate: { value: number | null; flags: number } = { value: null, flags: 0 };
  let next = 0;
  for (let now = 1000; next < beats.length; now += 1000) {
    for (; next < beats.length && beats[next][0] <= now; next++) {
      meter.beat(beats[next][0], beats[next][1], beats[next][2]);
    }
    meter.read(now, rate);
    print(`${rate.value === null ? "null" : bits(rate.value)} ${rate.flags}`);
  }
}
