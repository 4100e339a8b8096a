/** Scripts for the MAX30102: what a chain of steps must ask of the bus, and what it gets. */
import { expect } from "vitest";
import type { Driver, Frame, Op } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import type { Max30102Configuration } from "../../drivers/max30102/registers.ts";
import { type Turn as Exchange, play } from "./script.ts";

export type { Exchange };
export { play };

export const ENABLED = 0x80;
export const STATUS: Op = { read: 7, at: 0x00 };
export const status = (write: number, overflow: number, read: number, status1 = 0, status2 = 0, enable = ENABLED) => [
  status1,
  status2,
  enable,
  0,
  write,
  overflow,
  read,
];
/** `count` samples as FIFO bytes: red 1000 + k, infrared 2000 + k, at 18 bits. */
export const samples = (from: number, count: number) =>
  Array.from({ length: count }, (_, k) => from + k).flatMap((k) => [
    0,
    (1000 + k) >> 8,
    (1000 + k) & 255,
    0,
    (2000 + k) >> 8,
    (2000 + k) & 255,
  ]);
export const reds = (frame: Frame) => Array.from(frame.channels[0].samples.subarray(0, frame.channels[0].count));
export const infrareds = (frame: Frame) => Array.from(frame.channels[1].samples.subarray(0, frame.channels[1].count));
export const counting = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);

const DEFAULT = [0x0f, 0x83, 0x47, 0, 31, 31];
/** `more`: LED3_PA to SLOTS_3_4; `enables`: INT_ENABLE_1 and 2. */
export const opening = (
  registers: readonly number[] = DEFAULT,
  more: readonly number[] = [],
  enables: readonly number[] = [ENABLED, 0],
): Exchange[] => [
  { ops: [{ read: 2, at: 0xfe }], replies: [[0x03, 0x15]] },
  { ops: [{ write: [0x09, 0x40] }] },
  { ops: [{ read: 1, at: 0x09 }], replies: [[0]] },
  {
    ops: [
      { write: [0x09, registers[1]] },
      { write: [0x08, ...registers, ...more] },
      { write: [0x02, ...enables] },
      { write: [0x04, 0, 0, 0] },
      { read: 7, at: 0x00 },
      { read: 6, at: 0x08 },
      ...(more.length > 0 ? [{ read: 5, at: 0x0e }] : []),
    ],
    replies: [[0, 0, ...enables, 0, 0, 0], registers, more],
  },
  { ops: [{ write: [0x09, registers[1] & 7] }] },
];

export function opened(
  configuration: Partial<Max30102Configuration> = {},
  maxRead?: number,
  registers = DEFAULT,
  more: readonly number[] = [],
  enables: readonly number[] = [ENABLED, 0],
) {
  const driver = chip.create(configuration, { interrupt: true, ...(maxRead !== undefined && { maxRead }) });
  const frame = driver.createFrame();
  play(driver.open(), frame, opening(registers, more, enables));
  expect(frame.faults).toEqual([]);
  return { driver, frame };
}
/** One poll that reads `count` samples from an empty start. */
export function read(driver: Driver, frame: Frame, from: number, count: number, began: number) {
  const write = (from + count) & 31;
  return play(driver.poll(), frame, [
    { ops: [STATUS], replies: [status(write, 0, from & 31)], began },
    { ops: [{ read: 3 + 6 * count, at: 4 }], replies: [[write, 0, from & 31, ...samples(from, count)]], began },
  ]);
}
