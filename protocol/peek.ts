/** The first items of a payload, before or without its whole decoding (PROTOCOL.md section 8, step 4). Device side. */
import {
  TYPE_ACK,
  TYPE_BIRTH,
  TYPE_COMMAND,
  TYPE_DATA,
  TYPE_EVENT,
  TYPE_MANIFEST,
  TYPE_PRESENCE,
  TYPE_TIME,
} from "./messages/codes.ts";
import { type Reason, refuse } from "./refusal.ts";

/** What chooses the key of a message in mode M. */
export interface PayloadPeek {
  /** TYPE_… of messages/codes.ts. */
  readonly type: number;
  /** The device addressed, 8 bytes, in a command, ack or time; null in what a device sends. A view into the payload. */
  readonly kid: Uint8Array | null;
  readonly boot: number;
}

/** What a message is called: nothing else is under this number in this boot and direction. */
export interface PayloadIdentity extends PayloadPeek {
  /** seq of what a device sends, n of what a gateway sends; u32 here. */
  readonly number: number;
}

/** True for what a gateway sends. */
export function isDownlink(type: number): boolean {
  return type === TYPE_COMMAND || type === TYPE_ACK || type === TYPE_TIME;
}

function isUplink(type: number): boolean {
  return (
    type === TYPE_DATA || type === TYPE_BIRTH || type === TYPE_MANIFEST || type === TYPE_EVENT || type === TYPE_PRESENCE
  );
}

let at = 0;

/** An unsigned integer of at most 32 bits in its shortest form. */
function readU32(payload: Uint8Array, name: string, reason: Reason): number {
  const start = at;
  const initial = at < payload.length ? payload[at++] : 255;
  if (initial < 24) return initial;
  const size = initial === 24 ? 1 : initial === 25 ? 2 : initial === 26 ? 4 : 0;
  if (size === 0 || at + size > payload.length) throw refuse(reason, `no ${name} of at most 32 bits`, start);
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + payload[at++];
  if (value < (size === 1 ? 24 : size === 2 ? 256 : 65536))
    throw refuse(reason, `${name} in more bytes than it needs`, start);
  return value;
}

function read(payload: Uint8Array, reason: Reason): PayloadPeek {
  if (payload.length < 2 || payload[0] < 0x84 || payload[0] > 0x89)
    throw refuse(reason, "the payload is not a list of 4..9 items", 0);
  const type = payload[1];
  const down = isDownlink(type);
  if (!down && !isUplink(type)) throw refuse(reason, "the payload begins with no message type", 1);
  let kid: Uint8Array | null = null;
  at = 2;
  if (down) {
    if (payload[2] !== 0x48 || payload.length < 11) throw refuse(reason, "no kid of 8 bytes behind the type", 2);
    kid = payload.subarray(3, 11);
    at = 11;
  }
  return { type: type, kid: kid, boot: readU32(payload, "boot", reason) };
}

/**
 * Type, kid and boot of a payload that is not proven: at most its first 16 bytes are read, to choose a key; nothing may act on
 * them before that key's MAC holds, and then the whole payload is decoded. Throws Refusal "signature" where they choose no
 * key: what no key can prove is no more authentic than what a key disproves, and must never settle a seq.
 */
export function peekPayload(payload: Uint8Array): PayloadPeek {
  return read(payload, "signature");
}

/**
 * Identity of a payload that is proven, or one's own. Throws Refusal "payload" where it has none: a presence (it is not in
 * the seq space), no message, an n over 32 bits.
 */
export function identityOf(payload: Uint8Array): PayloadIdentity {
  const found = read(payload, "payload");
  if (found.type === TYPE_PRESENCE) throw refuse("payload", "a presence has no place in the sequence", 1);
  const number = readU32(payload, found.kid === null ? "seq" : "n", "payload");
  return { type: found.type, kid: found.kid, boot: found.boot, number: number };
}
