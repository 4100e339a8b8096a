/** A simulated board that is given its keys as a real one is: over its serial line, before it begins (PROTOCOL.md section 5). */
import type { Storage } from "../../boards/board.ts";
import { createAnnouncements } from "../../firmware/commands/firmware.ts";
import type { CommandHandlers } from "../../firmware/commands.ts";
import { createProvisionConsole, type Provision, readIdentity } from "../../firmware/provision.ts";
import { holdersOf } from "../../gateway/sources/holders.ts";
import { equalBytes } from "../../protocol/constant-time.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { kidOf, toHex } from "../../protocol/keys.ts";
import { readLines } from "../../protocol/lines.node.ts";
import { STATUS_DONE } from "../../protocol/messages.ts";
import type { NodeIdentity } from "../../simulator/node.ts";
import { type HostStorage, openHostStorage } from "../boot-counter.ts";
import { secretFolder } from "../keys/secret-file.ts";
import type { Pty } from "../pty.ts";

/** Between two greetings of a board that waits, and of one whose console is open; how long that is after a boot; ms. */
const WAITING = 1000;
const OPEN = 500;
const WINDOW = 2000;
/** Between two looks whether somebody has the line, and at the time, ms. */
const LOOK = 200;
const TURN = 20;

export interface Provisioned {
  readonly identity: NodeIdentity;
  /** Who signs what it obeys. */
  readonly gateways: readonly { readonly kid: Uint8Array; readonly publicKey: Uint8Array }[];
  /** What it can do besides measuring; `say`: where it tells of it. */
  handlersFor(say: (line: string) => void): CommandHandlers;
  readonly storage: HostStorage;
}

/** As the simulated board names itself. */
const MODEL = "simulated";
/** Of the firmware that runs. */
const VERSION = 1;

/**
 * Lets whoever opens the line give the board of `folder` its keys. As boards with an auto-reset circuit do, it boots when its
 * port is opened, and again when it has new keys and its port is opened anew: until it has some it waits, where it has, its
 * console is open for two seconds. null: `interrupted` before. Throws Error where another process runs this board, or what is
 * stored is damaged.
 */
export async function awaitKeys(
  { stream, path }: Pick<Pty, "stream" | "path">,
  folder: string,
  interrupted: () => boolean,
): Promise<Provisioned | null> {
  secretFolder(folder);
  const storage = openHostStorage(folder, "board");
  /** When the console closes, ms; it has been given keys since the boot. */
  let until = 0;
  let given = false;
  const console = createProvisionConsole({
    storage,
    crypto: nodeCrypto,
    model: MODEL,
    open: () => performance.now() < until,
    matches: (seed, publicKey) => equalBytes(nodeSigner(seed).publicKey, publicKey),
    onProvisioned: () => {
      given = true;
      until = performance.now() + WINDOW;
    },
  });
  const say = (line: string) => void stream.write(`${line}\n`);
  readLines(
    stream,
    (line) => {
      const answer = console.take(line.trimEnd());
      if (answer !== null) say(answer);
    },
    () => {},
  );
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const opened = whoOpens(path);
  const becomes = async (open: boolean) => {
    while (!interrupted() && opened(open) !== open) await pause(LOOK);
  };
  do {
    await becomes(true);
    given = false;
    const keys = readIdentity(storage) !== null;
    until = keys ? performance.now() + WINDOW : Number.POSITIVE_INFINITY;
    for (let next = 0; performance.now() < until && !interrupted() && !given; await pause(TURN)) {
      if (performance.now() < next) continue;
      next = performance.now() + (keys ? OPEN : WAITING);
      say(console.greeting());
    }
    if (given) await becomes(false);
  } while (given && !interrupted());
  stream.unpipe();
  const provision = interrupted() ? null : readIdentity(storage);
  if (provision === null) {
    storage.release();
    return null;
  }
  const { gateways, releasePublicKey } = provision;
  return {
    identity: identityOf(provision),
    gateways: gateways.map(keyOf),
    handlersFor: (tell) => firmwareHandlers(releasePublicKey, storage, tell),
    storage,
  };
}

/** What a board that knows a release key does with an announcement: a simulated one has nothing to start anew, and remembers it. */
export function firmwareHandlers(
  releaseKey: Uint8Array | null,
  storage: Storage,
  say: (line: string) => void,
): CommandHandlers {
  if (releaseKey === null) return {};
  const firmware = createAnnouncements({
    ...{ storage, releaseKey, crypto: nodeCrypto, model: MODEL, version: VERSION },
    install({ version, size, digest }, done) {
      say(
        `firmware ${version} (${size} bytes, SHA-256 ${toHex(digest)}): taken; a simulated board has nothing to start`,
      );
      done(STATUS_DONE);
    },
  });
  return { firmware };
}

/** Whether another program has the port now; `hoped` where this system does not tell. */
function whoOpens(path: string): (hoped: boolean) => boolean {
  const own = holdersOf(path).map(({ pid }) => pid);
  return (hoped) => (own.length === 0 ? hoped : holdersOf(path).some(({ pid }) => !own.includes(pid)));
}

function keyOf(publicKey: Uint8Array) {
  return { kid: kidOf(publicKey, nodeCrypto), publicKey };
}

function identityOf({ publicKey, seed, psk, ueid }: Provision): NodeIdentity {
  return { ...keyOf(publicKey), signer: seed === null ? null : nodeSigner(seed), psk, ueid };
}
