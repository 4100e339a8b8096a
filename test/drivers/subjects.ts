/** Every chip of drivers/ that has a chip.ts and an emulator.ts, and what tests do with any of them. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Channel, Chip } from "../../drivers/driver.ts";
import type { EmulatedChip, Input } from "../../drivers/emulator.ts";
import { type AnyEmulator, type Bench, type BenchOptions, createBench } from "../../simulator/bench.ts";
import { followStreams } from "./streams.ts";

/** Folder of the drivers. */
export const drivers = fileURLToPath(new URL("../../drivers", import.meta.url));
/** Folders that hold a driver and its emulator. */
export const names = readdirSync(drivers).filter((name) =>
  ["chip.ts", "emulator.ts"].every((file) => existsSync(`${drivers}/${name}/${file}`)),
);

export interface Subject {
  /** Of its folder; with a variant's name behind it. */
  readonly name: string;
  readonly folder: string;
  readonly chip: Chip<unknown>;
  readonly emulated: EmulatedChip;
}

/** Chips in their defaults, and in the configurations that CHIP.variants.ts beside this file names. */
export const subjects: Subject[] = [];
for (const folder of names) {
  const { chip } = (await import(`../../drivers/${folder}/chip.ts`)) as { chip: Chip<unknown> };
  const { emulated } = (await import(`../../drivers/${folder}/emulator.ts`)) as { emulated: EmulatedChip };
  subjects.push({ name: folder, folder, chip, emulated });
  const file = new URL(`${folder}.variants.ts`, import.meta.url);
  if (!existsSync(file)) continue;
  const { variants } = (await import(file.href)) as { variants: Record<string, object> };
  for (const [name, configuration] of Object.entries(variants))
    subjects.push({ name: `${folder}, ${name}`, folder, chip: withDefaults(chip, configuration), emulated });
}

/** The chip with other defaults. */
function withDefaults(chip: Chip<unknown>, configuration: object): Chip<unknown> {
  return {
    ...chip,
    defaults: { ...(chip.defaults as object), ...configuration },
    setup: (own, wiring) => chip.setup!({ ...configuration, ...(own as object) }, wiring),
    create: (own, wiring) => chip.create({ ...configuration, ...(own as object) }, wiring),
  };
}

type AnyInput = Input<unknown>;

/** A chip whose emulator is spoilt before it is attached. */
export function spoil(emulated: EmulatedChip, how: (emulator: AnyEmulator) => void): EmulatedChip {
  const create = (options: object) => {
    const emulator = emulated.create(options);
    how(emulator);
    return emulator;
  };
  return { ...emulated, create } as EmulatedChip;
}

/** Inputs that a channel shows, by name. */
export const inputsOf = (emulator: AnyEmulator) =>
  Object.entries(emulator.inputs as unknown as Record<string, AnyInput>).filter(
    ([, { channel }]) => channel !== undefined,
  );

/** Every input another value at every sample, over most of its range (none saturates), the same in every run. */
export function shake(emulator: AnyEmulator) {
  for (const [name, { minimum, maximum }] of inputsOf(emulator)) {
    emulator.set(name, (time) => {
      const x = Math.abs(Math.sin(time * 12.9898 + name.length) * 43758.5453);
      return minimum + (maximum - minimum) * 0.85 * (x - Math.floor(x));
    });
  }
}

/** A raw value in its channel's unit. */
export const physical = (raw: number, { offset, mul, exp10 }: Channel) => (raw + offset) * mul * 10 ** exp10;

/** The last value of a channel after the chip saw a constant for a while. */
export function settle({ chip, emulated }: Subject, name: string, value: number, channel: number): number {
  const bench = createBench(chip, emulated);
  bench.emulator.set(name, value);
  bench.run(bench.driver.open());
  let last: number | undefined;
  for (let i = 0, blocks = 0; i < 20 && blocks < 2; i++) {
    bench.wait(bench.driver.pollEvery);
    const { samples, count } = bench.run(bench.driver.poll()).channels[channel];
    if (count === 0) continue;
    last = samples[count - 1];
    blocks++;
  }
  if (last === undefined) throw new Error(`${chip.model}: no sample in 20 polls`);
  return last;
}

/** A bench with an open driver and shaken inputs, and what the driver must account for. */
export function open({ chip, emulated }: Subject, options: BenchOptions<unknown> = {}) {
  const bench = createBench(chip, emulated, options);
  shake(bench.emulator);
  const streams = followStreams(bench.emulator, bench.driver.channels());
  bench.run(bench.driver.open());
  expect(bench.frame.faults).toEqual([]);
  return { bench, streams };
}

/** Blocks of the channels that have a rate: events come when they come. */
export const sampled = ({ driver, frame }: Bench<unknown>) =>
  frame.channels.filter((_, i) => driver.channels()[i].rate > 0);
