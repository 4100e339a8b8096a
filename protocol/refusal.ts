/** Why a packet is refused: fixed words, counted by the gateway and printed by the command line. Device side. */

/** In the order of a receiver's steps (PROTOCOL.md section 8). */
export type Reason =
  | "size"
  | "base64"
  | "crc"
  | "cbor"
  | "header"
  | "kid"
  | "revoked"
  | "rate"
  | "signature"
  | "payload"
  | "replay"
  | "codec"
  | "topic";

export const REASONS: readonly Reason[] = [
  "size",
  "base64",
  "crc",
  "cbor",
  "header",
  "kid",
  "revoked",
  "rate",
  "signature",
  "payload",
  "replay",
  "codec",
  "topic",
];

/** What every decoder of the protocol throws, and nothing else. */
export interface Refusal extends Error {
  readonly reason: Reason;
  /** Byte (in a line: character) at which the rule broke; absent where no single place is to blame. */
  readonly offset?: number;
}

/**
 * Makes the error (the caller throws it). `message` says which rule, which field and which value; the reason's word and the
 * offset are added to it.
 */
export function refuse(reason: Reason, message: string, offset?: number): Refusal {
  const text = offset === undefined ? `${reason}: ${message}` : `${reason}: ${message} (at byte ${offset})`;
  const error = new Error(text) as Error & { reason: Reason; offset?: number };
  error.reason = reason;
  if (offset !== undefined) error.offset = offset;
  return error;
}

/** True for an error made by `refuse`; false for anything else that was thrown. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && REASONS.indexOf((error as Refusal).reason) >= 0;
}
