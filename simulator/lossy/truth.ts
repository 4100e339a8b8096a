/** What really happened on a board, as nothing above the chip and the seal can know it. */
import { decode } from "../../protocol/cbor.ts";
import type { Crypto, Signer } from "../../protocol/cose.ts";
import { TYPE_BIRTH, TYPE_DATA, TYPE_EVENT, TYPE_MANIFEST } from "../../protocol/messages/codes.ts";
import { identityOf } from "../../protocol/peek.ts";

/** A waveform as its chip converted it, lost or not. */
export interface WaveTruth {
  /** Its id in the birth. */
  readonly channel: number;
  /** From sample to sample, us. */
  readonly interval: number;
  /** Samples converted up to `time`, us of the world. */
  count(time: number): number;
  value(index: number): number;
  /** Board time of a conversion, us since boot. */
  at(index: number): number;
}

export interface SealedTruth {
  readonly payload: Uint8Array;
  /** us of the world. */
  readonly at: number;
}

/** One boot of a board. */
export interface BootTruth {
  readonly boot: number;
  /** us of the world. */
  readonly startedAt: number;
  /** When its power went; null: it runs. */
  endedAt: number | null;
  readonly waves: readonly WaveTruth[];
  /** By seq: all that was sealed, sent or not. */
  readonly sealed: ReadonlyMap<number, SealedTruth>;
  /** Messages that waited in RAM for their ack when the power went. */
  waiting: number;
}

const UPLINK = [TYPE_DATA, TYPE_BIRTH, TYPE_MANIFEST, TYPE_EVENT];
const SIGNATURE = [..."Signature1"].map((letter) => letter.charCodeAt(0));
const MAC = [..."MAC0"].map((letter) => letter.charCodeAt(0));
/** Bytes of a key's pad before what is MACed (RFC 2104). */
const PAD = 64;

const begins = (bytes: Uint8Array, from: number, context: readonly number[]) =>
  bytes[from] === 0x84 &&
  bytes[from + 1] === 0x60 + context.length &&
  context.every((letter, i) => bytes[from + 2 + i] === letter);

/**
 * What passes through a board's keys: every message of its own that it seals (RFC 9052, Sig_structure and MAC_structure),
 * whatever becomes of it afterwards.
 */
export function createTap(onSealed: (boot: number, seq: number, payload: Uint8Array) => void) {
  const see = (structure: Uint8Array) => {
    const parts = decode(structure);
    const payload = Array.isArray(parts) ? parts[3] : undefined;
    if (!(payload instanceof Uint8Array) || !UPLINK.includes(payload[1])) return;
    const { boot, number } = identityOf(payload);
    onSealed(boot, number, payload);
  };
  return {
    crypto: (crypto: Crypto): Crypto => ({
      ...crypto,
      sha256(bytes) {
        if (bytes.length > PAD && begins(bytes, PAD, MAC)) see(bytes.subarray(PAD));
        return crypto.sha256(bytes);
      },
    }),
    signer: <T extends Signer>(signer: T): T => ({
      ...signer,
      sign(toBeSigned: Uint8Array) {
        if (begins(toBeSigned, 0, SIGNATURE)) see(toBeSigned);
        return signer.sign(toBeSigned);
      },
    }),
  };
}

export type Tap = ReturnType<typeof createTap>;
