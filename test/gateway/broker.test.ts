/** The embedded broker's rules, by real clients on loopback (PROTOCOL.md section 7). */
import { connect as connectTcp } from "node:net";
import mqtt, { type IClientOptions, MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Broker, startBroker } from "../../gateway/broker.ts";
import { attachMqtt, type MqttSource } from "../../gateway/sources/mqtt.ts";
import { kidText } from "../../protocol/keys.ts";
import { createTestDevice, createTestGateway } from "../support/gateway.ts";

const device = createTestDevice("a");
const other = createTestDevice("b");
const kid = kidText(device.kid);
const otherKid = kidText(other.kid);
let broker: Broker;
let source: MqttSource;
let bench: ReturnType<typeof createTestGateway>;
const clients: MqttClient[] = [];
/** What the broker tells its log. */
const said: string[] = [];

beforeEach(async () => {
  bench = createTestGateway();
  device.enrollAt(bench.gateway);
  other.enrollAt(bench.gateway);
  said.length = 0;
  broker = await startBroker({
    site: "test",
    gatewayId: "gateway",
    enrolled: (id) => [kid, otherKid].includes(id),
    onRefused: (sentence) => said.push(sentence),
  });
  source = await attachMqtt(bench.gateway, { url: broker.url, site: "test", clientId: "gateway" });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  await source.close();
  await broker.close();
});

const connect = async (id: string, username = id) => {
  const client = await mqtt.connectAsync(broker.url, {
    clientId: id,
    username,
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  clients.push(client);
  return client;
};
/** Publishes and waits until the broker has taken it, or has thrown the client out. */
const publish = (client: MqttClient, topic: string, payload: Uint8Array) =>
  new Promise<"taken" | "thrown out">((resolve) => {
    client.once("close", () => resolve("thrown out"));
    client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
      if (!error) resolve("taken");
    });
  });
/** Until the gateway has seen that many messages of a device; bounded by the test's own limit. */
const received = async (id: string, count: number) => {
  while (source.counters(id).received < count) await new Promise((resolve) => setImmediate(resolve));
};

