/** The page's sockets: they only listen, keep up, are alive, are few, and end with the gateway. */

import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import type { Store } from "../../gateway/store/store.ts";
import { createTestDevice, createTestOrigin } from "../support/gateway.ts";
import { createPageBench, type PageBench, until } from "./page-support.ts";

const device = createTestDevice("a");
let bench: PageBench;
beforeEach(async () => {
  bench = await createPageBench();
});
afterEach(() => bench.close());

/** Tells the page of stored messages, each as long as the protocol allows, as fast as it is called. */
const createTeller = () => {
  device.enrollAt(bench.gateway);
  bench.gateway.receive(device.seal(device.birth()), createTestOrigin());
  bench.settle();
  const [accepted] = bench.stored;
  let { position } = accepted.row;
  const message = new Uint8Array(4096);
  return () => bench.page.stored({ ...accepted, row: { ...accepted.row, position: ++position, message } });
};

test("a browser that says anything is let go", async () => {
  const { socket, closed } = await bench.listen();
  socket.send("hello");
  expect(await closed).toBe(1003);
  const long = await bench.listen();
  long.socket.send(new Uint8Array(1000));
  expect(await long.closed).toBe(1009);
});

test("a browser that does not keep up is let go and may come again; the others hear everything", async () => {
  const tell = createTeller();
  const cookie = await bench.enter();
  const slow = await bench.listen(cookie);
  const quick = await bench.listen(cookie);
  const before = quick.frames.length;
  slow.socket.pause();
  // 32 MB: more than the limit and what the system's own buffers hold.
  const COUNT = 8000;
  for (let i = 0; i < COUNT; i++) {
    tell();
    if (i % 100 === 0) await until(() => quick.frames.length - before >= i);
  }
  await until(() => quick.frames.length - before === COUNT);
  slow.socket.resume();
  expect(await slow.closed).toBe(1013);
  expect(slow.frames.length).toBeLessThan(COUNT);
  const again = await bench.listen(cookie);
  expect(again.frames.at(-1)).toEqual({ type: "live" });
});

test("a browser that does not keep up and does not say goodbye is cut off", async () => {
  const tell = createTeller();
  const slow = await bench.listen();
  slow.socket.pause();
  for (let i = 0; i < 8000; i++) tell();
  bench.timers.advance(2000);
  slow.socket.resume();
  expect(await slow.closed).toBe(1006);
});

test("what a browser is told first, however much, does not count as being slow", async () => {
  const store = openSqliteStore(":memory:");
  // More than the limit and what the system's own buffers hold.
  const newest: Store["newest"] = (...question) =>
    store.newest(...question).map((row) => ({ ...row, message: new Uint8Array(32 * 1024 * 1024) }));
  const large = await createPageBench({ store: { ...store, newest } });
  device.enrollAt(large.gateway);
  large.gateway.receive(device.seal(device.birth()), createTestOrigin());
  large.settle();
  const feed = large.connect({ cookie: await large.enter(), origin: large.origin });
  feed.socket.once("open", () => feed.socket.pause());
  expect(await feed.status).toBe(101);
  large.page.source("a", "open", "");
  feed.socket.resume();
  await until(() => feed.frames.at(-1)?.type === "source");
  expect(feed.socket.readyState).toBe(feed.socket.OPEN);
  await large.close();
});

test("a store that cannot be read ends the socket, not the gateway", async () => {
  const cookie = await bench.enter();
  device.enrollAt(bench.gateway);
  bench.gateway.close();
  const feed = bench.connect({ cookie, origin: bench.origin });
  expect(await feed.closed).toBe(1011);
  expect((await bench.ask("/", { cookie })).status).toBe(200);
});

test("a socket that does not answer a ping is gone by the next; one that answers stays", async () => {
  const alive = await bench.listen();
  const dead = await bench.listen();
  // The ws client answers pings by itself.
  Object.assign(dead.socket, { _autoPong: false });
  for (let i = 0; i < 3; i++) {
    const pinged = once(alive.socket, "ping");
    bench.timers.advance(15_000);
    await pinged;
    // By the time that this is answered the pong has been read.
    await bench.ask("/");
  }
  expect(await dead.closed).toBe(1006);
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
});

test("the thirty-third socket is refused until one of the others has gone", async () => {
  const cookie = await bench.enter();
  const feeds = [];
  for (let i = 0; i < 32; i++) feeds.push(await bench.listen(cookie));
  const headers = { cookie, origin: bench.origin };
  expect(await bench.connect(headers).status).toBe(503);
  feeds[0].socket.close();
  await feeds[0].closed;
  expect(await bench.connect(headers).status).toBe(101);
});

test("closing says goodbye to every socket, ends half requests and browsers that hang, is bounded, and may be asked twice", async () => {
  const feed = await bench.listen();
  const hung = await bench.listen();
  hung.socket.pause();
  const half = connectTcp(bench.page.port, "127.0.0.1");
  half.on("error", () => {});
  const halfClosed = once(half, "close");
  half.write("GET / HTTP/1.1\r\nHost:");
  await once(half, "connect");
  const began = performance.now();
  const closing = bench.page.close();
  await Promise.all([closing, bench.page.close()]);
  expect(performance.now() - began).toBeLessThan(900);
  expect(await feed.closed).toBe(1001);
  await halfClosed;
  expect(bench.timers.waiting).toBe(0);
  await expect(bench.ask("/")).rejects.toThrow(/ECONNREFUSED/);
  // What the gateway still tells does no harm.
  bench.page.source("a", "open", "");
});
