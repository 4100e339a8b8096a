/**
 * The driver contract: what a chip is, without input or output.
 *
 * A driver says which bus operations it wants next and what the answers mean; a board's executor performs them, at once
 * or later. Device side: no package, no `node:` module, device dialect.
 */

/**
 * One bus operation. `write`: bytes to the chip. `read`: that many bytes, from register `at` where given (I2C: written
 * first, then a repeated start). `transfer`: full duplex on SPI, select to deselect. `pin`: a named output of the
 * configuration ("reset", "start", "shutdown") set to a level. `sample`: analog chips only: the board converts the chip's
 * output at that many hz from now on, and forgets what it had; 0: it stops.
 */
export type Op =
  | { readonly write: readonly number[] }
  | { readonly read: number; readonly at?: number }
  | { readonly transfer: readonly number[] }
  | { readonly pin: string; readonly level: 0 | 1 }
  | { readonly sample: number };

/** The board's converter that an analog chip's output is wired to: code = V / reference x 2^bits, rounded down. */
export interface Converter {
  readonly bits: number;
  /** V at full scale. */
  readonly reference: number;
}

/** What a board converted from an analog chip's output since the last outcome, without a gap. */
export interface Sampled {
  /** Codes, 0 to 2^bits - 1; the first `count` are new. Valid until the next step. */
  readonly samples: Int32Array;
  readonly count: number;
  /** Board clock at the first and at the last of them, and its uncertainty (half width), us. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly uncertainty: number;
  /** Lost directly before the first, the board's buffer being full; -1 where nobody can know. */
  readonly lost: number;
  /** Named inputs that were high at any of the samples, bits as in `Outcome.inputs`. */
  readonly inputs: number;
}

/** Samples of an analog chip that a board keeps between two outcomes, at least and at most. */
export const ANALOG_BUFFER = 512;

/** Why an operation failed. `op` is its place in the step; the executor's message names model, register and operation. */
export interface BusError {
  readonly kind: "nack" | "timeout" | "short" | "bus";
  readonly op: number;
  readonly message: string;
}

/** What became of a step's operations. Times are the board's clock in us. */
export interface Outcome {
  /** One entry for every `read` and `transfer`, in order; shorter where an error cut the step off. */
  readonly replies: readonly Uint8Array[];
  readonly error: BusError | null;
  /** Board clock at the first and after the last operation, us. */
  readonly began: number;
  readonly ended: number;
  /** Data-ready edges since the last outcome, and the time of the last one, us (filled by whoever watches the pin). */
  edges: number;
  edgeAt: number;
  /** Levels of the chip's named inputs that are wired, one bit each, in the order of `Wiring.inputs`, the first the lowest. */
  readonly inputs: number;
  /** Analog chips only, and only while the board samples. */
  readonly sampled?: Sampled;
}

/**
 * Operations that run unbroken. Then the bus is FREE for `pause` ms. Then `next` reads the outcome, fills the frame, and
 * may ask for more (null: done). `next` is also called on error; at most 16 steps in a row, then a fault.
 */
export interface Step<F extends Frame = Frame> {
  readonly ops: readonly Op[];
  readonly pause?: number;
  readonly next?: (outcome: Outcome, frame: F) => Step<F> | null;
}

/** How many steps may follow one another before the chain is taken for a fault. */
export const MAX_STEPS = 16;

/**
 * What one channel of a chip is. value = (raw + offset) x mul x 10^exp10 in `unit`.
 * The mdc code is ISO/IEEE 11073-10101, the generic one unless site or lead is known.
 */
export interface Channel {
  /** The driver's own word: "ecg", "red", "infrared", "temperature". */
  readonly name: string;
  readonly mdc: number;
  /** Nominal samples a second, hz; 0: one value per event. */
  readonly rate: number;
  /** true: samples in blocks (a waveform); false: single values. */
  readonly waveform: boolean;
  /** Significant bits of a raw value, sign included. */
  readonly bits: number;
  readonly offset: number;
  readonly mul: number;
  readonly exp10: number;
  /** UCUM. */
  readonly unit: string;
  /** Lowest and highest raw value that the chip can mean. */
  readonly minimum: number;
  readonly maximum: number;
  /** The datasheet's accuracy, in words, with its page or section. */
  readonly accuracy: string;
  readonly role?: string;
  readonly lead?: string;
  /** 0 raw, 1 filtered, 2 derived, 3 test signal. */
  readonly processing: 0 | 1 | 2 | 3;
}

