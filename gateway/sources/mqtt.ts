/** A broker as a source: subscribes to what devices publish, answers on their command topics (PROTOCOL.md section 7). */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type IClientOptions, MqttClient } from "mqtt";
import type { Signer } from "../../protocol/cose.ts";
import { encodeGatewayState } from "../../protocol/gateway-state.ts";
import { kidText } from "../../protocol/keys.ts";
import { type Credentials, LOWEST_TLS } from "../broker/tls.ts";
import type { Gateway } from "../gateway.ts";
import { type Counters, createCounters, type Origin } from "../origin.ts";

const TOPIC = /^vsp\/1\/([^/]+)\/([0-9a-f]{16})\/([dbw])$/;
/** How long a connection may take before it is an error, and the pause before the next, ms. */
const CONNECT_LIMIT = 10_000;
const RECONNECT = 1000;
/** How long the goodbye may take, ms. */
const GOODBYE_LIMIT = 500;

export interface MqttSource {
  /** Counters of one device's topics. */
  counters(kid: string): Counters;
  /** Bounded. */
  close(): Promise<void>;
}

export interface MqttSourceOptions {
  /** mqtt:// or mqtts://, or what makes a connection: `() => broker.connect()`. */
  readonly url: string | (() => Duplex);
  /** For mqtts://. The broker's certificate and name are always checked. */
  readonly tls?: Credentials;
  /** Third level of the topics. */
  readonly site: string;
  readonly clientId: string;
  /** Tells on the gateway's state topic whether it is there (PROTOCOL.md section 7). Absent: it tells nothing. */
  readonly state?: GatewayPresence;
  /** Every change of the connection, with the sentence that helps. Given: a broker that is not there is waited for. */
  readonly onReport?: (condition: "open" | "lost", sentence: string) => void;
}

/** Who is there: the gateway with this key, by this clock (ms since the epoch). */
export interface GatewayPresence {
  readonly signer: Signer;
  readonly now: () => number;
}

/** Resolves when it is subscribed, or with `onReport` at once. Throws Error where the broker does not answer. */
export async function attachMqtt(gateway: Gateway, options: MqttSourceOptions): Promise<MqttSource> {
  const { site, onReport } = options;
  const origins = new Map<string, Origin>();
  const countersOf = new Map<string, Counters>();
  const counters = (kid: string) => {
    const known = countersOf.get(kid) ?? createCounters();
    countersOf.set(kid, known);
    return known;
  };
  const originOf = (topic: string, kid: string, letter: string): Origin => {
    let origin = origins.get(topic);
    if (origin === undefined) {
      origin = {
        name: `mqtt:${kid}`,
        counters: counters(kid),
        topic: { kid, letter },
        reply(message) {
          // Not retained: a command must not meet a later boot. Without a broker nobody is there to hear it.
          if (client.connected)
            client.publish(`vsp/1/${site}/${kid}/c`, Buffer.from(message), { qos: 1, retain: false });
        },
      };
      origins.set(topic, origin);
    }
    return origin;
  };

  const presence = options.state === undefined ? null : createPresence(site, options.state);
  const { client, name } = open(options, presence);
  client.on("message", (topic, payload) => {
    const match = TOPIC.exec(topic);
    if (match === null || match[1] !== site) return;
    gateway.receive(payload, originOf(topic, match[2], match[3]));
  });
  let closing = false;
  let told = "";
  const report: NonNullable<MqttSourceOptions["onReport"]> = (condition, sentence) => {
    // The end that was asked for is no loss; what is as it was is not told again at every attempt.
    if (closing || sentence === told) return;
    told = sentence;
    onReport?.(condition, sentence);
  };
  if (presence !== null) announce(client, presence);
  const subscribed = follow(client, `vsp/1/${site}`, name, report);
  if (onReport === undefined) {
    await subscribed.catch((error: Error) => {
      client.end(true);
      throw error;
    });
  } else subscribed.catch(() => {});
  return {
    counters,
    close() {
      closing = true;
      if (presence !== null && client.connected) client.publish(...presence.say(2));
      return end(client);
    },
  };
}

