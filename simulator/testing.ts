/**
 * Entry point `vitalwire/testing`: what a driver's developer, or whoever builds on the runtime, needs in tests. A chip on
 * a board in virtual time, step by step:
 *
 *     const bench = createBench(max30102, max30102Emulator, { interrupt: true }); // both from vitalwire/drivers
 *     bench.emulator.set("red", 20_000);
 *     bench.run(bench.driver.open());
 *     bench.wait(100); // virtual ms
 *     const { channels, faults } = bench.run(bench.driver.poll());
 *     bench.fail({ kind: "unplugged", for: 5 }); // any kind of the catalogue (simulator/faults), from now on, s
 *     bench.run(bench.driver.poll()); // and now `faults` holds one
 *     bench.board.busFault = (_target, _ops, at) => (at === 0 ? "nack" : null); // or any answer of the bus
 *
 * On a board of one's own, by a plan and a seed; `faults.truth` says afterwards what was wrong and when:
 *
 *     const plan = planFaults([{ kind: "nack", chip: "tmp117", probability: 0.01, for: 2 }]);
 *     const faults = createFaults({ plan, clock, board, index: 0, seed: 1 });
 *     board.attachI2c(I2C_PINS, faults.create(emulators.tmp117, {}, I2C_PINS) as I2cEmulator);
 *     const io = faults.board.i2c(I2C_PINS); // firmware is given `faults.board`
 *     faults.start();
 *
 * The same under a `Sensor`, or a whole runtime, written down and given again without chip or clock, byte for byte:
 *
 *     const recording = recordBoard(bench.board, (line) => lines.push(line));
 *     new Sensor({ driver: max30102, board: recording, sensor: { io: recording.i2c(I2C_PINS) }, onReadable });
 *     bench.wait(1000);
 *     recording.end();
 *     const replay = replayBoard(lines); // or the lines of a file that somebody sent
 *     new Sensor({ driver: max30102, board: replay, sensor: { io: replay.i2c(I2C_PINS) }, onReadable });
 *     replay.run(); // throws where the driver asks for something else than then, with the line
 *
 * Everything is deterministic: time is virtual, chance comes from a seed.
 */
export type { Board, Executor, I2cOptions, Pin, SpiOptions, Target } from "../boards/board.ts";
export {
  type BusFault,
  type Crystal,
  createMemoryStorage,
  createSimulatedBoard,
  createVirtualClock,
  type SimulatedBoard,
  type SimulatedFailure,
  type VirtualClock,
} from "../boards/simulated.ts";
export {
  LINE_LENGTH,
  type Recording,
  type RecordingTape,
  type Replay,
  type ReplayTape,
  recordBoard,
  replayBoard,
  TranscriptError,
} from "../boards/transcript.ts";
export type * from "../drivers/emulator.ts";
export {
  ANALOG,
  type AnyEmulator,
  type Bench,
  type BenchFault,
  type BenchOptions,
  CONVERTER,
  createBench,
  I2C_PINS,
  INTERRUPT,
  SELECT,
  SPI_PINS,
} from "./bench.ts";
export { emulators } from "./emulators.ts";
export {
  createFaults,
  type Fault,
  type FaultEntry,
  type FaultEvent,
  type FaultKind,
  type FaultOptions,
  type FaultPlan,
  type Faults,
  faultKinds,
  planFaults,
} from "./faults.ts";
export { type AnalogProbe, type I2cProbe, type Probe, probe, type SpiProbe } from "./probe.ts";
export { createRandom, type Random } from "./random.ts";
export { recordLink, replayLink } from "./transcript-link.ts";
