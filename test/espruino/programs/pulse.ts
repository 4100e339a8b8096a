/** Finds the pulses of lights at some rates, and how far they can be trusted. Device dialect. */
import { createPulseDetector } from "../../../firmware/dsp/pulse.ts";
import { createPulseQualityMeter } from "../../../firmware/dsp/pulse-quality.ts";
import { bits } from "./text.ts";

export interface Input {
  /** hz, and counts at each. */
  readonly rates: readonly number[];
  readonly lights: readonly (readonly number[])[];
  /** Lengths of the blocks, in turn. */
  readonly blocks: readonly number[];
}

export function program(print: (line: string) => void, input: Input): void {
  const find = (rate: number, light: Int32Array): void => {
    const quality = createPulseQualityMeter(rate);
    quality.begin(0);
    const detector = createPulseDetector(rate, (index, emittedAt, height) => {
      quality.beat(index, height);
      print(`beat ${rate} ${bits(index)} ${emittedAt} ${bits(height)}`);
    });
    let second = rate;
    for (let at = 0, turn = 0; at < light.length; turn++) {
      const count = Math.min(input.blocks[turn % input.blocks.length], light.length - at);
      detector.push(light.subarray(at, at + count), count);
      at += count;
      if (at < second) continue;
      print(`quality ${rate} ${at} ${quality.read(at)}`);
      second += rate;
    }
  };
  for (let i = 0; i < input.rates.length; i++) find(input.rates[i], new Int32Array(input.lights[i]));
}
