/** Who is enrolled, and what a store has of each, as a table. */
import { join } from "node:path";
import { levelsOf } from "../../gateway/evidence.ts";
import { openStored } from "../../gateway/record.ts";
import { Sequences } from "../../gateway/sequence.ts";
import type { Store, StoredMessage } from "../../gateway/store/store.ts";
import { type Card, decodeCard } from "../../protocol/card.ts";
import { decodeRevocations, type RevocationList } from "../../protocol/crl.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { TYPE_BIRTH, TYPE_EVENT } from "../../protocol/messages.ts";
import { REVOCATION_REASONS } from "../enroll/revocations.ts";
import { knownCards, readRevocations } from "../enroll/site-files.ts";
import { table as columns } from "../evaluate/table.ts";
import { claimsToEncrypt } from "../keys/psk-file.ts";
import { readPublicKey } from "../keys.ts";
import { visible } from "../monitor/text.ts";

/** One line of the table. What only a store knows is null without one. */
export interface DeviceRow {
  readonly kid: string;
  readonly role: Card["role"];
  readonly issuer: string;
  /** RFC 3339. */
  readonly expires: string;
  readonly expired: boolean;
  /** What a gateway with this folder's keys takes from it. */
  readonly modes: readonly ("sign" | "mac" | "encrypt")[];
  readonly revoked: { readonly reason: string; readonly time: string } | null;
  readonly quarantined: { readonly since: string; readonly why: string } | null;
  /** A newer key has taken its place: good up to this message. */
  readonly rotated: { readonly successor: string; readonly boot: number; readonly seq: number } | null;
  readonly boots: number | null;
  readonly messages: number | null;
  /** Messages that are missing: those that the device has declared lost, and those of which nobody has said anything. */
  readonly gaps: { readonly declared: number; readonly silent: number } | null;
  /** Arrival of the newest message. */
  readonly lastHeard: string | null;
  /** Lowest evidence level of its messages, as it is now. */
  readonly evidence: number | null;
}

/** The site's cards, of the folder and of the store, by kid: the newest of each. */
export function enrolledCards(folder: string, store: Store | null, sitePublicKey: Uint8Array): Map<string, Card> {
  const cards = knownCards(folder, sitePublicKey);
  for (const { card } of store?.cards() ?? []) {
    try {
      const stored = decodeCard(card, sitePublicKey, nodeCrypto);
      const kid = kidText(stored.kid);
      if ((cards.get(kid)?.issuedAt ?? -1) < stored.issuedAt) cards.set(kid, stored);
    } catch {
      // Of another site: not enrolled here.
    }
  }
  return cards;
}

/** `now`: ms since the epoch. */
export function rowsOf(folder: string, store: Store | null, now: number): DeviceRow[] {
  const sitePublicKey = readPublicKey(join(folder, "site.pub"));
  const cards = enrolledCards(folder, store, sitePublicKey);
  const list = newestList(folder, store, sitePublicKey);
  const rotations = store?.rotations() ?? [];
  return [...cards.values()]
    .map((card): DeviceRow => {
      const kid = kidText(card.kid);
      const revocation = list?.revoked.find((one) => kidText(one.kid) === kid);
      const standing = store?.quarantines(card.kid).find(({ released }) => released === null);
      const rotation = rotations.find((one) => kidText(one.kid) === kid);
      return {
        kid,
        role: card.role,
        issuer: card.issuer,
        expires: time(card.expires * 1000),
        expired: card.expires * 1000 <= now,
        modes: modesOf(claimsToEncrypt(folder, card.kid)),
        revoked: revocation ? { reason: reasonWord(revocation.reason), time: time(revocation.time * 1000) } : null,
        quarantined: standing ? { since: time(standing.since), why: standing.sentence } : null,
        rotated: rotation ? { successor: kidText(rotation.successor), boot: rotation.boot, seq: rotation.seq } : null,
        ...(store === null ? NOTHING : heard(store, card.kid)),
      };
    })
    .sort((a, b) => a.role.localeCompare(b.role) || a.kid.localeCompare(b.kid));
}