type Publication = [topic: string, payload: Buffer, options: { qos: 1; retain: true }];

interface Presence {
  /** Begins a connection: what is said from here on is of it. */
  begin(): void;
  /** 0 dead (the will), 1 online, 2 clean offline. */
  say(state: 0 | 1 | 2): Publication;
}

function createPresence(site: string, { signer, now }: GatewayPresence): Presence {
  let since = Math.floor(now());
  return {
    begin() {
      // Two connections within a millisecond, or a clock that was set back: still one after the other.
      since = Math.max(since + 1, Math.floor(now()));
    },
    say(state) {
      const payload = Buffer.from(encodeGatewayState({ state, since }, signer));
      return [`vsp/1/${site}/gw/${kidText(signer.kid)}/s`, payload, { qos: 1, retain: true }];
    },
  };
}

const willOf = (presence: Presence): NonNullable<IClientOptions["will"]> => {
  const [topic, payload, options] = presence.say(0);
  return { topic, payload, ...options };
};

/** Online at every connection; every connection has a will of its own. */
function announce(client: MqttClient, presence: Presence): void {
  client.on("connect", () => void client.publish(...presence.say(1)));
  client.on("close", () => {
    presence.begin();
    client.options.will = willOf(presence);
  });
}

/** The client, and what a person calls its broker. */
function open(
  { url, tls, clientId }: MqttSourceOptions,
  presence: Presence | null,
): { client: MqttClient; name: string } {
  const settings: IClientOptions = {
    clientId,
    username: clientId,
    protocolVersion: 4,
    clean: false,
    connectTimeout: CONNECT_LIMIT,
    // A broker that refuses today may be told better.
    reconnectOnConnackError: true,
    reconnectPeriod: RECONNECT,
    ...(presence !== null && { will: willOf(presence) }),
  };
  if (typeof url === "function") return { client: new MqttClient(url, settings), name: "broker" };
  const { username, password, host } = new URL(url);
  const client = connect(url, {
    ...settings,
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    ...(tls && { ca: tls.ca, cert: tls.certificate, key: tls.key, minVersion: LOWEST_TLS }),
  });
  return { client, name: `broker ${host}` };
}

/** Subscribes at every connection. Resolves at the first, rejects where that fails. */
function follow(
  client: MqttClient,
  prefix: string,
  name: string,
  onReport: NonNullable<MqttSourceOptions["onReport"]>,
): Promise<void> {
  let reason = "the connection was closed";
  return new Promise((resolve, reject) => {
    client.on("connect", () => {
      // An ack is small: the kernel must not hold it back to fill a segment (40 ms).
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      client.subscribe([`${prefix}/+/d`, `${prefix}/+/b`, `${prefix}/+/w`], { qos: 1 }, (error, granted) => {
        const refused = granted?.some(({ qos }) => qos > 2) ?? false;
        if (error || refused) {
          onReport("lost", `${name}: does not let the gateway subscribe to ${prefix}/+; look at its access rules`);
          reject(new Error(`${name}: does not let the gateway subscribe; look at its access rules`));
        } else {
          onReport("open", `${name}: connected`);
          resolve();
        }
      });
    });
    client.on("error", (error) => {
      reason = error.message;
      reject(new Error(`${name}: ${reason}; is it running, and is this its address?`));
    });
    // mqtt connects again by itself, and devices keep what was not acknowledged.
    client.on("close", () => onReport("lost", `${name}: ${reason}; trying again, boards keep their data meanwhile`));
  });
}

function end(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => client.end(true), GOODBYE_LIMIT);
    client.end(false, {}, () => {
      clearTimeout(limit);
      resolve();
    });
  });
}
