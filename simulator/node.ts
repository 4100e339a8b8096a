/** A virtual board: three emulated chips, a synthetic patient on them, and the firmware's runtime as on any other board. */
import { createHash, type Hash } from "node:crypto";
import type { Executor, Storage } from "../boards/board.ts";
import { type Crystal, createSimulatedBoard, type SimulatedBoard } from "../boards/simulated.ts";
import type { VirtualClock } from "../boards/virtual-clock.ts";
import type { Chip, Driver, Fault } from "../drivers/driver.ts";
import type { EmulatedChip, Emulator, I2cEmulator, Signal, SpiEmulator } from "../drivers/emulator.ts";
import { chip as max30003 } from "../drivers/max30003/chip.ts";
import { emulated as max30003Emulator } from "../drivers/max30003/emulator.ts";
import { chip as max30102 } from "../drivers/max30102/chip.ts";
import { emulated as max30102Emulator } from "../drivers/max30102/emulator.ts";
import { chip as tmp117 } from "../drivers/tmp117/chip.ts";
import { emulated as tmp117Emulator } from "../drivers/tmp117/emulator.ts";
import type { AlarmSettings } from "../firmware/alarms.ts";
import type { SensorPlan } from "../firmware/channels.ts";
import type { CommandHandlers } from "../firmware/commands.ts";
import type { Calibration } from "../firmware/dsp/calibration.ts";
import type { Link } from "../firmware/link.ts";
import type { LogSettings } from "../firmware/outbox.ts";
import { createRuntime, type Runtime } from "../firmware/runtime.ts";
import type { GatewayKey } from "../firmware/sealer.ts";
import { createVitals } from "../firmware/vitals.ts";
import type { Crypto } from "../protocol/cose.ts";
import { type KeyedSigner, nodeAead, nodeCrypto } from "../protocol/crypto.node.ts";
import { createFaults, type FaultOptions, type Faults } from "./faults.ts";
import { deviceOf, type NodeIdentity, type SealMode, startedBoot, testOnlyIdentity, withoutKey } from "./identity.ts";
import { sha256 } from "./keys.ts";
import { createPatient, type Patient } from "./patient.ts";
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

export interface NodeOptions {
  readonly clock: VirtualClock;
  readonly seed: number;
  /** 0, 1, 2 …: which board of the ward. */
  readonly index: number;
  readonly recording?: Recording;
  /** What happens to the patient. */
  readonly story?: Story;
  /** What its vitals are held against; absent: nothing. */
  readonly alarms?: AlarmSettings;
  /** Of its oximeter; absent: a published curve, and SpO2 is flagged as uncalibrated. */
  readonly calibration?: Calibration;
  /** The chips' noise. */
  readonly noise: boolean;
  /** The board's clock; absent: it is true. */
  readonly crystal?: Crystal;
  /** The chips' oscillators over their nominal frequency; absent: 1. */
  readonly oscillator?: number;
  /** Who signs its acks. */
  readonly gateways: readonly GatewayKey[];
  /** Called with the node's signer and pre-shared key to make the link that it talks over. */
  readonly link: (signer: KeyedSigner, psk: Uint8Array | null) => Link;
  /** The number of this boot, or what counts it and survives, once its key is known. */
  readonly boot: (signer: KeyedSigner) => number | Storage;
  /** What differs between boots of the same world, for bn; absent: nothing, so that every byte is the same again. */
  readonly entropy?: Uint8Array;
  /** Absent: signed, and not encrypted. */
  readonly seal?: SealMode;
  /** What commands can do besides measuring; absent: nothing. */
  readonly handlers?: CommandHandlers;
  /** Where messages outlive a power cut, on this board; absent: nowhere. */
  readonly log?: (board: SimulatedBoard) => LogSettings;
  /** Of messages that wait in RAM; absent: OUTBOX_BYTES. */
  readonly outboxBytes?: number;
  /** Absent: a TEST-ONLY device, another one for every world. */
  readonly identity?: NodeIdentity;
  /** Absent: Node's. */
  readonly crypto?: Crypto;
  readonly onSettled?: () => void;
  readonly onFault?: (fault: Fault) => void;
  /** What goes wrong with it; absent: nothing. */
  readonly faults?: NodeFaults;
  /** A seam between decode and seal, for tests. */
  readonly wrapDriver?: (driver: Driver) => Driver;
  /** What else makes this world another one, and so the device another device. */
  readonly world?: string;
}

