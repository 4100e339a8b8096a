/** From payload bytes to messages: strict CBOR, then every rule of vsp.cddl. Device side. */
import { type Cbor, type CborMap, decode, isMap } from "../cbor.ts";
import {
  definedOnce,
  integer,
  type Loose,
  list,
  MAX_CONNECTION,
  MAX_EXP10,
  MAX_TEXT,
  manifestHashes,
  nullNeedsFlag,
  octets,
  parameter,
  quality,
  randomUeid,
  signed,
  text,
  U16,
  U32,
  unsigned,
  wrong,
} from "./check.ts";
import {
  CLAIM_OFFLINE,
  TYPE_ACK,
  TYPE_BIRTH,
  TYPE_COMMAND,
  TYPE_DATA,
  TYPE_EVENT,
  TYPE_MANIFEST,
  TYPE_PRESENCE,
  TYPE_TIME,
} from "./codes.ts";
import type {
  Attributes,
  BirthMessage,
  ChannelDefinition,
  Claims,
  CommandMessage,
  DataMessage,
  EventMessage,
  Message,
  Num,
  Scalar,
  Wave,
} from "./types.ts";

function channelOf(value: Cbor): Wave | Num {
  const parts = list(value, 3, 8, "channel block");
  const id = integer(parts[0], 0, 63, "channel id");
  if (parts.length < 5) {
    const qual = parts.length === 4 ? quality(parts[3], "num qual") : null;
    const raw = parts[2] === null ? null : signed(parts[2], "num value");
    if (raw === null) nullNeedsFlag(qual);
    return { kind: "num", id: id, dt: signed(parts[1], "num dt"), value: raw, qual: qual };
  }
  if (parts.length < 7) throw wrong("channel block", value, "a wave of 7 or 8 items or a num of 3 or 4");
  return {
    kind: "wave",
    id: id,
    seg: unsigned(parts[1], "wave seg"),
    idx: unsigned(parts[2], "wave idx"),
    dt: signed(parts[3], "wave dt"),
    codec: integer(parts[4], 0, 2, "wave codec") as 0 | 1 | 2,
    n: integer(parts[5], 1, 1024, "wave n"),
    bytes: octets(parts[6], 1, U16, "wave bytes"),
    qual: parts.length === 8 ? quality(parts[7], "wave qual") : null,
  };
}

function dataOf(items: Cbor[], boot: number, seq: number, tick: number): DataMessage {
  const cfg = integer(items[4], 0, U16, "data cfg");
  const blocks = list(items[5], 1, 16, "data channels");
  const channels: Array<Wave | Num> = [];
  for (let i = 0; i < blocks.length; i++) channels.push(channelOf(blocks[i]));
  return { type: "data", boot: boot, seq: seq, tick: tick, cfg: cfg, channels: channels };
}

function attributesOf(value: Cbor): Attributes {
  if (!isMap(value)) throw wrong("channel attributes", value, "a map");
  const found: Loose<Attributes> = {};
  for (let i = 0; i < value.entries.length; i++) {
    const key = value.entries[i][0];
    const item = value.entries[i][1];
    if (key === 1) found.role = text(item, MAX_TEXT, "attribute 1 (role)");
    else if (key === 2) found.chip = text(item, MAX_TEXT, "attribute 2 (chip)");
    else if (key === 3) found.site = text(item, MAX_TEXT, "attribute 3 (body site)");
    else if (key === 4) found.lead = text(item, MAX_TEXT, "attribute 4 (lead)");
    else if (key === 5) found.processing = integer(item, 0, 3, "attribute 5 (processing)") as 0 | 1 | 2 | 3;
    else if (key === 6) found.delay = signed(item, "attribute 6 (delay)");
    else if (key === 7) found.calibration = text(item, MAX_TEXT, "attribute 7 (calibration)");
    else if (key === 8) found.minimum = signed(item, "attribute 8 (minimum)");
    else if (key === 9) found.maximum = signed(item, "attribute 9 (maximum)");
    else if (key === 10) found.identity = integer(item, 0, 2, "attribute 10 (identity)") as 0 | 1 | 2;
    else throw wrong("attribute key", key, "an integer 1..10");
  }
  return found;
}