test("a device's messages reach the gateway by its own topics, and acks come back to it alone", async () => {
  const client = await connect(kid);
  const acks: Buffer[] = [];
  client.on("message", (_topic, payload) => acks.push(payload));
  await client.subscribeAsync(`vsp/1/test/${kid}/c`, { qos: 1 });
  expect(await publish(client, `vsp/1/test/${kid}/b`, device.seal(device.birth()))).toBe("taken");
  await received(kid, 1);
  bench.settle();
  while (acks.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(source.counters(kid)).toMatchObject({ received: 1, verified: 1 });
});

test("a device that publishes on another device's topic is thrown out, and the gateway never sees it", async () => {
  const client = await connect(kid);
  expect(await publish(client, `vsp/1/test/${otherKid}/b`, device.seal(device.birth()))).toBe("thrown out");
  expect(source.counters(otherKid).received).toBe(0);
});

test("a broker that lets it through does not help: the gateway refuses the message as topic", async () => {
  // Another device's own connection carries this device's message.
  const client = await connect(otherKid);
  expect(await publish(client, `vsp/1/test/${otherKid}/b`, device.seal(device.birth()))).toBe("taken");
  await received(otherKid, 1);
  expect(source.counters(otherKid).refused.topic).toBe(1);
  expect(bench.stored).toHaveLength(0);
});

test("who is not enrolled, or comes under another name than its client id, is not let in", async () => {
  for (const [id, username] of [
    ["0011223344556677", "0011223344556677"],
    [kid, otherKid],
    ["nobody", "gateway"],
  ]) {
    await expect(connect(id, username)).rejects.toThrow(/[Nn]ot authorized/);
  }
});

test("a device hears its own commands only: not another's, not a wildcard, not a shared subscription", async () => {
  const client = await connect(kid);
  for (const topic of [
    `vsp/1/test/${otherKid}/c`,
    "vsp/1/test/+/c",
    "#",
    `$share/x/vsp/1/test/${kid}/c`,
    `vsp/1/test/${kid}/d`,
  ]) {
    const granted = await client.subscribeAsync(topic, { qos: 1 }).catch(() => [{ qos: 128 }]);
    expect(
      granted.every(({ qos }) => qos === 128),
      topic,
    ).toBe(true);
  }
});

test("a packet too long for the protocol throws its sender out before it is read, and the gateway never sees it", async () => {
  const client = await connect(kid);
  const topic = `vsp/1/test/${kid}/d`;
  expect(await publish(client, topic, new Uint8Array(4096))).toBe("taken");
  await received(kid, 1);
  expect(await publish(client, topic, new Uint8Array(4097))).toBe("thrown out");
  expect(said).toEqual([`${kid}: thrown out: a packet of 4130 bytes, 4129 is most`]);
  expect(source.counters(kid)).toMatchObject({ received: 1, refused: { size: 0 } });
});

test("the gateway's own client cannot publish a device's data, nor have a command retained", async () => {
  await source.close();
  for (const [topic, retain, words] of [
    [`vsp/1/test/${kid}/d`, false, `publishes on "vsp/1/test/${kid}/d"`],
    [`vsp/1/test/${kid}/c`, true, "to be retained: a command must not meet a later boot"],
  ] as const) {
    const gateway = await connect("gateway");
    const thrownOut = new Promise<void>((resolve) => gateway.once("close", resolve));
    gateway.publish(topic, "x", { qos: 1, retain });
    await thrownOut;
    expect(said.pop()).toContain(words);
  }
  // Nothing of it is kept for whoever comes.
  const late = await connect(kid);
  const heard: string[] = [];
  late.on("message", (topic) => heard.push(topic));
  await late.subscribeAsync(`vsp/1/test/${kid}/c`, { qos: 1 });
  expect(await publish(late, `vsp/1/test/${kid}/d`, Uint8Array.of(1))).toBe("taken");
  expect(heard).toEqual([]);
});

test("a session that is kept, a will on another's topic and a keepalive of none are refused at the door", async () => {
  const enter = (options: IClientOptions) =>
    mqtt.connectAsync(broker.url, {
      clientId: kid,
      username: kid,
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...options,
    });
  await expect(enter({ clean: false })).rejects.toThrow(/[Nn]ot authorized/);
  const will = { topic: `vsp/1/test/${otherKid}/w`, payload: Buffer.from("x"), qos: 1 as const, retain: true };
  await expect(enter({ will })).rejects.toThrow(/[Nn]ot authorized/);
  await expect(enter({ keepalive: 0 })).rejects.toThrow(/Connection refused/);
  expect(said).toEqual([
    `127.0.0.1: refused: "${kid}" asks for a session that is kept: a device connects with clean session 1`,
    `127.0.0.1: refused: "${kid}": its will publishes on "vsp/1/test/${otherKid}/w"`,
    "127.0.0.1: refused: keepalive of 0 s; 1 to 300 is taken",
  ]);
});

test("a device that dies leaves its will, one that is thrown out as revoked does not", async () => {
  let revoked = false;
  const wills: string[] = [];
  const strict = await startBroker({
    site: "test",
    gatewayId: "gateway",
    enrolled: (id) => [kid, otherKid].includes(id),
    revoked: (id) => revoked && id === kid,
  });
  const gateway = new MqttClient(() => strict.connect(), {
    clientId: "gateway",
    username: "gateway",
    protocolVersion: 4,
  });
  gateway.on("message", (topic) => wills.push(topic));
  await gateway.subscribeAsync("vsp/1/test/+/w", { qos: 1 });
  const enter = (id: string) =>
    mqtt.connectAsync(strict.url, {
      clientId: id,
      username: id,
      protocolVersion: 4,
      reconnectPeriod: 0,
      will: { topic: `vsp/1/test/${id}/w`, payload: Buffer.from("x"), qos: 1, retain: true },
    });
  const one = await enter(kid);
  const two = await enter(otherKid);
  revoked = true;
  const thrownOut = new Promise<void>((resolve) => one.once("close", resolve));
  strict.review();
  await thrownOut;
  two.stream.destroy();
  while (wills.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(wills).toEqual([`vsp/1/test/${otherKid}/w`]);
  await gateway.endAsync(true);
  await strict.close();
});

test("connections have a number, and who is one too many is told to the log", async () => {
  const lines: string[] = [];
  const small = await startBroker({
    site: "test",
    gatewayId: "gateway",
    enrolled: () => true,
    connections: 1,
    onRefused: (line) => lines.push(line),
  });
  const first = connectTcp(small.port, "127.0.0.1");
  await new Promise((resolve) => first.once("connect", resolve));
  const second = connectTcp(small.port, "127.0.0.1");
  second.on("error", () => {});
  await new Promise((resolve) => second.once("close", resolve));
  expect(lines).toEqual(["127.0.0.1: refused: 1 connections are open already"]);
  first.destroy();
  await small.close();
});

test("what is no MQTT, or no first packet of it, ends its own connection and nothing else", async () => {
  const client = await connect(kid);
  for (const bytes of [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]),
    Buffer.from([0x82, 3, 0, 1, 0]),
    Buffer.from([0x10, 2, 0, 0]),
    Buffer.alloc(3000, 0xff),
  ]) {
    const socket = connectTcp(broker.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(bytes);
    await new Promise((resolve) => socket.once("close", resolve));
  }
  expect(await publish(client, `vsp/1/test/${kid}/d`, Uint8Array.of(1))).toBe("taken");
});
