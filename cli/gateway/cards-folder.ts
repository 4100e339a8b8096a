/** The cards folder of a running gateway: what is put into it is enrolled. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Devices } from "../../gateway/devices.ts";
import type { Card } from "../../protocol/card.ts";

/** Between two looks into the folder, ms. */
const EVERY = 1000;

export interface CardsFolder {
  stop(): void;
}

export interface CardsEvents {
  /** A card that was not here before, or has changed. */
  readonly onCard: (card: Card, bytes: Uint8Array) => void;
  /** A card that cannot be taken: which, and why. Once for each state of the file. */
  readonly onFault: (sentence: string) => void;
}

/** Enrols what lies in `folder`/cards now, and looks again every second. A card that is taken away stays enrolled. */
export function watchCards(
  folder: string,
  devices: Devices,
  sitePublicKey: Uint8Array,
  allowTestKeys: boolean,
  events: CardsEvents,
): CardsFolder {
  const path = join(folder, "cards");
  /** By name, what the file was when it was last read. */
  const seen = new Map<string, string>();
  const look = () => {
    for (const name of existsSync(path) ? readdirSync(path).sort() : []) {
      if (!name.endsWith(".card")) continue;
      try {
        const { mtimeMs, size } = statSync(join(path, name));
        const state = `${mtimeMs} ${size}`;
        if (seen.get(name) === state) continue;
        seen.set(name, state);
        const bytes = new Uint8Array(readFileSync(join(path, name)));
        events.onCard(devices.enroll(bytes, sitePublicKey, allowTestKeys), bytes);
      } catch (error) {
        events.onFault(`${join(path, name)}: not enrolled: ${(error as Error).message}`);
      }
    }
  };
  look();
  const timer = setInterval(look, EVERY);
  return { stop: () => clearInterval(timer) };
}
