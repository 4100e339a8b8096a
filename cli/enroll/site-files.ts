/** The site that enrols: its key and name, and what it has signed before. All in its folder DIR. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Card, decodeCard, encodeCard } from "../../protocol/card.ts";
import { decodeRevocations, type RevocationList } from "../../protocol/crl.ts";
import { type KeyedSigner, nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText, toHex } from "../../protocol/keys.ts";
import { writeDurably } from "../durable.ts";
import { siteFolder } from "../keys/new-keys.ts";
import { readWrapping } from "../keys/passphrase.ts";
import { readKey } from "../keys/seed-file.ts";
import { readCards, readPublicKey } from "../keys.ts";

export interface Site {
  readonly folder: string;
  /** Issuer of what it signs. */
  readonly name: string;
  readonly signer: KeyedSigner;
}

/**
 * The site of a folder, with its private key. `passphraseFile`: of a key that is wrapped. Throws UsageError where it has no
 * public key, Error where the private one is not there, not good, or another's.
 */
export function openSite(folder: string, passphraseFile: string | undefined): Site {
  const publicKey = readPublicKey(join(folder, "site.pub"));
  siteFolder(folder);
  const path = join(folder, "site.key");
  if (!existsSync(path))
    throw new Error(
      `${path}: not here. Cards and revocation lists are signed where the site's key is; without a site yet: keygen --site NAME --out ${folder}`,
    );
  const wrapping = passphraseFile === undefined ? null : readWrapping({ passphraseFile });
  const key = readKey(path, wrapping === null ? [] : [wrapping]);
  if (toHex(key.signer.publicKey) !== toHex(publicKey))
    throw new Error(`${path}: not the private key of ${join(folder, "site.pub")}; put the right two together`);
  if (key.site === null) throw new Error(`${path}: no name of a site in it; name the folder of a site`);
  return { folder, name: key.site, signer: key.signer };
}

/** Cards of the folder that the site has signed, by kid; others are left out. */
export function knownCards(folder: string, sitePublicKey: Uint8Array): Map<string, Card> {
  const cards = new Map<string, Card>();
  for (const bytes of readCards(folder)) {
    try {
      const card = decodeCard(bytes, sitePublicKey, nodeCrypto);
      cards.set(kidText(card.kid), card);
    } catch {
      // Of another site, or no card: whoever takes cards from this folder says so.
    }
  }
  return cards;
}

/** The folder's revocation list; null: none yet. Throws Refusal, with the path, where the site has not signed it. */
export function readRevocations(
  folder: string,
  sitePublicKey: Uint8Array,
): { list: RevocationList; bytes: Uint8Array } | null {
  const path = revocationsPath(folder);
  if (!existsSync(path)) return null;
  const bytes = new Uint8Array(readFileSync(path));
  try {
    return { list: decodeRevocations(bytes, sitePublicKey, nodeCrypto), bytes };
  } catch (error) {
    (error as Error).message = `${path}: ${(error as Error).message}`;
    throw error;
  }
}

export function revocationsPath(folder: string): string {
  return join(folder, "revoked.crl");
}

const DAY = 86_400;

export interface NewCard {
  readonly publicKey: Uint8Array;
  readonly kid: Uint8Array;
  readonly role: Card["role"];
  readonly days: number;
  /** The card is issued after this one: the newest of a device's keys is the one that counts. */
  readonly after: Card | null;
}

/** Signs a card at `now` (ms since the epoch) and puts it into the folder; gives it and its path. */
export function issueCard(site: Site, card: NewCard, now: number): { card: Card; path: string } {
  const issuedAt = Math.max(Math.floor(now / 1000), (card.after?.issuedAt ?? -1) + 1);
  const { kid, publicKey, role } = card;
  const issued: Card = { issuer: site.name, role, kid, publicKey, issuedAt, expires: issuedAt + card.days * DAY };
  const folder = join(site.folder, "cards");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kidText(kid)}.card`);
  writeDurably(path, encodeCard(issued, site.signer));
  return { card: issued, path };
}
