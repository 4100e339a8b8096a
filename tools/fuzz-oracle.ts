/** What must hold of everything that is accepted, told by other means than the decoder's own. */
import { Decoder } from "cbor-x";
import { type Cbor, decode, encode, isMap } from "../protocol/cbor.ts";
import { decodeMessage, encodeMessage } from "../protocol/messages.ts";
import { decodeSamples, encodeRice, encodeSamples } from "../protocol/samples.ts";

const other = new Decoder({ useRecords: false, mapsAsObjects: false });

/** Whether both libraries mean the same value; cbor-x gives integers above 2^32 as bigint or number. */
function same(ours: Cbor, theirs: unknown): boolean {
  if (typeof ours === "number") return ours === (typeof theirs === "bigint" ? Number(theirs) : theirs);
  if (ours instanceof Uint8Array) return theirs instanceof Uint8Array && Buffer.compare(ours, theirs) === 0;
  if (Array.isArray(ours)) {
    return Array.isArray(theirs) && theirs.length === ours.length && ours.every((item, i) => same(item, theirs[i]));
  }
  if (!isMap(ours)) return ours === theirs;
  if (!(theirs instanceof Map) || theirs.size !== ours.entries.length) return false;
  const pairs = [...theirs.entries()];
  return ours.entries.every(([key, value], i) => same(key, pairs[i]![0]) && same(value, pairs[i]![1]));
}

/** What is wrong with an accepted payload; null: nothing. */
export function disputed(payload: Uint8Array): string | null {
  const value = decode(payload);
  if (Buffer.compare(encode(value), payload) !== 0) return "CBOR decodes and encodes to other bytes";
  const message = decodeMessage(payload);
  if (Buffer.compare(encodeMessage(message), payload) !== 0) return "the message decodes and encodes to other bytes";
  if (!same(value, other.decode(payload))) return "cbor-x reads another value";
  if (message.type !== "data") return null;
  for (const one of message.channels) {
    if (one.kind !== "wave") continue;
    const samples = decodeSamples(one.codec, one.bytes, one.n);
    const again =
      one.codec === 2
        ? encodeRice(samples, 0, one.n, one.bytes[0]! >> 5, one.bytes[0]! & 31)
        : encodeSamples(one.codec, samples, 0, one.n);
    if (Buffer.compare(again, one.bytes) !== 0) return `codec ${one.codec} decodes and encodes to other bytes`;
  }
  return null;
}

/** Whether cbor-x takes what we refused. */
export function takenElsewhere(bytes: Uint8Array): boolean {
  try {
    other.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A refusal's rule without its numbers and texts, so that equal rules are counted together. */
export function ruleOf(detail: string): string {
  return detail
    .replace(/ \(at byte \d+\)/, "")
    .replace(/"[^"]*"/gs, '"…"')
    .replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, "#");
}
