/** Checks that encoder and decoder share, so that neither lets through what the other refuses. Device side. */
import type { Cbor } from "../cbor.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { utf8Length } from "../utf8.ts";
import type { ChannelDefinition } from "./types.ts";

export const U16 = 65535;
export const U32 = 4294967295;
export const MAX_INTEGER = 9007199254740991;
/** Bytes of any text in a payload. */
export const MAX_TEXT = 64;
/** Largest power of ten, either way, in a channel's scale: 2^53 x 10^30 is still a number. */
export const MAX_EXP10 = 30;
/** conn of a presence: 4 x conn + state must fit the 32 bits of the audit chain. */
export const MAX_CONNECTION = 1073741823;
/** Payload hashes in a manifest. */
export const MAX_HASHES = 240;

/** A record under construction: optional fields may still be set. */
export type Loose<T> = { -readonly [K in keyof T]: T[K] };

/** What may stand in a field: encoders pass fields of messages, decoders what CBOR gave. */
export type Field = unknown;

function show(value: Field): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "string") return `"${value.substring(0, 40)}"`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "a map" : `${value}`;
}

/** "payload: wave n is 0, must be an integer 1..1024" */
export function wrong(field: string, value: Field, rule: string): Refusal {
  return refuse("payload", `${field} is ${show(value)}, must be ${rule}`);
}

/** The value, if it is an integer in minimum..maximum. */
export function integer(value: Field, minimum: number, maximum: number, field: string): number {
  if (typeof value === "number" && value >= minimum && value <= maximum && Math.floor(value) === value) return value;
  throw wrong(field, value, `an integer ${minimum}..${maximum}`);
}

/** uint: any that the wire carries. */
export function unsigned(value: Field, field: string): number {
  return integer(value, 0, MAX_INTEGER, field);
}

/** int: any that the wire carries. */
export function signed(value: Field, field: string): number {
  return integer(value, -MAX_INTEGER, MAX_INTEGER, field);
}

/** The value, if it is minimum..maximum bytes. */
export function octets(value: Field, minimum: number, maximum: number, field: string): Uint8Array {
  if (value instanceof Uint8Array && value.length >= minimum && value.length <= maximum) return value;
  throw wrong(field, value, minimum === maximum ? `${minimum} bytes` : `${minimum}..${maximum} bytes`);
}

/** The value, if it is text of at most `maximum` bytes of UTF-8. */
export function text(value: Field, maximum: number, field: string): string {
  if (typeof value === "string" && value.length <= maximum && utf8Length(value) <= maximum) return value;
  throw wrong(field, value, `text of at most ${maximum} bytes`);
}

/** The value, if it is a list of minimum..maximum items. */
export function list(value: Field, minimum: number, maximum: number, field: string): Cbor[] {
  if (Array.isArray(value) && value.length >= minimum && value.length <= maximum) return value;
  throw wrong(field, value, minimum === maximum ? `a list of ${minimum}` : `a list of ${minimum}..${maximum}`);
}

/** A quality: sqi 0..100 or 127, flags in bits 0..10. */
export function quality(value: Field, field: string): number {
  if (typeof value === "number" && value >= 0 && value <= 262143 && Math.floor(value) === value) {
    const sqi = value & 127;
    if (sqi <= 100 || sqi === 127) return value;
  }
  throw wrong(field, value, "sqi 0..100 or 127, plus 128 x flags 0..2047");
}

/** A value that could not be measured says why (PROTOCOL.md section 2). */
export function nullNeedsFlag(qual: number | null): void {
  if (qual === null || qual < 128)
    throw wrong("num qual", qual, "present with at least one flag where the value is null");
}

/** ueid of type RAND: 0x01 and 16 random bytes (RFC 9711 section 4.2.1). */
export function randomUeid(value: Field): Uint8Array {
  const ueid = octets(value, 17, 17, "claim 256 (ueid)");
  if (ueid[0] !== 1) throw wrong("claim 256 (ueid) byte 0", ueid[0], "1 (RAND)");
  return ueid;
}

/** 1..240 times 16 bytes. */
export function manifestHashes(value: Field): Uint8Array {
  const hashes = octets(value, 16, MAX_HASHES * 16, "manifest hashes");
  if (hashes.length % 16 !== 0) throw wrong("manifest hashes", hashes, "a multiple of 16 bytes");
  return hashes;
}

/** Refuses an id that one of the first `count` definitions of the birth has already. */
export function definedOnce(channels: readonly ChannelDefinition[], count: number, id: number): void {
  for (let i = 0; i < count; i++) if (channels[i].id === id) throw wrong("definition id", id, "defined once");
}

/** Value of a command's parameter: an integer, text or bytes, bounded by the message alone. */
export function parameter(value: Field, key: number): number | string | Uint8Array {
  if (typeof value === "number") return signed(value, `parameter ${key}`);
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw wrong(`parameter ${key}`, value, "an integer, text or bytes");
}
