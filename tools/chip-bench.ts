/** One emulated chip and its driver on a simulated board, for tools that measure. Virtual time. */
import type { Pin, Target } from "../boards/board.ts";
import { createSimulatedBoard, createVirtualClock, type SimulatedBoard } from "../boards/simulated.ts";
import type { Chip, Driver, Frame, Step } from "../drivers/driver.ts";
import type { EmulatedChip } from "../drivers/emulator.ts";
import { createStepRunner } from "../firmware/steps.ts";

const I2C = { data: "D21", clock: "D22" };
const SPI = { out: "D23", in: "D25", clock: "D18" };
const SELECT: Pin = "D5";
const INTERRUPT: Pin = "D4";
const ANALOG: Pin = "A0";
const CONVERTER = { bits: 12, reference: 3.3 };

export interface ChipBench {
  readonly driver: Driver;
  readonly frame: Frame;
  readonly board: SimulatedBoard;
  /** Runs a chain of steps to its end. Throws Error where it has none within a virtual minute. */
  run(step: Step): Frame;
  /** Until a data-ready edge where that line is wired, for `ms` at most. */
  wait(ms: number): void;
  /** For `ms`, whatever comes. */
  sleep(ms: number): void;
  /** The power fails and comes again. */
  cutPower(): void;
}

/** Whether its data-ready line is wired: both, where that makes a difference. */
export function wirings(chip: Chip<unknown>): boolean[] {
  if (chip.needsInterrupt) return [true];
  return chip.bus === "analog" ? [false] : [false, true];
}

/** Every input swings over most of its range, another value at every sample, none of them at a rail. */
export function createChipBench(
  chip: Chip<unknown>,
  emulated: EmulatedChip,
  interrupt: boolean,
  configuration: object = {},
): ChipBench {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const pins = chip.pins ?? [];
  const inputs = (chip.inputs ?? []).map((_, i) => `D${40 + i}`);
  const line = interrupt ? INTERRUPT : undefined;
  const attach = () => {
    if (emulated.bus === "i2c") {
      const emulator = emulated.create({});
      board.attachI2c(I2C, emulator, line);
      return { emulator, executor: board.i2c(I2C) };
    }
    if (emulated.bus === "spi") {
      const emulator = emulated.create({});
      board.attachSpi(SPI, SELECT, emulator, line);
      return { emulator, executor: board.spi(SPI) };
    }
    const emulator = emulated.create({});
    board.attachAnalog({ pin: ANALOG, inputs }, emulator, CONVERTER);
    return { emulator, executor: board.analog({ pin: ANALOG, inputs }) };
  };
  const { emulator, executor } = attach();
  for (const [name, { channel, minimum, maximum }] of Object.entries(emulator.inputs)) {
    if (channel === undefined) continue;
    emulator.set(name, (time) => minimum + (maximum - minimum) * (1 / 2 + 0.4 * Math.sin(time * 997)));
  }
  const driver = chip.create(configuration, {
    interrupt,
    pins,
    inputs: chip.inputs ?? [],
    ...(chip.bus === "analog" && { converter: CONVERTER }),
  });
  const target: Target = {
    model: driver.model,
    maxHz: driver.maxHz,
    pins: Object.fromEntries(pins.map((name, i) => [name, `D${30 + i}`])),
    ...(driver.address !== undefined && { address: driver.address }),
    ...(driver.bus === "spi" && { select: SELECT }),
    ...(driver.spiMode !== undefined && { spiMode: driver.spiMode }),
  };
  const edges = { count: 0, at: 0 };
  if (driver.dataReady !== null) {
    board.watch(INTERRUPT, driver.dataReady, (at) => {
      edges.count++;
      edges.at = at;
    });
  }
  const frame = driver.createFrame();
  const runChain = createStepRunner(board, executor, target, edges);
  return {
    driver,
    frame,
    board,
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
    wait(ms) {
      const until = clock.now + ms * 1000;
      while (edges.count === 0 && clock.nextAt <= until) clock.step();
      if (edges.count === 0) clock.runUntil(until);
    },
    sleep: (ms) => clock.runUntil(clock.now + ms * 1000),
    cutPower: () => emulator.powerOn(clock.now),
  };
}
