/** From messages to payload bytes, under the same checks as the decoder's. Device side. */
import { type Cbor, type CborMap, encode, map } from "../cbor.ts";
import {
  definedOnce,
  integer,
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
  CommandMessage,
  DataMessage,
  Downlink,
  EventMessage,
  Header,
  Message,
  Num,
  Scalar,
  Wave,
} from "./types.ts";

type Pair = readonly [Cbor, Cbor];

function headed(type: number, header: Header): Cbor[] {
  return [
    type,
    integer(header.boot, 0, U32, "boot"),
    integer(header.seq, 0, U32, "seq"),
    unsigned(header.tick, "tick"),
  ];
}

function downlink(type: number, message: Downlink): Cbor[] {
  return [type, octets(message.kid, 8, 8, "kid"), integer(message.boot, 0, U32, "boot"), unsigned(message.n, "n")];
}

function block(channel: Wave | Num): Cbor {
  const parts: Cbor[] = [integer(channel.id, 0, 63, "channel id")];
  if (channel.kind === "num") {
    parts.push(signed(channel.dt, "num dt"));
    if (channel.value === null) nullNeedsFlag(channel.qual);
    parts.push(channel.value === null ? null : signed(channel.value, "num value"));
  } else if (channel.kind === "wave") {
    parts.push(unsigned(channel.seg, "wave seg"));
    parts.push(unsigned(channel.idx, "wave idx"));
    parts.push(signed(channel.dt, "wave dt"));
    parts.push(integer(channel.codec, 0, 2, "wave codec"));
    parts.push(integer(channel.n, 1, 1024, "wave n"));
    parts.push(octets(channel.bytes, 1, U16, "wave bytes"));
  } else throw wrong("channel kind", (channel as Wave).kind, '"wave" or "num"');
  if (channel.qual !== null) parts.push(quality(channel.qual, `${channel.kind} qual`));
  return parts;
}

function data(message: DataMessage): Cbor {
  const parts = headed(TYPE_DATA, message);
  parts.push(integer(message.cfg, 0, U16, "data cfg"));
  list(message.channels, 1, 16, "data channels");
  const blocks: Cbor[] = [];
  for (let i = 0; i < message.channels.length; i++) blocks.push(block(message.channels[i]));
  parts.push(blocks);
  return parts;
}

function attributes(given: Attributes): CborMap {
  const found: Pair[] = [];
  if (given.role !== undefined) found.push([1, text(given.role, MAX_TEXT, "attribute 1 (role)")]);
  if (given.chip !== undefined) found.push([2, text(given.chip, MAX_TEXT, "attribute 2 (chip)")]);
  if (given.site !== undefined) found.push([3, text(given.site, MAX_TEXT, "attribute 3 (body site)")]);
  if (given.lead !== undefined) found.push([4, text(given.lead, MAX_TEXT, "attribute 4 (lead)")]);
  if (given.processing !== undefined) found.push([5, integer(given.processing, 0, 3, "attribute 5 (processing)")]);
  if (given.delay !== undefined) found.push([6, signed(given.delay, "attribute 6 (delay)")]);
  if (given.calibration !== undefined) found.push([7, text(given.calibration, MAX_TEXT, "attribute 7 (calibration)")]);
  if (given.minimum !== undefined) found.push([8, signed(given.minimum, "attribute 8 (minimum)")]);
  if (given.maximum !== undefined) found.push([9, signed(given.maximum, "attribute 9 (maximum)")]);
  if (given.identity !== undefined) found.push([10, integer(given.identity, 0, 2, "attribute 10 (identity)")]);
  return map(found);
}

function definition(channel: ChannelDefinition): Cbor {
  return [
    integer(channel.id, 0, 63, "definition id"),
    integer(channel.mdc, 0, U32, "definition mdc"),
    unsigned(channel.rateMilliHz, "definition rate"),
    integer(channel.bits, 1, 32, "definition bits"),
    signed(channel.offset, "definition offset"),
    signed(channel.mul, "definition mul"),
    integer(channel.exp10, -MAX_EXP10, MAX_EXP10, "definition exp10"),
    text(channel.ucum, MAX_TEXT, "definition ucum"),
    attributes(channel.attributes),
  ];
}

function claims(message: BirthMessage): CborMap {
  const given = message.claims;
  const found: Pair[] = [[256, randomUeid(given.ueid)]];
  if (given.uptime !== undefined) found.push([261, unsigned(given.uptime, "claim 261 (uptime)")]);
  found.push([267, integer(given.bootcount, message.boot, message.boot, "claim 267 (bootcount; the header's boot)")]);
  found.push([268, octets(given.bootseed, 16, 16, "claim 268 (bootseed)")]);
  found.push([270, text(given.swname, MAX_TEXT, "claim 270 (swname)")]);
  list(given.swversion, 1, 1, "claim 271");
  found.push([271, [text(given.swversion[0], MAX_TEXT, "claim 271 (swversion)")]]);
  if (given.offline !== undefined) found.push([CLAIM_OFFLINE, unsigned(given.offline, "claim -70003 (offline)")]);
  return map(found);
}

