/** TMP117 steps played by hand: the expected operations, and the words that come back. */
import { expect } from "vitest";
import type { Frame, Op, Step } from "../../drivers/driver.ts";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";
import { play as playBytes } from "./script.ts";

export const read = (register: number): Op => ({ read: 2, at: register });
const bytes = (value: number) => [(value >> 8) & 255, value & 255];
export const write = (register: number, value: number): Op => ({ write: [register, ...bytes(value)] });

/** One step as a test expects it, and the 16-bit words that come back. Times in us. */
export interface Turn {
  readonly ops: readonly Op[];
  readonly replies?: readonly number[];
  readonly pause?: number;
  readonly fails?: boolean;
  readonly began?: number;
  readonly ended?: number;
}

/** Plays a chain of steps against what is expected of it; leftovers on either side fail. */
export function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  const turns = script.map(({ replies = [], fails, ...turn }) => ({
    ...turn,
    replies: fails ? [] : replies.map(bytes),
    ...(fails && { error: "nack" as const }),
  }));
  return playBytes(first, frame, turns, true);
}

// Bits of Configuration, then of EEPROM_UL.
export const HIGH = 0x8000;
export const LOW = 0x4000;
export const READY = 0x2000;
export const BUSY = 0x1000;
export const UNLOCKED = 0x8000;
export const UL_BUSY = 0x4000;

/** 1 hz, 8 averages, continuous, ALERT shows Data_Ready. */
export const SETTINGS = 0x0224;
/** One-shot at 1 hz with 8 averages: shutdown, CONV 100, AVG 01, DR/nAlert. */
export const ASLEEP = 0x0624;
export const CONVERTING = 0x0e24;

/** Of a chip that keeps `set` as its Configuration, and its alert limits where there are any. */
const openingOf = (set: number, limits: readonly number[]): Turn[] => {
  const registers = limits.length === 0 ? [] : [2, 3];
  const writes = registers.map((register, i) => write(register, limits[i]));
  return [
    { ops: [read(0x0f), read(0x01)], replies: [0x0117, 0x0220] },
    { ops: [write(0x01, 0x0002)], pause: 3 },
    { ops: [read(0x01)], pause: 4, replies: [0x0220] },
    {
      ops: [write(0x07, 0), ...writes, write(0x01, set), read(0x07), ...registers.map(read), read(0x01)],
      replies: [0, ...limits, set],
    },
  ];
};
export const opening = openingOf(SETTINGS, []);

/** An open driver whose Configuration is `set`. */
export function opened(settings: Partial<Tmp117Configuration> = {}, set = SETTINGS, limits: readonly number[] = []) {
  const driver = chip.create(settings, {});
  const frame = driver.createFrame();
  play(driver.open(), frame, openingOf(set, limits));
  expect(frame.faults).toEqual([]);
  return { driver, frame, block: frame.channels[0] };
}

/** A poll's looking, continuous and one-shot; a one-shot's start; a result. */
export const ask = (flags = 0, began = 0): Turn => ({ ops: [read(0x01)], replies: [SETTINGS | flags], began });
export const look = (flags = 0, set = ASLEEP, lock = 0, began = 0): Turn => ({
  ops: [read(0x04), read(0x01)],
  replies: [lock, set | flags],
  began,
});
export const start = (began = 0): Turn => ({
  ops: [write(0x01, CONVERTING)],
  pause: 141,
  began,
  ended: began + 100,
});
export const take = (value: number, at = 0): Turn => ({
  ops: [read(0x00)],
  replies: [value],
  began: at,
  ended: at + 100,
});
export const again: Turn = { ops: [], pause: 8 };
