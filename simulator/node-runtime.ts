/** The upper half of a virtual board: drivers and firmware, above whatever board and link are given. */
import type { Board } from "../boards/board.ts";
import type { Chip, Driver, Fault } from "../drivers/driver.ts";
import { chip as max30003 } from "../drivers/max30003/chip.ts";
import { chip as max30102 } from "../drivers/max30102/chip.ts";
import { chip as tmp117 } from "../drivers/tmp117/chip.ts";
import type { AlarmSettings } from "../firmware/alarms.ts";
import type { StartedBoot } from "../firmware/boot.ts";
import type { SensorPlan } from "../firmware/channels.ts";
import type { CommandHandlers } from "../firmware/commands.ts";
import type { Calibration } from "../firmware/dsp/calibration.ts";
import type { Link } from "../firmware/link.ts";
import type { LogSettings } from "../firmware/outbox.ts";
import { createRuntime, type Runtime } from "../firmware/runtime.ts";
import type { GatewayKey } from "../firmware/sealer.ts";
import { createVitals } from "../firmware/vitals.ts";
import type { Crypto } from "../protocol/cose.ts";
import { nodeAead, nodeCrypto } from "../protocol/crypto.node.ts";
import { deviceOf, type NodeIdentity, type SealMode } from "./identity.ts";

/** How the chips of a virtual board are wired. */
export const I2C = { data: "D21", clock: "D22", hz: 400_000 };
export const SPI = { out: "D23", in: "D25", clock: "D18", hz: 4_000_000 };
export const PPG_INTERRUPT = "D19";
export const ECG_INTERRUPT = "D4";
export const ECG_SELECT = "D5";

const CHIPS = { max30102, max30003, tmp117 };

/** One chip of a virtual board and what its driver is told: plain data. */
export interface NodeSensor {
  readonly chip: keyof typeof CHIPS;
  /** As its driver takes it; what is not there is the driver's default. */
  readonly configuration: object;
  readonly site: string;
  readonly calibration?: Calibration;
  readonly automaticLedCurrent?: boolean;
}

/** What shapes a board's firmware, beside its board, its link and its keys. Two of the same say the same, byte for byte. */
export interface NodeSetup {
  readonly seal: SealMode;
  readonly boot: Pick<StartedBoot, "boot" | "bn" | "prev">;
  /** In the order of the birth. */
  readonly sensors: readonly NodeSensor[];
  /** Who signs what it obeys. */
  readonly gateways: readonly GatewayKey[];
  readonly alarms?: AlarmSettings;
  /** RAM for messages that wait for their ack. */
  readonly outboxBytes: number;
}

/** What does not change what it says of the same world. */
export interface NodeParts {
  /** Absent: Node's. */
  readonly crypto?: Crypto;
  readonly handlers?: CommandHandlers;
  readonly log?: LogSettings;
  readonly onSettled?: () => void;
  readonly onFault?: (fault: Fault) => void;
  readonly wrapDriver?: (driver: Driver) => Driver;
}

/** The chips of every virtual board. */
export const sensorsOf = (own: Pick<NodeSensor, "calibration" | "automaticLedCurrent">): NodeSensor[] => [
  { chip: "max30102", configuration: { sampleRate: 100 }, site: "finger", ...own },
  { chip: "max30003", configuration: { sampleRate: 256 }, site: "chest" },
  { chip: "tmp117", configuration: {}, site: "axilla" },
];

const wiring = (chip: NodeSensor["chip"], board: Board) => {
  if (chip === "max30102") return { executor: board.i2c(I2C), interrupt: PPG_INTERRUPT };
  if (chip === "tmp117") return { executor: board.i2c(I2C) };
  return { executor: board.spi(SPI), select: ECG_SELECT, interrupt: ECG_INTERRUPT };
};

/** Nothing runs before its `start()`. Throws as the drivers' `create` and createRuntime do. */
export function createNodeRuntime(
  board: Board,
  link: Link,
  identity: NodeIdentity,
  setup: NodeSetup,
  parts: NodeParts = {},
): Runtime {
  const { seal, boot, gateways, alarms, outboxBytes } = setup;
  const { crypto, wrapDriver, ...rest } = parts;
  const sensors = setup.sensors.map(({ chip, configuration, ...own }): SensorPlan => {
    const wires = wiring(chip, board);
    const recreate = (other: unknown): Driver => {
      const { create } = CHIPS[chip] as Chip<object>;
      const driver = create(other as object, { interrupt: "interrupt" in wires }) as Driver;
      return wrapDriver === undefined ? driver : wrapDriver(driver);
    };
    return { attachment: { driver: recreate(configuration), ...wires }, recreate, ...own };
  });
  return createRuntime({
    board,
    link,
    crypto: crypto ?? nodeCrypto,
    signer: identity.signer,
    seal: { ...seal, psk: identity.psk, aead: nodeAead },
    gateways,
    device: deviceOf(identity, boot),
    sensors,
    vitals: createVitals(sensors.map((plan) => ({ ...plan, channels: plan.attachment.driver.channels() }))),
    ...(alarms && { alarms }),
    packet: { period: 1000, codec: "rice" },
    outboxBytes,
    ...rest,
  });
}
