/** What a runtime is made of, and what it shows of itself (runtime.ts). Device side. */
import type { Board } from "../boards/board.ts";
import type { Fault } from "../drivers/driver.ts";
import type { Crypto, Signer } from "../protocol/cose.ts";
import type { ChannelDefinition } from "../protocol/messages.ts";
import type { AlarmSettings, Alarms } from "./alarms.ts";
import type { SensorPlan } from "./channels.ts";
import type { CommandHandlers, DeviceLimits } from "./commands.ts";
import type { ContactState } from "./contact.ts";
import type { Refusals } from "./downlink.ts";
import type { Link } from "./link.ts";
import type { LogSettings, Outbox } from "./outbox.ts";
import type { Codec } from "./packer.ts";
import type { GatewayKey, SealSettings } from "./sealer.ts";
import type { Vitals } from "./vitals.ts";

export interface RuntimeOptions {
  readonly board: Board;
  readonly link: Link;
  readonly crypto: Crypto;
  /** null: this board cannot sign, so it seals by mac alone, and `device.kid` names it. */
  readonly signer: Signer | null;
  /** Absent: every message is signed, and none encrypted. Throws as createSealer does. */
  readonly seal?: SealSettings;
  readonly gateways: readonly GatewayKey[];
  readonly device: {
    /** 8 bytes; absent: the signer's. */
    readonly kid?: Uint8Array;
    /** 0x01 and 16 random bytes, injected once, kept for the device's life. */
    readonly ueid: Uint8Array;
    /** Committed to storage before the first message. */
    readonly boot: number;
    /** 16 bytes, another one for every boot. */
    readonly bootSeed: Uint8Array;
    /** Last message of the boot before (boot.ts); absent or null: not known. */
    readonly prev?: { readonly boot: number; readonly seq: number } | null;
    readonly software: string;
    readonly version: string;
  };
  readonly sensors: readonly SensorPlan[];
  readonly vitals: Vitals;
  /** What the vitals are held against; absent: against nothing. Throws as createAlarms does. */
  readonly alarms?: AlarmSettings;
  /** `period`: ms between two data messages. */
  readonly packet: { readonly period: number; readonly codec: Codec };
  /** Bytes of sealed messages that wait for their acks in RAM at most. */
  readonly outboxBytes: number;
  /** Where they outlive a power cut; absent: nowhere. */
  readonly log?: LogSettings;
  /** Bytes a second of what is behind that are sent beside what is new; absent: BACKFILL_RATE. */
  readonly backfill?: number;
  /** Hold whatever a command says; absent: DEVICE_LIMITS. */
  readonly limits?: Partial<DeviceLimits>;
  /** What this board can do besides measuring. */
  readonly handlers?: CommandHandlers;
  /** The outbox has just become empty. */
  readonly onSettled?: () => void;
  readonly onFault?: (fault: Fault) => void;
}

export interface Runtime {
  /** null: there are none. */
  readonly alarms: Alarms | null;
  /** Messages sealed with a seq in this boot. */
  readonly produced: number;
  readonly wireBytes: number;
  readonly outbox: Outbox;
  readonly channels: readonly ChannelDefinition[];
  /** Downlink messages that were not accepted, in all and by reason. */
  readonly refused: number;
  readonly refusals: Readonly<Refusals>;
  /** Whether a finger is in the light, as of the last message: the least good of the oximeters'; null: none is heard. */
  readonly contact: ContactState | null;
  /** Likewise whether an ECG's electrodes are on: "settling" until there is a heart rate. */
  readonly electrodes: ContactState | null;
  /** The chips are stopped and all that they gave is sealed: from here on only acks are awaited. */
  readonly drained: boolean;
  start(): void;
  /** Drains the chips, seals the rest, waits for the acks (bounded), closes the link, then `done`. */
  stop(done: () => void): void;
}
