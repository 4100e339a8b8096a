/**
 * The audit chain over a gateway's store (PROTOCOL.md section 8, step 9) and its signed checkpoints. Device side, so that anyone
 * who holds a record can walk the chain.
 */
import { encode, isMap, map } from "./cbor.ts";
import { type Crypto, type Signer, sign1 } from "./cose.ts";
import { openObject } from "./object.ts";
import { refuse } from "./refusal.ts";

/** Where the chain stood when a gateway signed. */
export interface Checkpoint {
  /** Messages in the chain so far. */
  readonly position: number;
  /** Hash after the last of them, 32 bytes. */
  readonly chain: Uint8Array;
  /** Unix time of the gateway, ms. */
  readonly time: number;
}

/** typ of a checkpoint in the protected header. */
export const TYP_CHECKPOINT = "vsp-checkpoint";

/** What the first link is chained to: 32 zero bytes. */
export const CHAIN_START = new Uint8Array(32);

const TWO_32 = 4294967296;
/** CBOR of {}. */
const EMPTY_MAP = 0xa0;

function unsigned(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 9007199254740991 && Math.floor(value) === value;
}

function check(position: unknown, chain: unknown, time: unknown): void {
  if (!unsigned(position)) throw refuse("payload", "checkpoint 1 (position) is not a number of messages");
  if (!(chain instanceof Uint8Array) || chain.length !== 32)
    throw refuse("payload", "checkpoint 2 (chain hash) is not 32 bytes");
  if (!unsigned(time)) throw refuse("payload", "checkpoint 3 (time) is not milliseconds since 1970");
}

/** The signed checkpoint: typ "vsp-checkpoint", payload {1: position, 2: chain hash, 3: time}. Throws Refusal "payload". */
export function encodeCheckpoint(checkpoint: Checkpoint, signer: Signer): Uint8Array {
  check(checkpoint.position, checkpoint.chain, checkpoint.time);
  const payload = map([
    [1, checkpoint.position],
    [2, checkpoint.chain],
    [3, checkpoint.time],
  ]);
  return sign1(encode(payload), signer, TYP_CHECKPOINT);
}

/**
 * The checkpoint that the gateway with `publicKey` has signed. Throws Refusal "size", "cbor", "header", "kid" (another signer),
 * "signature", "payload".
 */
export function decodeCheckpoint(bytes: Uint8Array, publicKey: Uint8Array, crypto: Crypto): Checkpoint {
  const payload = openObject(bytes, TYP_CHECKPOINT, publicKey, crypto, "checkpoint", "the gateway's key");
  if (!isMap(payload) || payload.entries.length !== 3) throw refuse("payload", "a checkpoint is a map of 1, 2 and 3");
  for (let i = 0; i < 3; i++)
    if (payload.entries[i][0] !== i + 1) throw refuse("payload", `a checkpoint has no key ${payload.entries[i][0]}`);
  const position = payload.entries[0][1];
  const chain = payload.entries[1][1];
  const time = payload.entries[2][1];
  check(position, chain, time);
  return { position: position as number, chain: chain as Uint8Array, time: time as number };
}

/**
 * The next hash of the chain: SHA-256 of previous (32 bytes; CHAIN_START at first), kid (8), boot and seq (4 each, big-endian),
 * messageHash (32, SHA-256 of the whole message as received), receivedMs (8, big-endian, Unix ms) and evidence (1, 0..3): every
 * column of a stored row. `record` is what the gateway adds to the message (PROTOCOL.md section 8): its bytes follow, where it
 * is not the empty map. Throws Error for an argument of another size or range.
 */
export function chainStep(
  crypto: Pick<Crypto, "sha256">,
  previous: Uint8Array,
  kid: Uint8Array,
  boot: number,
  seq: number,
  messageHash: Uint8Array,
  receivedMs: number,
  evidence: number,
  record?: Uint8Array,
): Uint8Array {
  if (previous.length !== 32 || kid.length !== 8 || messageHash.length !== 32)
    throw new Error(
      `chain of ${previous.length}, kid of ${kid.length}, hash of ${messageHash.length} bytes: 32, 8, 32`,
    );
  if (!unsigned(boot) || boot >= TWO_32 || !unsigned(seq) || seq >= TWO_32)
    throw new Error(`boot ${boot}, seq ${seq}: integers below 2^32`);
  if (!unsigned(receivedMs) || !unsigned(evidence) || evidence > 3)
    throw new Error(`received ${receivedMs} ms, evidence ${evidence}: an integer of ms since 1970, and 0..3`);
  const added = record === undefined || (record.length === 1 && record[0] === EMPTY_MAP) ? 0 : record.length;
  const input = new Uint8Array(89 + added);
  const view = new DataView(input.buffer);
  const high = Math.floor(receivedMs / TWO_32);
  input.set(previous, 0);
  input.set(kid, 32);
  view.setUint32(40, boot);
  view.setUint32(44, seq);
  input.set(messageHash, 48);
  view.setUint32(80, high);
  view.setUint32(84, receivedMs - high * TWO_32);
  input[88] = evidence;
  if (record !== undefined && added > 0) input.set(record, 89);
  return crypto.sha256(input);
}
