/** The gateway's own key: made once, kept beside the store, readable by its owner alone. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type KeyedSigner, nodeSigner } from "../../protocol/crypto.node.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";

/**
 * Reads the key in `path`, an Ed25519 seed in hex, or makes one. Throws Error where others may read it, or it is no key.
 */
export function gatewayKey(path: string): KeyedSigner {
  if (!existsSync(path)) {
    const seed = new Uint8Array(randomBytes(32));
    writeFileSync(path, `${toHex(seed)}\n`, { mode: 0o600, flag: "wx" });
    return nodeSigner(seed);
  }
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new Error(`key ${path}: others may read it (mode ${mode.toString(8)}); chmod 600 it, or make a new one`);
  }
  const text = readFileSync(path, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error(`key ${path}: not 64 hex digits; name the right file`);
  return nodeSigner(fromHex(text));
}
