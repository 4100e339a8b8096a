/** What a page is told of devices themselves, and what it needs to check a MAC: over real WebSockets. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Frame, Notice } from "../../gateway/dashboard/feed.ts";
import type { Origin } from "../../gateway/origin.ts";
import { encodeCard } from "../../protocol/card.ts";
import { sign1 } from "../../protocol/cose.ts";
import { REASON_SUPERSEDED } from "../../protocol/crl.ts";
import { kidText } from "../../protocol/keys.ts";
import { encodeMessage } from "../../protocol/messages.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createTestDevice, createTestOrigin, gatewayKey, site } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";
import { createPageBench, type PageBench, until } from "./page-support.ts";

const device = createTestDevice("noticed");
const kid = kidText(device.kid);
let bench: PageBench;
beforeEach(async () => {
  bench = await createPageBench({ storePath: "/var/a store.db" });
});
afterEach(() => bench.close());

const noticesOf = (frames: readonly Frame[], of = device.kid): (readonly Notice[])[] =>
  frames.flatMap((frame) => (frame.type === "notices" && Buffer.compare(frame.kid, of) === 0 ? [frame.notices] : []));
/** As `vitalwire gateway` does: what the gateway raises, the page is told. */
const receive = (message: Uint8Array, origin: Origin = createTestOrigin()) => {
  const before = bench.alarms.length;
  bench.gateway.receive(message, origin);
  bench.settle();
  for (const alarm of bench.alarms.slice(before)) bench.page.alarm(alarm);
};

test("a device in quarantine is told at once and to who comes later, with the command that ends it; released, that too", async () => {
  device.enrollAt(bench.gateway);
  receive(device.seal(device.birth()));
  receive(device.seal(device.data(1)));
  const feed = await bench.listen();
  expect(noticesOf(feed.frames)).toEqual([]);
  bench.now += 1000;
  receive(device.seal(device.data(1, [9])));
  await until(() => noticesOf(feed.frames).length === 1);
  const notice = {
    kind: "quarantine",
    since: bench.now,
    sentence:
      "boot 1 seq 1 is stored with another payload: a clone or a rollback. Nothing of it is stored until a person releases it",
    command: `vitalwire devices --store '/var/a store.db' --release ${kid}`,
  };
  expect(noticesOf(feed.frames)).toEqual([[notice]]);
  const late = await bench.listen();
  expect(noticesOf(late.frames)).toEqual([[notice]]);
  const types = late.frames.map(({ type }) => type);
  expect(types.indexOf("notices")).toBe(types.lastIndexOf("card") + 1);
  // By another hand, without a word to the page.
  bench.gateway.devices.release(device.kid, bench.now);
  bench.timers.advance(1000);
  await until(() => noticesOf(feed.frames).length === 2);
  expect(noticesOf(feed.frames)[1]).toEqual([]);
  bench.timers.advance(5000);
  bench.page.source("end", "open", "");
  await until(() => feed.frames.some(({ type }) => type === "source"));
  expect(noticesOf(feed.frames)).toHaveLength(2);
});

test("revoked, replaced by a newer key, seen in an earlier boot: each is told as what it is", async () => {
  device.enrollAt(bench.gateway);
  receive(device.seal(createTestDevice("noticed", 5).birth()));
  const feed = await bench.listen();
  receive(device.seal({ type: "presence", boot: 3, connection: 1, state: 1 }));
  await until(() => noticesOf(feed.frames).length === 1);
  const newer = testOnlySigner("newer key");
  const superseded = { kid: device.kid, reason: REASON_SUPERSEDED, time: 1_600_000_000 };
  bench.gateway.devices.applyRevocations({ number: 1, revoked: [superseded] }, Uint8Array.of(1));
  const card = encodeCard({ issuer: "TEST-ONLY", role: "device", ...newer, issuedAt: 9, expires: 4e9 }, site);
  bench.gateway.devices.enroll(card, site.publicKey, true);
  receive(sign1(encodeMessage(device.birth()), newer));
  await until(() => noticesOf(feed.frames).length === 2);
  const revocation = { kid: device.kid, reason: 1, time: 1_700_000_000 };
  bench.gateway.devices.applyRevocations({ number: 2, revoked: [revocation] }, Uint8Array.of(2));
  bench.timers.advance(1000);
  await until(() => noticesOf(feed.frames).length === 3);
  expect(noticesOf(feed.frames)[2].map(({ kind, since, sentence }) => [kind, since, sentence])).toEqual([
    ["revoked", 1_700_000_000_000, expect.stringMatching(/reason 1 of RFC 5280/)],
    ["rotation", bench.now, `${kidText(newer.kid)} speaks for its board now, this key is good up to boot 5 seq 0`],
    ["boot regression", bench.now, expect.stringContaining("boot 3 says that it is online")],
  ]);
});

test("a message in mode M or E comes with its countersignature, and with its plaintext where it is encrypted", async () => {
  for (const mode of MODES) {
    const speaker = createSpeaker(mode, mode.name);
    speaker.join(bench.gateway);
    for (const message of [speaker.birth(), speaker.data(1)]) receive(speaker.seal(message), speaker.origin);
  }
  const feed = await bench.listen();
  const proofs = feed.frames.flatMap((frame) =>
    frame.type === "message"
      ? [
          `${frame.message[0] - 0xc0} ${frame.countersignature && kidText(frame.countersignature.kid)} ${frame.plaintext?.[1]}`,
        ]
      : [],
  );
  const gateway = kidText(gatewayKey.kid);
  const signed = "18 null undefined";
  const maced = `17 ${gateway} undefined`;
  const all = [signed, signed, maced, maced, signed, signed, maced, `16 ${gateway} 1`];
  expect(proofs.sort()).toEqual(all.sort());
});

test("a card that the gateway gets while a page is open is told; one of another site's gateway is not", async () => {
  const feed = await bench.listen();
  const signer = testOnlySigner("second gateway");
  const cardBy = (who: typeof site) =>
    encodeCard({ issuer: "TEST-ONLY", role: "gateway", ...signer, issuedAt: 0, expires: 4e9 }, who);
  bench.page.enrolled(cardBy(testOnlySigner("another site")));
  bench.gateway.devices.enroll(cardBy(site), site.publicKey, true);
  bench.page.enrolled(cardBy(site));
  bench.page.source("end", "open", "");
  await until(() => feed.frames.some(({ type }) => type === "source"));
  const cards = feed.frames.flatMap((frame) => (frame.type === "card" ? [Buffer.from(frame.card)] : []));
  expect(cards.slice(1)).toEqual([Buffer.from(cardBy(site))]);
});
