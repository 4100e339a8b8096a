/** What the gateway holds in memory of one boot of one device. */
import type { BirthMessage } from "../protocol/messages.ts";
import { Intervals } from "./intervals.ts";
import { Sequence } from "./sequence.ts";
import { DISOWNED, type Settled, type Store } from "./store/store.ts";

/** Refused seqs in one ack (CDDL). */
export const ACK_REFUSED = 16;
/** Ranges of seqs of one boot held in memory: a device that sends every second seq must not fill it. */
export const RANGES_HELD = 1024;

/** One boot of one device. */
export interface Boot {
  readonly kid: Uint8Array;
  readonly boot: number;
  /** What the device need not send any more: stored, refused for good or disowned. An open end reaches 2^32 - 1. */
  readonly settled: Intervals;
  /** What is stored, and what is disowned. */
  readonly sequence: Sequence;
  /** Births by cfg. */
  readonly births: Map<number, BirthMessage>;
  /** Seqs refused for good. */
  readonly rejected: Intervals;
  /** The newest of them, as many as travel in an ack, with the place of the reason in REASONS. */
  readonly refused: Map<number, number>;
  /** Seqs that the device has said it will never send, by ranges with an end. */
  readonly disowned: Intervals;
  /** Highest `n` of a downlink message under this boot. */
  downlink: number;
  /** Newest presence: connection and state; -1: none. */
  connection: number;
  /** Mode of the newest authentic message that was heard here, but for manifests; null: none since the gateway began. */
  seal: "sign" | "mac" | null;
  /** Keys of the uplink that were derived, by label (opening.ts). */
  readonly keys: Map<string, Uint8Array>;
}

/** A boot of which nothing is known but the highest `n` towards it. */
export function createBoot(kid: Uint8Array, boot: number, downlink: number): Boot {
  const sequence = new Sequence(RANGES_HELD);
  return {
    kid,
    boot,
    settled: new Intervals(RANGES_HELD),
    sequence,
    births: new Map(),
    rejected: new Intervals(RANGES_HELD),
    refused: new Map(),
    disowned: sequence.disowned,
    downlink,
    connection: -1,
    seal: null,
    keys: new Map(),
  };
}

/** bn of a boot: all its births tell the same. undefined: none of them is here. */
export function bootNonceOf(boot: Pick<Boot, "births">): Uint8Array | undefined {
  for (const birth of boot.births.values()) return birth.claims.bootseed;
  return undefined;
}

/** A message that is stored, or about to be. */
export function addStored(boot: Boot, seq: number): void {
  boot.settled.add(seq);
  boot.sequence.add(seq);
}

/** Seqs that are settled without being stored. */
export function addSettled(boot: Boot, range: Settled): void {
  const { first, count, reason } = range;
  boot.settled.add(first, first + count - 1);
  // why they were disowned is not in the store's table, and nothing here asks for it
  if (reason === DISOWNED) boot.sequence.disown({ first, count, reason: 0 });
  else {
    boot.rejected.add(first);
    boot.refused.set(first, reason);
    for (const oldest of boot.refused.keys()) {
      if (boot.refused.size <= ACK_REFUSED) break;
      boot.refused.delete(oldest);
    }
  }
}

/** Was a message of this seq refused for good? The store is asked where memory has forgotten something. */
export function wasRefused(boot: Boot, seq: number, store: Pick<Store, "refused">): boolean {
  return boot.rejected.has(seq) || (!boot.rejected.whole && store.refused(boot.kid, boot.boot, seq));
}
