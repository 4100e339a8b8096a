/**
 * One board with emulated chips and their faults, twice the same: under a naive reader, which has its bus (wire.ts), and
 * under the runtime with a gateway, of which the record is read. Registers in, record out, in virtual time.
 */
import type { Executor, I2cOptions } from "../../boards/board.ts";
import { type Crystal, createSimulatedBoard, createVirtualClock } from "../../boards/simulated.ts";
import type { VirtualClock } from "../../boards/virtual-clock.ts";
import type { Chip, Driver } from "../../drivers/driver.ts";
import type { EmulatedChip, Emulator, I2cEmulator, Signal, SpiEmulator } from "../../drivers/emulator.ts";
import * as chips from "../../drivers/index.ts";
import type { SensorPlan } from "../../firmware/channels.ts";
import type { LinkEvents } from "../../firmware/link.ts";
import { createRuntime } from "../../firmware/runtime.ts";
import { createVitals } from "../../firmware/vitals.ts";
import { flagWords } from "../../gateway/dashboard/words.ts";
import { createCounters } from "../../gateway/origin.ts";
import { readBoot, type StoredBoot, type StoredChannel, toPhysical } from "../../gateway/read.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { EVENT_CONTACT, EVENT_FAULT, EVENT_OVERFLOW, qualFlags, type Scalar } from "../../protocol/messages.ts";
import { emulators } from "../../simulator/emulators.ts";
import { createFaults, type FaultEntry, type Faults, planFaults } from "../../simulator/faults.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createRandom } from "../../simulator/random.ts";
import { createTestGateway, gatewayKey, site } from "../support/gateway.ts";
import { monitored } from "./monitored.ts";

export const I2C: I2cOptions = { data: "D21", clock: "D22", hz: 100_000 };
const SPI = { out: "D23", in: "D25", clock: "D18", hz: 4_000_000 };

/** A chip on the board. */
export interface Placed {
  /** Folder of its driver. */
  readonly chip: keyof typeof emulators;
  /** 7-bit I2C address, where it is not its default. */
  readonly address?: number;
  /** What it measures: numbers, or signals over time. */
  readonly inputs?: Readonly<Record<string, number | Signal>>;
  /** What is wrong with the silicon: the emulator is changed before it is attached. */
  readonly spoil?: (emulator: Emulator) => void;
  /** Its data-ready line is wired. */
  readonly interrupt?: boolean;
  /** Of our driver. */
  readonly configuration?: object;
  /** Where on the body. */
  readonly on?: string;
}

export interface WorldOptions {
  readonly chips: readonly Placed[];
  readonly faults?: readonly FaultEntry[];
  readonly seed?: number;
  /** The emulators' own noise; absent: there is. */
  readonly noise?: boolean;
  /** The board's clock; absent: it is true. */
  readonly crystal?: Crystal;
  /** About the finger, for faults of its light: percent. */
  readonly perfusionIndex?: number;
  /** How long a message is on its way to the gateway, us; absent: 10 ms. */
  readonly delay?: () => number;
}

/** What a placed chip is wired to. */
export interface Wired {
  readonly placed: Placed;
  readonly emulator: Emulator;
  readonly executor: Executor;
  readonly select?: string;
  readonly interrupt?: string;
  /** Codes of its converter by channel, with their true times, us. */
  readonly converted: Map<string, { code: number; at: number }[]>;
}

export interface World {
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly wired: readonly Wired[];
}

export function createWorld(options: WorldOptions): World {
  const { seed = 1, noise = true } = options;
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock, undefined, options.crystal ?? null);
  const plan = planFaults(options.faults ?? []);
  const { perfusionIndex } = options;
  const light = perfusionIndex === undefined ? {} : { light: { perfusionIndex } };
  const faults = createFaults({ plan, clock, board, index: 0, seed, ...light });
  const random = createRandom(seed);
  const wired = options.chips.map((placed, place): Wired => {
    const kind: EmulatedChip = emulators[placed.chip];
    const own = random.fork(`chip ${place}`);
    const create = (given: object) => {
      const made: Emulator = kind.create(given);
      placed.spoil?.(made);
      return made;
    };
    const settings = {
      ...(noise && { noise: () => own.normal() }),
      ...(placed.address && { address: placed.address }),
    };
    const emulator = faults.create({ ...kind, create } as EmulatedChip, settings, I2C);
    for (const [name, input] of Object.entries(placed.inputs ?? {})) emulator.set(name, input);
    const converted: Wired["converted"] = new Map();
    emulator.onConvert = (channel, code, at) => {
      const all = converted.get(channel) ?? [];
      converted.set(channel, all);
      all.push({ code, at });
    };
    const spi = kind.bus === "spi";
    const select = `D${50 + place}`;
    const interrupt = placed.interrupt === true ? `D${60 + place}` : undefined;
    if (spi) board.attachSpi(SPI, select, emulator as SpiEmulator, interrupt);
    else board.attachI2c(I2C, emulator as I2cEmulator, interrupt);
    const executor = spi ? faults.board.spi(SPI) : faults.board.i2c(I2C);
    return { placed, emulator, executor, converted, ...(spi && { select }), ...(interrupt && { interrupt }) };
  });
  faults.start();
  return { clock, faults, wired };
}