function definitionOf(value: Cbor): ChannelDefinition {
  const parts = list(value, 9, 9, "channel definition");
  return {
    id: integer(parts[0], 0, 63, "definition id"),
    mdc: integer(parts[1], 0, U32, "definition mdc"),
    rateMilliHz: unsigned(parts[2], "definition rate"),
    bits: integer(parts[3], 1, 32, "definition bits"),
    offset: signed(parts[4], "definition offset"),
    mul: signed(parts[5], "definition mul"),
    exp10: integer(parts[6], -MAX_EXP10, MAX_EXP10, "definition exp10"),
    ucum: text(parts[7], MAX_TEXT, "definition ucum"),
    attributes: attributesOf(parts[8]),
  };
}

/** Value of the claim that must stand at this place: keys are sorted, so the set is fixed by the places. */
function claim(claims: CborMap, place: number, key: number): Cbor {
  if (claims.entries[place][0] !== key) throw wrong("claim key", claims.entries[place][0], `${key} at this place`);
  return claims.entries[place][1];
}

function claimsOf(value: Cbor, boot: number): Claims {
  if (!isMap(value) || value.entries.length < 5 || value.entries.length > 7)
    throw wrong("birth claims", value, "a map of 256, 267, 268, 270, 271 and, if at all, 261 and -70003");
  const last = value.entries.length - 1;
  const offline = value.entries[last][0] === CLAIM_OFFLINE ? 1 : 0;
  const extra = value.entries.length - 5 - offline;
  if (extra < 0 || extra > 1) throw wrong("birth claims", value, "256, 267, 268, 270 and 271, each once");
  const claims: Loose<Claims> = {
    ueid: randomUeid(claim(value, 0, 256)),
    bootcount: integer(claim(value, 1 + extra, 267), boot, boot, "claim 267 (bootcount; the header's boot)"),
    bootseed: octets(claim(value, 2 + extra, 268), 16, 16, "claim 268 (bootseed)"),
    swname: text(claim(value, 3 + extra, 270), MAX_TEXT, "claim 270 (swname)"),
    swversion: [text(list(claim(value, 4 + extra, 271), 1, 1, "claim 271")[0], MAX_TEXT, "claim 271 (swversion)")],
  };
  if (extra === 1) claims.uptime = unsigned(claim(value, 1, 261), "claim 261 (uptime)");
  if (offline === 1) claims.offline = unsigned(value.entries[last][1], "claim -70003 (offline)");
  return claims;
}

function birthOf(items: Cbor[], boot: number, seq: number, tick: number): BirthMessage {
  const cfg = integer(items[4], 0, U16, "birth cfg");
  const claims = claimsOf(items[5], boot);
  const definitions = list(items[6], 1, 32, "birth channels");
  const channels: ChannelDefinition[] = [];
  for (let i = 0; i < definitions.length; i++) {
    const channel = definitionOf(definitions[i]);
    definedOnce(channels, i, channel.id);
    channels.push(channel);
  }
  let prev: BirthMessage["prev"] = null;
  if (items[7] !== null) {
    const pair = list(items[7], 2, 2, "birth prev");
    prev = { boot: integer(pair[0], 0, U32, "prev boot"), seq: integer(pair[1], 0, U32, "prev seq") };
  }
  let hint: BirthMessage["hint"] = null;
  if (items[8] !== null) {
    const parts = list(items[8], 3, 3, "birth hint");
    hint = {
      gatewayMs: unsigned(parts[0], "hint gw-ms"),
      tick: unsigned(parts[1], "hint tick"),
      uncertaintyMs: unsigned(parts[2], "hint uncertainty-ms"),
    };
  }
  return {
    type: "birth",
    boot: boot,
    seq: seq,
    tick: tick,
    cfg: cfg,
    claims: claims,
    channels: channels,
    prev: prev,
    hint: hint,
  };
}

function scalarOf(value: Cbor): Scalar {
  if (value === null) return null;
  if (typeof value === "number") return signed(value, "event value");
  if (typeof value === "string") return text(value, MAX_TEXT, "event text");
  if (value instanceof Uint8Array) return octets(value, 0, 64, "event bytes");
  throw wrong("event value", value, "an integer, null, text or bytes");
}

function eventOf(items: Cbor[], boot: number, seq: number, tick: number): EventMessage {
  const code = unsigned(items[4], "event code");
  let small: Scalar | Scalar[];
  if (Array.isArray(items[5])) {
    const values = list(items[5], 0, 16, "event values");
    small = [];
    for (let i = 0; i < values.length; i++) small.push(scalarOf(values[i]));
  } else small = scalarOf(items[5]);
  return { type: "event", boot: boot, seq: seq, tick: tick, code: code, small: small };
}

