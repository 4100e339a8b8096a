/** Chips under their readers on one simulated board: what was converted against what came, loss for loss, in virtual time. */
import { expect } from "vitest";
import type { Executor } from "../../boards/board.ts";
import { createSimulatedBoard, type SimulatedFailure } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import type { Chip, Driver, Fault, Frame, Op } from "../../drivers/driver.ts";
import type { EmulatedChip, I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import { max30003, max30003Emulator, max30102, max30102Emulator, tmp117, tmp117Emulator } from "../../drivers/index.ts";
import { createReader } from "../../firmware/reader.ts";
import { I2C_PINS, SELECT, SPI_PINS } from "../../simulator/bench.ts";
import { shake } from "../drivers/subjects.ts";

export const SECOND = 1e6;

export type Member = ReturnType<typeof createMember>;
type World = ReturnType<typeof createWorld>;

function createWorld() {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const failures = new Map<string, (op: Op) => SimulatedFailure | null>();
  board.busFault = (target, ops, at) => failures.get(target.model)?.(ops[at]) ?? null;
  return { clock, board, failures };
}

/** A chip and its reader; every block that comes must go on where the last ended, but for what is said to be lost. */
function createMember(world: World, chip: Chip<never>, emulated: EmulatedChip, interrupt?: string, recovers = true) {
  const { clock, board, failures } = world;
  const emulator = emulated.create({}) as I2cEmulator & SpiEmulator;
  const spi = emulated.bus === "spi";
  if (spi) board.attachSpi(SPI_PINS, SELECT, emulator, interrupt);
  else board.attachI2c(I2C_PINS, emulator, interrupt);
  shake(emulator);
  const driver = chip.create({} as never, { interrupt: interrupt !== undefined }) as unknown as Driver;
  const streams = driver.channels().map(() => ({ codes: [] as number[], at: 0, doubt: false }));
  emulator.onConvert = (name, code) => {
    streams[driver.channels().findIndex((one) => one.name === name)].codes.push(code + 0);
  };
  const inner = spi ? board.spi(SPI_PINS) : board.i2c(I2C_PINS);
  const log = {
    /** Times, us: samples came; it was opened anew; the bus was recovered for it. */
    samples: [] as number[],
    restarts: [] as number[],
    recoveries: [] as number[],
    faults: [] as (Fault & { at: number })[],
    declared: 0,
    /** A step of its runs. */
    busy: false,
    /** Frames in which the chip said that it lost its state. */
    lostState: [] as number[],
  };
  const executor: Executor = {
    maxRead: inner.maxRead,
    run(target, ops, done) {
      log.busy = true;
      inner.run(target, ops, (outcome) => {
        log.busy = false;
        done(outcome);
      });
    },
    ...(recovers &&
      inner.recover && {
        recover: (done) => {
          log.recoveries.push(clock.now);
          inner.recover!(done);
        },
      }),
  };
  const onFrame = (frame: Frame) => {
    if (frame.restart) log.lostState.push(clock.now);
    if (frame.channels.some(({ count }) => count > 0)) log.samples.push(clock.now);
    streams.forEach((stream, i) => {
      const { samples, count, lost } = frame.channels[i];
      if (lost < 0) stream.doubt = true;
      else stream.at += lost;
      if (lost !== 0) log.declared++;
      if (count === 0) return;
      const got = Array.from(samples.subarray(0, count));
      if (stream.doubt)
        while (stream.at < stream.codes.length && got.some((code, k) => stream.codes[stream.at + k] !== code))
          stream.at++;
      stream.doubt = false;
      expect(got, `${chip.model}, ${driver.channels()[i].name}, sample ${stream.at}, ${clock.now} us`).toEqual(
        stream.codes.slice(stream.at, stream.at + count),
      );
      stream.at += count;
    });
  };
  const reader = createReader(
    board,
    { driver, executor, ...(spi && { select: SELECT }), ...(interrupt !== undefined && { interrupt }) },
    {
      onFrame,
      onFault: (fault) => log.faults.push({ ...fault, at: clock.now }),
      onRestart: () => {
        log.restarts.push(clock.now);
        for (const stream of streams) stream.doubt = true;
      },
    },
  );
  return {
    model: chip.model,
    emulator,
    reader,
    log,
    get codesOf() {
      return log.faults.map(({ code }) => code);
    },
    /** All that was converted has come, but for the newest, and nothing was lost on the way. */
    expectWhole() {
      expect(log.faults, chip.model).toEqual([]);
      expect([log.restarts.length, log.declared], chip.model).toEqual([0, 0]);
      expect(this.whole, chip.model).toBe(true);
      expect(log.samples.length, chip.model).toBeGreaterThan(0);
    },
    /** Up to what its chip and its driver's next poll still hold, every sample has come or was marked as lost. */
    get whole() {
      return streams.every(({ codes, at, doubt }) => !doubt && at <= codes.length && codes.length - at < 33);
    },
    /** s from a time, us, until its samples came again; Infinity: they did not. */
    backAfter: (time: number) => ((log.samples.find((at) => at > time) ?? Number.POSITIVE_INFINITY) - time) / SECOND,
    /** From now every operation that `which` names fails so; null: none. */
    fail(kind: SimulatedFailure | null, which: (op: Op) => boolean = () => true) {
      if (kind === null) failures.delete(chip.model);
      else failures.set(chip.model, (op) => (which(op) ? kind : null));
    },
    /** Out of its socket, or in it again: without a word, then without its state. */
    plug(isIn: boolean) {
      if (isIn) emulator.powerOn(clock.now);
      this.fail(isIn ? null : spi ? "bus" : "nack");
    },
  };
}

/** An oximeter by its interrupt and a thermometer by time on one I2C bus, an ECG on SPI; open, and 10 s old. */
export function createBedside({ recovers = true } = {}) {
  const world = createWorld();
  const oximeter = createMember(world, max30102 as Chip<never>, max30102Emulator, "D19", recovers);
  const thermometer = createMember(world, tmp117 as Chip<never>, tmp117Emulator, undefined, recovers);
  const ecg = createMember(world, max30003 as Chip<never>, max30003Emulator, "D4", recovers);
  const members = [oximeter, thermometer, ecg];
  const { clock, board } = world;
  for (const { reader } of members) reader.open(() => {});
  clock.runUntil(10 * SECOND);
  return {
    clock,
    board,
    oximeter,
    thermometer,
    ecg,
    members,
    /** Lets so many s go by. */
    wait: (seconds: number) => clock.runUntil(clock.now + seconds * SECOND),
  };
}
