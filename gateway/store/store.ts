/** What a gateway asks of its store. Narrow on purpose: another engine has to do this much and no more. */

/**
 * 0: messages with a seq; 1: presences, whose `seq` is 4 x connection + state; 2: entries of the gateway's own, of what a
 * manifest has raised (evidence.ts), under the manifest's boot and seq, kind 0.
 */
export type Space = 0 | 1 | 2;

/** What has to be opened to read a stored message (record.ts). */
export interface SealedRow {
  /** As received; of mode E around S, the S message inside. */
  readonly message: Uint8Array;
  /** What the gateway adds to it: deterministic CBOR, at least the empty map. */
  readonly record: Uint8Array;
}

/** One message as it is kept. */
export interface StoredMessage extends SealedRow {
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
  /** When it was stored: 1 mac, 2 mac and countersignature, 3 device-signed. A manifest may raise it later (evidence.ts). */
  readonly evidence: number;
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

/**
 * Seqs that are settled without being stored: refused for good (`reason` = place in REASONS, count 1) or disowned (255). Of two
 * with the same first the larger one is kept.
 */
export interface Settled {
  readonly kid: Uint8Array;
  readonly boot: number;
  readonly first: number;
  readonly count: number;
  readonly reason: number;
}

export const DISOWNED = 255;

/** Why nothing of a device is taken any more, until a person releases it; kept for ever. */
export interface Quarantine {
  readonly kid: Uint8Array;
  /** ms since the epoch. */
  readonly since: number;
  /** What was offered: its boot and seq, and the message that contradicts what is stored, as received. */
  readonly boot: number;
  readonly seq: number;
  readonly message: Uint8Array;
  readonly sentence: string;
  /** When a person released it, ms since the epoch; null: it stands. */
  readonly released: number | null;
}

/** The key of a board was replaced by a newer one's: what the old one seals is good up to here. */
export interface Rotation {
  readonly kid: Uint8Array;
  readonly successor: Uint8Array;
  /** Highest (boot, seq) that the old key had reached. */
  readonly boot: number;
  readonly seq: number;
  /** ms since the epoch. */
  readonly since: number;
}

/** What a stored manifest says of a message that was not here when it came: SHA-256(payload)[0..15]. */
export interface Listed {
  readonly kid: Uint8Array;
  readonly boot: number;
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** What becomes durable together, or not at all. */
export interface Commit {
  readonly messages: readonly StoredMessage[];
  readonly boots: readonly BootState[];
  readonly settled: readonly Settled[];
  readonly checkpoints: readonly CheckpointRow[];
  readonly quarantines?: readonly Quarantine[];
  readonly rotations?: readonly Rotation[];
  readonly listed?: readonly Listed[];
  /** Answers to pings among the messages. */
  readonly pings?: readonly PingRow[];
}

/** A time-ping and its answer: what bounds a board's clock from below. */
export interface PingRow {
  readonly kid: Uint8Array;
  readonly boot: number;
  /** Number of the ping. */
  readonly n: number;
  /** When it left, us since the epoch. */
  readonly sent: number;
  /** Tick of the answer, ms since boot. */
  readonly tick: number;
  /** Arrival of the answer, ms since the epoch. */
  readonly received: number;
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

/** A signed revocation list (PROTOCOL.md section 5). */
export interface RevocationRow {
  readonly number: number;
  readonly object: Uint8Array;
}

export interface Store {
  /** Last position and chain value; position 0 and 32 zero bytes when empty. */
  head(): { readonly position: number; readonly chain: Uint8Array };
  /** Throws Error where the identity (kid, boot, space, seq) is there already; then nothing of the commit is. */
  commit(commit: Commit): void;
  /** The message of this identity; undefined: not stored. */
  find(kid: Uint8Array, boot: number, space: Space, seq: number): SealedRow | undefined;
  /** Stored rows in order of position; all of them, or one device's, one boot's. Those of space 2 are no messages. */
  messages(kid?: Uint8Array, boot?: number): Iterable<StoredMessage>;
  /** Every seq of a boot that is stored in a space, rising. */
  seqs(kid: Uint8Array, boot: number, space: Space): number[];
  /** The messages of one kind of a boot, in order of seq. */
  ofKind(kid: Uint8Array, boot: number, kind: number): SealedRow[];
  /** The messages of space 0 with first <= seq <= last, in order of seq. */
  between(kid: Uint8Array, boot: number, first: number, last: number): StoredMessage[];
  /** The first birth of the lowest boot above this one that has any; undefined: none has. */
  nextBirth(kid: Uint8Array, boot: number): SealedRow | undefined;
  /** The newest boot with a birth; undefined: none has. */
  newestBirth(kid: Uint8Array): StoredMessage | undefined;
  /** The hash that a manifest has listed for this message before it came; undefined: none has. */
  listed(kid: Uint8Array, boot: number, seq: number): Uint8Array | undefined;
  /** The entries of space 2 of a device, in order of position. */
  levelChanges(kid: Uint8Array): StoredMessage[];
  /**
   * The `limit` messages of a boot and space with the highest seqs, none above `last` where that is given; in order of
   * position.
   */
  newest(kid: Uint8Array, boot: number, space: Space, limit: number, last?: number): StoredMessage[];
  boots(kid: Uint8Array): BootState[];
  settled(kid: Uint8Array, boot: number): Settled[];
  /** Was the message of this seq refused for good? */
  refused(kid: Uint8Array, boot: number, seq: number): boolean;
  putCard(kid: Uint8Array, card: Uint8Array): void;
  cards(): CardRow[];
  checkpoints(): CheckpointRow[];
  pings(kid: Uint8Array, boot: number): PingRow[];
  /** All of a device, the newest last. */
  quarantines(kid: Uint8Array): Quarantine[];
  /** Marks the one that stands as released at `time`, ms since the epoch. */
  releaseQuarantine(kid: Uint8Array, time: number): void;
  rotations(): Rotation[];
  /** The newest revocation list; undefined: none was given. */
  revocations(): RevocationRow | undefined;
  /** Keeps this list in place of the one before. */
  putRevocations(list: RevocationRow): void;
  close(): void;
}
