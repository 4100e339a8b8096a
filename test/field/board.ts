/**
 * A virtual board's patient with the same faults, twice: under this project's runtime on the whole board, from the registers to
 * the record and to what a monitor prints of it; and under a sketch that has the oximeter to itself, and a timer.
 */
import type { Emulator, I2cEmulator, Signal } from "../../drivers/emulator.ts";
import { EVENT_FAULT, EVENT_OVERFLOW, type Num, qualFlags, qualSqi } from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { type FaultEntry, planFaults } from "../../simulator/faults.ts";
import type { NodeOptions } from "../../simulator/node.ts";
import { createPatient, type Patient } from "../../simulator/patient.ts";
import type { Story } from "../../simulator/story.ts";
import { createCommanded, waves } from "../firmware/commanded.ts";
import { monitored } from "./monitored.ts";
import { createWorld } from "./world.ts";

/** One patient, whose heart rate is 60 a minute or so. */
export const SEED = 3;

export interface World {
  readonly faults?: readonly FaultEntry[];
  readonly story?: Story;
  /** Light of another finger than the patient's, nA per mA of LED current. */
  readonly light?: { readonly red: Signal; readonly infrared: Signal };
}

export const patientOf = (world: World): Patient =>
  createPatient({ seed: SEED, index: 0, ...(world.story && { story: world.story }) });

/** A vital as the record has it: board time, s; in its unit, or null; its flags; quality 0 to 100, null where unknown. */
export interface Told {
  readonly time: number;
  readonly value: number | null;
  readonly flags: number;
  readonly quality: number | null;
}

/** Ours, for so many seconds. */
export function record(world: World, seconds: number, options: Partial<NodeOptions> = {}) {
  const board = createCommanded({
    seed: SEED,
    ...(world.story && { story: world.story }),
    ...(world.faults && { faults: { plan: planFaults(world.faults) } }),
    ...options,
  });
  const { ppg } = board.node.emulators;
  if (world.light !== undefined) {
    ppg.set("red", world.light.red);
    ppg.set("infrared", world.light.infrared);
  }
  board.start(seconds);
  return {
    ...board,
    /** Takes what the chips still hold, and what waits for the next packet, into the record; nothing comes after. */
    drain() {
      board.node.runtime.stop(() => {});
      board.run(10);
    },
    /** Each value of the vital with this code, in the order of time. */
    vital(mdc: number): Told[] {
      const { id, exp10 } = board.births()[0]!.channels.find((one) => one.mdc === mdc && one.rateMilliHz === 0)!;
      return board.data().flatMap(({ tick, channels }) =>
        channels
          .filter((one): one is Num => one.kind === "num" && one.id === id)
          .map(({ value, qual }) => ({
            time: tick / 1000,
            value: value === null ? null : value * 10 ** exp10,
            flags: qualFlags(qual),
            quality: qualSqi(qual),
          })),
      );
    },
    /** What the board told as faults, in words; losses that it declared, [channel, samples or null]. */
    faults: () => board.eventsOf(EVENT_FAULT).map(({ small }) => String((small as unknown[])[2])),
    losses: () => board.eventsOf(EVENT_OVERFLOW).map(({ small }) => [(small as number[])[0], (small as unknown[])[2]]),
    /** Samples of a channel, its codes in order. */
    codes: (id: number) => waves(board, id).flatMap(({ codec, bytes, n }) => [...decodeSamples(codec, bytes, n)]),
    /** What `monitor` prints, a line each. */
    monitor: () => monitored(board.sent, board.node.signer),
  };
}

/** What a naive reader has: a bus with one chip on it, and a timer. */
export interface Bench {
  /** s since the board's start. */
  now(): number;
  /** Writes bytes from a register on. */
  write(at: number, ...bytes: readonly number[]): void;
  /** Reads `count` bytes from a register on; undefined: the chip did not acknowledge. */
  read(at: number, count: number, then: (bytes: Uint8Array | undefined) => void): void;
  /** Again and again, every so many ms that the host has. */
  every(ms: number, act: () => void): void;
}

/** Theirs, on a MAX30102 of the same patient, for so many seconds: `sketch` sets the chip up and starts what it does. */
export function naive(world: World, seconds: number, sketch: (bench: Bench, chip: Emulator) => void): void {
  const patient = patientOf(world);
  const { red, infrared } = world.light ?? patient.signals;
  const { clock, faults, wired } = createWorld({
    chips: [{ chip: "max30102", inputs: { red, infrared } }],
    seed: SEED,
    perfusionIndex: patient.truth.perfusionIndex,
    ...(world.faults && { faults: world.faults }),
  });
  const { emulator, executor } = wired[0]!;
  const target = { model: emulator.model, address: (emulator as I2cEmulator).address, maxHz: 400_000 };
  const bench: Bench = {
    now: () => clock.now / 1e6,
    write: (at, ...bytes) => executor.run(target, [{ write: [at, ...bytes] }], () => {}),
    read: (at, count, then) =>
      executor.run(target, [{ read: count, at }], ({ replies, error }) =>
        then(error === null ? replies[0] : undefined),
      ),
    every(ms, act) {
      faults.board.timer(ms, () => {
        act();
        bench.every(ms, act);
      });
    },
  };
  sketch(bench, emulator);
  clock.runUntil(seconds * 1e6);
}