const NOTHING = { boots: null, messages: null, gaps: null, lastHeard: null, evidence: null };

const modesOf = (encrypts: boolean | null): DeviceRow["modes"] =>
  encrypts === null ? ["sign"] : encrypts ? ["sign", "mac", "encrypt"] : ["sign", "mac"];

const time = (ms: number) => new Date(ms).toISOString();

function reasonWord(reason: number): string {
  return Object.entries(REVOCATION_REASONS).find(([, number]) => number === reason)?.[0] ?? `reason ${reason}`;
}

/** The folder's list or the store's, whichever has the higher number. */
function newestList(folder: string, store: Store | null, sitePublicKey: Uint8Array): RevocationList | null {
  const near = readRevocations(folder, sitePublicKey)?.list ?? null;
  const stored = store?.revocations();
  if (stored === undefined || (near !== null && near.number >= stored.number)) return near;
  return decodeRevocations(stored.object, sitePublicKey, nodeCrypto);
}

/** What the store has of a device, presences included. */
function heard(store: Store, kid: Uint8Array) {
  const boots = new Map<number, ReturnType<typeof levelsOf>>();
  let messages = 0;
  let last = -1;
  let evidence = 4;
  const sequences = new Sequences();
  const name = kidText(kid);
  for (const row of store.messages(kid)) {
    if (row.space === 2) continue;
    const level = boots.get(row.boot) ?? levelsOf(store, kid, row.boot);
    boots.set(row.boot, level);
    messages++;
    if (row.space === 0) count(sequences, name, row);
    last = Math.max(last, row.received);
    evidence = Math.min(evidence, level(row));
  }
  const some = messages > 0;
  const { gaps: silent, declared = 0 } = sequences.report();
  return {
    boots: boots.size,
    messages,
    gaps: { declared, silent },
    lastHeard: some ? time(last) : null,
    evidence: some ? evidence : null,
  };
}

/** Births and events say more than their own seq. */
function count(sequences: Sequences, kid: string, row: StoredMessage): void {
  if (row.kind === TYPE_BIRTH || row.kind === TYPE_EVENT) {
    try {
      sequences.add(kid, openStored(row));
      return;
    } catch {
      // Changed in the store since: `verify` says what.
    }
  }
  sequences.claim(kid, row.boot, row.seq);
}

export function printed(rows: readonly DeviceRow[], folder: string): string {
  if (rows.length === 0) return `no card of this site in ${join(folder, "cards")}; vitalwire enroll makes one\n`;
  const lines = [
    [
      "device",
      "role",
      "issuer",
      "until",
      "modes",
      "boots",
      "messages",
      "declared lost",
      "silent gaps",
      "last heard",
      "evidence",
      "state",
    ],
    ...rows.map((row) => [
      row.kid,
      row.role,
      visible(row.issuer),
      row.expires.slice(0, 10),
      row.modes.join("+"),
      String(row.boots ?? "-"),
      String(row.messages ?? "-"),
      String(row.gaps?.declared ?? "-"),
      String(row.gaps?.silent ?? "-"),
      row.lastHeard === null ? "-" : `${row.lastHeard.slice(0, 19)}Z`,
      String(row.evidence ?? "-"),
      stateOf(row),
    ]),
  ];
  const notes = rows
    .filter(({ quarantined }) => quarantined !== null)
    .map(({ kid, quarantined }) => `${kid}: in quarantine since ${quarantined!.since}: ${visible(quarantined!.why)}`);
  return `${[...columns(lines), ...notes].join("\n")}\n`;
}

function stateOf({ revoked, quarantined, rotated, expired }: DeviceRow): string {
  if (revoked !== null) return `revoked (${revoked.reason})`;
  if (quarantined !== null) return "quarantined";
  if (expired) return "expired";
  return rotated === null ? "good" : `replaced by ${rotated.successor} at boot ${rotated.boot} seq ${rotated.seq}`;
}
