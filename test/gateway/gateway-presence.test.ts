/** A gateway says at a broker whether it is there (PROTOCOL.md section 7). */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import mqtt from "mqtt";
import { expect, test } from "vitest";
import { startBroker } from "../../gateway/broker.ts";
import { attachMqtt } from "../../gateway/sources/mqtt.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeGatewayState, type GatewayState } from "../../protocol/gateway-state.ts";
import { kidText } from "../../protocol/keys.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createTestGateway } from "../support/gateway.ts";

const signer = testOnlySigner("present gateway");
const topic = `vsp/1/test/gw/${kidText(signer.kid)}/s`;
const clientId = `gw-${kidText(signer.kid)}`;

/** A broker without rules, whose cables can be pulled, and somebody who looks. */
async function openWorld() {
  const aedes = await Aedes.createBroker();
  const sockets = new Map<string, Socket>();
  let newest: Socket;
  aedes.on("client", (client) => void sockets.set(client.id, newest));
  const server = createServer((socket) => {
    newest = socket;
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const watcher = await mqtt.connectAsync(url, { clientId: "watcher", reconnectPeriod: 0 });
  const seen: { state: GatewayState; retained: boolean }[] = [];
  let look = () => {};
  watcher.on("message", (_topic, payload, { retain }) => {
    seen.push({ state: decodeGatewayState(payload, signer.publicKey, nodeCrypto), retained: retain });
    look();
  });
  return {
    url,
    watch: () => watcher.subscribeAsync(topic, { qos: 1 }),
    /** The state that is seen as the n-th. */
    nth: (n: number) =>
      new Promise<{ state: GatewayState; retained: boolean }>((resolve) => {
        look = () => {
          if (seen.length > n) resolve(seen[n]);
        };
        look();
      }),
    pull: (id: string) => sockets.get(id)!.destroy(),
    async close() {
      await watcher.endAsync(true);
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets.values()) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test("online is retained, a death leaves the will of its own connection, a new connection is newer, the goodbye is told", async () => {
  const world = await openWorld();
  let now = 1_800_000_000_000;
  const state = { signer, now: () => now };
  const { gateway } = createTestGateway();
  const source = await attachMqtt(gateway, { url: world.url, site: "test", clientId, state, onReport: () => {} });
  await world.watch();
  const first = await world.nth(0);
  expect(first.state).toEqual({ state: 1, since: now });
  now += 60_000;
  world.pull(clientId);
  expect((await world.nth(1)).state).toEqual({ state: 0, since: first.state.since });
  // It connects again by itself.
  expect((await world.nth(2)).state).toEqual({ state: 1, since: now });
  await source.close();
  expect((await world.nth(3)).state).toEqual({ state: 2, since: now });
  await world.watch();
  expect(await world.nth(4)).toEqual({ state: { state: 2, since: now }, retained: true });
  await world.close();
});

test("the embedded broker lets a gateway say so, and nobody else", async () => {
  const refusals: string[] = [];
  const device = "0011223344556677";
  const broker = await startBroker({
    site: "test",
    gatewayId: clientId,
    enrolled: (kid) => kid === device,
    onRefused: (sentence) => refusals.push(sentence),
  });
  const { gateway } = createTestGateway();
  const state = { signer, now: () => 1 };
  const source = await attachMqtt(gateway, { url: broker.url, site: "test", clientId, state });
  const client = await mqtt.connectAsync(broker.url, { clientId: device, username: device, reconnectPeriod: 0 });
  const gone = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.publish(topic, "forged", { qos: 1, retain: true });
  await gone;
  expect(refusals).toEqual([expect.stringContaining(topic)]);
  await client.endAsync(true);
  await source.close();
  expect(refusals).toHaveLength(1);
  await broker.close();
});
