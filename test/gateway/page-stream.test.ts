/** What a page is told, and in which order: over real WebSockets, and every interleaving by the stream alone. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createStream } from "../../gateway/api/stream.ts";
import { decodeFrame, type Frame } from "../../gateway/dashboard/feed.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { kidText } from "../../protocol/keys.ts";
import {
  decodeMessage,
  EVENT_ALARM,
  EVENT_DISOWNED,
  type EventMessage,
  encodeAlarm,
  type Message,
} from "../../protocol/messages.ts";
import { createTestDevice, createTestGateway, createTestOrigin, site } from "../support/gateway.ts";
import { createManualTimers, createPageBench, createTestStream, type PageBench, until } from "./page-support.ts";

// In the order of their kids, as the store gives their cards.
const byKid = (a: string, b: string) => Buffer.compare(createTestDevice(a).kid, createTestDevice(b).kid);
const names = ["a", "b"].sort(byKid);
const [device, other] = names.map((name) => createTestDevice(name));
const gatewayCard = Uint8Array.from(createTestGateway().gateway.store.cards()[0].card);
let bench: PageBench;
beforeEach(async () => {
  bench = await createPageBench();
});
afterEach(() => bench.close());

const noGaps = { missing: 0, declared: 0, earlierMissing: 0, earlierDeclared: 0, backfill: null };
const presence = (connection: number): Message => ({ type: "presence", boot: 1, connection, state: 1 });
const ofType = <T extends Frame["type"]>(frames: readonly Frame[], type: T) =>
  frames.filter((frame): frame is Frame & { type: T } => frame.type === type);
/** "birth 0", "data 3", "presence 2": the messages that a page was told. */
const told = (frames: readonly Frame[]) =>
  ofType(frames, "message").map(({ message }) => {
    const opened = decodeMessage(decodeEnvelope(message).payload);
    return `${opened.type} ${opened.type === "presence" ? opened.connection : (opened as { seq: number }).seq}`;
  });

test("a page is told hello, the boards, what is stored, the sources, the counts, then live, then what comes", async () => {
  const card = device.enrollAt(bench.gateway);
  const silent = other.enrollAt(bench.gateway);
  const origin = createTestOrigin("serial:test");
  for (const message of [device.birth(), presence(1), device.data(1), device.data(2)]) {
    bench.gateway.receive(device.seal(message), origin);
    bench.now += 250;
  }
  bench.settle();
  bench.page.source("serial:test", "absent", "not there");
  bench.page.source("serial:test", "open", "open at 115200 baud");
  bench.now += 0.75;
  const feed = await bench.listen();
  const start = 1_800_000_000_000;
  const message = (of: Message, after: number) => ({
    type: "message",
    received: start + after,
    message: device.seal(of),
    countersignature: null,
    plaintext: null,
  });
  expect(feed.frames).toEqual([
    { type: "hello", now: start + 1000, sitePublicKey: site.publicKey },
    { type: "card", card: gatewayCard },
    { type: "card", card },
    message(device.birth(), 0),
    message(presence(1), 250),
    message(device.data(1), 500),
    message(device.data(2), 750),
    { type: "card", card: silent },
    { type: "source", name: "serial:test", condition: "open", sentence: "open at 115200 baud" },
    {
      type: "counts",
      kid: device.kid,
      counts: { way: "serial:test", verified: 4, rejected: 0, duplicates: 0, ...noGaps },
    },
    { type: "live" },
  ]);
  bench.gateway.receive(device.seal(device.data(3)), origin);
  bench.settle();
  await until(() => told(feed.frames).includes("data 3"));
  expect(feed.frames.slice(10, 12)).toEqual([{ type: "live" }, message(device.data(3), 1000)]);
});

test("a site key that nobody knows is told as none; without it no gateway's card either", async () => {
  const page = await createPageBench({ sitePublicKey: null });
  const feed = await page.listen();
  expect(feed.frames).toEqual([{ type: "hello", now: page.now, sitePublicKey: null }, { type: "live" }]);
  await page.close();
});

