/** One emulated chip and its driver on a simulated board, for tools that measure. Virtual time. */
import type { SimulatedBoard } from "../boards/simulated.ts";
import type { Chip, Driver, Frame, Step } from "../drivers/driver.ts";
import type { EmulatedChip } from "../drivers/emulator.ts";
import { createBench } from "../simulator/bench.ts";

export interface ChipBench {
  readonly driver: Driver;
  readonly frame: Frame;
  readonly board: SimulatedBoard;
  /** Runs a chain of steps to its end. Throws Error where it has none within a virtual minute. */
  run(step: Step): Frame;
  /** Until a data-ready edge where that line is wired, for `ms` at most. */
  wait(ms: number): void;
  /** For `ms`, whatever comes. */
  sleep(ms: number): void;
  /** The power fails and comes again. */
  cutPower(): void;
}

/** Whether its data-ready line is wired: both, where that makes a difference. */
export function wirings(chip: Chip<unknown>): boolean[] {
  if (chip.needsInterrupt) return [true];
  return chip.bus === "analog" ? [false] : [false, true];
}

/** Every input swings over most of its range, another value at every sample, none of them at a rail. */
export function createChipBench(
  chip: Chip<unknown>,
  emulated: EmulatedChip,
  interrupt: boolean,
  configuration: object = {},
): ChipBench {
  const bench = createBench(chip, emulated, { interrupt, configuration });
  const { board, clock, driver, edges, emulator, frame, run, wait } = bench;
  for (const [name, { channel, minimum, maximum }] of Object.entries(emulator.inputs)) {
    if (channel === undefined) continue;
    emulator.set(name, (time) => minimum + (maximum - minimum) * (1 / 2 + 0.4 * Math.sin(time * 997)));
  }
  return {
    driver: driver as Driver,
    frame,
    board,
    run,
    wait(ms) {
      const until = clock.now + ms * 1000;
      while (edges.count === 0 && clock.nextAt <= until) clock.step();
      if (edges.count === 0) clock.runUntil(until);
    },
    sleep: wait,
    cutPower: () => emulator.powerOn(clock.now),
  };
}
