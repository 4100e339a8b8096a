/** AD8232 steps played by hand: the expected operations, and what a board would have sampled. */
import { expect } from "vitest";
import { type Ad8232Configuration, chip } from "../../drivers/ad8232/chip.ts";
import type { BusError, Converter, Frame, Op, Outcome, Sampled, Step } from "../../drivers/driver.ts";

export const CONVERTER: Converter = { bits: 12, reference: 3.3 };
export const ON: Op = { pin: "shutdown", level: 1 };
export const OFF: Op = { pin: "shutdown", level: 0 };
export const STOP: Op = { sample: 0 };

export interface Turn {
  readonly ops: readonly Op[];
  readonly pause?: number;
  readonly sampled?: Sampled;
  readonly fails?: boolean;
}

/** What a board sampled from `at` us on, at 250 hz. */
export function samples(codes: readonly number[], at = 0, rest: Partial<Sampled> = {}): Sampled {
  return {
    samples: Int32Array.from(codes),
    count: codes.length,
    firstAt: at,
    lastAt: at + (codes.length - 1) * 4000,
    uncertainty: 0,
    lost: 0,
    inputs: 0,
    ...rest,
  };
}

/** So many times the same code. */
export const flat = (code: number, count: number) => new Array<number>(count).fill(code);

const ERROR: BusError = { kind: "timeout", op: 0, message: "AD8232: pin shutdown: no answer in time" };

/** Runs a chain against its script; what is left over on either side fails. */
export function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  let step: Step | null = first;
  for (const { ops, pause, sampled, fails } of script) {
    expect(step, "another step").not.toBeNull();
    expect(step!.ops).toEqual(ops);
    expect(step!.pause).toBe(pause);
    const outcome: Outcome = {
      replies: [],
      error: fails ? ERROR : null,
      began: 0,
      ended: 0,
      edges: 0,
      edgeAt: 0,
      inputs: 0,
      ...(sampled && { sampled }),
    };
    step = step!.next?.(outcome, frame) ?? null;
  }
  expect(step).toBeNull();
  return frame;
}

/** Both lead-off pins wired, SDN not: open in two steps, with the baseline at code 2048. */
export const WIRED = { converter: CONVERTER, inputs: ["LO+", "LO-"] };
export const LOOK = 32;
export const opening = (sampled: Sampled): Turn[] => [
  { ops: [{ sample: 250 }], pause: LOOK },
  { ops: [], sampled },
];

export function create(
  configuration: Partial<Ad8232Configuration> = {},
  wiring: Parameters<typeof chip.create>[1] = WIRED,
) {
  const driver = chip.create(configuration, wiring);
  const frame = driver.createFrame();
  const clear = () => {
    frame.faults.length = 0;
    frame.measurements.length = 0;
    frame.restart = false;
    const [block] = frame.channels;
    block.count = block.lost = block.flags = 0;
  };
  return { driver, frame, block: frame.channels[0], clear };
}

/** Open, with one sample kept from the opening: the baseline at -4000 us. `settling` 0 unless it is asked for. */
export function opened(
  configuration: Partial<Ad8232Configuration> = {},
  wiring: Parameters<typeof chip.create>[1] = WIRED,
) {
  const all = create({ settling: 0, ...configuration }, wiring);
  play(all.driver.open(), all.frame, opening(samples([-all.driver.channels()[0].offset], -4000)));
  play(all.driver.poll(), all.frame, [{ ops: [], sampled: samples([]) }]);
  all.clear();
  const poll = (sampled: Sampled) => {
    all.clear();
    return play(all.driver.poll(), all.frame, [{ ops: [], sampled }]).channels[0];
  };
  return { ...all, poll };
}
