/** Pushes samples through every filter and tells what comes out. Device dialect. */
import { createAverage, createMainsAverage } from "../../../firmware/dsp/average.ts";
import { createDecimator } from "../../../firmware/dsp/decimate.ts";
import { DECIMATED, RATES } from "../../../firmware/dsp/designs.ts";
import { createFir } from "../../../firmware/dsp/fir.ts";
import { createHighPass, createStHighPass } from "../../../firmware/dsp/highpass.ts";
import { createLowPass } from "../../../firmware/dsp/lowpass.ts";
import { createAutomaticNotch, createNotch } from "../../../firmware/dsp/notch.ts";
import { createSpikeFilter } from "../../../firmware/dsp/spikes.ts";
import { nativeVectors } from "../../../firmware/dsp/vectors.ts";

export interface Input {
  readonly samples: readonly number[];
  /** Lengths of the blocks, in turn. */
  readonly blocks: readonly number[];
}

type Push = (samples: Int32Array, count: number, out: Int32Array) => number;

export function program(print: (line: string) => void, input: Input): void {
  print(`native ${nativeVectors() !== null}`);
  const all = new Int32Array(input.samples);
  const run = (name: string, push: Push): void => {
    let told = name;
    for (let at = 0, turn = 0; at < all.length; turn++) {
      const count = Math.min(input.blocks[turn % input.blocks.length], all.length - at);
      const block = new Int32Array(all.subarray(at, at + count));
      const written = push(block, count, block);
      for (let i = 0; i < written; i++) told += ` ${block[i]}`;
      at += count;
    }
    print(told);
  };
  for (let i = 0; i < DECIMATED.length; i++) {
    run(`decimator ${DECIMATED[i]}`, createDecimator(DECIMATED[i]).push);
  }
  for (let i = 0; i < RATES.length; i++) {
    const rate = RATES[i];
    run(`low-pass ${rate}`, createLowPass(rate).push);
    run(`high-pass ${rate}`, createHighPass(rate).push);
    run(`ST ${rate}`, createStHighPass(rate).push);
    run(`notch ${rate}`, createNotch(rate, 50).push);
    run(`mains average ${rate}`, createMainsAverage(rate, 60).push);
    run(`spikes ${rate}`, createSpikeFilter(rate, 2).push);
  }
  const notch = createAutomaticNotch(125, 1);
  run("automatic notch", notch.push);
  print(`mains ${notch.mains()}`);
  run("average", createAverage(250, 36).push);
  const coarse = createFir({ name: "coarse", taps: [1, -4, 3, 5, -9, -9, 5, 3, -4, 1], scale: 8 * 8, factor: 7 });
  run("fir", coarse.push);
  coarse.reset();
  run("again", coarse.push);
  try {
    createDecimator(125);
  } catch (error) {
    print((error as Error).message);
  }
}
