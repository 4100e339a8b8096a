/** The ADS1292R driver with its emulator on a bench, opened, and read edge by edge. */
import { expect } from "vitest";
import { type Ads1292rConfiguration, chip } from "../../drivers/ads1292r/chip.ts";
import { emulated } from "../../drivers/ads1292r/emulator.ts";
import type { Chip } from "../../drivers/driver.ts";
import { type BenchOptions, createBench } from "../../simulator/bench.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

/** The same chip on boards that drive none of its pins, or one. */
export const withPins = (...pins: string[]): Chip<Ads1292rConfiguration> => ({ ...chip, pins });

export function open(options: BenchOptions<Ads1292rConfiguration> = {}, pins = ["reset", "start"]) {
  const bench = createBench(withPins(...pins), emulated, options);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  bench.run(bench.driver.open());
  expect(bench.frame.faults).toEqual([]);
  return { bench, streams };
}
export type Bench = ReturnType<typeof open>["bench"];

/** Until the next edge, then a poll. */
export function follow({ clock, edges, driver, run }: Bench) {
  while (edges.count === 0 && clock.step());
  return run(driver.poll());
}
