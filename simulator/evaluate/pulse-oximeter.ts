/** What the oximeter that ships shows as pulse rate of one light, second by second: all of its gates, its averaging, its silence. */
import { createOximeter } from "../../firmware/dsp/ppg.ts";
import { DC_COUNTS, type PulseRecording } from "./bidmc.ts";
import type { TimedRate } from "./pulse-rates.ts";

/** Counts: a recording's light (bidmc.ts) is never near them. */
const OFF_BODY = DC_COUNTS / 10;
const SATURATED = 2 ** 18 - 1;

export function oximeterSeconds({ rate, light }: Pick<PulseRecording, "rate" | "light">): TimedRate[] {
  const seconds: TimedRate[] = [];
  const oximeter = createOximeter({ rate, calibration: null, offBodyBelow: OFF_BODY, saturatedAbove: SATURATED });
  for (let time = 1, pushed = 0; Math.round(time * rate) <= light.length; time++) {
    const block = light.subarray(pushed, Math.round(time * rate));
    oximeter.push(null, block, block.length);
    pushed += block.length;
    seconds.push({ time, pulse: oximeter.result.pulseRate });
  }
  return seconds;
}
