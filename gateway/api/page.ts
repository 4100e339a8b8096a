/**
 * The page's server: three files and one WebSocket, on one port. Fails closed: without a session nothing is answered but a
 * sentence, and a session begins with the one-time address that the terminal shows.
 */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Reason } from "../../protocol/refusal.ts";
import type { Gateway } from "../gateway.ts";
import type { Origin } from "../origin.ts";
import type { Accepted, DeviceAlarm } from "../receiver.ts";
import { createAccess, type Denial } from "./access.ts";
import { createApp, HEADERS } from "./app.ts";
import { createAssets, dashboardFolder } from "./assets.ts";
import { createSockets } from "./sockets.ts";
import { type After, createStream } from "./stream.ts";

export interface PageOptions {
  readonly gateway: Gateway;
  /** 32 bytes. null: none known, cards cannot be checked in the browser. */
  readonly sitePublicKey: Uint8Array | null;
  /** Path of the store, for commands that the page shows; absent: it shows none. */
  readonly storePath?: string;
  /** Listens here only, and answers to this name and loopback's; 127.0.0.1 unless said otherwise. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Bytes that nobody can guess: tokens and sessions are made of them. */
  readonly random: (bytes: number) => Uint8Array;
  /** A fresh one-time address: called at the start, and again whenever one was used (the terminal shows it). */
  readonly onAddress: (url: string) => void;
}

export interface Page {
  readonly port: number;
  /** The one-time address that is good now. */
  readonly address: string;
  /** For the gateway's onStored: tells every open page at once. */
  stored(accepted: Accepted): void;
  /** A device was enrolled while the gateway ran, or a gateway got a card: that card. */
  enrolled(card: Uint8Array): void;
  /** For the gateway's onAlarm. */
  alarm(alarm: DeviceAlarm): void;
  /** For the gateway's onRefused. */
  refused(origin: Origin, reason: Reason): void;
  /** A serial port or a broker changed its condition; who connects later is told the newest of each name. */
  source(name: string, condition: string, sentence: string): void;
  /** Ends every connection; takes half a second at most. */
  close(): Promise<void>;
}

/** Seams for tests. */
export interface PageSeams {
  /** Folder of the page's files. */
  readonly folder?: string;
  readonly after?: After;
}

/** Path of the WebSocket that carries the frames of gateway/dashboard/feed.ts. */
export const FEED_PATH = "/feed";
/** Connections at a time, of any kind. */
const MAX_CONNECTIONS = 128;
/** Longest header of a request, bytes. */
const MAX_HEADER = 8192;
/** How long closing waits for browsers to hang up, ms. */
const CLOSE_LIMIT = 300;

const realAfter: After = (ms, callback) => {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
};

/** Throws Error where the port is taken or may not be used: which, and what to do. */
export async function startPage(options: PageOptions, seams: PageSeams = {}): Promise<Page> {
  const { gateway, sitePublicKey, storePath, now, random, onAddress, host = "127.0.0.1" } = options;
  const after = seams.after ?? realAfter;
  const server = createServer({ maxHeaderSize: MAX_HEADER, noDelay: true });
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, host, options.port);

  const access = createAccess({ host, port, random, onAddress });
  const stream = createStream({ gateway, sitePublicKey, ...(storePath !== undefined && { storePath }), now, after });
  const sockets = createSockets(stream, after);
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  const app = createApp(access, createAssets(seams.folder ?? dashboardFolder));
  const onBadRequest = () => new Response("No browser asks like this.\n", { status: 400, headers: HEADERS });
  server.on("request", getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: onBadRequest }));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { host: name, cookie, origin } = request.headers;
    const denial = access.checkSocket(name, cookie, origin) ?? checkPath(request.url) ?? sockets.check();
    if (denial === null) sockets.accept(request, socket, head);
    else refuseUpgrade(socket, denial);
  });

  let closing: Promise<void> | null = null;
  return {
    port,
    get address() {
      return access.address;
    },
    stored: stream.stored,
    enrolled: stream.enrolled,
    alarm: stream.alarm,
    refused: stream.refused,
    source: stream.source,
    close() {
      closing ??= new Promise((resolve) => {
        const late = setTimeout(() => {
          for (const socket of connections) socket.destroy();
        }, CLOSE_LIMIT);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        stream.close();
        sockets.close();
      });
      return closing;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new Error(`page on ${host}:${port}: ${error.message}; give another --port, or 0 for any that is free`)),
    );
    server.listen(port, host, resolve);
  });
  // Later ones are connections that could not be accepted: the next one may.
  server.removeAllListeners("error").on("error", () => {});
  return (server.address() as AddressInfo).port;
}

const checkPath = (path: string | undefined): Denial | null =>
  path === FEED_PATH ? null : { status: 404, sentence: `The stream is at ${FEED_PATH}.` };

function refuseUpgrade(socket: Duplex, { status, sentence }: Denial): void {
  const body = `${sentence}\n`;
  const headers = { ...HEADERS, Connection: "close", "Content-Type": "text/plain", "Content-Length": body.length };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on("error", () => {});
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}
