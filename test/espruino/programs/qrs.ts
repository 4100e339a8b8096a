/** Finds the humps of a signal at every step, and beats at some rates. Device dialect. */
import { createHumps } from "../../../firmware/dsp/humps.ts";
import { createQrsDetector } from "../../../firmware/dsp/qrs.ts";
import { nativeVectors } from "../../../firmware/dsp/vectors.ts";
import { bits } from "./text.ts";

export interface Input {
  /** Counts for the humps: at each step as they are. */
  readonly samples: readonly number[];
  /** Rates, hz, and counts of 1/8 uV at each. */
  readonly rates: readonly number[];
  readonly ecgs: readonly (readonly number[])[];
  /** Lengths of the blocks, in turn. */
  readonly blocks: readonly number[];
}

export function program(print: (line: string) => void, input: Input): void {
  print(`native ${nativeVectors() !== null}`);
  const feed = (samples: Int32Array, push: (samples: Int32Array, count: number) => void): void => {
    for (let at = 0, turn = 0; at < samples.length; turn++) {
      const count = Math.min(input.blocks[turn % input.blocks.length], samples.length - at);
      push(samples.subarray(at, at + count), count);
      at += count;
    }
  };
  const all = new Int32Array(input.samples);
  const findHumps = (step: number): void => {
    const humps = createHumps(
      125 * step,
      step,
      (hump, now) => {
        let told = `hump ${step} ${now}`;
        for (let i = 0; i < hump.length; i++) told += ` ${bits(hump[i])}`;
        print(told);
        return now + 30;
      },
      (now) => {
        print(`due ${step} ${now}`);
        return now + 70;
      },
    );
    feed(all, humps.push);
  };
  const findBeats = (rate: number, samples: Int32Array): void => {
    const detector = createQrsDetector(rate, 1 / 8, (index, emittedAt) =>
      print(`beat ${rate} ${bits(index)} ${bits(emittedAt)}`),
    );
    feed(samples, detector.push);
    print(`noise ${rate} ${bits(detector.noiseRatio())}`);
  };
  for (let step = 1; step <= 4; step++) findHumps(step);
  for (let i = 0; i < input.rates.length; i++) findBeats(input.rates[i], new Int32Array(input.ecgs[i]));
}
