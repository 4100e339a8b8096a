/** One chip on a simulated board, driven step by step: registers in, frame out. Everything in virtual time. */
import type { Pin, Target } from "../boards/board.ts";
import { createSimulatedBoard, type SimulatedBoard } from "../boards/simulated.ts";
import { createVirtualClock, type VirtualClock } from "../boards/virtual-clock.ts";
import type { Chip, Converter, Driver, Frame, Step } from "../drivers/driver.ts";
import type { AnalogEmulator, EmulatedChip, I2cEmulator, SpiEmulator } from "../drivers/emulator.ts";
import type { Attachment } from "../firmware/reader.ts";
import { createStepRunner, type Edges } from "../firmware/steps.ts";
import { createFaults, type FaultEntry, type FaultEvent, type FaultKind } from "./faults.ts";

export const I2C_PINS = { data: "D21", clock: "D22" };
export const SPI_PINS = { out: "D23", in: "D25", clock: "D18" };
export const SELECT: Pin = "D5";
export const INTERRUPT: Pin = "D4";
export const ANALOG: Pin = "A0";
export const CONVERTER: Converter = { bits: 12, reference: 3.3 };

export type AnyEmulator = I2cEmulator | SpiEmulator | AnalogEmulator;

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;
/** A fault that is about this chip, or about no chip. */
export type BenchFault = Without<FaultEntry, "chip" | "board">;

export interface Bench<C> {
  readonly clock: VirtualClock;
  readonly board: SimulatedBoard;
  readonly emulator: AnyEmulator;
  /** How a reader would be told of the chip: `createReader(board, attachment, …)`. */
  readonly attachment: Attachment;
  readonly driver: Driver<C>;
  /** Filled by the last `run`. */
  readonly frame: Frame;
  readonly edges: Edges;
  /**
   * Something goes wrong with the chip or its host (faults/README.md), now where the entry says no time:
   * `bench.fail({ kind: "nack", for: 2 })`. `chip` is this one. Throws Error where it cannot have that. On the bus it acts by
   * `board.busFault`: what a test sets there stands in its place.
   */
  fail(fault: BenchFault): void;
  /** What began and ended of it. */
  readonly truth: readonly FaultEvent[];
  /** Runs a chain of steps to its end, in virtual time; the frame is the driver's, filled again each time. */
  run(step: Step): Frame;
  /** Lets virtual time go by, ms. */
  wait(ms: number): void;
}

export interface BenchOptions<C> {
  readonly configuration?: Partial<C>;
  readonly noise?: () => number;
  readonly oscillator?: number;
  /** Is the data-ready line wired? Default: only for a chip that cannot do without. */
  readonly interrupt?: boolean;
  readonly maxRead?: number;
  readonly converter?: Converter;
}

/** About no chip. */
const CHIPLESS: readonly FaultKind[] = ["host-stall", "flash-pause", "serial-garbage", "broker-gone"];

/** Puts an emulated chip and its driver on a new board. For what goes wrong, `fail`; for any answer of a bus, `board.busFault`. */
export function createBench<C>(chip: Chip<C>, emulated: EmulatedChip, options: BenchOptions<C> = {}): Bench<C> {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const wired = options.interrupt ?? chip.needsInterrupt ?? false;
  const faults = createFaults({ plan: [], clock, board, index: 0, seed: "bench" });
  const emulator = faults.create(
    emulated,
    {
      ...(options.noise && { noise: options.noise }),
      ...(options.oscillator && { oscillator: options.oscillator }),
    },
    I2C_PINS,
  ) as AnyEmulator;
  const converter = options.converter ?? CONVERTER;
  const pins = chip.pins ?? [];
  // Every pin that the chip has is wired: to D30, D31 … where the board drives it, to D40, D41 … where it reads it.
  const inputs = (chip.inputs ?? []).map((_, i) => `D${40 + i}`);
  const interrupt = wired ? INTERRUPT : undefined;
  if (emulated.bus === "i2c") board.attachI2c(I2C_PINS, emulator as I2cEmulator, interrupt);
  else if (emulated.bus === "spi") board.attachSpi(SPI_PINS, SELECT, emulator as SpiEmulator, interrupt);
  else board.attachAnalog({ pin: ANALOG, inputs }, emulator as AnalogEmulator, converter);

  const driver = chip.create(options.configuration ?? {}, {
    interrupt: wired,
    pins,
    inputs: chip.inputs ?? [],
    ...(emulated.bus === "analog" && { converter }),
    ...(options.maxRead && { maxRead: options.maxRead }),
  });
  const target: Target = {
    model: driver.model,
    maxHz: driver.maxHz,
    pins: Object.fromEntries(pins.map((name, i) => [name, `D${30 + i}`])),
    ...(driver.address !== undefined && { address: driver.address }),
    ...(driver.bus === "spi" && { select: SELECT }),
    ...(driver.spiMode !== undefined && { spiMode: driver.spiMode }),
  };
  const edges: Edges = { count: 0, at: 0 };
  if (wired && driver.dataReady !== null) {
    board.watch(INTERRUPT, driver.dataReady, (at) => {
      edges.count++;
      edges.at = at;
    });
  }
  const executor = {
    i2c: () => faults.board.i2c(I2C_PINS),
    spi: () => faults.board.spi(SPI_PINS),
    analog: () => faults.board.analog({ pin: ANALOG, inputs }),
  }[driver.bus]();
  const attachment: Attachment = {
    driver: driver as Driver,
    executor,
    ...(target.select !== undefined && { select: target.select }),
    ...(target.pins !== undefined && { pins: target.pins }),
    ...(interrupt !== undefined && { interrupt }),
  };
  const frame = driver.createFrame();
  const runChain = createStepRunner(board, executor, target, edges);
  return {
    clock,
    board,
    emulator,
    attachment,
    driver,
    frame,
    edges,
    truth: faults.truth,
    fail(fault) {
      const own = CHIPLESS.includes(fault.kind) ? fault : { ...fault, chip: emulator.model.toLowerCase() };
      faults.add(own as FaultEntry);
    },
    run(step) {
      let done = false;
      runChain(step, frame, () => {
        done = true;
      });
      const limit = clock.now + 60e6;
      while (!done && clock.now < limit && clock.step());
      if (!done) throw new Error(`${driver.model}: the chain did not end within 60 virtual seconds`);
      return frame;
    },
    wait: (ms) => clock.runUntil(clock.now + ms * 1000),
  };
}
