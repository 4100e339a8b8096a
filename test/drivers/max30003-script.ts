/**
 * Scripts for the MAX30003: its SPI words, a chain of steps walked turn by turn, an opening in the default configuration,
 * an emulator at its bytes.
 */
import { expect } from "vitest";
import type { Frame, Step } from "../../drivers/driver.ts";
import type { EmulatorOptions } from "../../drivers/emulator.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";

export const read = (register: number, words = 1) => ({
  transfer: [(register << 1) | 1, ...new Array(3 * words).fill(0)],
});
export const write = (register: number, value: number) => ({
  transfer: [register << 1, value >> 16, (value >> 8) & 255, value & 255],
});
export const answer = (...words: number[]) =>
  Uint8Array.from([0xff, ...words.flatMap((word) => [(word >> 16) & 255, (word >> 8) & 255, word & 255])]);
export const fifo = (sample: number, tag: number, pace = 0) => ((sample & 0x3ffff) << 6) | (tag << 3) | pace;

/** One step as it must be asked for, and what the bus answers. */
export interface Turn {
  readonly ops: readonly object[];
  readonly replies?: readonly Uint8Array[];
  readonly pause?: number;
  readonly fails?: boolean;
  readonly edgeAt?: number;
  readonly at?: number;
}

/** Walks a chain of steps along a script; a step too many or too few fails. */
export function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  let step: Step | null = first;
  for (const turn of script) {
    expect(step?.ops).toEqual(turn.ops);
    if (turn.pause !== undefined) expect(step?.pause).toBe(turn.pause);
    const outcome = {
      replies: turn.replies ?? turn.ops.map(() => answer(0)),
      error: turn.fails ? ({ kind: "timeout", op: 0, message: "no answer" } as const) : null,
      began: turn.at ?? 0,
      ended: turn.at ?? 0,
      edges: turn.edgeAt === undefined ? 0 : 1,
      edgeAt: turn.edgeAt ?? 0,
      inputs: 0,
    };
    step = step?.next?.(outcome, frame) ?? null;
  }
  expect(step).toBeNull();
  return frame;
}

// The default configuration, wired: 256 sps, gain 20, 10 nA lead-off, 100 MOhm bias, EFIT 12, automatic fast recovery.
export const GEN = 0x081217;
export const REGISTERS = [
  [0x10, GEN],
  [0x12, 0x004800],
  [0x14, 0x000000],
  [0x15, 0x400000],
  [0x04, 0x580004],
  [0x05, 0xbf0000],
  [0x02, 0x800003],
] as const;
export const check = [read(0x01), read(0x10)];
export const status = (bits: number) => [answer(bits), answer(GEN)];

export const opening: Turn[] = [
  { ops: [read(0x01), read(0x0f)], replies: [answer(0), answer(0x513000)] },
  { ops: [write(0x08, 0)], pause: 20 },
  { ops: REGISTERS.map(([register, value]) => write(register, value)), pause: 20 },
  { ops: [read(0x01)], pause: 20, replies: [answer(0x000100)] },
  { ops: [read(0x01)], pause: 20, replies: [answer(0)] },
  { ops: REGISTERS.map(([register]) => read(register)), replies: REGISTERS.map(([, value]) => answer(value)) },
  { ops: [write(0x09, 0)] },
];

/** A wired driver that has been opened by script, and a frame. */
export function opened() {
  const driver = chip.create({}, { interrupt: true });
  const frame = driver.createFrame();
  play(driver.open(), frame, opening);
  return { driver, frame, block: frame.channels[0] };
}

/** An emulator that is on since 0, and how its bytes are written and read. */
export function powered(options: EmulatorOptions = {}) {
  const chip = emulated.create(options);
  chip.powerOn(0);
  const exchange = (...bytes: number[]) => {
    chip.select();
    const reply = bytes.map((byte) => chip.exchange(byte));
    chip.deselect();
    return reply;
  };
  const read = (register: number) => {
    const [, high, middle, low] = exchange((register << 1) | 1, 0, 0, 0);
    return (high << 16) | (middle << 8) | low;
  };
  const write = (register: number, value: number) =>
    exchange(register << 1, value >> 16, (value >> 8) & 255, value & 255);
  /** 512 sps, gain 20; begins at 50 ms. Registers beside these: [register, value], ... */
  const start = (...more: [number, number][]) => {
    write(0x10, 0x080000);
    write(0x14, 0);
    write(0x15, 0);
    for (const [register, value] of more) write(register, value);
    chip.advance(50_000);
    write(0x09, 0);
  };
  const seconds = (time: number) => chip.advance(50_000 + time * 1e6);
  return { chip, exchange, read, write, start, seconds };
}
