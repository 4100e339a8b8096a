/** The cards folder of a running gateway: what is put into it is enrolled, allowed modes M and E, or revoked. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Devices } from "../../gateway/devices.ts";
import type { Card } from "../../protocol/card.ts";
import { decodeRevocations, type RevocationList } from "../../protocol/crl.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex } from "../../protocol/keys.ts";
import { revocationsPath } from "../enroll/site-files.ts";
import { pskNames, readPsk } from "../keys/psk-file.ts";
import { testOnlyWrapping, type Wrapping } from "../keys/wrapping.ts";

/** Between two looks into the folder, ms. */
const EVERY = 1000;

export interface CardsFolder {
  stop(): void;
}

export interface CardsOptions {
  readonly folder: string;
  readonly devices: Devices;
  readonly sitePublicKey: Uint8Array;
  readonly allowTestKeys: boolean;
  /** What opens the pre-shared keys; null: nothing was named. */
  readonly wrapping: Wrapping | null;
}

export interface CardsEvents {
  /** A card that was not here before, or has changed. */
  readonly onCard: (card: Card, bytes: Uint8Array) => void;
  /** The pre-shared key of an enrolled device. */
  readonly onPsk: (kid: Uint8Array, encrypts: boolean) => void;
  readonly onRevocations: (list: RevocationList) => void;
  /** What cannot be taken: which, and why. Once for each state of the file. */
  readonly onFault: (sentence: string) => void;
}

/**
 * Takes what lies in `folder` now, and looks again every second. A card or key that is taken away stays; so does the newest
 * revocation list, which the store keeps (`recallRevocations`).
 */
export function watchCards(options: CardsOptions, events: CardsEvents): CardsFolder {
  const { folder, devices, sitePublicKey, allowTestKeys } = options;
  const wrappings = [
    ...(options.wrapping === null ? [] : [options.wrapping]),
    ...(allowTestKeys ? [testOnlyWrapping()] : []),
  ];
  /** By path, what the file was when it was last read. */
  const seen = new Map<string, string>();
  const take = (path: string, refusal: string, action: () => void) => {
    try {
      const { mtimeMs, ctimeMs, size } = statSync(path);
      const state = `${mtimeMs} ${ctimeMs} ${size}`;
      if (seen.get(path) === state) return;
      seen.set(path, state);
      action();
    } catch (error) {
      const { message } = error as Error;
      events.onFault(`${message.includes(path) ? "" : `${path}: `}${refusal}: ${message}`);
    }
  };
  const look = () => {
    // First: nobody is heard who is revoked.
    const list = revocationsPath(folder);
    if (existsSync(list)) {
      take(list, "not taken, the list before stays", () => {
        const bytes = new Uint8Array(readFileSync(list));
        const revocations = decodeRevocations(bytes, sitePublicKey, nodeCrypto);
        devices.applyRevocations(revocations, bytes);
        events.onRevocations(revocations);
      });
    }
    const cards = join(folder, "cards");
    for (const name of existsSync(cards) ? readdirSync(cards).sort() : []) {
      if (!name.endsWith(".card")) continue;
      const path = join(cards, name);
      take(path, "not enrolled", () => {
        const bytes = new Uint8Array(readFileSync(path));
        events.onCard(devices.enroll(bytes, sitePublicKey, allowTestKeys), bytes);
      });
    }
    for (const name of pskNames(folder)) {
      // Its card may come later, and is what is reported.
      if (/^[0-9a-f]{16}\.psk$/.test(name) && devices.get(fromHex(name.slice(0, 16))) === undefined) continue;
      const path = join(folder, "keys", name);
      take(path, "no modes mac and encrypt", () => {
        const { kid, psk, encrypts } = readPsk(path, wrappings);
        devices.givePsk(kid, psk, encrypts);
        events.onPsk(kid, encrypts);
      });
    }
  };
  look();
  const timer = setInterval(look, EVERY);
  return { stop: () => clearInterval(timer) };
}

/**
 * Applies the list that the store keeps, so that nobody is heard again because a file was taken away. Throws Error where it
 * is another site's: then nothing is known of who is revoked.
 */
export function recallRevocations(devices: Devices, object: Uint8Array | undefined, sitePublicKey: Uint8Array): void {
  if (object === undefined) return;
  let list: RevocationList;
  try {
    list = decodeRevocations(object, sitePublicKey, nodeCrypto);
  } catch (error) {
    throw new Error(
      `the store's revocation list does not hold under this site's key (${(error as Error).message}); use the store with the site it belongs to`,
    );
  }
  devices.applyRevocations(list, object);
}
