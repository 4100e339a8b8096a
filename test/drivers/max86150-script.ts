/** Scripts for the MAX86150: what a chain of steps must ask of the bus, and what it gets; its emulator, to be read by bytes. */
import { expect } from "vitest";
import type { Driver, Frame, Op } from "../../drivers/driver.ts";
import type { EmulatorOptions } from "../../drivers/emulator.ts";
import { chip, type Max86150Configuration } from "../../drivers/max86150/chip.ts";
import { emulated } from "../../drivers/max86150/emulator.ts";
import { probeFifo } from "./fifo-probe.ts";
import { type Turn as Exchange, play } from "./script.ts";

export type { Exchange };
export { play };

export const STATUS: Op = { read: 7, at: 0x00 };
export const HEAD: Op = { read: 3, at: 0x04 };
export const TAIL: Op = { read: 5, at: 0x02 };
/** Enables as the driver writes them. */
export const ENABLES = [0x80, 0x80];
export const status = (write: number, overflow: number, read: number, one = 0, two = 0) => [
  one,
  two,
  ...ENABLES,
  write,
  overflow,
  read,
];
export const fifo = (bytes: number): Op => ({ read: bytes, at: 0x07 });

/** `count` samples as FIFO bytes: infrared 70000 + k, red 80000 + k, ecg -5 + k. */
export const samples = (from: number, count: number) =>
  Array.from({ length: count }, (_, k) => from + k).flatMap((k) =>
    [70000 + k, 80000 + k, (k - 5) & 0x3ffff].flatMap((code) => [code >> 16, (code >> 8) & 255, code & 255]),
  );
export const codes = (frame: Frame, channel: number) =>
  Array.from(frame.channels[channel].samples.subarray(0, frame.channels[channel].count));
export const counting = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);

const TUNING: Op[] = [
  { write: [0xff, 0x54] },
  { write: [0xff, 0x4d] },
  { write: [0xce, 0x0a] },
  { write: [0xcf, 0x18] },
  { write: [0xff, 0x00] },
];
export const DEFAULT = [
  [0x08, 0x1f, 0x21, 0x09],
  [0x0e, 0x97, 0],
  [0x11, 50, 50],
  [0x14, 0],
  [0x3c, 3],
  [0x3e, 13],
  [0x02, 0x80, 0x80, 0, 0, 0],
];

/** The steps of an opening that works. */
export const opening = (groups: readonly (readonly number[])[] = DEFAULT, tuning = true): Exchange[] => [
  { ops: [{ read: 1, at: 0xff }], replies: [[0x1e]] },
  { ops: [{ write: [0x0d, 0x01] }] },
  { ops: [{ read: 1, at: 0x0d }], replies: [[0]] },
  {
    ops: [
      ...groups.map((write) => ({ write })),
      ...(tuning ? TUNING : []),
      ...groups.map((group) => ({ read: group.length - 1, at: group[0] })),
      { read: 1, at: 0xff },
      { read: 2, at: 0x00 },
    ],
    replies: [...groups.map((group) => group.slice(1)), [0x1e], [0, 0]],
  },
  { ops: [{ write: [0x0d, 0x04] }] },
];

export function opened(configuration: Partial<Max86150Configuration> = {}, maxRead?: number, groups = DEFAULT) {
  const driver = chip.create(configuration, { interrupt: true, ...(maxRead !== undefined && { maxRead }) });
  const frame = driver.createFrame();
  play(
    driver.open(),
    frame,
    opening(
      groups,
      driver.channels().some(({ name }) => name === "ecg"),
    ),
  );
  expect(frame.faults).toEqual([]);
  return { driver, frame };
}

/** What one reading of `count` samples from `from` on brings, pointers as they should be. */
export function reading(from: number, count: number, began: number, more: Partial<Exchange> = {}): Exchange {
  const write = (from + count) & 31;
  return {
    ops: [HEAD, fifo(9 * count), TAIL],
    replies: [[write, 0, from & 31], samples(from, count), [...ENABLES, write, 0, write]],
    began,
    ended: began + 1000,
    ...more,
  };
}

/** One poll that reads `count` samples from an empty start. */
export function read(
  driver: Pick<Driver, "poll">,
  frame: Frame,
  from: number,
  count: number,
  began: number,
  more: Partial<Exchange> = {},
) {
  const at = status((from + count) & 31, 0, from & 31, count > 16 ? 0x80 : 0);
  return play(driver.poll(), frame, [
    { ops: [STATUS], replies: [at], began, ended: began + 200, ...more },
    reading(from, count, began + 200),
  ]);
}

export const createEmulator = (options: EmulatorOptions = {}) => probeFifo(emulated, options);

/** V, one step of the ECG behind its amplifiers. */
export const LSB = 12.247e-6;

/**
 * An emulator that converts from the present time, status read: slots as given, light at 200 hz and 32768 nA with 10 mA, ECG at gain 5.
 * Light sample k reads k + 1 (red) and 1001 + k (infrared), ECG sample k reads -k.
 */
export function running(one = 0x21, two = 0x09, fifoConfig = 0x1f, ecgConfig = 3, options: EmulatorOptions = {}) {
  const bench = createEmulator(options);
  const rate = [1600, 800, 400, 200, 3200, 1600, 800, 400][ecgConfig];
  const count = 32768 / 2 ** 19 / 10;
  bench.chip.set("red", (_, sinceStart) => (Math.round(sinceStart * 200) + 1) * count);
  bench.chip.set("infrared", (_, sinceStart) => (Math.round(sinceStart * 200) + 1001) * count);
  bench.chip.set("ecg", (_, sinceStart) => (-Math.round(sinceStart * rate) * LSB) / 5);
  bench.write(0x08, fifoConfig, one, two);
  bench.write(0x0e, 0xd7, 0);
  bench.write(0x11, 50, 50);
  bench.write(0x3c, ecgConfig);
  bench.read(0, 2);
  bench.write(0x0d, 0x04);
  return bench;
}
/** The time at which `count` samples of 200 hz have come. */
export const until = (count: number) => (count - 1) * 5000 + 1;
export const pointers = ({ read }: ReturnType<typeof createEmulator>) => read(4, 3);
export const s18 = (word: number) => (word << 14) >> 14;
