/** The board contract: what the firmware knows of a board. Device side. */
import type { Converter, Op, Outcome } from "../drivers/driver.ts";

/** A pin as the board's maker prints it: "D21", "A0", "GPIO4". */
export type Pin = string;

export interface I2cOptions {
  readonly data: Pin;
  readonly clock: Pin;
  /** Bus clock, hz; the bus runs at its slowest member's maxHz at most. */
  readonly hz?: number;
}

export interface SpiOptions {
  readonly out: Pin;
  readonly in: Pin;
  readonly clock: Pin;
  readonly hz?: number;
}

export interface AnalogOptions {
  /** The chip's output. */
  readonly pin: Pin;
  /** Pins that are read beside it, in the order of `Wiring.inputs`: the bits of `Outcome.inputs`. */
  readonly inputs?: readonly Pin[];
}

/** Whom a step is for. */
export interface Target {
  readonly model: string;
  /** 7-bit I2C address. */
  readonly address?: number;
  /** SPI select pin. */
  readonly select?: Pin;
  readonly maxHz: number;
  readonly spiMode?: 0 | 1 | 2 | 3;
  /** Named outputs and their pins. */
  readonly pins?: Readonly<Record<string, Pin>>;
}

/** Performs steps on one bus. Calls `done` once: later, or (only on boards that say so) at once. */
export interface Executor {
  /** Bytes one read can carry: 30 over Firmata. */
  readonly maxRead: number;
  run(target: Target, ops: readonly Op[], done: (outcome: Outcome) => void): void;
  /**
   * I2C: nine clocks and a stop, so that a chip that holds SDA in the middle of a byte lets go (NXP UM10204, section 3.1.16).
   * Waits for its turn as steps do, never within one. Then `done`, with whether SDA is free. Absent: the board cannot.
   */
  recover?(done: (free: boolean) => void): void;
}

/** A little storage. A write is whole or absent, also when the power goes in the middle. */
export interface Storage {
  read(name: string): Uint8Array | undefined;
  write(name: string, bytes: Uint8Array): void;
}

/**
 * Flash memory, or a stretch of it, as chips have it: erased bytes read 0xff, a byte is written once between two erasures, a
 * page is erased whole. Power may go within any write or erasure: the bytes concerned then hold anything between before and
 * after. Calls block until they are done, so callers give them little at a time. Throws Error outside its bounds.
 */
export interface Flash {
  /** Bytes that are erased together: a multiple of 4. */
  readonly pageSize: number;
  readonly pages: number;
  /** A copy. */
  read(address: number, length: number): Uint8Array;
  /** `address` and the length are multiples of 4; within one page. */
  write(address: number, bytes: Uint8Array): void;
  erase(page: number): void;
  /** What was written before is durable when this returns; nothing to do on a chip. */
  sync(): void;
}

/**
 * Samples one analog chip: `{ sample: hz }` starts the converter, every outcome after it carries what came since the last
 * one (`Outcome.sampled`).
 */
export interface AnalogExecutor extends Executor {
  readonly converter: Converter;
}

export interface Board {
  readonly model: string;
  i2c(options: I2cOptions): Executor;
  spi(options: SpiOptions): Executor;
  analog(options: AnalogOptions): AnalogExecutor;
  /** us since boot, monotonic. */
  now(): number;
  /** Calls back once after `ms`; returns the cancel. */
  timer(ms: number, callback: () => void): () => void;
  /** Calls back at every edge with the board clock in us; returns the cancel. */
  watch(pin: Pin, edge: "rising" | "falling", callback: (at: number) => void): () => void;
  readonly storage: Storage;
}
