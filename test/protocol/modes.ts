/** What the tests of modes M and E share: the vectors of modes.json and their TEST-ONLY keys. */
import { fromHex } from "../../protocol/keys.ts";
import { vectors } from "./support.ts";

export interface MacVector {
  name: string;
  label: string;
  example?: string;
  payload: string;
  hex: string;
}
export interface EncryptVector {
  name: string;
  direction: "d2g" | "g2d";
  example?: string;
  partialIv: string;
  plaintext: string;
  hex: string;
}
interface Modes {
  secret: { psk: string; kid: string; boot: number; bn: string };
  keys: Array<{ label: string; info: string; key: string }>;
  mac0: MacVector[];
  encrypt0: EncryptVector[];
  manifest: { ofBoot: number; first: number; payloads: string[]; hashes: string; payload: string };
}

export const modes: Modes = vectors("modes");
export const kid = fromHex(modes.secret.kid);

/** The boot's key under a label. */
export const keyOf = (label: string) =>
  fromHex((modes.keys.find((one) => one.label === label) as Modes["keys"][number]).key);

/** Keys of one direction of mode E. */
export const encryptionKeys = (direction: string) => ({ key: keyOf(`${direction} enc`), iv: keyOf(`${direction} iv`) });

/** A worked example of PROTOCOL.md section 9, by its name. */
export function example(name: string): { hex: string; payload: string } {
  const found = vectors("examples").examples.find((one: { name: string }) => one.name === name);
  if (found === undefined) throw new Error(`no example "${name}"`);
  return found;
}

/** Calls `each` with every byte of `bytes` flipped in several ways, one at a time, and gives the number of calls. */
export function everyFlip(bytes: Uint8Array, each: (flipped: Uint8Array, what: string) => void): number {
  let flips = 0;
  for (let at = 0; at < bytes.length; at++)
    for (const mask of [0x01, 0x80, 0xff, 1 << (at % 8)]) {
      const flipped = new Uint8Array(bytes);
      flipped[at] = (flipped[at] as number) ^ mask;
      each(flipped, `byte ${at} xor ${mask}`);
      flips++;
    }
  return flips;
}