function birth(message: BirthMessage): Cbor {
  const parts = headed(TYPE_BIRTH, message);
  parts.push(integer(message.cfg, 0, U16, "birth cfg"));
  parts.push(claims(message));
  list(message.channels, 1, 32, "birth channels");
  const definitions: Cbor[] = [];
  for (let i = 0; i < message.channels.length; i++) {
    definedOnce(message.channels, i, message.channels[i].id);
    definitions.push(definition(message.channels[i]));
  }
  parts.push(definitions);
  const prev = message.prev;
  parts.push(prev === null ? null : [integer(prev.boot, 0, U32, "prev boot"), integer(prev.seq, 0, U32, "prev seq")]);
  const hint = message.hint;
  if (hint === null) parts.push(null);
  else {
    const gatewayMs = unsigned(hint.gatewayMs, "hint gw-ms");
    const tick = unsigned(hint.tick, "hint tick");
    parts.push([gatewayMs, tick, unsigned(hint.uncertaintyMs, "hint uncertainty-ms")]);
  }
  return parts;
}

function scalar(value: Scalar): Cbor {
  if (value === null) return null;
  if (typeof value === "number") return signed(value, "event value");
  if (typeof value === "string") return text(value, MAX_TEXT, "event text");
  return octets(value, 0, 64, "event bytes");
}

function event(message: EventMessage): Cbor {
  const parts = headed(TYPE_EVENT, message);
  parts.push(unsigned(message.code, "event code"));
  const small = message.small;
  if (small === null || typeof small !== "object" || small instanceof Uint8Array) parts.push(scalar(small));
  else {
    list(small, 0, 16, "event values");
    const values: Cbor[] = [];
    for (let i = 0; i < small.length; i++) values.push(scalar(small[i]));
    parts.push(values);
  }
  return parts;
}

function command(message: CommandMessage): Cbor {
  const parts = downlink(TYPE_COMMAND, message);
  parts.push(unsigned(message.expires, "command expires"));
  parts.push(integer(message.op, 1, 31, "command op"));
  const found: Pair[] = [];
  for (let i = 0; i < message.parameters.length; i++) {
    const key = unsigned(message.parameters[i][0], "parameter key");
    found.push([key, parameter(message.parameters[i][1], key)]);
  }
  parts.push(map(found));
  return parts;
}

function tree(message: Message): Cbor {
  if (message.type === "data") return data(message);
  if (message.type === "birth") return birth(message);
  if (message.type === "event") return event(message);
  if (message.type === "command") return command(message);
  if (message.type === "presence") {
    const boot = integer(message.boot, 0, U32, "boot");
    const connection = integer(message.connection, 0, MAX_CONNECTION, "presence conn");
    return [TYPE_PRESENCE, boot, connection, integer(message.state, 0, 2, "presence state")];
  }
  if (message.type === "manifest") {
    const parts = headed(TYPE_MANIFEST, message);
    const hashes = manifestHashes(message.hashes);
    parts.push(integer(message.ofBoot, 0, U32, "manifest of-boot"));
    parts.push(integer(message.first, 0, U32 + 1 - hashes.length / 16, "manifest first"));
    parts.push(hashes);
    return parts;
  }
  if (message.type === "time") {
    const parts = downlink(TYPE_TIME, message);
    parts.push(unsigned(message.echoTick, "time echo-tick"));
    parts.push(unsigned(message.gatewayMs, "time gw-ms"));
    return parts;
  }
  if (message.type !== "ack") throw wrong("message type", (message as Message).type, "one of the eight");
  const parts = downlink(TYPE_ACK, message);
  parts.push(integer(message.ofBoot, 0, U32, "ack of-boot"));
  parts.push(integer(message.next, 0, U32, "ack next"));
  parts.push(octets(message.bitmap, 0, 32, "ack bitmap"));
  list(message.refused, 0, 16, "ack refused");
  const refused: Cbor[] = [];
  for (let i = 0; i < message.refused.length; i++) {
    const item = message.refused[i];
    refused.push([integer(item.seq, 0, U32, "refused seq"), unsigned(item.reason, "refused reason")]);
  }
  parts.push(refused);
  return parts;
}

/**
 * The payload of a message: deterministic CBOR. Throws Refusal "payload", naming field, value and rule, for a message that no
 * receiver would take, and "cbor" for text with half a surrogate pair.
 */
export function encodeMessage(message: Message): Uint8Array {
  return encode(tree(message));
}
