/** Gives a board its keys over a serial port: only to one that asks for them, and never before it does (PROTOCOL.md section 5). */
import type { Duplex } from "node:stream";
import { MAX_GATEWAYS, type Provision, provisionRequest, readSaying } from "../../firmware/provision.ts";
import { keepPort } from "../../gateway/sources/port.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { fromHex, kidOf, kidText } from "../../protocol/keys.ts";
import { readLines } from "../../protocol/lines.node.ts";
import { visible } from "../monitor/text.ts";

export interface GivingOptions {
  readonly provision: Provision;
  /** The key that a board may have now and is to lose, 16 hex digits; null: only a board without keys is given any. */
  readonly replaces: string | null;
  /** What a person should know while it waits. */
  readonly say: (sentence: string) => void;
  /** How long a board may take to ask, and to answer, ms. */
  readonly patience?: number;
}

/** How long a person may take to connect a board and press its button, ms. */
const PATIENCE = 60_000;
const ANSWER = 5_000;

const WHY: Record<string, string> = {
  closed: "its console is closed: press its reset button and begin again",
  crc: "the line came garbled: look at the cable and the baud rate",
  form: "it does not know this form of keys: is its firmware as old as this program?",
  kid: "it has another key than the one that was to be replaced",
  seed: "the private key is not that of the public one",
  storage: "its storage does not keep what it is given",
};

/** Speaks with a board on an open line until it has its keys. Throws Error where it does not take them, or nothing comes in time. */
export function giveKeys(stream: Duplex, options: GivingOptions): Promise<void> {
  const { provision, replaces, say } = options;
  if (provision.gateways.length > MAX_GATEWAYS)
    throw new Error(
      `${provision.gateways.length} gateways: a board keeps ${MAX_GATEWAYS}; take cards of old ones away`,
    );
  const own = kidText(kidOf(provision.publicKey, nodeCrypto));
  return new Promise((resolve, reject) => {
    const patience = options.patience ?? PATIENCE;
    let sent = false;
    let hinted = false;
    let ended = false;
    let timer = setTimeout(
      () => fail(`no board asked for keys in ${patience / 1000} s: connect it, press its reset button, begin again`),
      patience,
    );
    const end = (settle: () => void) => {
      ended = true;
      clearTimeout(timer);
      stream.off("close", onClose);
      settle();
    };
    const fail = (why: string) => end(() => reject(new Error(why)));
    const onClose = () => fail("the port went away; the keys lie in their files: begin again with --key");
    stream.on("close", onClose);
    const send = (present: string | null) => {
      stream.write(provisionRequest(provision, present === null ? null : fromHex(present)));
      if (sent) return;
      sent = true;
      clearTimeout(timer);
      timer = setTimeout(() => fail(`the board did not answer in ${ANSWER / 1000} s; begin again with --key`), ANSWER);
    };
    readLines(
      stream,
      (line) => {
        // Whoever has the line next may hear another board on it: that gets nothing.
        if (ended) return;
        const saying = readSaying(line.trimEnd());
        if (saying === null) {
          if (hinted || !line.includes("~")) return;
          hinted = true;
          say("a board that runs already: press its reset button, its console is open for two seconds then");
        } else if (saying.kind === "waiting") {
          if (replaces === null || replaces === own) send(null);
          else fail(`this board (${visible(saying.model)}) has no keys, so it is not ${replaces}: leave --rotate out`);
        } else if (saying.kind === "console") {
          if (saying.kid === own || saying.kid === replaces) send(saying.kid);
          else
            fail(
              `this board has the key ${visible(saying.kid)} already; for a new one in its place give --rotate ${visible(saying.kid)}`,
            );
        } else if (saying.kind === "refused") {
          fail(`the board refused its keys (${visible(saying.why)}): ${WHY[saying.why] ?? "begin again"}`);
        } else if (sent && saying.kid === own) end(resolve);
        else fail(`the board says that it is ${visible(saying.kid)} now, not ${own}; look whether it is the right one`);
      },
      () => {},
    );
  });
}

/** As `giveKeys`, on a port that is opened and closed here. */
export async function giveKeysAt(path: string, baud: number, options: GivingOptions): Promise<void> {
  let port!: ReturnType<typeof keepPort>;
  try {
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`${path}: could not be opened in ${PATIENCE / 1000} s`)),
        PATIENCE,
      );
      port = keepPort({
        path,
        baud,
        onOpen(stream) {
          clearTimeout(limit);
          giveKeys(stream, options).then(resolve, reject);
        },
        onReport({ condition, sentence }) {
          if (condition !== "open" && condition !== "unplugged") options.say(sentence);
        },
      });
    });
  } finally {
    await port.close();
  }
}
