/**
 * Evidence levels (PROTOCOL.md section 3): how well a stored message proves that its device sent it. A row keeps the level at
 * which it was stored; what a manifest raises later is an entry of its own in the audit chain.
 */
import { type Cbor, decode, encode } from "../protocol/cbor.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Store, StoredMessage } from "./store/store.ts";

/** A MAC: whoever holds the pre-shared key could have made it. */
export const EVIDENCE_MAC = 1;
/** A MAC, and a gateway's signature that it held. */
export const EVIDENCE_COUNTERSIGNED = 2;
/** Signed by the device, or listed in a manifest that it signed. */
export const EVIDENCE_SIGNED = 3;

/** The space of the entries, and their kind. */
export const SPACE_LEVELS = 2;
export const KIND_LEVELS = 0;

/** Consecutive seqs that rose from one level to another. */
export interface Rise {
  readonly first: number;
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** What one manifest has raised. */
export interface LevelChange {
  readonly ofBoot: number;
  readonly rises: readonly Rise[];
}

/** The change by which these messages of one boot, in order of seq, become device-signed. */
export function levelChange(
  ofBoot: number,
  rows: readonly { readonly seq: number; readonly evidence: number }[],
): LevelChange {
  const rises: { first: number; count: number; from: number; to: number }[] = [];
  for (const { seq, evidence } of rows) {
    const last = rises.at(-1);
    if (last !== undefined && last.from === evidence && last.first + last.count === seq) last.count++;
    else rises.push({ first: seq, count: 1, from: evidence, to: EVIDENCE_SIGNED });
  }
  return { ofBoot, rises };
}

/** `message` of an entry of space 2: deterministic CBOR [of-boot, [[first, count, from, to], …]]. */
export function encodeLevelChange({ ofBoot, rises }: LevelChange): Uint8Array {
  return encode([ofBoot, rises.map(({ first, count, from, to }) => [first, count, from, to])]);
}

const u32 = (value: Cbor | undefined): value is number => typeof value === "number" && value >= 0 && value < 2 ** 32;

/** Throws Refusal "cbor" or "payload". */
export function decodeLevelChange(bytes: Uint8Array): LevelChange {
  const wrong = () => refuse("payload", "no change of evidence levels: [of-boot, [[first, count, from, to], …]]");
  const value = decode(bytes);
  if (!Array.isArray(value) || value.length !== 2) throw wrong();
  const [ofBoot, rises] = value;
  if (!u32(ofBoot) || !Array.isArray(rises) || rises.length === 0) throw wrong();
  return {
    ofBoot,
    rises: rises.map((rise): Rise => {
      if (!Array.isArray(rise) || rise.length !== 4 || !rise.every(u32)) throw wrong();
      const [first, count, from, to] = rise as number[];
      if (count === 0 || first + count > 2 ** 32 || from >= to || to > EVIDENCE_SIGNED) throw wrong();
      return { first, count, from, to };
    }),
  };
}

/** The levels of one boot's messages as they are now: a function from a row of it to its level. */
export function levelsOf(store: Store, kid: Uint8Array, boot: number): (row: StoredMessage) => number {
  const risen: Rise[] = [];
  for (const row of store.levelChanges(kid)) {
    const { ofBoot, rises } = decodeLevelChange(row.message);
    if (ofBoot === boot) risen.push(...rises);
  }
  // A manifest follows the one before: nearly always in order, and looked up by halves.
  risen.sort((a, b) => a.first - b.first);
  return ({ space, seq, evidence }) => {
    if (space !== 0) return evidence;
    let low = 0;
    let high = risen.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (risen[middle].first <= seq) low = middle + 1;
      else high = middle;
    }
    const rise = risen[low - 1];
    return rise !== undefined && seq < rise.first + rise.count ? Math.max(evidence, rise.to) : evidence;
  };
}
