/** The embedded broker with TLS: who gets in, by what certificate, and what happens to the rest. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
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
});
