/** The lower half of a virtual board: three emulated chips on it, a synthetic patient on them, and what goes wrong with them. */
import { createHash } from "node:crypto";
import type { Board, Storage } from "../boards/board.ts";
import { type Crystal, createSimulatedBoard, type SimulatedBoard } from "../boards/simulated.ts";
import type { VirtualClock } from "../boards/virtual-clock.ts";
import type { EmulatedChip, Emulator, I2cEmulator, Signal, SpiEmulator } from "../drivers/emulator.ts";
import { emulated as max30003Emulator } from "../drivers/max30003/emulator.ts";
import { emulated as max30102Emulator } from "../drivers/max30102/emulator.ts";
import { emulated as tmp117Emulator } from "../drivers/tmp117/emulator.ts";
import { createFaults, type FaultOptions, type Faults } from "./faults.ts";
import { ECG_INTERRUPT, ECG_SELECT, I2C, PPG_INTERRUPT, SPI } from "./node-runtime.ts";
import { createPatient } from "./patient.ts";
import { createRandom } from "./random.ts";
import { recordingSignal } from "./recording.ts";
import type { Story } from "./story.ts";

/** A recorded ECG to play instead of the synthetic one. */
export interface Recording {
  /** Physical millivolts. */
  readonly millivolts: Float64Array;
  /** Samples a second, hz. */
  readonly rate: number;
  /** Begins again after this long, s; absent: it must be as long as the simulation. */
  readonly period?: number;
}

/** A plan, what this node's link is, and who is told the truth. */
export type NodeFaults = Pick<FaultOptions, "plan" | "line" | "broker" | "onFault">;

export interface ChipsOptions {
  readonly clock: VirtualClock;
  readonly seed: number;
  /** 0, 1, 2 …: which board of the ward. */
  readonly index: number;
  readonly recording?: Recording;
  /** What happens to the patient. */
  readonly story?: Story;
  /** The chips' noise. */
  readonly noise: boolean;
  /** The board's clock; absent: it is true. */
  readonly crystal?: Crystal;
  /** The chips' oscillators over their nominal frequency; absent: 1. */
  readonly oscillator?: number;
  /** What goes wrong with it; absent: nothing. */
  readonly faults?: NodeFaults;
}

/** What a chip's converter gave, hashed before its FIFO: int32 little-endian. */
export interface Source {
  readonly chip: string;
  readonly name: string;
  readonly samples: number;
  /** SHA-256 up to now, hex. */
  digest(): string;
}

export interface NodeChips {
  readonly board: SimulatedBoard;
  /** null: nothing goes wrong. Not started yet. */
  readonly faults: Faults | null;
  readonly emulators: { readonly ppg: I2cEmulator; readonly thermometer: I2cEmulator; readonly ecg: SpiEmulator };
  /** Waveform channels in the order of the birth. */
  readonly sources: readonly Source[];
  /** What the firmware is given: the board, with what goes wrong on the way to its chips. */
  readonly given: Board;
}

/** The chips of every virtual board. */
export const NODE_CHIPS: readonly EmulatedChip[] = [max30102Emulator, max30003Emulator, tmp117Emulator];

/** The recording as a chip's input, again and again where it repeats. */
function played({ millivolts, rate, period }: Recording): Signal {
  const signal = recordingSignal(millivolts, rate);
  return period === undefined ? signal : (time, sinceStart) => signal(time, sinceStart % period);
}

/** Hashes a channel's codes as they come. */
function createSource(chip: string, name: string) {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(4096);
  let used = 0;
  let samples = 0;
  return {
    chip,
    name,
    get samples() {
      return samples;
    },
    add(code: number) {
      used = buffer.writeInt32LE(code, used);
      samples++;
      if (used === buffer.length) {
        hash.update(buffer);
        used = 0;
      }
    },
    digest: () => hash.copy().update(buffer.subarray(0, used)).digest("hex"),
  };
}

/** `storage`: absent: in memory. */
export function createNodeChips(options: ChipsOptions, storage?: Storage): NodeChips {
  const { clock, seed, index, oscillator = 1, recording } = options;
  const board = createSimulatedBoard(clock, storage, options.crystal);
  const patient = createPatient({ seed, index, ...(options.story && { story: options.story }) });
  const random = createRandom(`${seed} board ${index}`);
  const { perfusionIndex } = patient.truth;
  const faults =
    options.faults === undefined
      ? null
      : createFaults({ ...options.faults, clock, board, index, seed, light: { perfusionIndex } });
  const make = (emulated: EmulatedChip, label: string): Emulator => {
    const own = random.fork(label);
    const given = { oscillator, ...(options.noise && { noise: () => own.normal() }) };
    if (faults === null) return emulated.create(given);
    return faults.create(emulated, given, emulated.bus === "i2c" ? I2C : undefined);
  };
  const ppg = make(max30102Emulator, "max30102") as I2cEmulator;
  const thermometer = make(tmp117Emulator, "tmp117") as I2cEmulator;
  const ecg = make(max30003Emulator, "max30003") as SpiEmulator;
  ppg.set("red", patient.signals.red);
  ppg.set("infrared", patient.signals.infrared);
  thermometer.set("temperature", patient.signals.temperature);
  ecg.set("ecg", recording === undefined ? patient.signals.ecg : played(recording));

  const sources: ReturnType<typeof createSource>[] = [];
  const listen = (emulator: Emulator, names: readonly string[]) => {
    const own = names.map((name) => createSource(emulator.model, name));
    sources.push(...own);
    emulator.onConvert = (channel, code) => own.find(({ name }) => name === channel)?.add(code);
  };
  listen(ppg, ["red", "infrared"]);
  listen(ecg, ["ecg"]);
  board.attachI2c(I2C, ppg, PPG_INTERRUPT);
  board.attachI2c(I2C, thermometer);
  board.attachSpi(SPI, ECG_SELECT, ecg, ECG_INTERRUPT);
  return { board, faults, emulators: { ppg, thermometer, ecg }, sources, given: faults?.board ?? board };
}