test("of a long boot a page is told every birth, the newest 40 messages and the newest presence; nothing of an earlier boot", async () => {
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  const earlier = createTestDevice(names[0], 0);
  const messages: Message[] = [earlier.birth(0, 3), device.birth(), presence(1)];
  for (let seq = 1; seq <= 30; seq++) messages.push(device.data(seq));
  messages.push({ ...device.birth(31), cfg: 2 }, presence(2));
  for (let seq = 32; seq <= 70; seq++) messages.push({ ...device.data(seq), cfg: 2 });
  messages.push(earlier.data(1));
  for (const message of messages) bench.gateway.receive(device.seal(message), origin);
  bench.settle();
  const feed = await bench.listen();
  const data = Array.from({ length: 39 }, (_, i) => `data ${i + 32}`);
  expect(told(feed.frames)).toEqual(["birth 0", "birth 31", "presence 2", ...data]);
});

test("who opens the page late is told the newest event of each alarm that stands, however old, by a gateway started anew too", async () => {
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  /** Alarm 1 or 5 of channel 0: active 1, latched 2, over 0. */
  const alarm = (seq: number, id: number, state: number): EventMessage => {
    const small = encodeAlarm({ id, priority: 2, state, dt: 0, value: 820, limit: 900, channel: 0 });
    return { type: "event", boot: 1, seq, tick: 1000 * seq, code: EVENT_ALARM, small };
  };
  const messages: Message[] = [device.birth(), alarm(1, 1, 1), alarm(2, 5, 1), alarm(3, 5, 0), alarm(4, 1, 2)];
  for (let seq = 5; seq <= 70; seq++) messages.push(device.data(seq));
  for (const message of messages) bench.gateway.receive(device.seal(message), origin);
  bench.settle();
  const data = Array.from({ length: 40 }, (_, i) => `data ${i + 31}`);
  const expected = ["birth 0", "event 4", ...data];
  expect(told((await bench.listen()).frames)).toEqual(expected);
  // Its page has heard none of these messages come.
  const frames: Frame[] = [];
  const { gateway } = bench;
  const again = createStream({ gateway, sitePublicKey: null, now: () => 0, after: createManualTimers().after });
  again.join({ send: (bytes) => frames.push(decodeFrame(bytes)) });
  expect(told(frames)).toEqual(expected);
  bench.gateway.receive(device.seal(alarm(71, 1, 0)), origin);
  bench.settle();
  again.stored(bench.stored.at(-1)!);
  again.join({ send: (bytes) => frames.push(decodeFrame(bytes)) });
  const later = ["birth 0", ...data.slice(1), "event 71"];
  expect(told(frames).slice(-41)).toEqual(later);
  expect(told((await bench.listen()).frames)).toEqual(later);
  // A gateway that was started anew and hears first of another configuration of the same boot.
  const heard: Frame[] = [];
  const third = createStream({ gateway, sitePublicKey: null, now: () => 0, after: createManualTimers().after });
  for (const message of [alarm(72, 5, 1), { ...device.birth(73), cfg: 2 }]) {
    bench.gateway.receive(device.seal(message), origin);
  }
  for (let seq = 74; seq <= 120; seq++) bench.gateway.receive(device.seal(device.data(seq)), origin);
  bench.settle();
  third.stored(bench.stored.find(({ row }) => row.seq === 73)!);
  third.join({ send: (bytes) => heard.push(decodeFrame(bytes)) });
  expect(told(heard).slice(0, 3)).toEqual(["birth 0", "birth 73", "event 72"]);
});