/** A vital or a chip's single reading in the record. */
export interface Reading {
  /** Board time, s. */
  readonly time: number;
  /** In its channel's unit; null: it was not measured. */
  readonly value: number | null;
  /** The reasons, as a person reads them. */
  readonly words: readonly string[];
}

export interface Recorded {
  readonly world: World;
  /** UTC at the world's 0, us. */
  readonly epoch: number;
  readonly boot: StoredBoot;
  /** Every channel with this code, in the order of the birth. */
  channels(mdc: number): StoredChannel[];
  /** The values of the `which`th channel with this code, from..to s. */
  values(mdc: number, from?: number, to?: number, which?: number): Reading[];
  /** What was told as a fault, in the board's whole words. */
  readonly told: readonly { readonly time: number; readonly words: string }[];
  /** What `monitor` prints of it. */
  monitor(): string[];
  /** Events: what the record says of faults, of fingers and electrodes, and of losses. */
  events(kind: "fault" | "contact" | "loss"): { readonly time: number; readonly small: readonly Scalar[] }[];
}

const CODES = { fault: EVENT_FAULT, contact: EVENT_CONTACT, loss: EVENT_OVERFLOW };

/** Runs the project's own runtime on such a world for so many seconds, stops it, and reads the record of its gateway. */
export function record(options: WorldOptions, seconds: number): Recorded {
  const world = createWorld(options);
  const { clock, faults } = world;
  const { board } = faults;
  const signer = testOnlySigner("field");
  const { kid, publicKey } = signer;
  const store = openSqliteStore(":memory:");
  const test = createTestGateway(store, { pings: true });
  const epoch = test.now;
  const card = { issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 } as const;
  test.gateway.devices.enroll(encodeCard(card, site), site.publicKey, true);
  const delay = options.delay ?? (() => 10_000);
  let events: LinkEvents | null = null;
  const sent: Uint8Array[] = [];
  const origin = {
    name: "field",
    counters: createCounters(),
    reply: (message: Uint8Array) => void clock.at(clock.now + delay(), () => events?.onMessage(message)),
  };
  const sensors = world.wired.map(({ placed, executor, select, interrupt }): SensorPlan => {
    // biome-ignore lint/performance/noDynamicNamespaceImportAccess: by the chip's name
    const chip = chips[placed.chip] as Chip<unknown>;
    const address = placed.address === undefined ? null : { address: placed.address };
    const driver = chip.create(placed.configuration ?? {}, {
      interrupt: interrupt !== undefined,
      ...address,
    }) as Driver;
    return {
      attachment: { driver, executor, ...(select && { select }), ...(interrupt && { interrupt }) },
      ...(placed.on && { site: placed.on }),
    };
  });
  const told: { time: number; words: string }[] = [];
  const runtime = createRuntime({
    board,
    link: {
      presence: false,
      open(given) {
        events = given;
        given.onUp(1);
      },
      send(_letter, message) {
        sent.push(message);
        clock.at(clock.now + delay(), () => {
          test.now = epoch + clock.now / 1000;
          test.gateway.receive(message, origin);
          test.settle();
        });
        return true;
      },
      close: (done) => done(),
    },
    crypto: nodeCrypto,
    signer,
    gateways: [gatewayKey],
    device: { ueid: new Uint8Array(17).fill(1), boot: 1, bootSeed: new Uint8Array(16), software: "test", version: "1" },
    sensors,
    vitals: createVitals(sensors.map((plan) => ({ ...plan, channels: plan.attachment.driver.channels() }))),
    packet: { period: 1000, codec: "rice" },
    outboxBytes: 1 << 20,
    onFault: ({ message }) => told.push({ time: clock.now / 1e6, words: message }),
  });
  runtime.start();
  clock.runUntil(seconds * 1e6);
  runtime.stop(() => {});
  clock.runUntil(seconds * 1e6 + 2e6);
  const boot = readBoot(store, kid, 1);
  if (boot === null) throw new Error("nothing of the board came to the gateway");
  store.close();

  // a vital has the site of the light that it is read from, as the page shows it
  const lit = [...boot.channels.values()].find(({ definition }) => definition.attributes.role === "infrared");
  const channels = (mdc: number) => [...boot.channels.values()].filter(({ definition }) => definition.mdc === mdc);
  return {
    world,
    epoch: epoch * 1000,
    boot,
    channels,
    told,
    monitor: () => monitored(sent, signer),
    values(mdc, from = 0, to = Number.POSITIVE_INFINITY, which = 0) {
      const channel = channels(mdc)[which];
      if (channel === undefined) return [];
      const { definition, values } = channel;
      return values
        .map(({ time, raw, qual }) => ({
          time: time / 1e6,
          value: raw === null ? null : toPhysical(definition, raw),
          words: flagWords(qualFlags(qual), definition.attributes.site ?? lit?.definition.attributes.site),
        }))
        .filter(({ time }) => time >= from && time < to);
    },
    events: (kind) =>
      boot.events
        .filter(({ code }) => code === CODES[kind])
        .map(({ tick, small }) => ({ time: tick / 1000, small: small as readonly Scalar[] })),
  };
}
