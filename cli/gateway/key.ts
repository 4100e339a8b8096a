/** The gateway's own key: made once, kept beside the store, readable by its owner alone. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { KeyedSigner } from "../../protocol/crypto.node.ts";
import { readKey, writeKey } from "../keys/seed-file.ts";

/** Reads the key in `path`, or makes one. Throws Error where others may read it, or it is no key. */
export function gatewayKey(path: string): KeyedSigner {
  return existsSync(path) ? readKey(path).signer : writeKey(path, { seed: new Uint8Array(randomBytes(32)) });
}