/** Quality flags, as bits (PROTOCOL.md section 2). */
export const FLAG_SETTLING = 1;
export const FLAG_OFF_BODY = 2;
export const FLAG_LEAD_OFF = 4;
export const FLAG_MOTION = 8;
export const FLAG_LOW_PERFUSION = 16;
export const FLAG_SATURATED = 32;
export const FLAG_BUS_FAULT = 64;
export const FLAG_TEST_SIGNAL = 128;
export const FLAG_LED_CHANGED = 256;
export const FLAG_CLOCK_UNCERTAIN = 512;
export const FLAG_UNCALIBRATED = 1024;

/** Samples of one channel out of one poll. Made once, filled again at every poll. */
export interface Block {
  /** Raw values; the first `count` are this poll's. */
  readonly samples: Int32Array;
  count: number;
  /** Index of the first sample since `open()`, lost ones counted where their number is known. */
  index: number;
  /** Board clock at the first sample, and its uncertainty (half width), us. */
  time: number;
  uncertainty: number;
  /** Samples lost directly before the first: a count, or -1 where nobody can know. Set to -1 or more also with count 0. */
  lost: number;
  /** Quality flags that hold for the burst: the union over its samples. */
  flags: number;
}

/** What a fault is about. The number is the `code` of event 7 (PROTOCOL.md section 2). */
export const FAULT_BUS = 1;
export const FAULT_IDENTITY = 2;
export const FAULT_RESTARTED = 3;
export const FAULT_DATA = 4;
export const FAULT_CONFIGURATION = 5;
export const FAULT_GIVEN_UP = 6;
export const FAULT_STEPS = 7;
/** Not a chip's: the board's storage is older than what it has sent. */
export const FAULT_ROLLBACK = 8;
/** A measurement of a self-test is outside its range. */
export const FAULT_SELF_TEST = 9;
/** The board's flash does not do what it is told (firmware). */
export const FAULT_STORAGE = 10;

export interface Fault {
  readonly code: number;
  /** What, where, which value, what to do. */
  readonly message: string;
}

/** Who answered. plausible: the chip has no identification, its registers look right. */
export interface Identity {
  readonly verdict: "confirmed" | "plausible" | "refused";
  /** What was read, for a person: "PART_ID 0x15, REV_ID 0x03". */
  readonly read: string;
}

/** One result of a self-test. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly pass: boolean;
}

/** What came out of a chain of steps. `channels` in the order of `Driver.channels()`. */
export interface Frame {
  readonly channels: readonly Block[];
  readonly faults: Fault[];
  identity: Identity | null;
  readonly measurements: Measurement[];
  /** The chip lost its state (brown-out, foreign reset): the runtime calls `open()` and starts a new segment. */
  restart: boolean;
}

/** How a chip is wired, as far as its driver must know. */
export interface Wiring {
  /** 7-bit I2C address; the chip's default where absent. */
  readonly address?: number;
  /** Bytes one read can carry (30 over Firmata); unlimited where absent. */
  readonly maxRead?: number;
  /** true: the data-ready line is connected, so the driver may enable interrupts and trust `edges`. */
  readonly interrupt?: boolean;
  /** Which of the named pins that a board drives (`Chip.pins`) and reads (`Chip.inputs`) are connected; none where absent. */
  readonly pins?: readonly string[];
  readonly inputs?: readonly string[];
  /** Analog chips: what their output is wired to. */
  readonly converter?: Converter;
}

/** One chip in one configuration. No clock, no timer, no bus. */
export interface Driver<C = unknown, F extends Frame = Frame> {
  /** As the datasheet names it. */
  readonly model: string;
  readonly bus: "i2c" | "spi" | "analog";
  /** 7-bit I2C address; absent on SPI and analog. */
  readonly address?: number;
  /** Fastest bus clock, hz. */
  readonly maxHz: number;
  readonly spiMode?: 0 | 1 | 2 | 3;
  readonly configuration: C;
  /** Edge of the data-ready line that calls for a poll; null where the chip has none or it is not wired. */
  readonly dataReady: "rising" | "falling" | null;
  /** Longest time between two polls that loses nothing with the margin of a slow host, ms. */
  readonly pollEvery: number;
  channels(): readonly Channel[];
  /** A frame with blocks of the right size, to be filled again and again. */
  createFrame(): F;
  /** From any state to the configured one. Sets frame.identity. */
  open(): Step<F>;
  /** How much is there, read that, decode it. */
  poll(): Step<F>;
  /** Only the difference; null: needs close and open, hence a new cfg. */
  reconfigure(next: C): Step<F> | null;
  /** By the chip's own means; measurements into the frame. */
  selfTest(): Step<F>;
  /** Stops converting, reads what the chip still holds into the frame, then lowest power. */
  close(): Step<F>;
  /** Electrodes that were off in the last poll: "", "+IN", "+IN, -IN"; absent where the driver does not keep which. */
  electrodesOff?(): string;
}

