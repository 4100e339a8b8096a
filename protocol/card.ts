/**
 * Cards (PROTOCOL.md section 5): a CWT (RFC 8392) with a confirmation key (RFC 8747), by which the site vouches for the key of
 * a device or a gateway. Device side.
 */
import { type Cbor, encode, isMap, map } from "./cbor.ts";
import { type Crypto, type Signer, sign1 } from "./cose.ts";
import { kidOf, kidText, toHex } from "./keys.ts";
import { openObject, shortText } from "./object.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Whose key the site vouches for. */
export interface Card {
  /** Name of the site, 1..64 bytes. */
  readonly issuer: string;
  readonly role: "device" | "gateway";
  /** 8 bytes; computed from the key, never taken on trust. */
  readonly kid: Uint8Array;
  /** Ed25519, 32 bytes. Whether it is a good point is checked at enrolment, by a strict library. */
  readonly publicKey: Uint8Array;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970, after issuedAt. Whether it has passed is the reader's to judge, by its clock. */
  readonly expires: number;
}

/** typ of a card in the protected header. */
export const TYP_CARD = "vsp-card";

const CLAIM_ISS = 1;
const CLAIM_SUB = 2;
const CLAIM_EXP = 4;
const CLAIM_IAT = 6;
const CLAIM_CNF = 8;

const PREFIX_DEVICE = "vsp:";
const PREFIX_GATEWAY = "vsp-gw:";

/** The value where `key` must stand; keys are sorted, so the set is fixed by the places. */
function entry(within: Cbor | undefined, place: number, key: number, count: number, what: string): Cbor {
  if (within === undefined || !isMap(within) || within.entries.length !== count || within.entries[place][0] !== key)
    throw refuse("payload", `${what} is not a map of the ${count} keys it must have, ${key} among them`);
  return within.entries[place][1];
}

function badTime(name: string, value: Cbor): Refusal {
  return refuse(
    "payload",
    `card ${name} is not seconds since 1970: ${typeof value === "number" ? value : typeof value}`,
  );
}

function seconds(value: Cbor, name: string): number {
  if (typeof value !== "number" || value < 0) throw badTime(name, value);
  return value;
}

/**
 * The signed card; `card.kid` is `kidOf(card.publicKey)`, which the reader computes for itself and compares. Throws Refusal
 * "payload" for an issuer of 0 or more than 64 bytes, a key that is not 32 bytes, times that are not whole seconds or not in order.
 */
export function encodeCard(card: Card, siteSigner: Signer): Uint8Array {
  shortText(card.issuer, "card issuer");
  if (card.publicKey.length !== 32) throw refuse("payload", `card key of ${card.publicKey.length} bytes, must be 32`);
  if (!(seconds(card.expires, "exp") > seconds(card.issuedAt, "iat")))
    throw refuse("payload", `card expires at ${card.expires}, not after it was issued at ${card.issuedAt}`);
  const prefix = card.role === "device" ? PREFIX_DEVICE : PREFIX_GATEWAY;
  const key = map([
    [1, 1],
    [-1, 6],
    [-2, card.publicKey],
  ]);
  const claims = map([
    [CLAIM_ISS, card.issuer],
    [CLAIM_SUB, prefix + kidText(card.kid)],
    [CLAIM_EXP, card.expires],
    [CLAIM_IAT, card.issuedAt],
    [CLAIM_CNF, map([[1, key]])],
  ]);
  return sign1(encode(claims), siteSigner, TYP_CARD);
}

/**
 * The card that the site has signed. Throws Refusal "size", "cbor", "header" (typ and headers), "kid" (not this site's key, or a
 * subject that is not the card's key), "signature", "payload" (other claims, another kind of key, times out of order).
 */
export function decodeCard(bytes: Uint8Array, sitePublicKey: Uint8Array, crypto: Crypto): Card {
  const claims = openObject(bytes, TYP_CARD, sitePublicKey, crypto, "card", "the site's key");
  const what = "card";
  const issuer = shortText(entry(claims, 0, CLAIM_ISS, 5, what), "card issuer");
  const subject = entry(claims, 1, CLAIM_SUB, 5, what);
  const expires = seconds(entry(claims, 2, CLAIM_EXP, 5, what), "exp");
  const issuedAt = seconds(entry(claims, 3, CLAIM_IAT, 5, what), "iat");
  const key = entry(entry(claims, 4, CLAIM_CNF, 5, what), 0, 1, 1, "card cnf");
  const type = entry(key, 0, 1, 3, "card key");
  const curve = entry(key, 1, -1, 3, "card key");
  const publicKey = entry(key, 2, -2, 3, "card key");
  if (type !== 1 || curve !== 6 || !(publicKey instanceof Uint8Array) || publicKey.length !== 32)
    throw refuse("payload", "the card's key is not an Ed25519 key: {1: 1, -1: 6, -2: 32 bytes}");
  if (expires <= issuedAt)
    throw refuse("payload", `card expires at ${expires}, not after it was issued at ${issuedAt}`);
  const kid = kidOf(publicKey, crypto);
  let role: Card["role"] = "device";
  if (subject === PREFIX_GATEWAY + toHex(kid)) role = "gateway";
  else if (subject !== PREFIX_DEVICE + toHex(kid))
    throw refuse("kid", `the card's subject is ${subject}, its key's kid is ${toHex(kid)}`);
  return { issuer: issuer, role: role, kid: kid, publicKey: publicKey, issuedAt: issuedAt, expires: expires };
}
