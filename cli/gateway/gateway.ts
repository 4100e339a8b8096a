/** vitalwire gateway: serial ports and brokers in, verified and stored; a page to look at. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "../../gateway/api/page.ts";
import { Gateway } from "../../gateway/gateway.ts";
import { type Counters, createCounters, rejected } from "../../gateway/origin.ts";
import { keepPort } from "../../gateway/sources/port.ts";
import { attachSerial } from "../../gateway/sources/serial.ts";
import { type Lock, lock } from "../../gateway/store/lock.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { type KeyedSigner, nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { kidText, toHex } from "../../protocol/keys.ts";
import { INTERRUPTED, type Interrupt, listenForInterrupt } from "../interrupt.ts";
import { readWrapping } from "../keys/passphrase.ts";
import type { Wrapping } from "../keys/wrapping.ts";
import { readCards, readPublicKey, writeCards } from "../keys.ts";
import { visible } from "../monitor/text.ts";
import { openPage } from "../page.ts";
import { testCard, testSite } from "../site.ts";
import { recallRevocations, watchCards } from "./cards-folder.ts";
import { openControl } from "./control.ts";
import { gatewayKey } from "./key.ts";
import { createNarrator } from "./narrator.ts";
import { type GatewayOptions, readSettings, type Settings } from "./settings.ts";

/** Something that is to be closed in its turn. */
type Closer = () => Promise<void> | void;

/** Text lines of boards that are passed on: a second, and characters of each. */
const LOG_LINES = 20;
const LOG_WIDTH = 200;

export async function gateway(options: GatewayOptions): Promise<void> {
  const settings = readSettings(options);
  const sitePublicKey = readPublicKey(join(settings.cards, "site.pub"));
  const wrapping = readWrapping(settings.wrapping);
  const interrupt = listenForInterrupt();
  const out = options.json === true ? process.stderr : process.stdout;
  const say = (line: string) =>
    void out.write(`${new Date().toISOString().slice(0, 19)}Z ${line.split("\n").map(visible).join("\n")}\n`);

  mkdirSync(dirname(settings.store), { recursive: true });
  const held: Lock = lock(`${settings.store}.lock`, `store ${settings.store}`);
  const closers: Closer[] = [() => held.release()];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const signer = gatewayKey(settings.key);
    const counters = await start(settings, signer, sitePublicKey, wrapping, say, closers, interrupt);
    await interrupt.coming;
    await closeAll();
    if (options.json) process.stdout.write(`${JSON.stringify(report(settings, signer, counters))}\n`);
  } catch (error) {
    await closeAll();
    throw error;
  }
  if (interrupt.came) process.exit(interrupt.signal === "SIGTERM" ? 0 : INTERRUPTED);
}

