/** The inputs of a batch: lines as they would come over a serial cable, each from one mutated message. */
import { crc32 } from "../protocol/crc32.ts";
import { mutateBytes, randomBytes } from "./fuzz-bytes.ts";
import { head, itemsOf, mutateCbor } from "./fuzz-cbor.ts";
import { mutateCodec } from "./fuzz-codec.ts";
import type { Dice } from "./fuzz-random.ts";
import { type Authentic, pickForm, type Sealing, sealAs } from "./fuzz-seal.ts";

/** Where an input was broken, and what was made good again behind that. */
export type Origin = "line" | "reframed" | "stranger" | "sealed";

export interface Source {
  readonly dice: Dice;
  readonly device: Sealing;
  /** Another key and another PSK, under its own kid and under the device's. */
  readonly stranger: Sealing;
  readonly disguised: Sealing;
  readonly messages: readonly Uint8Array[];
  readonly payloads: readonly Uint8Array[];
}

export interface Input {
  readonly origin: Origin;
  /** Bytes of the line, with its line end or what became of it. */
  readonly line: Uint8Array;
  /** Where the keys of the enrolled device really sealed it. */
  readonly sealed?: Authentic;
}

/** Payloads that still fit a message when they are sealed, signed and encrypted. */
const MAX_PAYLOAD = 3960;
const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

/** The payload under a seq that was not used yet; a presence and what goes downlink stay. */
function renumbered(payload: Uint8Array, seq: number): Uint8Array {
  if (payload[1]! > 4) return payload;
  const item = itemsOf(payload)[3]!;
  return new Uint8Array(Buffer.concat([payload.subarray(0, item.at), head(0, seq), payload.subarray(item.end)]));
}

export function mutatePayload({ dice, payloads }: Source, seq: number): Uint8Array {
  let payload = dice.pick(payloads);
  if (dice.below(8) > 0) payload = renumbered(payload, seq);
  for (let left = dice.pick([0, 1, 1, 1, 1, 2, 3]); left > 0 && payload.length > 0; left--) {
    const kind = dice.below(10);
    if (kind < 4) payload = mutateCodec(dice, payload);
    else if (kind < 8) payload = mutateCbor(dice, payload, dice.pick(payloads));
    else payload = mutateBytes(dice, payload, dice.pick(payloads));
  }
  return payload.subarray(0, MAX_PAYLOAD);
}

function mutateMessage({ dice, messages }: Source): Uint8Array {
  let message = dice.pick(messages);
  for (let left = dice.pick([1, 1, 2, 3]); left > 0 && message.length > 0; left--) {
    const other = dice.pick(messages);
    message = dice.below(3) > 0 ? mutateCbor(dice, message, other) : mutateBytes(dice, message, other);
  }
  if (dice.below(500) === 0) message = new Uint8Array(4096 + dice.below(3));
  return message.length === 0 ? Uint8Array.of(0) : message;
}

/** CRC, base64 and line end, for messages of any length: what is too long must be refused, not left unsent. */
function framed(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(message.length + 4);
  bytes.set(message, 0);
  bytes.writeUInt32LE(crc32(message) >>> 0, message.length);
  return Buffer.from(`~${bytes.toString("base64").replace(/=+$/, "")}\n`, "latin1");
}

function mutateLine(source: Source): Uint8Array {
  const { dice } = source;
  const line = framed(dice.pick(source.messages));
  const kind = dice.below(16);
  if (kind === 0) return randomBytes(dice, dice.below(200));
  if (kind === 1) return latin1(`log text ${line.length}\r\n`);
  if (kind === 2) return line.slice(0, dice.below(line.length)); // no line end: the next one hangs on
  if (kind === 3) return new Uint8Array(Buffer.concat([latin1("~cut~"), line.subarray(1)]));
  if (kind === 4)
    return new Uint8Array(Buffer.concat([line.subarray(0, -1), latin1(dice.pick(["=\n", "\r\n", " \n"]))]));
  if (kind === 5 && dice.below(20) === 0) return new Uint8Array(5000 + dice.below(20000)).fill(0x41);
  return mutateBytes(dice, line, framed(dice.pick(source.messages)));
}

/** One fifth is broken in the line itself; of the rest half is re-framed, a quarter a stranger's, a quarter the device's. */
export function makeInput(source: Source, seq: number): Input {
  const { dice, device, stranger, disguised } = source;
  if (dice.below(5) === 0) return { origin: "line", line: mutateLine(source) };
  const kind = dice.below(4);
  if (kind < 2) return { origin: "reframed", line: framed(mutateMessage(source)) };
  const payload = mutatePayload(source, seq);
  const form = pickForm(dice);
  if (kind === 2) {
    const sealing = dice.below(4) === 0 ? stranger : disguised;
    return { origin: "stranger", line: framed(sealAs(form, payload, sealing).message) };
  }
  const sealed = sealAs(form, payload, device);
  return { origin: "sealed", line: framed(sealed.message), sealed };
}
