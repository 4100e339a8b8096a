/** Scripts for the MLX90614: what a chain of steps must ask of the bus, and what it gets; its emulator by bytes. */
import { expect } from "vitest";
import type { Driver, Frame, Op, Step } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { chip, type Mlx90614Configuration } from "../../drivers/mlx90614/chip.ts";
import { emulated, type Mlx90614EmulatorOptions } from "../../drivers/mlx90614/emulator.ts";
import { play as playTurns, type Turn } from "./script.ts";

export type { Turn };

/** Plays a chain of steps against what is expected of it, pauses too. */
export const play = (first: Step, frame: Frame, script: readonly Turn[]): Frame =>
  playTurns(first, frame, script, true);

/** CRC-8 by the polynomial, as a long division: another way than driver and emulator go. */
export function pec(...bytes: number[]): number {
  let rest = 0n;
  for (const byte of bytes) rest = (rest << 8n) | BigInt(byte);
  rest <<= 8n;
  for (let bit = BigInt(8 * bytes.length - 1); bit >= 0n; bit--) {
    if ((rest >> (bit + 8n)) & 1n) rest ^= 0x107n << bit;
  }
  return Number(rest);
}

export const ADDRESS = 0x5a;
export const read = (command: number): Op => ({ read: 3, at: command });
/** What a chip answers. */
export const word = (command: number, value: number, address = ADDRESS): number[] => {
  const data = [value & 255, value >> 8];
  return [...data, pec(address << 1, command, (address << 1) | 1, ...data)];
};
export const spoilt = (command: number, value: number): number[] => {
  const [low, high, check] = word(command, value);
  return [low, high, check ^ 1];
};
export const write = (command: number, value: number, address = ADDRESS): Op => {
  const data = [value & 255, value >> 8];
  return { write: [command, ...data, pec(address << 1, command, ...data)] };
};
export const SLEEP: Op = { write: [0xff, 0xe8] };

export const CELLS = [0x24, 0x25, 0x2e, 0x2f, 0x3c, 0x3d, 0x3e, 0x3f];
export const FACTORY = [0xffff, 0x9fb4, 0xbe5a, 0x0733, 0x1234, 0x5678, 0x9abc, 0xdef0];
export const NOTHING: Turn = { ops: [] };
/** Its EEPROM, with some cells (by command) other than those of a BAA. */
export const identity = (other: Record<number, number> = {}, address = ADDRESS): Turn => ({
  ops: CELLS.map(read),
  replies: CELLS.map((cell, i) => word(cell, other[cell] ?? FACTORY[i], address)),
});
export const WAIT: Turn = { ops: [], pause: 300 };
export const opening: Turn[] = [NOTHING, identity(), WAIT];

/** A poll: ambient, object and, where given, object2; all between `began` and `ended`. */
export const polled = (codes: readonly number[], began = 0, ended = began): Turn[] => [
  { ops: [], began },
  {
    ops: [6, 7, 8].slice(0, codes.length).map(read),
    replies: codes.map((code, i) => word(6 + i, code)),
    began,
    ended,
  },
];

export function opened(configuration: Partial<Mlx90614Configuration> = {}, script: readonly Turn[] = opening) {
  const driver = chip.create(configuration, {}) as Driver<Mlx90614Configuration>;
  const frame = driver.createFrame();
  play(driver.open(), frame, script);
  expect(frame.faults).toEqual([]);
  return { driver, frame };
}

/** Values of the blocks, in the order of the channels; null: none. */
export const values = (frame: Frame) => frame.channels.map(({ samples, count }) => (count === 0 ? null : samples[0]));

export const SA_W = ADDRESS << 1;
export const SA_R = SA_W | 1;

/** An emulated chip on a bus of its own, by its bytes. */
export interface Wired {
  readonly chip: I2cEmulator;
  /** The three bytes behind a command; null: not acknowledged. */
  bytes(command: number): number[] | null;
  /** The word behind a command; its PEC must be right. */
  word(command: number): number;
  /** true: every byte was acknowledged. */
  send(...bytes: number[]): boolean;
  /** A word with its PEC. */
  put(command: number, value: number): boolean;
  wait(ms: number): void;
}

/** Powered at 0; `ready`: with its first results. */
export function wire(options: Mlx90614EmulatorOptions = {}, ready = true): Wired {
  const chip = emulated.create(options);
  let now = 0;
  chip.powerOn(0);
  const wired: Wired = {
    chip,
    bytes(command) {
      const there = chip.start(false) && chip.write(command) && chip.start(true);
      const bytes = there ? [chip.read(), chip.read(), chip.read()] : null;
      chip.stop();
      return bytes;
    },
    word(command) {
      const [low, high, check] = wired.bytes(command)!;
      expect(check).toBe(pec(SA_W, command, SA_R, low, high));
      return low | (high << 8);
    },
    send(...bytes) {
      const there = chip.start(false) && bytes.every((byte) => chip.write(byte));
      chip.stop();
      return there;
    },
    put(command, value) {
      const data = [value & 255, value >> 8];
      return wired.send(command, ...data, pec(SA_W, command, ...data));
    },
    wait(ms) {
      now += ms * 1000;
      chip.advance(now);
    },
  };
  if (ready) wired.wait(400);
  return wired;
}

export const kelvin = (celsius: number) => Math.round((celsius + 273.15) * 50);
