/** What a gateway asks of its store. Narrow on purpose: another engine has to do this much and no more. */

/** 0: messages with a seq; 1: presences, whose `seq` is 4 x connection + state. */
export type Space = 0 | 1;

/** One message as it is kept: the bytes as received, and what the gateway adds to them. */
export interface StoredMessage {
  /** 1, 2, 3 … in the order of commitment. */
  readonly position: number;
  readonly kid: Uint8Array;
  readonly boot: number;
  readonly space: Space;
  readonly seq: number;
  /** Message type of PROTOCOL.md section 2. */
  readonly kind: number;
  /** Arrival, ms since the epoch. */
  readonly received: number;
  /** 1 mac, 2 mac and countersignature, 3 device-signed. */
  readonly evidence: number;
  readonly message: Uint8Array;
  /** Audit chain up to and with this message, 32 bytes. */
  readonly chain: Uint8Array;
}

/** How far a boot of a device is settled, and the last number used towards it. */
export interface BootState {
  readonly kid: Uint8Array;
  readonly boot: number;
  /** Lowest seq that is not settled. */
  readonly next: number;
  /** Highest `n` of a downlink message under this boot; -1: none yet. */
  readonly downlink: number;
}

/** Seqs that are settled without being stored: refused for good (`reason` = place in REASONS) or disowned (255). */
export interface Settled {
  readonly kid: Uint8Array;
  readonly boot: number;
  readonly first: number;
  readonly count: number;
  readonly reason: number;
}

export const DISOWNED = 255;

/** What becomes durable together, or not at all. */
export interface Commit {
  readonly messages: readonly StoredMessage[];
  readonly boots: readonly BootState[];
  readonly settled: readonly Settled[];
  readonly checkpoints: readonly CheckpointRow[];
}

/** A signed checkpoint object and the position that it speaks of. */
export interface CheckpointRow {
  readonly position: number;
  readonly object: Uint8Array;
}

export interface CardRow {
  readonly kid: Uint8Array;
  readonly card: Uint8Array;
}

export interface Store {
  /** Last position and chain value; position 0 and 32 zero bytes when empty. */
  head(): { readonly position: number; readonly chain: Uint8Array };
  /** Throws Error where the identity (kid, boot, space, seq) is there already; then nothing of the commit is. */
  commit(commit: Commit): void;
  /** The message of this identity; undefined: not stored. */
  find(kid: Uint8Array, boot: number, space: Space, seq: number): Uint8Array | undefined;
  /** Stored messages in order of position; all of them, or one device's, one boot's. */
  messages(kid?: Uint8Array, boot?: number): Iterable<StoredMessage>;
  /** Every seq of a boot that is stored in a space, rising. */
  seqs(kid: Uint8Array, boot: number, space: Space): number[];
  /** The messages of one kind of a boot, in order of seq. */
  ofKind(kid: Uint8Array, boot: number, kind: number): Uint8Array[];
  /**
   * The `limit` messages of a boot and space with the highest seqs, none above `last` where that is given; in order of
   * position.
   */
  newest(kid: Uint8Array, boot: number, space: Space, limit: number, last?: number): StoredMessage[];
  boots(kid: Uint8Array): BootState[];
  settled(kid: Uint8Array, boot: number): Settled[];
  putCard(kid: Uint8Array, card: Uint8Array): void;
  cards(): CardRow[];
  checkpoints(): CheckpointRow[];
  close(): void;
}
