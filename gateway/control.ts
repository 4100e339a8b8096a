/**
 * The gateway's control socket: what another process on this machine asks of the one that holds the store. One JSON object
 * a line, {command, …} in, {result} or {error, fault?} out; for the socket's owner alone.
 */
import { chmodSync, lstatSync, rmSync, statSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { dirname, relative, resolve } from "node:path";

/** What came in, but for its `command`. Nothing of it is checked. */
export type ControlRequest = Readonly<Record<string, unknown>>;

/** Answers one kind of request: gives what JSON can say. What it throws becomes {error}, and {fault} where it has one. */
export type ControlHandler = (request: ControlRequest) => unknown;

export interface Control {
  /** Ends it and removes the socket. */
  close(): Promise<void>;
}

/** Characters of one line either way. */
const LONGEST_LINE = 1 << 16;
/** Connections at a time. */
const CONNECTIONS = 16;
/** Requests of one connection that wait for the one before. */
const QUEUE = 16;
/** How long a connection may say nothing while no answer is due, ms. */
const IDLE = 10_000;
/** Longest path of a socket, bytes (sun_path of unix(7), less on some systems). */
const LONGEST_PATH = 103;

/** The name by which the system is asked for a path: the shorter one, for a socket's is bounded. */
const nameFor = (path: string) => {
  const near = relative("", path);
  return near.length < path.length ? near : path;
};

/** The control socket of a store. */
export const controlPath = (store: string) => `${resolve(store)}.sock`;

/**
 * Listens at `path`, with mode 0600. The caller holds the store's lock, so a socket that is there already is stale and makes
 * way. Throws Error where the folder lets others put a socket of theirs in its place, where something else is there, or
 * where the path is too long.
 */
export async function startControl(path: string, handlers: Readonly<Record<string, ControlHandler>>): Promise<Control> {
  const name = `control socket ${path}`;
  if (Buffer.byteLength(nameFor(path)) > LONGEST_PATH) {
    throw new Error(`${name}: longer than ${LONGEST_PATH} bytes; put the store where its path is shorter`);
  }
  const { mode } = statSync(dirname(path));
  // The sticky bit, as /tmp has it, keeps others from replacing what is not theirs.
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    throw new Error(`${name}: others may write its folder (mode ${(mode & 0o7777).toString(8)}); chmod go-w it`);
  }
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) throw new Error(`${name}: something else is there; move it away`);
  rmSync(path, { force: true });

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, handlers);
  });
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((done, failed) => {
    server.once("error", (error) => failed(new Error(`${name}: ${error.message}`)));
    // Made for its owner alone: between bind and chmod others would find it open.
    const before = process.umask(0o177);
    try {
      server.listen(nameFor(path), done);
    } finally {
      process.umask(before);
    }
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      for (const socket of sockets) socket.destroy();
      // It removes the socket as well.
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Answers the requests of one connection, one after the other. */
function serve(socket: Socket, handlers: Readonly<Record<string, ControlHandler>>): void {
  let answering = Promise.resolve();
  let waiting = 0;
  socket.setTimeout(IDLE, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  eachLine(
    socket,
    (line) => {
      if (++waiting > QUEUE) {
        socket.destroy();
        return;
      }
      socket.setTimeout(0);
      answering = answering.then(async () => {
        const answer = await answerTo(line, handlers);
        if (--waiting === 0) socket.setTimeout(IDLE);
        if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
      });
    },
    () => socket.destroy(),
  );
}

async function answerTo(line: string, handlers: Readonly<Record<string, ControlHandler>>): Promise<object> {
  let request: ControlRequest;
  try {
    request = JSON.parse(line);
    if (typeof request !== "object" || request === null || Array.isArray(request)) throw new Error();
  } catch {
    return { error: "the request is no JSON object" };
  }
  const { command, ...rest } = request;
  const known = typeof command === "string" && Object.hasOwn(handlers, command) ? handlers[command] : undefined;
  if (known === undefined) {
    return {
      error: `no request "${String(command).slice(0, 64)}"; this gateway knows ${Object.keys(handlers).join(", ")}`,
    };
  }
  try {
    return { result: (await known(rest)) ?? null };
  } catch (error) {
    const { message, fault } = error as Error & { fault?: unknown };
    return { error: message, ...(typeof fault === "string" && { fault }) };
  }
}

/** Calls back with every whole line of a socket; once with nothing more where a line is too long. */
function eachLine(socket: Socket, onLine: (line: string) => void, onTooLong: () => void): void {
  let held = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (held + text).split("\n");
    held = lines.pop() as string;
    for (const line of lines) if (line.length <= LONGEST_LINE) onLine(line);
    if (held.length > LONGEST_LINE || lines.some((line) => line.length > LONGEST_LINE)) onTooLong();
  });
}

/** What the gateway has answered. */
export type ControlAnswer = { readonly result: unknown } | { readonly error: string; readonly fault: string | null };

/**
 * Asks the gateway that works on `store`. Throws Error where none does, or it does not answer within `limit` ms.
 */
export function askGateway(
  store: string,
  request: ControlRequest & { command: string },
  limit: number,
): Promise<ControlAnswer> {
  const path = controlPath(store);
  return new Promise((done, failed) => {
    const socket = createConnection(nameFor(path));
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (message: string) => end(() => failed(new Error(message)));
    const timer = setTimeout(
      () => fail(`the gateway on ${store} did not answer in ${limit / 1000} s; is it stopped?`),
      limit,
    );
    socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const absent = error.code === "ENOENT" || error.code === "ECONNREFUSED";
      if (absent) fail(`no gateway works on ${store}: start "vitalwire gateway --store ${store}"`);
      else if (error.code === "EACCES")
        fail(`${path}: it belongs to another user; ask as the user who started the gateway`);
      else fail(`${path}: ${error.message}`);
    });
    socket.on("close", () => fail(`the gateway on ${store} ended before it answered`));
    eachLine(
      socket,
      (line) =>
        end(() => {
          try {
            const answer = JSON.parse(line) as { result?: unknown; error?: string; fault?: string };
            done(
              answer.error === undefined
                ? { result: answer.result }
                : { error: answer.error, fault: answer.fault ?? null },
            );
          } catch {
            failed(new Error(`${path}: answered with no JSON; is it of another version?`));
          }
        }),
      () => fail(`${path}: a longer answer than ${LONGEST_LINE} characters`),
    );
  });
}
