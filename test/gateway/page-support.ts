/** A page on a test gateway, and a browser that says exactly what a test wants. */
import { randomBytes } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { type Page, type PageOptions, startPage } from "../../gateway/api/page.ts";
import { type After, createStream } from "../../gateway/api/stream.ts";
import { decodeFrame, type Frame } from "../../gateway/dashboard/feed.ts";
import type { Store } from "../../gateway/store/store.ts";
import { createTestGateway, site, type TestGateway } from "../support/gateway.ts";

/** A page's stream on a test gateway, whose timers the test holds. */
export function createTestStream(inner: TestGateway) {
  const timers = createManualTimers();
  const stream = createStream({
    gateway: inner.gateway,
    sitePublicKey: null,
    now: () => inner.now,
    after: timers.after,
  });
  return { timers, stream };
}

export const fixtureFolder = fileURLToPath(new URL("../fixtures/page", import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Timers that run when the test says so. */
export function createManualTimers() {
  const timers = new Map<symbol, { at: number; callback: () => void }>();
  let now = 0;
  const after: After = (ms, callback) => {
    const id = Symbol();
    timers.set(id, { at: now + ms, callback });
    return () => timers.delete(id);
  };
  return {
    after,
    advance(ms: number) {
      now += ms;
      for (const [id, { at, callback }] of [...timers]) if (at <= now && timers.delete(id)) callback();
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Bounded by the test's own limit. */
export const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

/** A page whose gateway is wired to it, and everything that is to be closed in the end. */
export async function createPageBench(
  options: Partial<PageOptions> & { readonly folder?: string; readonly store?: Store } = {},
) {
  const { folder = fixtureFolder, store, ...rest } = options;
  const bench = createTestGateway(store);
  const timers = createManualTimers();
  const addresses: string[] = [];
  const feeds: WebSocket[] = [];
  const page: Page = await startPage(
    {
      gateway: bench.gateway,
      sitePublicKey: site.publicKey,
      port: 0,
      now: () => bench.now,
      random: randomBytes,
      onAddress: (url) => addresses.push(url),
      ...rest,
    },
    { folder, after: timers.after },
  );
  const origin = `http://127.0.0.1:${page.port}`;
  const path = (address: string) => address.slice(new URL(address).origin.length);

  const ask = (target: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request(origin + target, { headers, method, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      asked.once("error", reject).end();
    });
  /** Opens the address that is good now; the cookie that it gave. */
  const enter = async () => {
    const { headers } = await ask(path(page.address));
    return headers["set-cookie"]![0].split(";")[0];
  };
  /** A socket that keeps the frames it hears. */
  const connect = (headers: Record<string, string>, target = "/feed") => {
    const socket = new WebSocket(`ws://127.0.0.1:${page.port}${target}`, { headers, perMessageDeflate: false });
    feeds.push(socket);
    const frames: Frame[] = [];
    const closed = new Promise<number>((resolve) => socket.once("close", resolve));
    socket.on("message", (bytes: Buffer) => frames.push(decodeFrame(new Uint8Array(bytes))));
    /** Status of a refusal; 101 where the socket is open. */
    const status = new Promise<number>((resolve, reject) => {
      socket.once("open", () => resolve(101));
      socket.once("unexpected-response", (asked, response) => {
        resolve(response.statusCode!);
        asked.destroy();
      });
      socket.on("error", reject);
    });
    return { socket, frames, closed, status };
  };
  return {
    gateway: bench.gateway,
    stored: bench.stored,
    alarms: bench.alarms,
    get now() {
      return bench.now;
    },
    set now(ms: number) {
      bench.now = ms;
    },
    page,
    timers,
    addresses,
    origin,
    path,
    ask,
    enter,
    connect,
    /** An open page that has heard everything up to `live`. */
    async listen(cookie?: string) {
      const feed = connect({ cookie: cookie ?? (await enter()), origin });
      await until(() => feed.frames.some(({ type }) => type === "live"));
      return feed;
    },
    /** Commits what waits, and tells the page. */
    settle() {
      const before = bench.stored.length;
      bench.settle();
      for (const accepted of bench.stored.slice(before)) page.stored(accepted);
    },
    async close() {
      for (const feed of feeds) feed.terminate();
      await page.close();
    },
  };
}

export type PageBench = Awaited<ReturnType<typeof createPageBench>>;
