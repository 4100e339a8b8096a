/** What commands need of the board that obeys them. Device side. */
import type { Driver, Fault, Frame, Step } from "../../drivers/driver.ts";
import { type CommandMessage, parameterOf } from "../../protocol/messages.ts";
import type { Alarms } from "../alarms.ts";

/** Told once what became of a command: STATUS_… of protocol/messages/ops.ts. */
export type Done = (status: number) => void;

/** Hold whatever a command says. */
export interface DeviceLimits {
  /** Of each LED, mA. */
  readonly ledCurrent: number;
  /** Samples a second of a channel, hz. */
  readonly rate: number;
  /** Of a pause of all alarms, s. */
  readonly pause: number;
}

export const DEVICE_LIMITS: DeviceLimits = { ledCurrent: 25, rate: 500, pause: 120 };

/** What a board can do besides measuring; absent: it cannot. */
export interface CommandHandlers {
  /** Called a second after the answer. */
  readonly reboot?: () => void;
  readonly console?: () => void;
  /** A signed announcement, not yet verified (commands/firmware.ts). */
  readonly firmware?: (object: Uint8Array, done: Done) => void;
  /** `card`: what the command carries, nothing of it verified; null: nothing. */
  readonly rekey?: (card: Uint8Array | null, done: Done) => void;
}

/** One chip, as far as commands reach it. */
export interface ChipControl {
  /** In its present configuration. */
  readonly driver: Driver;
  /** Id of its first channel. */
  readonly first: number;
  /** It is opened, or that is tried again and again. */
  readonly running: boolean;
  /** `done`: whether the first attempt did. */
  start(done: (opened: boolean) => void): void;
  stop(done: () => void): void;
  perform(step: Step, done: (frame: Frame) => void): void;
  /** From here on the board changes no LED current by itself: somebody has set one. */
  holdCurrents(): void;
  /**
   * Closes the chip and opens it in another configuration under a new cfg; `began` is called with it when what was measured
   * before is sealed, before the new birth. Throws Error for a configuration that the chip does not have.
   */
  replace(configuration: unknown, began: (cfg: number) => void, done: Done): void;
}

export interface CommandHost {
  readonly chips: readonly ChipControl[];
  readonly alarms: Alarms | null;
  readonly limits: DeviceLimits;
  readonly handlers: CommandHandlers;
  /** Board clock, us. */
  now(): number;
  timer(ms: number, callback: () => void): () => void;
  /** Event 5. */
  answer(gateway: Uint8Array, n: number, status: number): void;
  /** Event 6: what the command says holds from here on, in this cfg; absent: in the present one. */
  changed(command: CommandMessage, cfg?: number): void;
  /** Event 7. */
  fault(channel: number, fault: Fault): void;
  /** A birth of the same cfg, unless none was sent: then it comes anyway. */
  birth(): void;
}

/** The integer under a key; null: it is not there. */
export const numberOf = (command: CommandMessage, key: number): number | null => {
  const value = parameterOf(command.parameters, key);
  return typeof value === "number" ? value : null;
};
