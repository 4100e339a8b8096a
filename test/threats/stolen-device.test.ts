/**
 * Threat: a stolen device (PROTOCOL.md section 10). The site revokes its key; a gateway that runs refuses it from its next look
 * into the folder on, and no older list, taken away file or new start lets it in again.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { recallRevocations, watchCards } from "../../cli/gateway/cards-folder.ts";
import { readKey } from "../../cli/keys/seed-file.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { sign1 } from "../../protocol/cose.ts";
import { encodeRevocations } from "../../protocol/crl.ts";
import { fromHex } from "../../protocol/keys.ts";
import { encodeMessage, type Message } from "../../protocol/messages.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestDevice, createTestGateway, createTestOrigin, site as otherSite } from "../support/gateway.ts";
import { createSiteFolder } from "../support/site.ts";

const folder = ownFolder();
/** Between two looks of a gateway into its cards folder, ms. */
const LOOK = 1000;
const { birth, data } = createTestDevice("what a board sends");

let ward: ReturnType<typeof createSiteFolder>;
let sitePublicKey: Uint8Array;
const stops: (() => void)[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  ward = createSiteFolder(join(folder(), "ward"));
  sitePublicKey = fromHex((await ward.keygen({ site: "ward 7" })).publicKey);
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.useRealTimers();
});

async function enrolled() {
  const { kid } = await ward.enroll();
  const { signer } = readKey(ward.path("keys", `${kid}.key`));
  return { kid, seal: (message: Message) => sign1(encodeMessage(message), signer) };
}

/** A gateway as the command line starts it: what its store knows is recalled, then its folder watched. */
function start(path = join(folder(), "s.db")) {
  const store = openSqliteStore(path);
  const bench = createTestGateway(store);
  bench.now = Date.now();
  const { devices } = bench.gateway;
  const faults: string[] = [];
  const lists: number[] = [];
  recallRevocations(devices, store.revocations()?.object, sitePublicKey);
  const watched = { folder: ward.folder, devices, sitePublicKey, allowTestKeys: false, wrapping: null };
  const cards = watchCards(watched, {
    onCard() {},
    onPsk() {},
    onRevocations: ({ number }) => lists.push(number),
    onFault: (sentence) => faults.push(sentence),
  });
  const origin = createTestOrigin();
  const stop = () => {
    cards.stop();
    bench.gateway.close();
  };
  stops.push(stop);
  return {
    faults,
    lists,
    stored: bench.stored,
    receive(message: Uint8Array) {
      const verdict = bench.gateway.receive(message, origin);
      bench.settle();
      return verdict;
    },
    stop() {
      stops.splice(stops.indexOf(stop), 1);
      stop();
    },
  };
}
const REVOKED = { status: "refused", reason: "revoked" };

test("a revoked key is refused by the gateway that runs; another board is heard as before", async () => {
  const [thief, honest] = [await enrolled(), await enrolled()];
  const gateway = start();
  for (const one of [thief, honest]) {
    expect(gateway.receive(one.seal(birth()))).toMatchObject({ status: "accepted" });
    expect(gateway.receive(one.seal(data(1)))).toMatchObject({ status: "accepted" });
  }
  await ward.revoke({ device: thief.kid, reason: "stolen" });
  vi.advanceTimersByTime(LOOK);
  expect(gateway.lists).toEqual([1]);
  for (const message of [data(2), birth(2), data(1)])
    expect(gateway.receive(thief.seal(message))).toMatchObject(REVOKED);
  expect(gateway.receive(honest.seal(data(2)))).toMatchObject({ status: "accepted" });
  expect(gateway.stored).toHaveLength(5);
  expect(gateway.faults).toEqual([]);
});

test("a list with a lower number, or of another site, is not taken: the newer one stays", async () => {
  const [thief, other] = [await enrolled(), await enrolled()];
  const gateway = start();
  await ward.revoke({ device: other.kid, reason: "retired" });
  vi.advanceTimersByTime(LOOK);
  const older = readFileSync(ward.path("revoked.crl"));
  await ward.revoke({ device: thief.kid, reason: "stolen" });
  vi.advanceTimersByTime(LOOK);
  const newer = readFileSync(ward.path("revoked.crl"));
  const forged = encodeRevocations({ issuer: "ward 7", issuedAt: 0, number: 9, revoked: [] }, otherSite);
  const card = readFileSync(ward.path("cards", `${thief.kid}.card`));
  for (const [bytes, fault] of [
    [older, /not taken, the list before stays: revocation list 1: list 2 was given before, and numbers only rise/],
    [forged, /not taken.*kid: the revocation list is signed by/],
    [card, /not taken.*header: typ \(16\) is not "vsp-crl"/],
    [newer.subarray(0, -1), /not taken.*cbor/],
    [new Uint8Array(0), /not taken.*cbor/],
  ] as const) {
    writeFileSync(ward.path("revoked.crl"), bytes);
    vi.advanceTimersByTime(LOOK);
    expect(gateway.faults.at(-1)).toMatch(fault);
    expect(gateway.receive(thief.seal(birth()))).toMatchObject(REVOKED);
  }
  expect(gateway.lists).toEqual([1, 2]);
});

test("a gateway that starts again refuses it too, also where the list's file has gone", async () => {
  const thief = await enrolled();
  await ward.revoke({ device: thief.kid, reason: "stolen" });
  const first = start();
  expect(first.receive(thief.seal(birth()))).toMatchObject(REVOKED);
  first.stop();
  rmSync(ward.path("revoked.crl"));
  const second = start();
  expect(second.receive(thief.seal(birth()))).toMatchObject(REVOKED);
  expect(second.lists).toEqual([]);
  second.stop();
  // Nor does a site that begins its lists anew, over the numbers it has used.
  await ward.revoke({ device: "0123456789abcdef", reason: "retired" });
  const third = start();
  expect(third.faults).toEqual([expect.stringMatching(/list 1: list 1 was given before, and numbers only rise/)]);
  expect(third.receive(thief.seal(birth()))).toMatchObject(REVOKED);
});

test("a store whose list is of another site is not worked on: nobody would know who is revoked", async () => {
  const { kid } = await enrolled();
  await ward.revoke({ device: kid, reason: "stolen" });
  start().stop();
  sitePublicKey = otherSite.publicKey;
  expect(() => start()).toThrow(/the store's revocation list does not hold under this site's key/);
});

test("nothing of its keys is in what the gateway's folder is given but the wrapped file, and that opens for nobody else", async () => {
  const { kid } = await ward.enroll({ mac: true, keyFile: join(folder(), "wrap.key") });
  const gateway = start();
  expect(existsSync(ward.path("keys", `${kid}.psk`))).toBe(true);
  expect(gateway.faults).toEqual([expect.stringMatching(/no modes mac and encrypt: .*it needs the wrapping key/)]);
});
