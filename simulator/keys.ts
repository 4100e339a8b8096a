/** TEST-ONLY keys: derived from words that everybody knows, for demonstrations and tests. */
import { createHash } from "node:crypto";
import { type KeyedSigner, nodeSigner } from "../protocol/crypto.node.ts";

/** SHA-256 over the parts, one after the other; text as UTF-8. */
export function sha256(...parts: (string | Uint8Array)[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** A key that anybody can derive from its purpose: never enrol it outside a demonstration. */
export function testOnlySigner(purpose: string, ...parts: (string | Uint8Array)[]): KeyedSigner {
  return nodeSigner(sha256(`TEST-ONLY vitalwire ${purpose}`, ...parts));
}

/** A pre-shared key that anybody can derive, as `testOnlySigner`: it hides and proves nothing. */
export function testOnlyPsk(...parts: (string | Uint8Array)[]): Uint8Array {
  return sha256("TEST-ONLY vitalwire psk", ...parts);
}
