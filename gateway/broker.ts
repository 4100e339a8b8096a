/** The embedded MQTT broker (aedes) with PROTOCOL.md's access rules: a device publishes and hears only its own topics. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Aedes, type Client } from "aedes";
import { fenced } from "./broker/fence.ts";
import { createRules, type Publication, quoted } from "./broker/rules.ts";
import { type Credentials, createTlsServer } from "./broker/tls.ts";
import { createWire } from "./wire.ts";

export interface Broker {
  readonly port: number;
  readonly url: string;
  /** A connection from inside this process, which is the gateway's and proves nothing. */
  connect(): Duplex;
  /** Throws out who may not be here any more: to be called when a device was revoked, or now and then. */
  review(): void;
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly site: string;
  /** Listens here only; loopback unless said otherwise. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** Client id and user name of the gateway itself, which may hear every device. */
  readonly gatewayId: string;
  /** Is this kid (16 hex digits) enrolled? Nobody else may connect. */
  readonly enrolled: (kid: string) => boolean;
  /** Has it been revoked? Asked at every connection and every publication, as `enrolled` is. */
  readonly revoked?: (kid: string) => boolean;
  /** Clients then need a certificate whose common name is their client id. Without it only loopback is listened on. */
  readonly tls?: Credentials;
  /** Listens beyond loopback without TLS: where the network itself is trusted. */
  readonly plainNetwork?: boolean;
  /** Connections at a time. */
  readonly connections?: number;
  /** Whoever was refused, by address or name, and why. As often as others try: who writes it down bounds it. */
  readonly onRefused?: (sentence: string) => void;
}

const CONNECTIONS = 1000;
/** How long a connection may be silent before its CONNECT, ms. */
const GREETING_LIMIT = 10_000;
/** Longest keepalive, s; 0, which is none, is refused too. */
const KEEPALIVE = 300;
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/;

/** Is this address or name this machine alone? */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** What is known of a connection. */
interface Caller {
  readonly address: string;
  /** Of its certificate. */
  readonly identity: string | undefined;
  /** As its CONNECT had it. */
  will?: Publication;
  /** Once it is let in. */
  name?: string;
}

/** Starts it. Throws Error where the port is taken, the certificate is none, or it would be plain on a network. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { site, gatewayId, tls } = options;
  const host = options.host ?? "127.0.0.1";
  if (tls === undefined && !isLoopback(host) && options.plainNetwork !== true) {
    throw new Error(
      `broker on ${host}: without TLS everybody on that network could be a board; give it a certificate (docs/tls.md), ` +
        "or say plain: true where the network itself is trusted",
    );
  }
  const tell = options.onRefused ?? (() => {});
  const rules = createRules(site, gatewayId, (kid) => {
    if (!options.enrolled(kid)) return "is not enrolled";
    return options.revoked?.(kid) ? "is revoked" : null;
  });
  const callers = new WeakMap<object, Caller>();
  /** Who is let in. */
  const present = new Set<Client>();
  const callerOf = (client: Client) => callers.get(client.conn)!;

  const aedes = await Aedes.createBroker({
    connectTimeout: GREETING_LIMIT,
    keepaliveLimit: KEEPALIVE,
    preConnect(client, packet, done) {
      const { will } = packet;
      if (will) callerOf(client).will = { topic: will.topic, retain: will.retain === true, qos: will.qos ?? 0 };
      if (!packet.keepalive || packet.keepalive > KEEPALIVE)
        tell(`${callerOf(client).address}: refused: keepalive of ${packet.keepalive} s; 1 to ${KEEPALIVE} is taken`);
      done(null, true);
    },
    authenticate(client, username, _password, done) {
      const caller = callerOf(client);
      const { address, identity, will } = caller;
      const fault = rules.greetingFault({ clientId: client.id, username, clean: client.clean, will, identity });
      if (fault === null) {
        caller.name = client.id;
        present.add(client);
        client.conn.once("close", () => present.delete(client));
      } else tell(`${address}: refused: ${fault}`);
      done(null, fault === null);
    },
    authorizePublish(client, packet, done) {
      const name = client === null ? undefined : callerOf(client).name;
      const fault = name === undefined ? "is not connected" : rules.publicationFault(name, packet);
      if (fault === null) return done(null);
      tell(`${name ?? "somebody"}: thrown out: ${fault}`);
      done(new Error(`not allowed: ${fault}`));
    },
    authorizeSubscribe(client, subscription, done) {
      const { name } = callerOf(client);
      const allowed = name !== undefined && rules.maySubscribe(name, subscription.topic);
      if (!allowed) tell(`${name}: may not subscribe to ${quoted(subscription.topic)}`);
      // Refused is SUBACK 0x80 (MQTT 3.1.1, 3.9.3).
      done(null, allowed ? subscription : null);
    },
    // aedes keeps the refused filters of a kept session beside the granted ones, and serves them from its queue.
    authorizeForward(client, packet) {
      const { name } = callerOf(client);
      return name !== undefined && rules.mayHear(name, packet.topic) ? packet : null;
    },
  });
  const accept = (connection: Duplex, caller: Caller) => {
    const outer: Duplex = fenced(connection, rules.longestPacket, (length) =>
      tell(`${caller.name ?? caller.address}: thrown out: a packet of ${length} bytes, ${rules.longestPacket} is most`),
    );
    callers.set(outer, caller);
    aedes.handle(outer);
  };

  const sockets = new Set<Socket>();
  const addressOf = (socket: Socket) => socket.remoteAddress ?? "an address that is gone";
  const closeAedes = () => new Promise<void>((resolve) => aedes.close(() => resolve()));
  let server: Server;
  try {
    server =
      tls === undefined
        ? createServer({ noDelay: true }, (socket) =>
            accept(socket, { address: addressOf(socket), identity: undefined }),
          )
        : createTlsServer(
            tls,
            (socket, identity) => accept(socket, { address: addressOf(socket), identity }),
            (address, sentence) => tell(`${address}: refused: ${sentence}`),
          );
    server.maxConnections = options.connections ?? CONNECTIONS;
    server.on("drop", (dropped) => {
      tell(`${dropped?.remoteAddress}: refused: ${server.maxConnections} connections are open already`);
    });
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    await listen(server, host, options.port ?? 0);
  } catch (error) {
    // Its timers would keep the program running.
    await closeAedes();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls === undefined ? "mqtt" : "mqtts"}://${host}:${port}`,
    connect() {
      const [near, far] = createWire();
      accept(far, { address: "this process", identity: gatewayId });
      return near;
    },
    review() {
      for (const client of present) {
        const { name } = callerOf(client);
        const fault = name === undefined ? null : rules.presenceFault(name);
        if (fault === null) continue;
        tell(`${name}: thrown out: it ${fault}`);
        client.close();
      }
    },
    async close() {
      await closeAedes();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new Error(`broker on ${host}:${port}: ${error.message}; give another port, or an address of this machine`),
      ),
    );
    server.listen(port, host, resolve);
  });
}
