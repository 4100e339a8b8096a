/**
 * Revocation lists (PROTOCOL.md section 5): which keys the site no longer vouches for. A list is whole, and the newest counts:
 * its number only rises, which is for the reader to hold. Device side.
 */
import { encode, isMap, map } from "./cbor.ts";
import { type Crypto, type Signer, sign1 } from "./cose.ts";
import { openObject, shortText, wholeNumber } from "./object.ts";
import { refuse } from "./refusal.ts";

/** One key that is revoked. */
export interface Revocation {
  /** 8 bytes. */
  readonly kid: Uint8Array;
  /** CRLReason of RFC 5280 section 5.3.1, 0..10: 0 unspecified, 1 key compromise, 4 superseded, 5 cessation of operation. */
  readonly reason: number;
  /** When it was revoked, seconds since 1970. */
  readonly time: number;
}

export interface RevocationList {
  /** Name of the site, 1..64 bytes. */
  readonly issuer: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** From 1 on; a reader refuses one that is lower than what it has. */
  readonly number: number;
  /** In the order of their kids, each once; at most MAX_REVOKED. */
  readonly revoked: readonly Revocation[];
}

/** typ of a revocation list in the protected header. */
export const TYP_CRL = "vsp-crl";

/** CRLReason: the board has a newer key. The old one is good for what it has said until the new one is heard. */
export const REASON_SUPERSEDED = 4;

/** Keys in one list: so that it stays below 4096 bytes. */
export const MAX_REVOKED = 190;

const HIGHEST_REASON = 10;

const CLAIM_ISS = 1;
const CLAIM_IAT = 6;
const CLAIM_NUMBER = -70001;
const CLAIM_REVOKED = -70002;
const CLAIMS = [CLAIM_ISS, CLAIM_IAT, CLAIM_NUMBER, CLAIM_REVOKED];

function checked(kid: unknown, reason: unknown, time: unknown): Revocation {
  if (!(kid instanceof Uint8Array) || kid.length !== 8) throw refuse("payload", "a revoked kid is not 8 bytes");
  const number = wholeNumber(reason, 0, "the reason of a revocation");
  if (number > HIGHEST_REASON)
    throw refuse("payload", `the reason of a revocation is ${number}, must be 0..${HIGHEST_REASON}`);
  return { kid: kid, reason: number, time: wholeNumber(time, 0, "the time of a revocation") };
}

function checkCount(count: number): void {
  if (count > MAX_REVOKED) throw refuse("payload", `${count} revoked keys in a list, at most ${MAX_REVOKED}`);
}

/**
 * The signed list; its entries are put in order. Throws Refusal "payload" for what no reader would take, "cbor" for a kid
 * that is given twice.
 */
export function encodeRevocations(list: RevocationList, siteSigner: Signer): Uint8Array {
  checkCount(list.revoked.length);
  const entries: Array<readonly [Uint8Array, number[]]> = [];
  for (let i = 0; i < list.revoked.length; i++) {
    const one = checked(list.revoked[i].kid, list.revoked[i].reason, list.revoked[i].time);
    entries.push([one.kid, [one.reason, one.time]]);
  }
  const claims = map([
    [CLAIM_ISS, shortText(list.issuer, "the list's issuer")],
    [CLAIM_IAT, wholeNumber(list.issuedAt, 0, "the list's iat")],
    [CLAIM_NUMBER, wholeNumber(list.number, 1, "the list's number")],
    [CLAIM_REVOKED, map(entries)],
  ]);
  return sign1(encode(claims), siteSigner, TYP_CRL);
}

/**
 * The list that the site has signed. Throws Refusal "size", "cbor", "header", "kid" (not this site's key), "signature",
 * "payload" (other claims, other forms, more than MAX_REVOKED keys).
 */
export function decodeRevocations(bytes: Uint8Array, sitePublicKey: Uint8Array, crypto: Crypto): RevocationList {
  const claims = openObject(bytes, TYP_CRL, sitePublicKey, crypto, "revocation list", "the site's key");
  if (!isMap(claims) || claims.entries.length !== CLAIMS.length)
    throw refuse("payload", `a revocation list is a map of ${CLAIMS.length} claims`);
  for (let i = 0; i < CLAIMS.length; i++)
    if (claims.entries[i][0] !== CLAIMS[i]) throw refuse("payload", `a revocation list lacks claim ${CLAIMS[i]}`);
  const revoked = claims.entries[3][1];
  if (!isMap(revoked)) throw refuse("payload", "the revoked keys are not a map");
  checkCount(revoked.entries.length);
  const list: Revocation[] = [];
  for (let i = 0; i < revoked.entries.length; i++) {
    const entry = revoked.entries[i][1];
    if (!Array.isArray(entry) || entry.length !== 2)
      throw refuse("payload", "a revoked key does not have [reason, time]");
    list.push(checked(revoked.entries[i][0], entry[0], entry[1]));
  }
  return {
    issuer: shortText(claims.entries[0][1], "the list's issuer"),
    issuedAt: wholeNumber(claims.entries[1][1], 0, "the list's iat"),
    number: wholeNumber(claims.entries[2][1], 1, "the list's number"),
    revoked: list,
  };
}