export type { NodeIdentity, SealMode };

/** A plan, what this node's link is, and who is told the truth. */
export type NodeFaults = Pick<FaultOptions, "plan" | "line" | "broker" | "onFault">;

/** What a chip's converter gave, hashed before its FIFO: int32 little-endian. */
export interface Source {
  readonly chip: string;
  readonly name: string;
  readonly samples: number;
  /** SHA-256 up to now, hex. */
  digest(): string;
}

export interface VirtualNode {
  readonly signer: KeyedSigner;
  /** TEST-ONLY; null: it seals without one. */
  readonly psk: Uint8Array | null;
  readonly boot: number;
  readonly board: SimulatedBoard;
  readonly runtime: Runtime;
  readonly link: Link;
  /** null: nothing goes wrong with it. */
  readonly faults: Faults | null;
  /** The chips themselves: electrodes come off, fingers are withdrawn. */
  readonly emulators: { readonly ppg: I2cEmulator; readonly thermometer: I2cEmulator; readonly ecg: SpiEmulator };
  /** Waveform channels in the order of the birth. */
  readonly sources: readonly Source[];
  /** To be called when nothing more will be sealed: the next boot can tell where this one ended. */
  ended(): void;
}

const I2C = { data: "D21", clock: "D22", hz: 400_000 };
const SPI = { out: "D23", in: "D25", clock: "D18", hz: 4_000_000 };
const PPG_INTERRUPT = "D19";
const ECG_INTERRUPT = "D4";
const ECG_SELECT = "D5";
/** The chips of every virtual board. */
export const NODE_CHIPS: readonly EmulatedChip[] = [max30102Emulator, max30003Emulator, tmp117Emulator];
/** RAM of a virtual board for messages that wait for their ack. */
const OUTBOX_BYTES = 1 << 20;

/** Everything that shapes what a board will measure: another world is another device, so no boot is ever told twice. */
function worldOf(options: NodeOptions): Uint8Array {
  const { recording } = options;
  const played = recording === undefined ? "none" : Buffer.from(recording.millivolts.buffer);
  const label = options.world === undefined ? "" : `${options.world} `;
  const story = options.story === undefined ? "" : `story ${options.story.label} `;
  const { alarms, calibration, seal } = options;
  const sealed = seal === undefined || (seal.mode === "sign" && !seal.encrypt) ? "" : `${seal.mode} ${seal.encrypt} `;
  const settings = alarms || calibration ? `${JSON.stringify([alarms, calibration])} ` : "";
  const faults = options.faults === undefined ? "" : `faults ${JSON.stringify(options.faults.plan)} `;
  const rest = `${label}${story}${settings}${sealed}${faults}`;
  return sha256(`${options.seed} ${options.index} ${options.noise} ${recording?.rate ?? 0} ${rest}`, played);
}

/** The recording as a chip's input, again and again where it repeats. */
function played({ millivolts, rate, period }: Recording): Signal {
  const signal = recordingSignal(millivolts, rate);
  return period === undefined ? signal : (time, sinceStart) => signal(time, sinceStart % period);
}

