/**
 * The emulator contract: a chip at register level, fed with physical quantities, speaking bytes on its bus.
 *
 * An emulator has no clock of its own: whoever wires it (the simulated board, an emulated AVR, a bench around a real
 * interpreter) tells it the time before every transaction and at `nextAt`. Plain TypeScript, no packages.
 */

/** A physical quantity over time. `time`: s of the wiring's clock. `sinceStart`: s since the chip began to convert (k / rate). */
export type Signal = (time: number, sinceStart: number) => number;

/** What a person can set on an emulator, and how closely a driver must read it back. */
export interface Input<C = unknown> {
  /** The driver's channel that shows it; absent for inputs that are no measurement (a lead that falls off). */
  readonly channel?: string;
  /** UCUM. */
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
  /** Largest difference between what was set and what the driver's channel says, in the channel's unit. */
  readonly epsilon: number | ((configuration: C) => number);
  /** What the channel must say for a set value, in the channel's unit; the value itself where absent. */
  readonly expected?: (value: number, configuration: C) => number;
}

export interface EmulatorOptions {
  /** Standard normal deviates, for the datasheet's noise; absent: no noise. */
  readonly noise?: () => number;
  /** 7-bit I2C address; the chip's default where absent. */
  readonly address?: number;
  /** The chip's oscillator over its nominal frequency; 1 where absent. */
  readonly oscillator?: number;
}

export interface Emulator {
  readonly model: string;
  readonly inputs: Readonly<Record<string, Input<never>>>;
  /** Throws Error on an unknown name (it lists the known ones). Values beyond the range saturate as the chip does. */
  set(name: string, value: number | Signal): void;
  /** The power comes (again) at this time, us: power-on state, all registers and data lost. Also a brown-out. */
  powerOn(at: number): void;
  /** Lives up to this time, us, monotonic: conversions, FIFO, interrupts. */
  advance(to: number): void;
  /** When something next happens by itself, us; Infinity: nothing will. */
  readonly nextAt: number;
  /** Level of the interrupt (data-ready) pin. */
  readonly interrupt: 0 | 1;
  /** Called from within `advance` or a transaction when that level changes. */
  onInterrupt: ((level: 0 | 1, at: number) => void) | null;
  /** Called at the converter, before the FIFO: channel as the driver names it, the code, the time in us. */
  onConvert: ((channel: string, code: number, at: number) => void) | null;
  /** A named pin of the chip ("reset", "start", "shutdown") is driven. */
  pin?(name: string, level: 0 | 1): void;
}

/** A chip on I2C. A transaction is start (write), write*, start (read), read*, stop. */
export interface I2cEmulator extends Emulator {
  readonly address: number;
  /** true: acknowledged. */
  start(read: boolean): boolean;
  write(byte: number): boolean;
  read(): number;
  stop(): void;
}

/** A chip on SPI: select, exchange*, deselect. */
export interface SpiEmulator extends Emulator {
  select(): void;
  exchange(byte: number): number;
  deselect(): void;
}

/** A chip whose output is a voltage; the converter is the board's, which calls `onConvert` at it. */
export interface AnalogEmulator extends Emulator {
  /** Name of its output, as the driver names the channel. */
  readonly output: string;
  /** V at the output at the time of the last `advance`. */
  voltage(): number;
  /** Levels of its pins that a board may read, bits in the order of `Chip.inputs`. */
  readonly levels: number;
}

/** `Emulator.set`: puts a number or a signal in the place of an input's signal. Throws Error on an unknown name. */
export function setSignal(model: string, signals: Record<string, Signal>, name: string, value: number | Signal): void {
  if (!Object.hasOwn(signals, name)) {
    throw new Error(`${model} emulator: no input "${name}"; it has ${Object.keys(signals).join(", ")}`);
  }
  signals[name] = typeof value === "number" ? () => value : value;
}

/** What a chip's folder exports as `emulated` from its emulator.ts. */
export type EmulatedChip =
  | { readonly model: string; readonly bus: "i2c"; create(options: EmulatorOptions): I2cEmulator }
  | { readonly model: string; readonly bus: "spi"; create(options: EmulatorOptions): SpiEmulator }
  | { readonly model: string; readonly bus: "analog"; create(options: EmulatorOptions): AnalogEmulator };