/** data, birth, manifest, event: what has a header. */
function headedOf(items: Cbor[], type: number): Message {
  const boot = integer(items[1], 0, U32, "boot");
  const seq = integer(items[2], 0, U32, "seq");
  const tick = unsigned(items[3], "tick");
  if (type === TYPE_DATA) return dataOf(items, boot, seq, tick);
  if (type === TYPE_BIRTH) return birthOf(items, boot, seq, tick);
  if (type === TYPE_EVENT) return eventOf(items, boot, seq, tick);
  const hashes = manifestHashes(items[6]);
  return {
    type: "manifest",
    boot: boot,
    seq: seq,
    tick: tick,
    ofBoot: integer(items[4], 0, U32, "manifest of-boot"),
    first: integer(items[5], 0, U32 + 1 - hashes.length / 16, "manifest first"),
    hashes: hashes,
  };
}

function commandOf(items: Cbor[], kid: Uint8Array, boot: number, n: number): CommandMessage {
  const expires = unsigned(items[4], "command expires");
  const op = integer(items[5], 1, 31, "command op");
  const given = items[6];
  if (!isMap(given)) throw wrong("command parameters", given, "a map");
  const parameters: Array<readonly [number, number | string | Uint8Array]> = [];
  for (let i = 0; i < given.entries.length; i++) {
    const key = unsigned(given.entries[i][0], "parameter key");
    parameters.push([key, parameter(given.entries[i][1], key)]);
  }
  return { type: "command", kid: kid, boot: boot, n: n, expires: expires, op: op, parameters: parameters };
}

/** command, ack, time: what a gateway sends. */
function downlinkOf(items: Cbor[], type: number): Message {
  const kid = octets(items[1], 8, 8, "kid");
  const boot = integer(items[2], 0, U32, "boot");
  const n = unsigned(items[3], "n");
  if (type === TYPE_COMMAND) return commandOf(items, kid, boot, n);
  if (type === TYPE_TIME) {
    const echoTick = unsigned(items[4], "time echo-tick");
    return {
      type: "time",
      kid: kid,
      boot: boot,
      n: n,
      echoTick: echoTick,
      gatewayMs: unsigned(items[5], "time gw-ms"),
    };
  }
  const ofBoot = integer(items[4], 0, U32, "ack of-boot");
  const next = integer(items[5], 0, U32, "ack next");
  const bitmap = octets(items[6], 0, 32, "ack bitmap");
  const given = list(items[7], 0, 16, "ack refused");
  const refused: Array<{ readonly seq: number; readonly reason: number }> = [];
  for (let i = 0; i < given.length; i++) {
    const pair = list(given[i], 2, 2, "ack refused item");
    refused.push({ seq: integer(pair[0], 0, U32, "refused seq"), reason: unsigned(pair[1], "refused reason") });
  }
  return { type: "ack", kid: kid, boot: boot, n: n, ofBoot: ofBoot, next: next, bitmap: bitmap, refused: refused };
}

/**
 * Step 6 of a receiver: the message that a payload is. Byte strings are views into it. Throws Refusal "cbor" for bytes that are
 * not strict CBOR and "payload", naming field, value and rule, for a value that vsp.cddl does not allow.
 */
export function decodeMessage(payload: Uint8Array): Message {
  const items = decode(payload);
  if (!Array.isArray(items)) throw wrong("message", items, "a list");
  const type = items[0];
  if (type === TYPE_DATA || type === TYPE_EVENT) list(items, 6, 6, "message");
  else if (type === TYPE_BIRTH) list(items, 9, 9, "birth");
  else if (type === TYPE_MANIFEST) list(items, 7, 7, "manifest");
  else if (type === TYPE_COMMAND) list(items, 7, 7, "command");
  else if (type === TYPE_ACK) list(items, 8, 8, "ack");
  else if (type === TYPE_TIME) list(items, 6, 6, "time");
  else if (type === TYPE_PRESENCE) {
    list(items, 4, 4, "presence");
    return {
      type: "presence",
      boot: integer(items[1], 0, U32, "boot"),
      connection: integer(items[2], 0, MAX_CONNECTION, "presence conn"),
      state: integer(items[3], 0, 2, "presence state") as 0 | 1 | 2,
    };
  } else throw wrong("message type", type, "1..5 or 16..18");
  return type < TYPE_COMMAND ? headedOf(items, type) : downlinkOf(items, type);
}
