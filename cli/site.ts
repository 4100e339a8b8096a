/** The TEST-ONLY site of demonstrations: its key, its cards, and the fixed time of a simulation. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TEST_ONLY } from "../gateway/devices.ts";
import { encodeCard } from "../protocol/card.ts";
import type { KeyedSigner } from "../protocol/crypto.node.ts";
import { toHex } from "../protocol/keys.ts";
import { testOnlySigner } from "../simulator/keys.ts";
import { UsageError } from "./usage.ts";

/** Time 0 of a simulation whose every byte is to be the same: 2026-01-01T00:00:00Z, ms. */
export const FIXED_EPOCH = 1_767_225_600_000;
/** Third level of the MQTT topics, where nothing else is said. */
export const DEFAULT_SITE = "demo";
/** Cards of a demonstration are good for ten years, s. */
const CARD_LIFE = 10 * 365 * 86_400;

/** Signs the cards of demonstrations: anybody can derive it. */
export const testSite = testOnlySigner("site");

/** A card by the TEST-ONLY site, issued at `now` (ms since the epoch). */
export function testCard({ kid, publicKey }: KeyedSigner, role: "device" | "gateway", now: number): Uint8Array {
  const issuedAt = Math.floor(now / 1000);
  const card = { issuer: `${TEST_ONLY} demo`, role, kid, publicKey, issuedAt, expires: issuedAt + CARD_LIFE };
  return encodeCard(card, testSite);
}

/** Throws UsageError where the folder has a site key that is not the TEST-ONLY one: its cards are somebody's. */
export function refuseForeignSite(folder: string): void {
  const path = join(folder, "site.pub");
  if (!existsSync(path) || readFileSync(path, "utf8").trim() === toHex(testSite.publicKey)) return;
  throw new UsageError(`${path}: the key of a real site; a demonstration needs a folder of its own: give --cards DIR`);
}
