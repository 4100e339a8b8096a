/** Site key and cards as files: DIR/site.pub and DIR/cards/KID.card (CONTRACT.md, "Keys between processes"). */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, kidText, toHex } from "../protocol/keys.ts";
import { UsageError } from "./usage.ts";

/** Writes them as text (hex) and bytes; makes the folders. */
export function writeCards(
  folder: string,
  sitePublicKey: Uint8Array,
  cards: { kid: Uint8Array; card: Uint8Array }[],
): void {
  mkdirSync(join(folder, "cards"), { recursive: true });
  writeFileSync(join(folder, "site.pub"), `${toHex(sitePublicKey)}\n`);
  for (const { kid, card } of cards) writeFileSync(join(folder, "cards", `${kidText(kid)}.card`), card);
}

/** Throws UsageError where it is missing or no key. */
export function readPublicKey(path: string): Uint8Array {
  if (!existsSync(path))
    throw new UsageError(`no site key at ${path}: give --site FILE (the site's site.pub) or --cards DIR`);
  return parsePublicKey(readFileSync(path, "utf8").trim(), path);
}

export function parsePublicKey(hex: string, where: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(hex))
    throw new UsageError(`${where}: a public key is 64 hex digits, this has ${hex.length} characters`);
  return fromHex(hex.toLowerCase());
}

export function readCards(folder: string): Uint8Array[] {
  const path = join(folder, "cards");
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith(".card"));
  return names.sort().map((name) => readFileSync(join(path, name)));
}