test("what is stored while a page connects is told once: nothing lost, nothing doubled, in the gateway's order", async () => {
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  bench.gateway.receive(device.seal(device.birth()), origin);
  bench.settle();
  const cookie = await bench.enter();
  const feeds: ReturnType<PageBench["connect"]>[] = [];
  // Some wait for their commit, some are committed, at every stage of the handshakes.
  for (let seq = 1; seq <= 30; seq++) {
    if (seq % 3 === 1) feeds.push(bench.connect({ cookie, origin: bench.origin }));
    bench.gateway.receive(device.seal(device.data(seq)), origin);
    if (seq % 2 === 0) bench.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
  bench.settle();
  const all = ["birth 0", ...Array.from({ length: 30 }, (_, i) => `data ${i + 1}`)];
  await until(() => feeds.every(({ frames }) => told(frames).length >= all.length));
  for (const { frames } of feeds) expect(told(frames)).toEqual(all);
});

test("however receiving, committing, passing on and connecting interleave, each listener hears every stored message once and in order", () => {
  const step = fc.constantFrom("birth", "data", "event", "presence", "commit", "tell", "join", "join");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const inner = createTestGateway();
      const { stream } = createTestStream(inner);
      device.enrollAt(inner.gateway);
      const origin = createTestOrigin();
      const listeners: Frame[][] = [];
      let seq = 0;
      let connection = 0;
      let cfg = 0;
      let passedOn = 0;
      // Even where what was committed is passed on later.
      const tell = () => {
        for (; passedOn < inner.stored.length; passedOn++) stream.stored(inner.stored[passedOn]);
      };
      const receive = (message: Message) => inner.gateway.receive(device.seal(message), origin);
      receive({ ...device.birth(seq++), cfg });
      for (const one of [...steps, "commit", "tell"]) {
        if (one === "commit") inner.settle();
        else if (one === "tell") tell();
        else if (one === "join") {
          const frames: Frame[] = [];
          stream.join({ send: (bytes) => frames.push(decodeFrame(bytes)) });
          expect(frames.at(-1)).toEqual({ type: "live" });
          listeners.push(frames);
        } else if (one === "birth") receive({ ...device.birth(seq++), cfg: ++cfg });
        else if (one === "data") receive({ ...device.data(seq++, [seq]), cfg });
        else if (one === "presence") receive(presence(++connection));
        else receive({ type: "event", boot: 1, seq: seq++, tick: 5, code: 1, small: null });
      }
      const stored = inner.stored.map(({ message }) => message);
      const newest = stored.filter(({ type }) => type === "presence").length;
      for (const frames of listeners) {
        const heard = told(frames);
        expect(new Set(heard).size).toBe(heard.length);
        const all = stored.map((m) => `${m.type} ${m.type === "presence" ? m.connection : (m as { seq: number }).seq}`);
        // Of the presences before it joined, a listener hears the newest alone.
        const missed = all.filter((one) => !heard.includes(one));
        expect(missed.every((one) => one.startsWith("presence"))).toBe(true);
        expect(missed.length).toBeLessThanOrEqual(Math.max(0, newest - 1));
        // Births first, then the order of the store.
        const live = frames.findIndex(({ type }) => type === "live");
        const before = told(frames.slice(0, live));
        const [births, rest] = [true, false].map((born) => before.filter((one) => one.startsWith("birth") === born));
        expect(before).toEqual([...births, ...rest]);
        for (const part of [births, rest, told(frames.slice(live))]) {
          expect(part).toEqual(all.filter((one) => part.includes(one)));
        }
      }
      stream.close();
      inner.gateway.close();
    }),
    { numRuns: 60 },
  );
});

test("a board that was heard before, enrolled while a page is open, is told with what the store has of it", async () => {
  const card = device.enrollAt(bench.gateway);
  bench.gateway.receive(device.seal(device.birth()), createTestOrigin());
  bench.settle();
  const reopened = await createPageBench({ store: bench.gateway.store });
  const feed = await reopened.listen();
  device.enrollAt(reopened.gateway);
  reopened.page.enrolled(card);
  await until(() => told(feed.frames).length === 1);
  expect(feed.frames.map(({ type }) => type)).toEqual(["hello", "card", "live", "card", "message"]);
  await reopened.close();
});

