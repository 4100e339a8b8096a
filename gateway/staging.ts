/** What the next commit is to hold: rows with their place in the audit chain, and all that becomes durable with them. */
import { chainStep } from "../protocol/checkpoint.ts";
import { countersign } from "../protocol/countersign.ts";
import { kidText } from "../protocol/keys.ts";
import { PAYLOAD_HASH_LENGTH, payloadHash } from "../protocol/manifest.ts";
import type { ManifestMessage, Message } from "../protocol/messages.ts";
import type { Device } from "./devices.ts";
import {
  EVIDENCE_COUNTERSIGNED,
  EVIDENCE_MAC,
  EVIDENCE_SIGNED,
  encodeLevelChange,
  KIND_LEVELS,
  levelChange,
  SPACE_LEVELS,
} from "./evidence.ts";
import type { Identity } from "./identity.ts";
import type { Case } from "./order.ts";
import type { Origin } from "./origin.ts";
import type { ReceiverOptions } from "./receiver.ts";
import { EMPTY_RECORD, encodeRecord, storedPayload } from "./record.ts";
import type { Commit, Listed, Quarantine, Rotation, Settled, StoredMessage } from "./store/store.ts";

/** A message that has just become durable. */
export interface Accepted {
  readonly device: Device;
  readonly message: Message;
  readonly row: StoredMessage;
  readonly origin: Origin;
}

/** What becomes durable with the next commit; `accepted` has what is told of it. */
export interface Batch extends Omit<Commit, "boots" | "checkpoints" | "pings"> {
  readonly accepted: readonly Accepted[];
}

/** What a manifest says of what is known. */
export interface Comparison {
  /** A seq that is known with another payload; null: there is none. */
  readonly other: number | null;
  /** Rows that it lists and that were no more than MACed, in order of seq. */
  readonly raised: readonly StoredMessage[];
  /** What it lists and is not here. */
  readonly missing: readonly Listed[];
}

export interface Staging {
  readonly waiting: number;
  readonly head: { readonly position: number; readonly chain: Uint8Array };
  readonly batch: Batch;
  /** The payload stored or staged under this identity. */
  earlier(device: Device, identity: Identity): Uint8Array | undefined;
  /** The hash that a manifest, stored or staged, has listed for this message. */
  listed(device: Device, identity: Identity): Uint8Array | undefined;
  /** `evidence` null: a MAC, which is countersigned where the gateway does so. */
  stage(one: Case, origin: Origin, evidence: number | null): void;
  compare(device: Device, manifest: ManifestMessage): Comparison;
  /** An entry of what a staged manifest raises, and a note of what it lists. */
  raise(manifest: Case, told: Pick<Comparison, "raised" | "missing">): void;
  settle(range: Settled): void;
  quarantine(row: Quarantine): void;
  rotate(row: Rotation): void;
  /** All of it is durable. */
  clear(): void;
  /** Nothing of it is: the chain goes on where the store's ends. */
  reset(): void;
}

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const keyOf = (kid: Uint8Array, { boot, space, seq }: Pick<Identity, "boot" | "space" | "seq">) =>
  `${kidText(kid)} ${boot} ${space} ${seq}`;

