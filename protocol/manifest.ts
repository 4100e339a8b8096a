/** Hash lists of mode M: what lets one signature cover many MACed messages (PROTOCOL.md section 3). Device side. */
import { equalBytes } from "./constant-time.ts";
import type { Crypto } from "./cose.ts";
import { MAX_HASHES } from "./messages/check.ts";
import type { ManifestMessage } from "./messages.ts";
import { refuse } from "./refusal.ts";

/** Bytes of a payload's hash in a manifest. */
export const PAYLOAD_HASH_LENGTH = 16;

/** SHA-256(payload)[0..15]: 16 bytes. */
export function payloadHash(payload: Uint8Array, crypto: Pick<Crypto, "sha256">): Uint8Array {
  return new Uint8Array(crypto.sha256(payload).subarray(0, PAYLOAD_HASH_LENGTH));
}

/**
 * `hashes` of a manifest, from the payload hashes of one boot's messages with seq first, first + 1, … Throws Refusal
 * "payload" where there are none or more than 240, or one is not 16 bytes.
 */
export function hashList(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length < 1 || hashes.length > MAX_HASHES)
    throw refuse("payload", `${hashes.length} hashes in a manifest, must be 1..${MAX_HASHES}`);
  const list = new Uint8Array(PAYLOAD_HASH_LENGTH * hashes.length);
  for (let i = 0; i < hashes.length; i++) {
    if (hashes[i].length !== PAYLOAD_HASH_LENGTH)
      throw refuse("payload", `hash ${i} of a manifest has ${hashes[i].length} bytes, must be ${PAYLOAD_HASH_LENGTH}`);
    list.set(hashes[i], PAYLOAD_HASH_LENGTH * i);
  }
  return list;
}

/** Whether the manifest says anything of this message: its boot, and its seq between the first and the last. */
export function manifestCovers(manifest: ManifestMessage, boot: number, seq: number): boolean {
  const count = manifest.hashes.length / PAYLOAD_HASH_LENGTH;
  return boot === manifest.ofBoot && seq >= manifest.first && seq < manifest.first + count;
}

/**
 * Whether a message with this (boot, seq) and hash of its payload is the one that the manifest was made over. False for one
 * that it does not cover (`manifestCovers`), and for another payload under a covered seq, which is an equivocation. Who signed the
 * manifest is the caller's to check, and that it is of the same kid.
 */
export function manifestLists(manifest: ManifestMessage, boot: number, seq: number, hash: Uint8Array): boolean {
  if (!manifestCovers(manifest, boot, seq)) return false;
  const start = PAYLOAD_HASH_LENGTH * (seq - manifest.first);
  return equalBytes(manifest.hashes.subarray(start, start + PAYLOAD_HASH_LENGTH), hash);
}