/** What a runtime must know of a chip on its bus; members as in `Driver`. */
export interface Target {
  readonly model: string;
  readonly bus: "i2c" | "spi" | "analog";
  readonly address?: number;
  readonly maxHz: number;
  readonly spiMode?: 0 | 1 | 2 | 3;
  readonly dataReady: "rising" | "falling" | null;
  readonly pollEvery: number;
}

/**
 * A configuration that was checked and turned into what the chip takes: plain data, equal to what JSON makes of it. It is
 * made where there is room for checks and their words (chip.ts); a board needs it and driver.ts, nothing else.
 * A chip's own has its registers besides.
 */
export interface Setup {
  readonly target: Target;
  readonly channels: readonly Channel[];
  /** Samples that one chain of steps brings at most, for each channel. */
  readonly capacities: readonly number[];
}

/** A driver as a chip's driver.ts makes it from a setup: all but the self-test, which a board may leave out. */
export interface Core<S extends Setup = Setup, F extends Frame = Frame> extends Omit<Driver<S, F>, "selfTest"> {
  /** The setup that the chip has: that of a `reconfigure` once its step went well. */
  configuration: S;
  /** Writes everything again to a chip that may be in any state, and goes on behind a loss: what ends a self-test. */
  resume(): Step<F>;
}

/** What a chip's driver.ts adds to what its setup says. */
export type Steps<S extends Setup, F extends Frame = Frame> = Pick<
  Core<S, F>,
  "open" | "poll" | "reconfigure" | "resume" | "close"
>;

/** What a chip's folder exports as `chip` from its chip.ts; made by `createChip` of drivers/chip.ts. */
export interface Chip<C = unknown> {
  readonly model: string;
  readonly bus: "i2c" | "spi" | "analog";
  /** 7-bit addresses it can have, the default first; empty on SPI and analog. */
  readonly addresses: readonly number[];
  /** What `create` takes when nothing is said. */
  readonly defaults: C;
  /** It cannot be read without its data-ready line: `create` throws where that is not wired. */
  readonly needsInterrupt?: boolean;
  /** Names of its pins that a board may drive ("reset", "shutdown"), and of those that a board may read ("LO+", "LO-"). */
  readonly pins?: readonly string[];
  readonly inputs?: readonly string[];
  /** Validates, and says which two settings fight. Throws Error: model, setting, value, what to do. */
  setup(configuration: Partial<C>, wiring: Wiring): Setup;
  /** The driver of that setup. Throws as `setup` does. */
  create(configuration: Partial<C>, wiring: Wiring): Driver<C>;
}

/** A block for `capacity` samples, empty. */
export function createBlock(capacity: number): Block {
  return { samples: new Int32Array(capacity), count: 0, index: 0, time: 0, uncertainty: 0, lost: 0, flags: 0 };
}

/** An empty frame with a block of each capacity, in the order of the channels. */
export function createFrame(capacities: readonly number[]): Frame {
  return { channels: capacities.map(createBlock), faults: [], identity: null, measurements: [], restart: false };
}

/** A driver out of its setup and its steps. */
export function createCore<S extends Setup, T extends Steps<S>>(setup: S, steps: T): Core<S> & T {
  const rest = {
    configuration: setup,
    channels: () => setup.channels,
    createFrame: () => createFrame(setup.capacities),
  };
  return Object.assign(rest, setup.target, steps);
}

/** Empties a frame before a chain of steps. `index` goes on: only the driver's `open` sets it to 0. */
export function clearFrame(frame: Frame): void {
  for (let i = 0; i < frame.channels.length; i++) {
    const block = frame.channels[i];
    block.count = 0;
    block.lost = 0;
    block.flags = 0;
  }
  // Writing `length` throws on Espruino.
  frame.faults.splice(0, frame.faults.length);
  frame.measurements.splice(0, frame.measurements.length);
  frame.identity = null;
  frame.restart = false;
}

/** Puts a fault into the frame: `where` is the chip, `words` what, which value, what to do. null: it ends a chain. */
export function tell(frame: Frame, code: number, where: string, words: string): null {
  frame.faults.push({ code: code, message: `${where}: ${words}` });
  return null;
}

/** A number as data sheets write it: 0x57. */
export const hex = (value: number): string => `0x${value.toString(16)}`;

/** A byte in two digits: 0x0a. */
export const hexByte = (value: number): string => `0x${(value + 256).toString(16).slice(1)}`;

/** Puts a self-test's result into the frame; it passes from `minimum` to `maximum`. */
export function measure(
  frame: Frame,
  name: string,
  value: number,
  unit: string,
  minimum: number,
  maximum: number,
): void {
  const pass = value >= minimum && value <= maximum;
  frame.measurements.push({ name: name, value: value, unit: unit, minimum: minimum, maximum: maximum, pass: pass });
}
