/** Where messages come from, and what was counted there. */
import { REASONS, type Reason } from "../protocol/refusal.ts";
import type { Device } from "./devices.ts";

export interface Counters {
  /** Messages, or what was taken for one. */
  received: number;
  /** Messages whose signature held. */
  authentic: number;
  /** New ones among them: stored. */
  verified: number;
  /** Presences among the verified: they have no place in the order of messages. */
  presences: number;
  /** Seen before with the same payload; also counted under "replay". */
  duplicates: number;
  /** By PROTOCOL.md's fixed words. */
  readonly refused: Record<Reason, number>;
}

/** One way by which messages come: a serial port, a device's topics. */
export interface Origin {
  /** "serial:/dev/ttyUSB0", "mqtt:1563545644dd02b0": a person reads it. */
  readonly name: string;
  readonly counters: Counters;
  /** MQTT: the kid of the topic, and its last letter. */
  readonly topic?: { readonly kid: string; readonly letter: string };
  /** Sends one message back the same way. */
  reply(message: Uint8Array): void;
  /** The last device that proved itself here. */
  device?: Device;
}

export function createCounters(): Counters {
  const refused = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>;
  return { received: 0, authentic: 0, verified: 0, presences: 0, duplicates: 0, refused };
}

/** Messages that were refused; those seen before with the same payload are duplicates, not refusals. */
export function rejected(counters: Counters): number {
  let sum = -counters.duplicates;
  for (const reason of REASONS) sum += counters.refused[reason];
  return sum;
}