/** Hashes a channel's codes as they come. */
function createSource(chip: string, name: string) {
  const hash: Hash = createHash("sha256");
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

function faultsOf({ clock, index, seed }: NodeOptions, own: NodeFaults, board: SimulatedBoard, patient: Patient) {
  const { perfusionIndex } = patient.truth;
  return createFaults({ ...own, clock, board, index, seed, light: { perfusionIndex } });
}

/** Puts the chips on a board, the patient on the chips, and the runtime above. Nothing runs before `runtime.start()`. */
export function createVirtualNode(options: NodeOptions): VirtualNode {
  const { clock, index } = options;
  const world = worldOf(options);
  const seal: SealMode = options.seal ?? { mode: "sign", encrypt: false };
  const identity = options.identity ?? testOnlyIdentity(world, seal);
  const signer = identity.signer ?? withoutKey(identity);
  const { psk } = identity;
  const counter = options.boot(signer);
  const started = startedBoot(identity, world, counter, options.entropy);
  const board = createSimulatedBoard(clock, typeof counter === "number" ? undefined : counter, options.crystal);
  const patient = createPatient({ seed: options.seed, index, ...(options.story && { story: options.story }) });
  const random = createRandom(`${options.seed} board ${index}`);
  const { oscillator = 1 } = options;
  const optionsOf = (label: string) => {
    const own = random.fork(label);
    return { oscillator, ...(options.noise && { noise: () => own.normal() }) };
  };

  const faults = options.faults === undefined ? null : faultsOf(options, options.faults, board, patient);
  const make = (emulated: EmulatedChip, label: string): Emulator =>
    faults === null
      ? emulated.create(optionsOf(label))
      : faults.create(emulated, optionsOf(label), emulated.bus === "i2c" ? I2C : undefined);
  const through = (model: string, executor: Executor) => faults?.executor(model, executor) ?? executor;

  const ppg = make(max30102Emulator, "max30102") as I2cEmulator;
  const thermometer = make(tmp117Emulator, "tmp117") as I2cEmulator;
  const ecg = make(max30003Emulator, "max30003") as SpiEmulator;
  ppg.set("red", patient.signals.red);
  ppg.set("infrared", patient.signals.infrared);
  thermometer.set("temperature", patient.signals.temperature);
  const { recording } = options;
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

  const drive = <C>(chip: Chip<C>, configuration: Partial<C>, interrupt: boolean) => {
    const recreate = (other: unknown): Driver => {
      const driver = chip.create(other as Partial<C>, { interrupt }) as Driver;
      return options.wrapDriver === undefined ? driver : options.wrapDriver(driver);
    };
    return { driver: recreate(configuration), recreate };
  };
  const lights = drive(max30102, { sampleRate: 100 }, true);
  const heart = drive(max30003, { sampleRate: 256 }, true);
  const warmth = drive(tmp117, {}, false);
  const sensors: SensorPlan[] = [
    {
      attachment: {
        driver: lights.driver,
        executor: through(ppg.model, board.i2c(I2C)),
        interrupt: PPG_INTERRUPT,
      },
      recreate: lights.recreate,
      site: "finger",
      ...(options.calibration && { calibration: options.calibration }),
    },
    {
      attachment: {
        driver: heart.driver,
        executor: through(ecg.model, board.spi(SPI)),
        select: ECG_SELECT,
        interrupt: ECG_INTERRUPT,
      },
      recreate: heart.recreate,
      site: "chest",
    },
    {
      attachment: { driver: warmth.driver, executor: through(thermometer.model, board.i2c(I2C)) },
      recreate: warmth.recreate,
      site: "axilla",
    },
  ];
  const given = options.link(signer, psk);
  const link = faults?.link(given) ?? given;
  const runtime = createRuntime({
    board,
    link,
    crypto: options.crypto ?? nodeCrypto,
    signer: identity.signer,
    seal: { ...seal, psk, aead: nodeAead },
    gateways: options.gateways,
    device: deviceOf(identity, started),
    sensors,
    vitals: createVitals(sensors.map((plan) => ({ ...plan, channels: plan.attachment.driver.channels() }))),
    ...(options.alarms && { alarms: options.alarms }),
    packet: { period: 1000, codec: "rice" },
    outboxBytes: options.outboxBytes ?? OUTBOX_BYTES,
    ...(options.log && { log: options.log(board) }),
    ...(options.handlers && { handlers: options.handlers }),
    ...(options.onSettled && { onSettled: options.onSettled }),
    ...(options.onFault && { onFault: options.onFault }),
  });
  faults?.start();
  return {
    signer,
    psk,
    boot: started.boot,
    board,
    runtime,
    link,
    faults,
    emulators: { ppg, thermometer, ecg },
    sources,
    ended: () => started.end(runtime.produced - 1),
  };
}
