/** Scripts for the MAX30205: what a chain of steps must ask of the bus, and what it gets. */
import { expect } from "vitest";
import type { Frame, Op, Step } from "../../drivers/driver.ts";
import { chip, type Max30205Configuration } from "../../drivers/max30205/chip.ts";
import { play as playTurns, type Turn } from "./script.ts";

export type { Turn };

/** Plays a chain of steps against what is expected of it, pauses too. */
export const play = (first: Step, frame: Frame, script: readonly Turn[]): Frame =>
  playTurns(first, frame, script, true);

export const word = (value: number): number[] => [(value >> 8) & 255, value & 255];
export const writeWord = (register: number, value: number): Op => ({ write: [register, ...word(value)] });
export const READ_ALL: Op = { read: 8, at: 0 };
const READ_SET: Op = { read: 6, at: 1 };
/** Limits without `alert`. */
export const QUIET = [0x7f69, 0x7f97] as const;

/** What all registers read, in one go. */
export const all = (temperature: number, configuration: number, limits: readonly number[] = QUIET): number[] => [
  ...word(temperature),
  configuration,
  configuration,
  ...word(limits[0]),
  ...word(limits[1]),
];

/** The opening of a chip that is as after power-up, up to its settings. */
export const recognised: Turn[] = [
  {
    ops: [READ_ALL, { read: 2, at: 1 }, { read: 2, at: 2 }, { read: 2, at: 3 }],
    replies: [all(0x1900, 0, [0x4b00, 0x5000]), [0, 0], word(0x4b00), word(0x5000)],
  },
  {
    ops: [
      writeWord(3, 0x7fa5),
      writeWord(2, 0x7a5a),
      { read: 4, at: 2 },
      writeWord(3, 0x7f5a),
      writeWord(2, 0x7aa5),
      { read: 4, at: 2 },
      writeWord(2, 0x4b00),
      writeWord(3, 0x5000),
    ],
    replies: [
      [0x7a, 0x5a, 0x7f, 0xa5],
      [0x7a, 0xa5, 0x7f, 0x5a],
    ],
  },
];

/** Shutdown, limits, read back; 52 ms for a conversion under way. */
export const settling = (configuration: number, limits: readonly number[] = QUIET): Turn => ({
  ops: [{ write: [1, configuration] }, writeWord(2, limits[0]), writeWord(3, limits[1]), READ_SET],
  replies: [all(0, configuration, limits).slice(2)],
  pause: 52,
});

/** The last write of an opening. */
export const going = (configuration: number, at = 0): Turn => ({ ops: [{ write: [1, configuration] }], began: at });

export const look = (temperature: number, configuration: number, at = 0, limits: readonly number[] = QUIET): Turn => ({
  ops: [READ_ALL],
  replies: [all(temperature, configuration, limits)],
  began: at,
  ended: at + 300,
});
export const failedLook: Turn = { ops: [READ_ALL], error: "nack" };
export const start = (configuration: number, at = 0): Turn => ({
  ops: [{ write: [1, configuration | 0x80] }],
  pause: 52,
  began: at,
  ended: at + 100,
});
export const again: Turn = { ops: [], pause: 8 };

/** An open driver in one-shot mode (Configuration 0x01 unless told). */
export function opened(
  settings: Partial<Max30205Configuration> = {},
  configuration = 0x01,
  limits: readonly number[] = QUIET,
) {
  const driver = chip.create(settings, {});
  const frame = driver.createFrame();
  play(driver.open(), frame, [...recognised, settling(configuration | 1, limits), going(configuration)]);
  expect(frame.faults).toEqual([]);
  return { driver, frame, block: frame.channels[0] };
}
