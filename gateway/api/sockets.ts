/** The open WebSockets: they only listen, they keep up or are let go, and they are alive. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Denial } from "./access.ts";
import type { After, Stream } from "./stream.ts";

export interface Sockets {
  /** null: there is room for one more. */
  check(): Denial | null;
  /** Completes the handshake of a request that was checked; what is no WebSocket request is refused. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Says goodbye to all of them; the caller ends what does not answer. */
  close(): void;
}

const MAX_SOCKETS = 32;
/** A browser has nothing to say; bytes. */
const MAX_PAYLOAD = 64;
/** What may wait for a slow browser besides its first frames, bytes. It connects again and is told the newest. */
const MAX_BUFFERED = 4 * 1024 * 1024;
/** How long a browser that was let go may take to say goodbye, ms. */
const GOODBYE = 2000;
/** Between two pings; who has not answered the one before is gone. ms. */
const PING_PERIOD = 15_000;

/** Codes of RFC 6455, 7.4.1, and 1013 of IANA's registry. */
const GOING_AWAY = 1001;
const UNSUPPORTED = 1003;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

export function createSockets(stream: Stream, after: After): Sockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD, perMessageDeflate: false });
  /** Open ones, and whether each has answered the newest ping. */
  const answered = new Map<WebSocket, boolean>();
  let closed = false;

  const join = (socket: WebSocket) => {
    answered.set(socket, true);
    const letGo = (code: number, sentence: string) => {
      leave();
      socket.close(code, sentence);
      after(GOODBYE, () => socket.terminate());
    };
    socket.on("pong", () => answered.set(socket, true));
    socket.on("message", () => letGo(UNSUPPORTED, "this page is told, it does not tell"));
    // ws closes what breaks the protocol.
    socket.on("error", () => {});
    socket.on("close", () => {
      leave();
      answered.delete(socket);
    });
    let limit = Number.POSITIVE_INFINITY;
    const send = (frame: Uint8Array) => {
      socket.send(frame);
      if (socket.bufferedAmount > limit) letGo(TRY_AGAIN_LATER, "too slow: connect again");
    };
    let leave = () => {};
    try {
      leave = stream.join({ send });
      limit = MAX_BUFFERED + socket.bufferedAmount;
    } catch {
      // A store that cannot be read is told by the gateway itself; a page must not end it.
      letGo(INTERNAL_ERROR, "the store cannot be read");
    }
  };
  const ping = () => {
    for (const [socket, alive] of answered) {
      if (!alive) socket.terminate();
      else {
        answered.set(socket, false);
        socket.ping();
      }
    }
    cancelPing = after(PING_PERIOD, ping);
  };
  let cancelPing = after(PING_PERIOD, ping);

  return {
    check() {
      if (closed) return { status: 503, sentence: "The gateway is ending." };
      if (answered.size < MAX_SOCKETS) return null;
      return { status: 503, sentence: `${MAX_SOCKETS} pages are open: close one of them.` };
    },
    accept: (request, socket, head) => server.handleUpgrade(request, socket, head, join),
    close() {
      closed = true;
      cancelPing();
      for (const socket of answered.keys()) socket.close(GOING_AWAY, "the gateway ended");
    },
  };
}
