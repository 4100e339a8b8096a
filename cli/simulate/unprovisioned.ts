/** A simulated board that is given its keys as a real one is: over its serial line, before it begins (PROTOCOL.md section 5). */
import type { Duplex } from "node:stream";
import { createProvisionConsole, type Provision, readIdentity } from "../../firmware/provision.ts";
import { equalBytes } from "../../protocol/constant-time.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { kidOf } from "../../protocol/keys.ts";
import { readLines } from "../../protocol/lines.node.ts";
import type { NodeIdentity } from "../../simulator/node.ts";
import { type HostStorage, openHostStorage } from "../boot-counter.ts";
import { secretFolder } from "../keys/secret-file.ts";

/** Between two greetings of a board that waits, and how long the console of one that has keys stays open, ms. */
const GREETING = 1000;
const WINDOW = 2000;

export interface Provisioned {
  readonly identity: NodeIdentity;
  /** Who signs what it obeys. */
  readonly gateways: readonly { readonly kid: Uint8Array; readonly publicKey: Uint8Array }[];
  readonly storage: HostStorage;
}

/**
 * Lets whoever is on the line give the board of `folder` its keys: until it has some, or where it has, for two seconds. null:
 * `interrupted` before. Throws Error where another process runs this board, or what is stored is damaged.
 */
export async function awaitKeys(
  stream: Duplex,
  folder: string,
  interrupted: () => boolean,
): Promise<Provisioned | null> {
  secretFolder(folder);
  const storage = openHostStorage(folder, "board");
  let window = readIdentity(storage) !== null;
  const console = createProvisionConsole({
    storage,
    crypto: nodeCrypto,
    model: "simulated",
    open: () => window,
    matches: (seed, publicKey) => equalBytes(nodeSigner(seed).publicKey, publicKey),
    onProvisioned: () => {
      window = false;
    },
  });
  const say = (line: string) => void stream.write(`${line}\n`);
  let provision: Provision | null = null;
  readLines(
    stream,
    (line) => {
      const answer = console.take(line.trimEnd());
      if (answer !== null) say(answer);
    },
    () => {},
  );
  const until = window ? performance.now() + WINDOW : Number.POSITIVE_INFINITY;
  say(console.greeting());
  for (let last = performance.now(); !interrupted(); ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    provision = readIdentity(storage);
    if (provision !== null && (!window || performance.now() > until)) break;
    if (provision === null && performance.now() > last + GREETING) {
      last = performance.now();
      say(console.greeting());
    }
  }
  stream.unpipe();
  if (provision === null || interrupted()) {
    storage.release();
    return null;
  }
  return { identity: identityOf(provision), gateways: provision.gateways.map(keyOf), storage };
}

function keyOf(publicKey: Uint8Array) {
  return { kid: kidOf(publicKey, nodeCrypto), publicKey };
}

function identityOf({ publicKey, seed, psk, ueid }: Provision): NodeIdentity {
  return { ...keyOf(publicKey), signer: seed === null ? null : nodeSigner(seed), psk, ueid };
}