test("a board that is enrolled while a page is open is told before its first message, and each message once", async () => {
  const feed = await bench.listen();
  const origin = createTestOrigin();
  const card = device.enrollAt(bench.gateway);
  for (const message of [device.birth(), device.data(1)]) bench.gateway.receive(device.seal(message), origin);
  bench.settle();
  bench.page.enrolled(card);
  bench.page.enrolled(card);
  bench.page.enrolled(Uint8Array.of(1, 2, 3));
  bench.page.source("end", "open", "");
  await until(() => ofType(feed.frames, "source").length === 1);
  // Announced, or renewed: the card again, its messages not.
  expect(ofType(feed.frames, "card").map((frame) => frame.card)).toEqual([gatewayCard, card, card, card]);
  expect(told(feed.frames)).toEqual(["birth 0", "data 1"]);
  expect(
    feed.frames.findIndex((frame) => frame.type === "card" && Buffer.compare(frame.card, card) === 0),
  ).toBeLessThan(feed.frames.findIndex(({ type }) => type === "message"));
});

test("counts are told on change, at most once a second and with the newest of it: rejected, duplicates, missing, declared", async () => {
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin("serial:test");
  const feed = await bench.listen();
  const counts = () => ofType(feed.frames, "counts").map((frame) => frame.counts);
  const receive = (message: Message) => bench.gateway.receive(device.seal(message), origin);
  receive(device.birth());
  for (const seq of [1, 2, 5]) receive(device.data(seq));
  bench.settle();
  await until(() => counts().length === 1);
  const way = "serial:test";
  const first = { way, verified: 4, rejected: 0, duplicates: 0, ...noGaps, missing: 2 };
  expect(counts()).toEqual([first]);

  const disowned: EventMessage = { type: "event", boot: 1, seq: 6, tick: 9, code: EVENT_DISOWNED, small: [1, 3, 1, 1] };
  receive(disowned);
  receive(device.data(2));
  bench.settle();
  bench.gateway.refuse(origin, "crc", "a bad line");
  bench.page.refused(origin, "crc");
  bench.timers.advance(999);
  bench.page.source("a", "open", "");
  await until(() => ofType(feed.frames, "source").length === 1);
  expect(counts()).toHaveLength(1);

  bench.timers.advance(1);
  await until(() => counts().length === 2);
  expect(counts()[1]).toEqual({ ...first, verified: 5, rejected: 1, duplicates: 1, missing: 1, declared: 1 });
  // Without a change nothing more is told, and the next change is told at once.
  bench.timers.advance(5000);
  bench.page.refused(origin, "crc");
  await until(() => counts().length === 3);
  const late = await bench.listen();
  expect(ofType(late.frames, "counts").map((frame) => frame.counts)).toEqual([counts()[2]]);
});

test("a message refused on a device's topic counts for that device, though it never proved itself; a stranger's for nobody", async () => {
  device.enrollAt(bench.gateway);
  const feed = await bench.listen();
  const topic = createTestOrigin("mqtt:a", { kid: kidText(device.kid), letter: "d" });
  const stranger = createTestOrigin("serial:x");
  for (const origin of [stranger, topic]) {
    bench.gateway.receive(Uint8Array.of(1), origin);
    bench.page.refused(origin, "cbor");
  }
  await until(() => ofType(feed.frames, "counts").length === 1);
  expect(ofType(feed.frames, "counts")).toEqual([
    {
      type: "counts",
      kid: device.kid,
      counts: { way: "mqtt:a", verified: 0, rejected: 1, duplicates: 0, ...noGaps },
    },
  ]);
});

test("the newest of each source is told to who connects later", async () => {
  const feed = await bench.listen();
  bench.page.source("/dev/ttyUSB0", "absent", "not there");
  bench.page.source("broker", "open", "connected");
  bench.page.source("/dev/ttyUSB0", "open", "open at 115200 baud");
  await until(() => ofType(feed.frames, "source").length === 3);
  const late = await bench.listen();
  expect(ofType(late.frames, "source").map(({ name, condition }) => [name, condition])).toEqual([
    ["/dev/ttyUSB0", "open"],
    ["broker", "open"],
  ]);
});