export function createStaging(options: ReceiverOptions): Staging {
  const { store, crypto, signer, now } = options;
  const countersigns = options.countersign !== false;
  let { position, chain } = store.head();
  let accepted: Accepted[] = [];
  let messages: StoredMessage[] = [];
  let settled: Settled[] = [];
  let quarantines: Quarantine[] = [];
  let rotations: Rotation[] = [];
  const staged = new Map<string, { readonly payload: Uint8Array; readonly row: StoredMessage }>();
  const listed = new Map<string, Listed>();

  const append = (row: Omit<StoredMessage, "position" | "chain">): StoredMessage => {
    const hash = crypto.sha256(row.message);
    const { kid, boot, seq, received, evidence, record } = row;
    chain = chainStep(crypto, chain, kid, boot, seq, hash, received, evidence, record);
    const whole = { ...row, position: ++position, chain };
    messages.push(whole);
    return whole;
  };
  const clear = () => {
    accepted = [];
    messages = [];
    settled = [];
    quarantines = [];
    rotations = [];
    staged.clear();
    listed.clear();
  };
  const listedOf = (kid: Uint8Array, boot: number, seq: number) =>
    listed.get(keyOf(kid, { boot, space: 0, seq }))?.hash ?? store.listed(kid, boot, seq);
  /** What is stored or staged of these seqs, with the hash of each payload. */
  const known = (kid: Uint8Array, boot: number, first: number, count: number) => {
    const rows = new Map<number, { readonly row: StoredMessage; readonly hash: Uint8Array }>();
    for (const row of store.between(kid, boot, first, first + count - 1)) {
      rows.set(row.seq, { row, hash: payloadHash(storedPayload(row), crypto) });
    }
    for (let seq = first; seq < first + count; seq++) {
      const one = staged.get(keyOf(kid, { boot, space: 0, seq }));
      if (one !== undefined) rows.set(seq, { row: one.row, hash: payloadHash(one.payload, crypto) });
    }
    return rows;
  };
  return {
    get waiting() {
      return messages.length + settled.length + quarantines.length;
    },
    get head() {
      return { position, chain };
    },
    get batch() {
      return { accepted, messages, settled, quarantines, rotations, listed: [...listed.values()] };
    },
    earlier(device, identity) {
      const { kid } = device.card;
      const one = staged.get(keyOf(kid, identity));
      if (one !== undefined) return one.payload;
      const row = store.find(kid, identity.boot, identity.space, identity.seq);
      return row === undefined ? undefined : storedPayload(row);
    },
    listed: (device, { boot, seq }) => listedOf(device.card.kid, boot, seq),
    stage({ device, boot, identity, message, opened }, origin, evidence) {
      const { payload, message: bytes, target } = opened;
      const { kid } = device.card;
      const at = now();
      const received = Math.floor(at);
      const plaintext = target !== null && "ciphertext" in target ? payload : null;
      const countersignature = target !== null && countersigns ? countersign(target, plaintext, signer) : null;
      const clock = options.clockOf?.(device, boot, message, at) ?? null;
      const row = append({
        kid,
        boot: identity.boot,
        space: identity.space,
        seq: identity.seq,
        kind: identity.kind,
        received,
        evidence: evidence ?? (countersignature === null ? EVIDENCE_MAC : EVIDENCE_COUNTERSIGNED),
        message: bytes,
        record:
          clock === null && countersignature === null && plaintext === null
            ? EMPTY_RECORD
            : encodeRecord({ clock, countersignature, plaintext }),
      });
      staged.set(keyOf(kid, identity), { payload, row });
      accepted.push({ device, origin, message, row });
    },
    compare(device, manifest) {
      const { kid } = device.card;
      const { ofBoot: boot, first, hashes } = manifest;
      const count = hashes.length / PAYLOAD_HASH_LENGTH;
      const rows = known(kid, boot, first, count);
      const raised: StoredMessage[] = [];
      const missing: Listed[] = [];
      for (let i = 0; i < count; i++) {
        const seq = first + i;
        const hash = hashes.slice(PAYLOAD_HASH_LENGTH * i, PAYLOAD_HASH_LENGTH * (i + 1));
        const one = rows.get(seq);
        const before = one?.hash ?? listedOf(kid, boot, seq);
        if (before !== undefined && !sameBytes(before, hash)) return { other: seq, raised, missing };
        if (one === undefined) missing.push({ kid, boot, seq, hash });
        else if (one.row.evidence < EVIDENCE_SIGNED) raised.push(one.row);
      }
      return { other: null, raised, missing };
    },
    raise({ device, identity, message }, { raised, missing }) {
      const { kid } = device.card;
      for (const one of missing) listed.set(keyOf(kid, { boot: one.boot, space: 0, seq: one.seq }), one);
      if (raised.length === 0 || message.type !== "manifest") return;
      append({
        kid,
        boot: identity.boot,
        space: SPACE_LEVELS,
        seq: identity.seq,
        kind: KIND_LEVELS,
        received: Math.floor(now()),
        evidence: EVIDENCE_SIGNED,
        message: encodeLevelChange(levelChange(message.ofBoot, raised)),
        record: EMPTY_RECORD,
      });
    },
    settle: (range) => void settled.push(range),
    quarantine: (row) => void quarantines.push(row),
    rotate: (row) => void rotations.push(row),
    clear,
    reset() {
      clear();
      ({ position, chain } = store.head());
    },
  };
}
