/** Scripts for the ADS1292R driver: its transfers, a chain of steps walked turn by turn, an opening in the default configuration. */
import { expect } from "vitest";
import { type Ads1292rConfiguration, chip } from "../../drivers/ads1292r/chip.ts";
import type { Frame, Op, Outcome, Step, Wiring } from "../../drivers/driver.ts";

export const WIRED: Wiring = { interrupt: true };

const zeros = (count: number): number[] => new Array(count).fill(0);
/** Every transfer ends with a zero. */
export const send = (...bytes: number[]) => ({ transfer: [...bytes, 0] });
export const read = (register: number, count: number) => send(0x20 | register, count - 1, ...zeros(count));
export const write = (register: number, ...values: number[]) => send(0x40 | register, values.length - 1, ...values);
export const pin = (name: string, level: 0 | 1) => ({ pin: name, level });
export const rdata = send(0x12, ...zeros(9));
export const rdatac = send(...zeros(9));
export const look = read(1, 2);

/** What a RREG brings. */
export const registers = (...values: number[]) => Uint8Array.from([0, 0, ...values, 0]);
/** CONFIG1 to RESP2 of the default configuration. */
export const DEFAULT = [0x00, 0xe0, 0x10, 0x00, 0x00, 0x2c, 0x0c, 0x00, 0xf2, 0x03];
export const fine = registers(DEFAULT[0], DEFAULT[1]);

const triple = (value: number) => [(value >> 16) & 255, (value >> 8) & 255, value & 255];
/** The 9 bytes of a conversion; `off`: LOFF_STAT 4:0. */
export const bytes = (first: number, second: number, off = 0, gpio = 0) => [
  ...triple(0xc00000 | (off << 15) | (gpio << 13)),
  ...triple(first),
  ...triple(second),
];
/** What RDATA brings. */
export const data = (first: number, second: number, off = 0, gpio = 0) =>
  Uint8Array.from([0, ...bytes(first, second, off, gpio), 0]);
/** What the clock brings in RDATAC mode: its first byte again at the end. */
export const stream = (first: number, second: number, off = 0) => Uint8Array.from([...bytes(first, second, off), 0xc0]);

/** One step as it must be asked for, and what the bus answers. Times in us. */
export interface Turn {
  readonly ops: readonly object[];
  readonly pause?: number | undefined;
  readonly replies?: readonly Uint8Array[];
  readonly fails?: boolean;
  readonly edges?: number;
  readonly edgeAt?: number;
  readonly at?: number;
}

export function outcomeOf(turn: Turn): Outcome {
  const at = turn.at ?? 0;
  return {
    replies: turn.replies ?? [],
    error: turn.fails ? { kind: "timeout", op: 0, message: "no answer" } : null,
    began: at,
    ended: at + 200,
    edges: turn.edges ?? (turn.edgeAt === undefined ? 0 : 1),
    edgeAt: turn.edgeAt ?? 0,
    inputs: 0,
  };
}

/** Walks a chain of steps along a script; a step too many or too few fails. Blocks and faults are emptied before. */
export function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  for (const block of frame.channels) {
    block.count = 0;
    block.lost = 0;
    block.flags = 0;
  }
  frame.faults.length = 0;
  frame.restart = false;
  let step: Step | null = first;
  for (const turn of script) {
    expect(step?.ops).toEqual(turn.ops);
    if ("pause" in turn) expect(step?.pause).toBe(turn.pause);
    step = step?.next?.(outcomeOf(turn), frame) ?? null;
  }
  expect(step).toBeNull();
  return frame;
}

const look3 = [send(0x02), send(0x11), read(0, 1)];
const nothing = Uint8Array.from([0, 0]);
/** WAKEUP, SDATAC, RREG ID, and who answers. */
export const asks = (id: number): Turn => ({ ops: look3, replies: [nothing, nothing, registers(id)] });
/** STOP, RESET, registers, their reading back, START: as after an answer. */
export const sets = (values: readonly number[], continuous = false): Turn[] => [
  { ops: [send(0x0a), send(0x06)], pause: 1 },
  { ops: [send(0x11), write(1, ...values)], pause: 150 },
  { ops: [read(1, 10)], replies: [registers(...values)] },
  { ops: continuous ? [send(0x08), send(0x10)] : [send(0x08)] },
];

/** A driver that has been opened at time 0; its registers as the default ones where none are given. */
export function opened(configuration: Partial<Ads1292rConfiguration> = {}, values: readonly number[] = DEFAULT) {
  const driver = chip.create(configuration, WIRED);
  const frame = driver.createFrame();
  const script = [asks(0x73), ...sets(values, configuration.continuous)];
  play(driver.open(), frame, script);
  expect(frame.faults).toEqual([]);
  return { driver, frame };
}

/** A poll of one turn: RDATA and the two registers. */
export const poll = (reply: Uint8Array, at: number, edgeAt: number | undefined, edges?: number): Turn => ({
  ops: [rdata, look] as Op[],
  replies: [reply, fine],
  at,
  ...(edgeAt !== undefined && { edgeAt }),
  ...(edges !== undefined && { edges }),
});
