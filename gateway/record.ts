/**
 * What a gateway adds to a message that it stores: deterministic CBOR {1: clock, 2: countersignature, 3: plaintext}, each where
 * there is one (PROTOCOL.md section 8). It is part of the audit chain.
 */
import { type Cbor, decode, encode, isMap, map } from "../protocol/cbor.ts";
import { decodeEnvelope } from "../protocol/cose.ts";
import { type Countersignature, countersignatureOf, countersignatureParts } from "../protocol/countersign.ts";
import { modeOf } from "../protocol/header.ts";
import { decodeMac0 } from "../protocol/mac0.ts";
import { decodeMessage, type Message } from "../protocol/messages.ts";
import { refuse } from "../protocol/refusal.ts";
import type { SealedRow } from "./store/store.ts";

/** When a message's tick was, by the gateway's fit of the board's clock. Absent: untimed. */
export interface RecordClock {
  /** The message's tick, us since the epoch. */
  readonly utc: number;
  /** us. */
  readonly uncertainty: number;
  /** How much faster than the gateway's clock the board's runs, and how uncertain that is, ppb. */
  readonly drift: number;
  readonly driftUncertainty: number;
  /** The uncertainty rests on an assumed one-way delay: no ping bounds the tick from below (docs/time.md). */
  readonly assumed: boolean;
  readonly channels: readonly ChannelRate[];
}

/** A waveform's rate as the gateway has fitted it. */
export interface ChannelRate {
  readonly id: number;
  /** Samples a second of the gateway's clock, uHz. */
  readonly rate: number;
  /** ppb. */
  readonly uncertainty: number;
}

export interface StoredRecord {
  readonly clock: RecordClock | null;
  /** Of a message in mode M, and of a bare payload in mode E: the gateway's, detached. */
  readonly countersignature: Countersignature | null;
  /** Of a bare payload in mode E. */
  readonly plaintext: Uint8Array | null;
}

const CLOCK = 1;
const COUNTERSIGNATURE = 2;
const PLAINTEXT = 3;

/** Of a message to which nothing is added. */
export const EMPTY_RECORD = encode(map([]));

export function encodeRecord({ clock, countersignature, plaintext }: StoredRecord): Uint8Array {
  const entries: [Cbor, Cbor][] = [];
  if (clock !== null) {
    const channels = clock.channels.map(({ id, rate, uncertainty }) => [id, rate, uncertainty]);
    const { utc, uncertainty, drift, driftUncertainty, assumed } = clock;
    entries.push([CLOCK, [utc, uncertainty, drift, driftUncertainty, channels, assumed]]);
  }
  if (countersignature !== null) entries.push([COUNTERSIGNATURE, countersignatureParts(countersignature)]);
  if (plaintext !== null) entries.push([PLAINTEXT, plaintext]);
  return encode(map(entries));
}

const wrong = (what: string) => refuse("payload", `record: ${what}`);

function integers(value: Cbor | undefined, count: number): number[] {
  if (!Array.isArray(value) || value.length !== count || value.some((one) => typeof one !== "number")) {
    throw wrong(`not ${count} numbers`);
  }
  return value as number[];
}

function clockOf(value: Cbor): RecordClock {
  if (!Array.isArray(value) || value.length !== 6) throw wrong("entry 1 is no clock");
  const [rates, assumed] = value.slice(4);
  if (!Array.isArray(rates) || typeof assumed !== "boolean") throw wrong("entry 1 is no clock");
  const [utc, uncertainty, drift, driftUncertainty] = integers(value.slice(0, 4), 4);
  const channels = rates.map((one): ChannelRate => {
    const [id, rate, uncertainty] = integers(one, 3);
    return { id, rate, uncertainty };
  });
  return { utc, uncertainty, drift, driftUncertainty, assumed, channels };
}

/** Throws Refusal for bytes that `encodeRecord` does not give. */
export function decodeRecord(bytes: Uint8Array): StoredRecord {
  const value = decode(bytes);
  if (!isMap(value)) throw wrong("not a map");
  let clock: RecordClock | null = null;
  let countersignature: Countersignature | null = null;
  let plaintext: Uint8Array | null = null;
  for (const [key, entry] of value.entries) {
    if (key === CLOCK) clock = clockOf(entry);
    else if (key === COUNTERSIGNATURE) countersignature = countersignatureOf(entry);
    else if (key === PLAINTEXT && entry instanceof Uint8Array) plaintext = entry;
    else throw wrong(`no entry ${String(key)} of this form`);
  }
  return { clock, countersignature, plaintext };
}

/** The payload inside a row of space 0 or 1, which was proven before it was stored. Throws Refusal where it was changed since. */
export function storedPayload({ message, record }: SealedRow): Uint8Array {
  const mode = modeOf(message);
  if (mode === "M") return decodeMac0(message).payload;
  if (mode === "S") return decodeEnvelope(message).payload;
  const { plaintext } = decodeRecord(record);
  if (plaintext === null) throw wrong("an encrypted message without entry 3, its plaintext");
  return plaintext;
}

/** The message inside a row of space 0 or 1. Throws Refusal, as `storedPayload`. */
export function openStored(row: SealedRow): Message {
  return decodeMessage(storedPayload(row));
}
