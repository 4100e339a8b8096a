/** What the three modes of the envelope share: tag, size, protected header (PROTOCOL.md section 1). Device side. */
import { type Cbor, decode, decodeTagged, encode, encodeTagged, isMap, map, type Tagged } from "./cbor.ts";
import { refuse } from "./refusal.ts";

/** Longest message on any transport, bytes. */
export const MAX_MESSAGE = 4096;

export const TAG_ENCRYPT0 = 16;
export const TAG_MAC0 = 17;
export const TAG_SIGN1 = 18;

/** First bytes of a message in modes M and E: their tags take one byte each. */
const MAC0_INITIAL = 0xc0 | TAG_MAC0;
const ENCRYPT0_INITIAL = 0xc0 | TAG_ENCRYPT0;

/** The mode in whose decoder these bytes belong; what is in none is S's to refuse. */
export function modeOf(bytes: Uint8Array): "S" | "M" | "E" {
  const initial = bytes.length === 0 ? 0 : bytes[0];
  return initial === MAC0_INITIAL ? "M" : initial === ENCRYPT0_INITIAL ? "E" : "S";
}

/** external_aad of every structure that is signed, MACed or sealed. */
export const NOTHING = new Uint8Array(0);

const HEADER_ALG = 1;
const HEADER_KID = 4;
const HEADER_TYP = 16;

/** A protected header taken apart. */
export interface ProtectedHeader {
  readonly alg: number;
  /** 8 bytes. */
  readonly kid: Uint8Array;
}

/** {1: alg, 4: kid} and for an object that is no message {16: typ}, encoded. */
export function protectedHeader(alg: number, kid: Uint8Array, typ?: string): Uint8Array {
  const header: Array<readonly [Cbor, Cbor]> = [
    [HEADER_ALG, alg],
    [HEADER_KID, kid],
  ];
  if (typ !== undefined) header.push([HEADER_TYP, typ]);
  return encode(map(header));
}

/**
 * Exactly the labels of `protectedHeader`, with an algorithm that `allowed` takes (`algorithms` says which, for the message
 * of the refusal). Throws Refusal "cbor" or "header".
 */
export function parseProtected(
  protectedBytes: Uint8Array,
  allowed: (alg: number) => boolean,
  algorithms: string,
  expectedTyp?: string,
): ProtectedHeader {
  const header = decode(protectedBytes);
  const count = expectedTyp === undefined ? 2 : 3;
  if (!isMap(header) || header.entries.length !== count)
    throw refuse("header", `the protected header is not {1: alg, 4: kid${count === 3 ? ", 16: typ" : ""}}`);
  const alg = header.entries[0][1];
  const kid = header.entries[1][1];
  if (header.entries[0][0] !== HEADER_ALG || header.entries[1][0] !== HEADER_KID)
    throw refuse("header", "the protected header has other labels than 1 (alg) and 4 (kid)");
  if (typeof alg !== "number" || !allowed(alg)) throw refuse("header", `algorithm ${alg}, must be ${algorithms}`);
  if (!(kid instanceof Uint8Array) || kid.length !== 8) throw refuse("header", "the kid is not 8 bytes");
  if (expectedTyp !== undefined && (header.entries[2][0] !== HEADER_TYP || header.entries[2][1] !== expectedTyp))
    throw refuse("header", `typ (16) is not "${expectedTyp}": one object must not pass for another`);
  return { alg: alg, kid: kid };
}

/** Steps 1 and 2 of a receiver: size, then strict CBOR under one tag. Throws Refusal "size" or "cbor". */
export function openTagged(bytes: Uint8Array): Tagged {
  if (bytes.length > MAX_MESSAGE) throw refuse("size", `${bytes.length} bytes, at most ${MAX_MESSAGE}`);
  return decodeTagged(bytes);
}

/** The parts of a COSE structure. Throws Refusal "header" where there are not `count` of them. */
export function partsOf(value: Cbor, structure: string, count: number): Cbor[] {
  if (Array.isArray(value) && value.length === count) return value;
  throw refuse("header", `not the ${count === 4 ? "four" : "three"} parts of a ${structure}`);
}

/** As `openTagged`, for one mode alone. Throws Refusal "header" where the tag is another mode's, "cbor" where it is nobody's. */
export function openMode(bytes: Uint8Array, tag: number, structure: string, count: number): Cbor[] {
  const tagged = openTagged(bytes);
  if (tagged.tag < TAG_ENCRYPT0 || tagged.tag > TAG_SIGN1)
    throw refuse("cbor", `tag ${tagged.tag}, must be 16, 17 or 18`, 0);
  if (tagged.tag !== tag) throw refuse("header", `tag ${tagged.tag}, a ${structure} has ${tag}`);
  return partsOf(tagged.value, structure, count);
}

/** A part that must be bytes. Throws Refusal "header". */
export function bytesOf(part: Cbor, name: string): Uint8Array {
  if (part instanceof Uint8Array) return part;
  throw refuse("header", `${name} is not a byte string`);
}

/** Throws Refusal "header" for an unprotected header with anything in it. */
export function requireEmpty(unprotected: Cbor): void {
  if (!isMap(unprotected) || unprotected.entries.length !== 0)
    throw refuse("header", "the unprotected header is not an empty map");
}

/** A sealed object under its tag. Throws Refusal "size" over 4096 bytes. */
export function sealed(tag: number, parts: Cbor[]): Uint8Array {
  const message = encodeTagged(tag, parts);
  if (message.length > MAX_MESSAGE)
    throw refuse("size", `the sealed message has ${message.length} bytes, at most ${MAX_MESSAGE}: put less into it`);
  return message;
}
