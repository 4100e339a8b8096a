/**
 * PROTOCOL.md section 10: a stranger, or another board, at the broker. What meets it: client certificates, whose common name is
 * client id, user name and topic. What the rules refuse by themselves: test/gateway/broker-rules.test.ts; mosquitto:
 * test/cli/broker-config.test.ts.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import mqtt, { type IClientOptions, MqttClient } from "mqtt";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createMqttLink } from "../../firmware/transports/host/mqtt.ts";
import { type Broker, type BrokerOptions, startBroker } from "../../gateway/broker.ts";
import { makeCertificates, oneMore, texts } from "../support/certificates.ts";
import { lacks } from "../support/needs.ts";

const KID = "8b13b7d2640083e6";
const OTHER = "1563545644dd02b0";
const GATEWAY = "7f0da1e4b2ac72f5";

describe.skipIf(lacks("openssl"))("a broker with certificates", () => {
  let folder: string;
  let foreign: string;
  let broker: Broker;
  /** What the newest broker tells its log. */
  let said: string[] = [];
  const clients: MqttClient[] = [];
  const revoked = new Set<string>();

  beforeAll(() => {
    const root = mkdtempSync(join(tmpdir(), "vitalwire-"));
    folder = makeCertificates(root, { board: KID, gateway: GATEWAY });
    foreign = makeCertificates(mkdtempSync(join(root, "other-")), { board: KID, gateway: GATEWAY, ed25519: true });
    return () => rmSync(root, { recursive: true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
    await broker.close();
    revoked.clear();
  });

  const start = async (options: Partial<BrokerOptions> = {}) => {
    const lines: string[] = [];
    said = lines;
    broker = await startBroker({
      site: "test",
      gatewayId: `gw-${GATEWAY}`,
      enrolled: (kid) => [KID, OTHER].includes(kid),
      revoked: (kid) => revoked.has(kid),
      tls: texts(folder, "broker.crt", "broker.key"),
      onRefused: (sentence) => lines.push(sentence),
      ...options,
    });
  };
  const board = () => texts(folder, `${KID}/client.crt`, `${KID}/client.key`);
  /** Resolves when the broker has let it in, rejects when it is closed. */
  const enterAt = (url: string, options: IClientOptions) =>
    new Promise<MqttClient>((resolve, reject) => {
      const client = mqtt.connect(url, { protocolVersion: 4, reconnectPeriod: 0, ...options });
      clients.push(client);
      client.once("connect", () => resolve(client));
      client.once("error", reject);
      client.once("close", () => reject(new Error("closed")));
    });
  const enter = (
    { ca, certificate, key }: { ca: string; certificate?: string; key?: string },
    id = KID,
    options: IClientOptions = {},
  ) =>
    enterAt(`mqtts://localhost:${broker.port}`, {
      clientId: id,
      username: id,
      ca,
      ...(certificate !== undefined && { cert: certificate }),
      ...(key !== undefined && { key }),
      ...options,
    });
  const closing = (client: MqttClient) => new Promise<void>((resolve) => client.once("close", resolve));
  const told = async (count = 1) => {
    while (said.length < count) await new Promise((resolve) => setImmediate(resolve));
    return said;
  };

  test("a board with its certificate gets in, and a gateway over the network with its own", async () => {
    await start();
    expect(broker.url).toBe(`mqtts://127.0.0.1:${broker.port}`);
    expect((await enter(board())).connected).toBe(true);
    expect((await enter(texts(folder, "gateway.crt", "gateway.key"), `gw-${GATEWAY}`)).connected).toBe(true);
    expect(said).toEqual([]);
  });

  test.each([
    [
      "another authority's",
      () => ({ ...texts(foreign, `${KID}/client.crt`, `${KID}/client.key`), ca: board().ca }),
      "its certificate is not by this broker's certificate authority",
    ],
    ["no", () => ({ ca: board().ca }), "it shows no certificate"],
    [
      "an expired",
      () => oneMore(folder, KID, "client.ext", ["-days", "-1"]),
      "its certificate has expired: make it a new one",
    ],
    [
      "a server's",
      () => oneMore(folder, KID, "broker.ext"),
      "its certificate is not for a client (extendedKeyUsage clientAuth)",
    ],
    ["another board's", () => oneMore(folder, OTHER), `calls itself "${KID}", its certificate is for "${OTHER}"`],
    [
      "the gateway's",
      () => texts(folder, "gateway.crt", "gateway.key"),
      `calls itself "${KID}", its certificate is for "gw-${GATEWAY}"`,
    ],
    ["a two-named", () => oneMore(folder, `${KID}/CN=${OTHER}`), `calls itself "${KID}", its certificate is for ""`],
  ])("a client with %s certificate is refused, and the log says why", async (_what, credentials, sentence) => {
    await start();
    await expect(enter(credentials())).rejects.toThrow();
    expect(await told()).toEqual([`127.0.0.1: refused: ${sentence}`]);
  });

  test("plain MQTT to the TLS port is refused, and so is TLS 1.1", async () => {
    await start();
    await expect(enterAt(`mqtt://localhost:${broker.port}`, {})).rejects.toThrow();
    expect(await told()).toEqual(["127.0.0.1: refused: it does not speak TLS: mqtts:// is spoken here, not mqtt://"]);
    const { ca } = board();
    const old = { ca, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
    await expect(once(connectTls({ port: broker.port, host: "localhost", ...old }), "secureConnect")).rejects.toThrow();
    expect((await told(2))[1]).toBe("127.0.0.1: refused: it speaks no TLS from 1.2 on");
  });

  test("a client does not believe a broker of another authority, of another name, or that shows a board's certificate", async () => {
    await start();
    await expect(enter({ ...board(), ca: texts(foreign, "ca.crt", "ca.key").ca })).rejects.toThrow(/certificate/);
    expect(await told()).toEqual([
      "127.0.0.1: refused: it went away during the handshake; does it trust this broker's CA?",
    ]);
    await expect(enter(board(), KID, { servername: "elsewhere.example" })).rejects.toThrow(/altnames/);
    await broker.close();
    await start({ tls: oneMore(folder, "localhost") });
    await expect(enter(board())).rejects.toThrow(/purpose/);
  });

  test("a board that is revoked while it is connected is thrown out, and does not get in again", async () => {
    await start();
    const client = await enter(board());
    broker.review();
    expect(client.connected).toBe(true);
    revoked.add(KID);
    const closed = closing(client);
    broker.review();
    await closed;
    await expect(enter(board())).rejects.toThrow(/[Nn]ot authorized/);
    expect(said).toEqual([`${KID}: thrown out: it is revoked`, `127.0.0.1: refused: "${KID}" is revoked`]);
  });

  test("one that is revoked and speaks before anybody looked is thrown out by its first word", async () => {
    await start();
    const client = await enter(board());
    revoked.add(KID);
    const closed = closing(client);
    client.publish(`vsp/1/test/${KID}/d`, "x", { qos: 1 });
    await closed;
    expect(said).toEqual([`${KID}: thrown out: is revoked`]);
  });

  test("a broker that is not told whose certificates count does not start", async () => {
    const { certificate, key } = texts(folder, "broker.crt", "broker.key");
    await expect(start({ tls: { certificate, key } })).rejects.toThrow("TLS takes ca, certificate and key, all three");
    await start();
  });

  test("a board with a certificate of its own speaks and hears as itself alone", async () => {
    await start();
    const other = oneMore(folder, OTHER);
    for (const topic of [`vsp/1/test/${KID}/d`, `vsp/1/test/${OTHER}/c`, `vsp/1/test/gw/${GATEWAY}/s`]) {
      const client = await enter(other, OTHER);
      const closed = closing(client);
      client.publish(topic, "x", { qos: 1 });
      await closed;
      expect(said.pop()).toBe(`${OTHER}: thrown out: publishes on "${topic}"`);
    }
    const client = await enter(other, OTHER);
    for (const filter of [`vsp/1/test/${KID}/c`, "vsp/1/test/+/d", "#", `$share/ingest/vsp/1/test/+/d`]) {
      const granted = await client.subscribeAsync(filter, { qos: 1 }).catch(() => [{ qos: 128 }]);
      expect(
        granted.every(({ qos }) => qos === 128),
        filter,
      ).toBe(true);
      expect(said.pop()).toBe(`${OTHER}: may not subscribe to "${filter}"`);
    }
  });

  test("a board's link over TLS is let in as soon as its board is enrolled", async () => {
    const enrolled = new Set<string>();
    await start({ enrolled: (kid) => enrolled.has(kid) });
    const link = createMqttLink({ url: `mqtts://localhost:${broker.port}`, site: "test", kid: KID, tls: board() });
    const heard: string[] = [];
    const up = new Promise<void>((resolve) =>
      link.open(
        {
          onUp: () => resolve(),
          onDown: () => {},
          onMessage: (message) => heard.push(Buffer.from(message).toString()),
        },
        () => Uint8Array.of(1),
      ),
    );
    await told();
    enrolled.add(KID);
    await up;
    expect(said).toEqual([`127.0.0.1: refused: "${KID}" is not enrolled`]);
    const gateway = new MqttClient(() => broker.connect(), {
      clientId: `gw-${GATEWAY}`,
      username: `gw-${GATEWAY}`,
      protocolVersion: 4,
    });
    clients.push(gateway);
    const arrived = new Promise<void>((resolve) => gateway.on("message", () => resolve()));
    await gateway.subscribeAsync("vsp/1/test/+/d", { qos: 1 });
    await gateway.publishAsync(`vsp/1/test/${KID}/c`, "command", { qos: 1 });
    while (heard.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(link.send("d", Uint8Array.of(2))).toBe(true);
    await arrived;
    expect(heard).toEqual(["command"]);
    await new Promise<void>((resolve) => link.close(resolve));
  });
});
