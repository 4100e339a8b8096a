/** A broker as a source: subscribes to what devices publish, answers on their command topics (PROTOCOL.md section 7). */
import { Socket } from "node:net";
import { connectAsync, type MqttClient } from "mqtt";
import type { Gateway } from "../gateway.ts";
import { type Counters, createCounters, type Origin } from "../origin.ts";

const TOPIC = /^vsp\/1\/([^/]+)\/([0-9a-f]{16})\/([dbw])$/;
/** How long a connection may take before it is an error, ms. */
const CONNECT_LIMIT = 10_000;

export interface MqttSource {
  /** Counters of one device's topics. */
  counters(kid: string): Counters;
  close(): Promise<void>;
}

/** An ack is small: the kernel must not hold it back to fill a segment (40 ms). */
function sendAtOnce(client: MqttClient): void {
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
}

/** `site` is the third level of the topics. Throws Error where the broker does not answer. */
export async function attachMqtt(gateway: Gateway, url: string, site: string, clientId: string): Promise<MqttSource> {
  const origins = new Map<string, Origin>();
  const countersOf = new Map<string, Counters>();
  const counters = (kid: string) => {
    const known = countersOf.get(kid) ?? createCounters();
    countersOf.set(kid, known);
    return known;
  };
  let client: MqttClient;
  try {
    client = await connectAsync(
      url,
      {
        clientId,
        username: clientId,
        protocolVersion: 4,
        clean: false,
        connectTimeout: CONNECT_LIMIT,
        reconnectPeriod: 1000,
      },
      false,
    );
  } catch (error) {
    throw new Error(`broker ${url}: ${(error as Error).message}; is it running, and is this its address?`);
  }
  const originOf = (topic: string, kid: string, letter: string): Origin => {
    let origin = origins.get(topic);
    if (origin === undefined) {
      origin = {
        name: `mqtt:${kid}`,
        counters: counters(kid),
        topic: { kid, letter },
        // Not retained: a command must not meet a later boot.
        reply: (message) => client.publish(`vsp/1/${site}/${kid}/c`, Buffer.from(message), { qos: 1, retain: false }),
      };
      origins.set(topic, origin);
    }
    return origin;
  };
  // What went wrong is tried again: mqtt reconnects, and devices keep what was not acknowledged.
  client.on("error", () => {});
  sendAtOnce(client);
  client.on("connect", () => sendAtOnce(client));
  client.on("message", (topic, payload) => {
    const match = TOPIC.exec(topic);
    if (match === null || match[1] !== site) return;
    gateway.receive(payload, originOf(topic, match[2], match[3]));
  });
  await client.subscribeAsync([`vsp/1/${site}/+/d`, `vsp/1/${site}/+/b`, `vsp/1/${site}/+/w`], { qos: 1 });
  return { counters, close: () => client.endAsync() };
}
