/** vitalwire devices: who is enrolled, how far each may be trusted, and when it was last heard. Releases from quarantine. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { askGateway } from "../gateway/control.ts";
import { levelsOf } from "../gateway/evidence.ts";
import { type Lock, lock } from "../gateway/store/lock.ts";
import { openSqliteStore } from "../gateway/store/sqlite.ts";
import type { Store } from "../gateway/store/store.ts";
import { type Card, decodeCard } from "../protocol/card.ts";
import { decodeRevocations, type RevocationList } from "../protocol/crl.ts";
import { nodeCrypto } from "../protocol/crypto.node.ts";
import { fromHex, kidText } from "../protocol/keys.ts";
import { REVOCATION_REASONS } from "./enroll/revocations.ts";
import { knownCards, readRevocations } from "./enroll/site-files.ts";
import { table as columns } from "./evaluate/table.ts";
import { claimsToEncrypt } from "./keys/psk-file.ts";
import { readPublicKey } from "./keys.ts";
import { visible } from "./monitor/text.ts";
import { UsageError } from "./usage.ts";

export interface DevicesOptions {
  readonly store?: string;
  readonly cards?: string;
  readonly release?: string;
  readonly json?: boolean;
}

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
  /** Arrival of the newest message. */
  readonly lastHeard: string | null;
  /** Lowest evidence level of its messages, as it is now. */
  readonly evidence: number | null;
}

/** How long a running gateway may take to release a device, ms. */
const PATIENCE = 5000;

export async function devices(options: DevicesOptions): Promise<void> {
  if (options.store !== undefined && !existsSync(options.store))
    throw new UsageError(`--store ${options.store}: no such file; name the store of a gateway`);
  if (options.release !== undefined) {
    await release(options.store, options.release);
    if (options.json) process.stdout.write(`${JSON.stringify({ released: options.release })}\n`);
    else process.stdout.write(`${options.release}: released from quarantine; it is heard again\n`);
    return;
  }
  const folder = options.cards ?? (options.store === undefined ? "." : dirname(options.store));
  const store = options.store === undefined ? null : openSqliteStore(options.store, { readonly: true });
  try {
    const rows = table(folder, store, Date.now());
    process.stdout.write(options.json ? `${JSON.stringify({ devices: rows })}\n` : printed(rows, folder));
  } finally {
    store?.close();
  }
}

/** By who holds the store: the gateway that runs, or else this process under the store's lock. */
async function release(path: string | undefined, kid: string): Promise<void> {
  if (path === undefined) throw new UsageError("--release: a quarantine is in a store; give --store STORE");
  if (!/^[0-9a-f]{16}$/.test(kid)) throw new UsageError(`--release "${kid}": give the device's name, 16 hex digits`);
  let held: Lock;
  try {
    held = lock(`${path}.lock`, `store ${path}`);
  } catch {
    const answer = await askGateway(path, { command: "release", device: kid }, PATIENCE);
    if ("error" in answer) throw new Error(answer.error);
    if (answer.result !== true) throw new Error(`${kid}: not in quarantine`);
    return;
  }
  try {
    const store = openSqliteStore(path);
    try {
      if (!store.quarantines(fromHex(kid)).some(({ released }) => released === null))
        throw new Error(`${kid}: not in quarantine`);
      store.releaseQuarantine(fromHex(kid), Date.now());
    } finally {
      store.close();
    }
  } finally {
    held.release();
  }
}

function table(folder: string, store: Store | null, now: number): DeviceRow[] {
  const sitePublicKey = readPublicKey(join(folder, "site.pub"));
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
        ...(store === null ? { boots: null, messages: null, lastHeard: null, evidence: null } : heard(store, card.kid)),
      };
    })
    .sort((a, b) => a.role.localeCompare(b.role) || a.kid.localeCompare(b.kid));
}

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
  for (const row of store.messages(kid)) {
    if (row.space === 2) continue;
    const level = boots.get(row.boot) ?? levelsOf(store, kid, row.boot);
    boots.set(row.boot, level);
    messages++;
    last = Math.max(last, row.received);
    evidence = Math.min(evidence, level(row));
  }
  const some = messages > 0;
  return { boots: boots.size, messages, lastHeard: some ? time(last) : null, evidence: some ? evidence : null };
}

function printed(rows: readonly DeviceRow[], folder: string): string {
  if (rows.length === 0) return `no card of this site in ${join(folder, "cards")}; vitalwire enroll makes one\n`;
  const lines = [
    ["device", "role", "issuer", "until", "modes", "boots", "messages", "last heard", "evidence", "state"],
    ...rows.map((row) => [
      row.kid,
      row.role,
      visible(row.issuer),
      row.expires.slice(0, 10),
      row.modes.join("+"),
      String(row.boots ?? "-"),
      String(row.messages ?? "-"),
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
