/** The keys that a monitor checks packets with: cards that the site has signed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TEST_ONLY } from "../../gateway/devices.ts";
import { type Card, decodeCard } from "../../protocol/card.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import { readRevocations } from "../enroll/site-files.ts";
import { readCards, readPublicKey } from "../keys.ts";

export interface Keyring {
  /** By kid. */
  readonly cards: ReadonlyMap<string, Card>;
  /** Pre-shared keys, by kid. */
  readonly psks: ReadonlyMap<string, Uint8Array>;
  /** Where they were looked for. */
  readonly folder: string;
  /** False where there is not even a site key: then nothing can be verified, and nobody asked for it. */
  readonly given: boolean;
  /** What a person should know of them: cards that were left out, or have expired. */
  readonly notes: readonly string[];
}

/**
 * Reads FOLDER/site.pub and FOLDER/cards. A card that does not hold is left out with a note; one that has expired (`now`, ms
 * since the epoch) still proves whose packet it is, with a note. Throws UsageError where `asked` and no site key is there.
 */
export function readKeyring(
  folder: string,
  asked: boolean,
  now: number,
  psks: ReadonlyMap<string, Uint8Array> = new Map(),
): Keyring {
  const path = join(folder, "site.pub");
  const cards = new Map<string, Card>();
  const notes: string[] = [];
  if (!asked && !existsSync(path)) return { cards, psks, folder, given: false, notes };
  const sitePublicKey = readPublicKey(path);
  const revoked = new Set<string>();
  try {
    for (const { kid } of readRevocations(folder, sitePublicKey)?.list.revoked ?? []) revoked.add(kidText(kid));
  } catch (error) {
    notes.push(`who is revoked is not known: ${(error as Error).message}`);
  }
  for (const bytes of readCards(folder)) {
    try {
      const card = decodeCard(bytes, sitePublicKey, nodeCrypto);
      const kid = kidText(card.kid);
      cards.set(kid, card);
      if (revoked.has(kid)) notes.push(`card ${kid} is revoked: a gateway refuses what this key signs`);
      if (card.expires * 1000 < now)
        notes.push(`card ${kid} has expired: a gateway will refuse what this key signs; enrol it anew`);
    } catch (error) {
      notes.push(`a card in ${join(folder, "cards")} is left out: ${(error as Error).message}`);
    }
  }
  if (cards.size === 0) notes.push(`no card in ${join(folder, "cards")}: no packet can be verified; enrol the board`);
  return { cards, psks, folder, given: true, notes };
}

/** Whether everybody knows the private key of this card. */
export function isTestOnly(card: Card): boolean {
  return card.issuer.includes(TEST_ONLY);
}
