/** The embedded MQTT broker (aedes) with PROTOCOL.md's access rules: a device publishes and hears only its own topics. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Aedes, type Client } from "aedes";

export interface Broker {
  readonly port: number;
  readonly url: string;
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
}

/** What a client is told, and the log. */
const denied = (what: string) => new Error(`not allowed: ${what}`);

/** Starts it. Throws Error where the port is taken. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { site, gatewayId } = options;
  const usernames = new WeakMap<Client, string>();
  const aedes = await Aedes.createBroker({
    authenticate(client, username, _password, done) {
      const known = client.id === username && (username === gatewayId || options.enrolled(username ?? ""));
      if (known) usernames.set(client, username as string);
      done(null, known);
    },
    authorizePublish(client, packet, done) {
      // Without a client it is the broker itself (a will of a client that was authorized when it set it).
      const username = client === null ? undefined : usernames.get(client);
      const own = new RegExp(`^vsp/1/${site}/${username}/[dbw]$`);
      const toDevice = new RegExp(`^vsp/1/${site}/[0-9a-f]{16}/c$`);
      const allowed = username === gatewayId ? toDevice.test(packet.topic) && !packet.retain : own.test(packet.topic);
      done(client === null || allowed ? null : denied(`${username} publishes ${packet.topic}`));
    },
    authorizeSubscribe(client, subscription, done) {
      const username = usernames.get(client as Client);
      const own = subscription.topic === `vsp/1/${site}/${username}/c`;
      const all = username === gatewayId && /^vsp\/1\/[^/+#]+\/\+\/[dbw]$/.test(subscription.topic);
      // Shared subscriptions are granted by aedes and never served: neither form lets them through.
      // Refused is SUBACK 0x80 (MQTT 3.1.1, 3.9.3).
      done(null, own || all ? subscription : null);
    },
  });
  const server = createServer({ noDelay: true }, (socket) => aedes.handle(socket));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new Error(`broker on ${host}:${options.port}: ${error.message}; give another port`)),
    );
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `mqtt://${host}:${port}`,
    async close() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
