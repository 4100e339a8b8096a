/** MQTT on a host: topics, quality of service and the will of PROTOCOL.md section 7. */
import { Socket } from "node:net";
import mqtt from "mqtt";
import type { Link } from "../../link.ts";

export interface MqttLink extends Link {
  /** Bytes of PUBLISH packets, topic and header included. */
  readonly linkBytes: number;
}

export interface MqttLinkOptions {
  readonly url: string;
  readonly site: string;
  /** 16 hex digits: client id, user name and level of the topics. */
  readonly kid: string;
  /** For mqtts://, PEM texts: the authority that is believed (the system's where absent), our certificate and its key. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
}

/** Waiting between two attempts to connect, ms. */
const RECONNECT = 1000;
/** How long a connection may take, and the goodbye, ms. */
const CONNECT_LIMIT = 10_000;
const GOODBYE_LIMIT = 500;

/** Size of a PUBLISH of quality of service 1 (MQTT 3.1.1, 3.3): header, remaining length, topic, packet id, payload. */
const publishBytes = (topic: string, payload: number): number => {
  const remaining = 2 + topic.length + 2 + payload;
  return 1 + (remaining < 128 ? 1 : remaining < 16_384 ? 2 : 3) + remaining;
};

export function createMqttLink(options: MqttLinkOptions): MqttLink {
  const topic = (letter: string) => `vsp/1/${options.site}/${options.kid}/${letter}`;
  let client: mqtt.MqttClient | null = null;
  let linkBytes = 0;
  let connection = 0;
  let up = false;
  return {
    presence: true,
    get linkBytes() {
      return linkBytes;
    },
    open(events, will) {
      /** Every connection has a will of its own: an old one cannot kill a new connection. */
      const nextWill = () => ({
        topic: topic("w"),
        payload: Buffer.from(will(connection + 1)),
        qos: 1 as const,
        retain: true,
      });
      const { tls } = options;
      client = mqtt.connect(options.url, {
        // The broker's certificate is checked, and so is its name: mqtt does that unless it is told not to.
        ...(tls && { ca: tls.ca, cert: tls.certificate, key: tls.key, minVersion: "TLSv1.2" }),
        clientId: options.kid,
        username: options.kid,
        protocolVersion: 4,
        clean: true,
        reconnectPeriod: RECONNECT,
        connectTimeout: CONNECT_LIMIT,
        // Who is refused today may be enrolled tomorrow.
        reconnectOnConnackError: true,
        // What is not acknowledged is kept above, in the outbox.
        queueQoSZero: false,
        will: nextWill(),
      });
      client.on("message", (_topic, payload, { retain }) => {
        // What was kept for whoever comes is for another boot, whoever made it.
        if (!retain) events.onMessage(payload);
      });
      client.on("connect", () => {
        // A packet is small: the kernel must not hold it back to fill a segment (40 ms).
        if (client!.stream instanceof Socket) client!.stream.setNoDelay(true);
        connection++;
        const current = connection;
        client!.subscribe(topic("c"), { qos: 1 }, (error) => {
          if (error || current !== connection) return;
          up = true;
          events.onUp(connection);
        });
      });
      client.on("close", () => {
        client!.options.will = nextWill();
        if (up) events.onDown();
        up = false;
      });
      // mqtt reports what it will retry by itself; the reconnect is the answer.
      client.on("error", () => {});
    },
    send(letter, message, current) {
      if (!up || client === null) return false;
      const name = topic(letter);
      linkBytes += publishBytes(name, message.length);
      client.publish(name, Buffer.from(message), { qos: 1, retain: letter !== "d" && current !== false });
      return true;
    },
    close(done) {
      up = false;
      if (client === null) {
        done();
        return;
      }
      const ending = client;
      // A broker that is gone acknowledges nothing: what is still under way is given up.
      const limit = setTimeout(() => ending.end(true), GOODBYE_LIMIT);
      ending.end(false, {}, () => {
        clearTimeout(limit);
        done();
      });
    },
  };
}
