/** A board of a measured day: chips down to their registers, the firmware over them, its outbox in simulated flash. */
import { createSimulatedBoard, type VirtualClock } from "../../boards/simulated.ts";
import { createSimulatedFlash, type SimulatedFlash } from "../../boards/simulated-flash.ts";
import type { Chip, Driver } from "../../drivers/driver.ts";
import type { I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import { chip as max30003 } from "../../drivers/max30003/chip.ts";
import { emulated as max30003Emulator } from "../../drivers/max30003/emulator.ts";
import { chip as max30102 } from "../../drivers/max30102/chip.ts";
import { emulated as max30102Emulator } from "../../drivers/max30102/emulator.ts";
import { chip as tmp117 } from "../../drivers/tmp117/chip.ts";
import { emulated as tmp117Emulator } from "../../drivers/tmp117/emulator.ts";
import type { SensorPlan } from "../../firmware/channels.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";
import type { Link } from "../../firmware/link.ts";
import type { Codec } from "../../firmware/packer.ts";
import { createRuntime, type Runtime } from "../../firmware/runtime.ts";
import type { GatewayKey } from "../../firmware/sealer.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { type KeyedSigner, nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { deviceOf, startedBoot, testOnlyIdentity } from "../../simulator/identity.ts";
import { sha256 } from "../../simulator/keys.ts";
import type { Recording } from "../../simulator/node.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createRandom } from "../../simulator/random.ts";
import { recordingSignal } from "../../simulator/recording.ts";
import { type FlashTally, newTally, type StorageTally, tallied, talliedStorage } from "./tally.ts";

/** lead: one MAX30003, waveforms only. raw, full: with a MAX30102 and a TMP117 besides; full: and all vitals. */
export type Profile = "lead" | "raw" | "full";

export interface DayOptions {
  readonly clock: VirtualClock;
  readonly profile: Profile;
  /** Of the ECG, hz. */
  readonly rate: 128 | 256;
  readonly packet: { readonly period: number; readonly codec: Codec };
  readonly mode: "sign" | "mac";
  /** Pages of the log. */
  readonly pages: number;
  readonly writeAfter: number;
  readonly markEvery: number;
  /** Absent: an ECG that is computed. */
  readonly recording?: Recording;
  readonly link: Link;
  readonly gateways: readonly GatewayKey[];
}

export interface DayBoard {
  readonly runtime: Runtime;
  readonly signer: KeyedSigner;
  readonly psk: Uint8Array | null;
  readonly tally: FlashTally;
  readonly flash: SimulatedFlash;
  readonly storage: StorageTally;
  /** Of the storage of records: STORAGE_PAGES pages of their own. */
  readonly storageFlash: SimulatedFlash;
}

export const PAGE_SIZE = 4096;
/** As the boards of the lossy world have it. */
const STORAGE_PAGES = 3;
/** RAM for what waits, bytes: a small board's. */
const RAM = 1 << 14;

const I2C = { data: "D21", clock: "D22", hz: 400_000 };
const SPI = { out: "D23", in: "D25", clock: "D18", hz: 4_000_000 };
const SELECT = "D5";
const INTERRUPTS = { ecg: "D4", light: "D19" };

/** Nobody ever hears. */
export const offline: Link = { presence: false, open() {}, send: () => false, close: (done) => done() };

const drive = <C>(chip: Chip<C>, configuration: Partial<C>, interrupt: boolean): Driver =>
  chip.create(configuration, { interrupt }) as Driver;

export function createDayBoard(options: DayOptions): DayBoard {
  const { clock, profile, rate, packet, mode, recording } = options;
  const world = sha256(`outbox day ${profile} ${rate} ${mode} ${JSON.stringify(packet)}`);
  const { kid, psk, ueid, signer, publicKey } = testOnlyIdentity(world, { mode, encrypt: false });
  const flash = createSimulatedFlash({ pageSize: PAGE_SIZE, pages: options.pages });
  const storageFlash = createSimulatedFlash({ pageSize: PAGE_SIZE, pages: STORAGE_PAGES });
  const storage: StorageTally = { writes: new Map() };
  const board = createSimulatedBoard(clock, talliedStorage(createFlashStorage(storageFlash), storage));
  const started = startedBoot({ kid, psk, ueid, signer, publicKey }, world, board.storage);

  const random = createRandom("outbox day");
  const { signals } = createPatient({ seed: "outbox day", index: 0 });
  const noisy = (label: string) => {
    const own = random.fork(label);
    return { oscillator: 1, noise: () => own.normal() };
  };
  const played = recording && recordingSignal(recording.millivolts, recording.rate);
  const period = recording?.period ?? Number.POSITIVE_INFINITY;
  const ecg = max30003Emulator.create(noisy("max30003")) as SpiEmulator;
  ecg.set("ecg", played === undefined ? signals.ecg : (time, since) => played(time, since % period));
  board.attachSpi(SPI, SELECT, ecg, INTERRUPTS.ecg);
  const sensors: SensorPlan[] = [
    {
      attachment: {
        driver: drive(max30003, { sampleRate: rate }, true),
        executor: board.spi(SPI),
        select: SELECT,
        interrupt: INTERRUPTS.ecg,
      },
      site: "chest",
    },
  ];
  if (profile !== "lead") {
    const light = max30102Emulator.create(noisy("max30102")) as I2cEmulator;
    light.set("red", signals.red);
    light.set("infrared", signals.infrared);
    const warmth = tmp117Emulator.create(noisy("tmp117")) as I2cEmulator;
    warmth.set("temperature", signals.temperature);
    board.attachI2c(I2C, light, INTERRUPTS.light);
    board.attachI2c(I2C, warmth);
    const executor = board.i2c(I2C);
    const lights = drive(max30102, { sampleRate: 100 }, true);
    sensors.push({ attachment: { driver: lights, executor, interrupt: INTERRUPTS.light }, site: "finger" });
    sensors.push({ attachment: { driver: drive(tmp117, {}, false), executor }, site: "axilla" });
  }

  const tally = newTally();
  const runtime = createRuntime({
    board,
    link: options.link,
    crypto: nodeCrypto,
    signer,
    seal: { mode, encrypt: false, psk, aead: nodeAead },
    gateways: options.gateways,
    device: deviceOf({ kid, ueid }, started),
    sensors,
    vitals: createVitals(
      sensors.map((plan) => ({ ...plan, channels: profile === "full" ? plan.attachment.driver.channels() : [] })),
    ),
    packet,
    outboxBytes: RAM,
    log: { flash: tallied(flash, tally), writeAfter: options.writeAfter, markEvery: options.markEvery },
    onFault(fault) {
      throw new Error(`outbox day: ${fault.message}`);
    },
  });
  return { runtime, signer: signer!, psk, tally, flash, storage, storageFlash };
}
