/** Opening an object that is no message: typ, signer, signature, then its payload (PROTOCOL.md section 1). Device side. */
import { type Cbor, decode } from "./cbor.ts";
import { equalBytes } from "./constant-time.ts";
import { type Crypto, decodeEnvelope, verify1 } from "./cose.ts";
import { kidOf, toHex } from "./keys.ts";
import { refuse } from "./refusal.ts";
import { utf8Length } from "./utf8.ts";

/**
 * The payload of an object of this typ that `publicKey` (32 bytes, Ed25519) has signed; nothing of it is decoded before its
 * signature holds. `what` and `whose` name the object and the key in errors. Throws Refusal "size", "cbor",
 * "header" (typ and headers), "kid" (another signer), "signature".
 */
export function openObject(
  bytes: Uint8Array,
  typ: string,
  publicKey: Uint8Array,
  crypto: Crypto,
  what: string,
  whose: string,
): Cbor {
  const envelope = decodeEnvelope(bytes, typ);
  const kid = kidOf(publicKey, crypto);
  if (!equalBytes(envelope.kid, kid))
    throw refuse("kid", `the ${what} is signed by ${toHex(envelope.kid)}, ${whose} is ${toHex(kid)}`);
  if (!verify1(envelope, publicKey, crypto)) throw refuse("signature", `the signature of ${whose} does not hold`);
  return decode(envelope.payload);
}

/** `value` as text of 1..64 bytes. Throws Refusal "payload". */
export function shortText(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "" || utf8Length(value) > 64)
    throw refuse("payload", `${what} is not text of 1..64 bytes`);
  return value;
}

/** `value` as a whole number from `least` to below 2^53. Throws Refusal "payload". */
export function wholeNumber(value: unknown, least: number, what: string): number {
  if (typeof value !== "number" || !(value >= least && value <= 9007199254740991) || Math.floor(value) !== value)
    throw refuse("payload", `${what} is not a whole number from ${least} on`);
  return value;
}
