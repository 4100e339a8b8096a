/** One chip on a simulated board, driven step by step: registers in, frame out. Everything in virtual time. */
import type { Pin, Target } from "../../boards/board.ts";
import { createSimulatedBoard, type SimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock, type VirtualClock } from "../../boards/virtual-clock.ts";
import type { Chip, Driver, Frame, Step } from "../../drivers/driver.ts";
import type { EmulatedChip, I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import { createStepRunner, type Edges } from "../../firmware/steps.ts";

export const I2C_PINS = { data: "D21", clock: "D22" };
export const SPI_PINS = { out: "D23", in: "D25", clock: "D18" };
export const SELECT: Pin = "D5";
export const INTERRUPT: Pin = "D4";

export interface Bench<C> {
  readonly clock: VirtualClock;
  readonly board: SimulatedBoard;
  readonly emulator: I2cEmulator | SpiEmulator;
  readonly driver: Driver<C>;
  /** Filled by the last `run`. */
  readonly frame: Frame;
  readonly edges: Edges;
  /** Runs a chain of steps to its end, in virtual time; the frame is the driver's, filled again each time. */
  run(step: Step): Frame;
  /** Lets virtual time go by, ms. */
  wait(ms: number): void;
}

export interface BenchOptions<C> {
  readonly configuration?: Partial<C>;
  readonly noise?: () => number;
  readonly oscillator?: number;
  /** Is the data-ready line wired? Default: no. */
  readonly interrupt?: boolean;
  readonly maxRead?: number;
}

/** Puts an emulated chip and its driver on a new board. For a bus that fails, set `board.busFault`. */
export function createBench<C>(chip: Chip<C>, emulated: EmulatedChip, options: BenchOptions<C> = {}): Bench<C> {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const wired = options.interrupt ?? false;
  const emulator = emulated.create({
    ...(options.noise && { noise: options.noise }),
    ...(options.oscillator && { oscillator: options.oscillator }),
  });
  const pin = wired ? INTERRUPT : undefined;
  if (emulated.bus === "i2c") board.attachI2c(I2C_PINS, emulator as I2cEmulator, pin);
  else board.attachSpi(SPI_PINS, SELECT, emulator as SpiEmulator, pin);

  const driver = chip.create(options.configuration ?? {}, {
    interrupt: wired,
    ...(options.maxRead && { maxRead: options.maxRead }),
  });
  const target: Target = {
    model: driver.model,
    maxHz: driver.maxHz,
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
  const executor = driver.bus === "i2c" ? board.i2c(I2C_PINS) : board.spi(SPI_PINS);
  const frame = driver.createFrame();
  const runChain = createStepRunner(board, executor, target, edges);
  return {
    clock,
    board,
    emulator,
    driver,
    frame,
    edges,
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
