/**
 * What a gateway's state topic holds (PROTOCOL.md section 7): whether it is there, signed, so that a broker cannot make one
 * up. Device side.
 */
import { encode, isMap, map } from "./cbor.ts";
import { type Crypto, type Signer, sign1 } from "./cose.ts";
import { openObject, wholeNumber } from "./object.ts";
import { refuse } from "./refusal.ts";

export interface GatewayState {
  /** 0 dead (the will), 1 online, 2 clean offline. */
  readonly state: 0 | 1 | 2;
  /**
   * When the connection began of which it speaks, Unix time of the gateway, ms: the same in the will, in 1 and in 2. A state
   * counts only if none of a newer connection is known, so an old will cannot kill a new connection.
   */
  readonly since: number;
}

/** typ of a gateway's state in the protected header. */
export const TYP_GATEWAY_STATE = "vsp-gw-state";

function check(state: unknown, since: unknown): GatewayState {
  if (state !== 0 && state !== 1 && state !== 2) throw refuse("payload", "gateway state 1 (state) is not 0, 1 or 2");
  return { state: state, since: wholeNumber(since, 0, "gateway state 2 (since)") };
}

/** The signed state: typ "vsp-gw-state", payload {1: state, 2: since}. Throws Refusal "payload". */
export function encodeGatewayState(given: GatewayState, signer: Signer): Uint8Array {
  const state = check(given.state, given.since);
  const payload = map([
    [1, state.state],
    [2, state.since],
  ]);
  return sign1(encode(payload), signer, TYP_GATEWAY_STATE);
}

/**
 * The state that the gateway with `publicKey` has signed. Throws Refusal "size", "cbor", "header", "kid" (another signer),
 * "signature", "payload".
 */
export function decodeGatewayState(bytes: Uint8Array, publicKey: Uint8Array, crypto: Crypto): GatewayState {
  const payload = openObject(bytes, TYP_GATEWAY_STATE, publicKey, crypto, "state", "the gateway's key");
  if (!isMap(payload) || payload.entries.length !== 2 || payload.entries[0][0] !== 1 || payload.entries[1][0] !== 2)
    throw refuse("payload", "a gateway's state is a map of 1 and 2");
  return check(payload.entries[0][1], payload.entries[1][1]);
}
