/**
 * The same patient on the same chips with the same faults, twice: under this project's runtime, from the registers to the
 * record and to what a monitor prints of it; and under a naive reader, which has the board's I2C bus to itself.
 */
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { lineOf } from "../../cli/monitor/lines.ts";
import { Session } from "../../cli/monitor/session.ts";
import { render } from "../../cli/monitor/text.ts";
import type { I2cEmulator, Signal } from "../../drivers/emulator.ts";
import { emulated as max30102Emulator } from "../../drivers/max30102/emulator.ts";
import type { Card } from "../../protocol/card.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { kidText } from "../../protocol/keys.ts";
import { EVENT_FAULT, EVENT_OVERFLOW, type Num, qualFlags, qualSqi } from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { createFaults, type FaultEntry, planFaults } from "../../simulator/faults.ts";
import type { NodeOptions } from "../../simulator/node.ts";
import { createPatient, type Patient } from "../../simulator/patient.ts";
import { createRandom } from "../../simulator/random.ts";
import type { Story } from "../../simulator/story.ts";
import { createCommanded, waves } from "../firmware/commanded.ts";

/** One patient, whose heart rate is 60 a minute or so. */
export const SEED = 3;
const I2C = { data: "D21", clock: "D22", hz: 400_000 };

export interface World {
  readonly faults?: readonly FaultEntry[];
  readonly story?: Story;
  /** Light of another finger than the patient's, nA per mA of LED current. */
  readonly light?: { readonly red: Signal; readonly infrared: Signal };
  /** Of every chip, over its nominal frequency; absent: 1. */
  readonly oscillator?: number;
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
    ...(world.oscillator && { oscillator: world.oscillator }),
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
    monitor(): string[] {
      const { kid, publicKey } = board.node.signer;
      const card = { kid, publicKey } as unknown as Card;
      const cards = new Map([[kidText(kid), card]]);
      const lines: string[] = [];
      const session = new Session({
        keyring: { cards, psks: new Map(), folder: ".", given: true, notes: [] },
        now: () => null,
        onEntry: (entry) => {
          const line = lineOf(entry, false);
          if (line !== null) lines.push(render(line, null, false));
        },
      });
      for (const message of board.sent) session.line(encodeLine(message).trimEnd());
      return lines;
    },
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
export function naive(world: World, seconds: number, sketch: (bench: Bench, chip: I2cEmulator) => void): void {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock);
  const patient = patientOf(world);
  const faults = createFaults({
    plan: planFaults(world.faults ?? []),
    clock,
    board,
    index: 0,
    seed: SEED,
    light: { perfusionIndex: patient.truth.perfusionIndex },
  });
  const noise = createRandom(`${SEED} board 0`).fork("max30102");
  const options = { noise: () => noise.normal(), oscillator: world.oscillator ?? 1 };
  const chip = faults.create(max30102Emulator, options, I2C) as I2cEmulator;
  const { red, infrared } = world.light ?? patient.signals;
  chip.set("red", red);
  chip.set("infrared", infrared);
  board.attachI2c(I2C, chip);
  const executor = faults.board.i2c(I2C);
  const target = { model: chip.model, address: chip.address, maxHz: 400_000 };
  const bench: Bench = {
    now: () => board.now() / 1e6,
    write: (at, ...bytes) => executor.run(target, [{ write: [at, ...bytes] }], () => {}),
    read: (at, count, then) =>
      executor.run(target, [{ read: count, at }], ({ replies, error }) =>
        then(error === null ? replies[0] : undefined),
      ),
    every(ms, act) {
      board.timer(ms, () => {
        act();
        bench.every(ms, act);
      });
    },
  };
  faults.start();
  sketch(bench, chip);
  clock.runUntil(seconds * 1e6);
}
