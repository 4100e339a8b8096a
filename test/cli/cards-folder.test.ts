/** The folder that a running gateway watches: pre-shared keys, and what a person is told of them; release over its socket. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { devices } from "../../cli/devices.ts";
import { watchCards } from "../../cli/gateway/cards-folder.ts";
import { openControl } from "../../cli/gateway/control.ts";
import { readWrapping } from "../../cli/keys/passphrase.ts";
import { readPsk, writePsk } from "../../cli/keys/psk-file.ts";
import { testOnlyWrapping } from "../../cli/keys/wrapping.ts";
import { lock } from "../../gateway/store/lock.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { fromHex, kidText } from "../../protocol/keys.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestGateway } from "../support/gateway.ts";
import { createSiteFolder, documentOf } from "../support/site.ts";

const folder = ownFolder();
let ward: ReturnType<typeof createSiteFolder>;
let sitePublicKey: Uint8Array;
const stops: (() => void)[] = [];
const keyFile = () => join(folder(), "wrap.key");

beforeEach(async () => {
  ward = createSiteFolder(join(folder(), "ward"));
  sitePublicKey = fromHex((await ward.keygen({ site: "ward 7" })).publicKey);
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.useRealTimers();
});

function watch(options: { wrapping?: boolean; allowTestKeys?: boolean } = {}) {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const bench = createTestGateway();
  const faults: string[] = [];
  const psks: string[] = [];
  const wrapping = options.wrapping === false ? null : readWrapping({ keyFile: keyFile() });
  const watched = { folder: ward.folder, devices: bench.gateway.devices, sitePublicKey, wrapping };
  const cards = watchCards(
    { ...watched, allowTestKeys: options.allowTestKeys === true },
    {
      onCard() {},
      onPsk: (kid) => psks.push(kidText(kid)),
      onRevocations() {},
      onFault: (sentence) => faults.push(sentence),
    },
  );
  stops.push(() => {
    cards.stop();
    bench.gateway.close();
  });
  const pskOf = (kid: string) => bench.gateway.devices.get(fromHex(kid))?.psk ?? null;
  return { faults, psks, pskOf, look: () => vi.advanceTimersByTime(1000) };
}
const psk = (kid: string) => readPsk(ward.path("keys", `${kid}.psk`), [readWrapping({ keyFile: keyFile() })!]).psk;

test("a pre-shared key is given to its device, at the start and when it comes later, once", async () => {
  const first = await ward.enroll({ mac: true, keyFile: keyFile() });
  const gateway = watch();
  expect(gateway.pskOf(first.kid)).toEqual(psk(first.kid));
  const second = await ward.enroll({ mac: true, keyFile: keyFile() });
  expect(gateway.pskOf(second.kid)).toBeNull();
  gateway.look();
  gateway.look();
  expect(gateway.pskOf(second.kid)).toEqual(psk(second.kid));
  expect(gateway.psks).toEqual([first.kid, second.kid]);
  expect(gateway.faults).toEqual([]);
});

test("a key whose card comes later waits for it without a word", async () => {
  const { kid } = await ward.enroll({ mac: true, keyFile: keyFile() });
  const card = ward.path("cards", `${kid}.card`);
  renameSync(card, join(folder(), "card"));
  const gateway = watch();
  expect(gateway.psks).toEqual([]);
  renameSync(join(folder(), "card"), card);
  gateway.look();
  expect(gateway.psks).toEqual([kid]);
  expect(gateway.faults).toEqual([]);
});

test("a key file that others may read is refused with what to type, and taken when that was typed", async () => {
  const { kid } = await ward.enroll({ mac: true, keyFile: keyFile() });
  const path = ward.path("keys", `${kid}.psk`);
  chmodSync(path, 0o644);
  const gateway = watch();
  gateway.look();
  expect(gateway.faults).toEqual([
    `no modes mac and encrypt: key ${path}: others may read it (mode 644); chmod 600 ${path}, or make a new one`,
  ]);
  expect(gateway.pskOf(kid)).toBeNull();
  chmodSync(path, 0o600);
  gateway.look();
  expect(gateway.pskOf(kid)).toEqual(psk(kid));
});

test("one that does not open, or is another device's, is named; the others are taken", async () => {
  const { kid } = await ward.enroll({ mac: true, keyFile: keyFile() });
  const other = await ward.enroll();
  writeFileSync(ward.path("keys", `${other.kid}.psk`), readFileSync(ward.path("keys", `${kid}.psk`)), { mode: 0o600 });
  const gateway = watch();
  expect(gateway.psks).toEqual([kid]);
  expect(gateway.faults).toEqual([expect.stringMatching(new RegExp(`is of ${kid}, not of ${other.kid}`))]);
  expect(watch({ wrapping: false }).faults).toContainEqual(
    expect.stringMatching(/it needs the wrapping key it was made with: --key-file FILE/),
  );
});

test("a TEST-ONLY key is taken where test keys are allowed, and nowhere else", async () => {
  const { kid } = await ward.enroll();
  const secret = new Uint8Array(32).fill(4);
  writePsk(ward.folder, { kid: fromHex(kid), psk: secret, encrypts: false }, testOnlyWrapping());
  expect(watch({ wrapping: false, allowTestKeys: true }).pskOf(kid)).toEqual(secret);
  const careful = watch({ wrapping: false });
  expect(careful.pskOf(kid)).toBeNull();
  expect(careful.faults).toEqual([expect.stringMatching(/a TEST-ONLY secret that everybody can open/)]);
});

test("a key that was taken away stays until the gateway ends", async () => {
  const { kid } = await ward.enroll({ mac: true, keyFile: keyFile() });
  const gateway = watch();
  const before = gateway.pskOf(kid);
  rmSync(ward.path("keys"), { recursive: true });
  mkdirSync(ward.path("keys"));
  gateway.look();
  expect(gateway.pskOf(kid)).toBe(before);
});

test("devices --release reaches the gateway that holds the store, by its socket", async () => {
  const { kid } = await ward.enroll();
  const path = join(folder(), "s.db");
  const store = openSqliteStore(path);
  const quarantine = { kid: fromHex(kid), since: 5, boot: 1, seq: 2, message: Uint8Array.of(1), released: null };
  store.commit({
    messages: [],
    boots: [],
    settled: [],
    checkpoints: [],
    quarantines: [{ ...quarantine, sentence: "clone or rollback" }],
  });
  const bench = createTestGateway(store);
  bench.gateway.devices.enroll(new Uint8Array(readFileSync(ward.path("cards", `${kid}.card`))), sitePublicKey, false);
  const held = lock(`${path}.lock`, "store");
  const said: string[] = [];
  const close = await openControl(path, bench.gateway, (line) => said.push(line));
  try {
    const device = bench.gateway.devices.get(fromHex(kid))!;
    expect(device.quarantine).not.toBeNull();
    const release = () => documentOf(() => devices({ store: path, cards: ward.folder, release: kid, json: true }));
    expect(await release()).toEqual({ released: kid });
    expect(device.quarantine).toBeNull();
    expect(said).toEqual([`board ${kid}: released from quarantine, by hand`]);
    await expect(release()).rejects.toThrow(/not in quarantine/);
    await expect(documentOf(() => devices({ store: path, release: "x" }))).rejects.toThrow(/16 hex digits/);
  } finally {
    await close();
    held.release();
    bench.gateway.close();
  }
});