/** Everything that runs; what it opens goes into `closers`. Gives the counters by origin. */
async function start(
  settings: Settings,
  signer: KeyedSigner,
  sitePublicKey: Uint8Array,
  wrapping: Wrapping | null,
  say: (line: string) => void,
  closers: Closer[],
  interrupt: Pick<Interrupt, "onLimit">,
): Promise<ReadonlyMap<string, Counters>> {
  const now = () => Date.now();
  let page: Page | null = null;
  const counters = new Map<string, Counters>();
  const narrator = createNarrator(() => hub, now, say, settings.store);
  const hub: Gateway = new Gateway({
    store: openSqliteStore(settings.store),
    crypto: nodeCrypto,
    aead: nodeAead,
    signer,
    now,
    monotonic: () => performance.now(),
    soon: setImmediate,
    pings: settings.pings,
    onStored(accepted) {
      page?.stored(accepted);
      narrator.stored(accepted);
      counters.set(accepted.origin.name, accepted.origin.counters);
    },
    onRefused(origin, reason, detail) {
      page?.refused(origin, reason);
      narrator.refused(origin, reason, detail);
      counters.set(origin.name, origin.counters);
    },
    onAlarm(alarm) {
      page?.alarm(alarm);
      narrator.alarm(alarm);
    },
    onLog: (origin, text) => logLine(`${origin.name}| ${text.slice(0, LOG_WIDTH)}`),
    onError: (error) => say(`${error.message}; nothing is acknowledged, the boards keep it`),
  });
  closers.push(() => hub.close());
  interrupt.onLimit(() => hub.close());
  let lines = LOG_LINES;
  const logLine = (text: string) => {
    if (lines-- > 0) say(text);
  };
  const ticking = setInterval(() => {
    lines = LOG_LINES;
    narrator.tick();
  }, 1000);
  closers.push(() => clearInterval(ticking));
  say(`store ${settings.store}: ${hub.store.head().position} messages; cards in ${settings.cards}`);

  ownCard(settings, signer, sitePublicKey, say);
  let enrolled = 0;
  recallRevocations(hub.devices, hub.store.revocations()?.object, sitePublicKey);
  const { cards: folder, allowTestKeys } = settings;
  const watched = { folder, devices: hub.devices, sitePublicKey, allowTestKeys, wrapping };
  const cards = watchCards(watched, {
    onCard(card, bytes) {
      page?.enrolled(bytes);
      if (card.role !== "device") return;
      enrolled++;
      narrator.enrolled(card);
    },
    onPsk: (kid, encrypts) =>
      say(`board ${kidText(kid)}: its pre-shared key is here, ${encrypts ? "it must encrypt" : "mode mac is allowed"}`),
    onRevocations: ({ number, revoked }) =>
      say(`revocation list ${number}: ${revoked.map(({ kid }) => kidText(kid)).join(", ") || "nobody"} is revoked`),
    onFault: say,
  });
  closers.push(() => cards.stop());
  if (enrolled === 0)
    say(`no board is enrolled yet: put cards into ${join(settings.cards, "cards")}, they are taken at once`);

  closers.push(await openControl(settings.store, hub, say));
  if (settings.page !== null) {
    page = await openPage({ ...settings.page, storePath: settings.store }, hub, sitePublicKey, say);
    closers.push(() => page?.close());
  }
  const tell = (name: string, condition: string, sentence: string) => {
    page?.source(name, condition, sentence);
    say(sentence);
  };
  for (const { path, baud } of settings.serial) {
    const name = `serial:${path}`;
    const own = createCounters();
    const port = keepPort({
      path,
      baud,
      onOpen: (stream) => void attachSerial(hub, stream, name, own),
      onReport: ({ condition, sentence }) => tell(name, condition, sentence),
    });
    closers.push(() => port.close());
  }
  if (settings.broker !== null) {
    const { openBroker } = await import("./broker.ts");
    closers.push(
      await openBroker({
        settings: settings.broker,
        site: settings.site,
        gateway: hub,
        signer,
        tell: (condition, sentence) => tell("broker", condition, sentence),
        say,
      }),
    );
  }
  return counters;
}

/**
 * Boards believe a gateway whose card their site has signed. The TEST-ONLY site signs by itself; a real one does it where
 * its key is.
 */
function ownCard(
  settings: Settings,
  signer: KeyedSigner,
  sitePublicKey: Uint8Array,
  say: (line: string) => void,
): void {
  const kid = kidText(signer.kid);
  if (existsSync(join(settings.cards, "cards", `${kid}.card`))) return;
  if (settings.allowTestKeys && toHex(sitePublicKey) === toHex(testSite.publicKey)) {
    writeCards(settings.cards, sitePublicKey, [{ kid: signer.kid, card: testCard(signer, "gateway", Date.now()) }]);
    return;
  }
  say(
    `gateway ${kid} (public key ${toHex(signer.publicKey)}): no card of the site for it in ${join(settings.cards, "cards")}; ` +
      "what comes is stored, but boards do not believe its acks: have the site sign one",
  );
}

function report(settings: Settings, signer: KeyedSigner, counters: ReadonlyMap<string, Counters>) {
  const origins = [...counters].map(([name, one]) => ({
    name,
    received: one.received,
    verified: one.verified,
    rejected: rejected(one),
    duplicates: one.duplicates,
    refused: Object.fromEntries(Object.entries(one.refused).filter(([, count]) => count > 0)),
  }));
  return { store: settings.store, gateway: kidText(signer.kid), cards: readCards(settings.cards).length, origins };
}
