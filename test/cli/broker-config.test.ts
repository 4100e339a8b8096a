/** vitalwire broker-config: what it writes, and a real mosquitto that is given it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type BrokerConfigOptions, writeBrokerConfig } from "../../cli/broker-config.ts";
import { writeCards } from "../../cli/keys.ts";
import { testCard, testSite } from "../../cli/site.ts";
import { UsageError } from "../../cli/usage.ts";
import { createMqttLink } from "../../firmware/transports/host/mqtt.ts";
import { encodeRevocations } from "../../protocol/crl.ts";
import { kidText } from "../../protocol/keys.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { makeCertificates, oneMore, texts } from "../support/certificates.ts";
import { lacks } from "../support/needs.ts";
import { freePort, killAll, type Running, run, vitalwire } from "../support/process.ts";

const [a, b, lost, gateway] = ["a", "b", "lost", "gateway"].map((name) => testOnlySigner("broker-config", name));
const [A, B, LOST, GATEWAY] = [a, b, lost, gateway].map((signer) => kidText(signer!.kid)) as [
  string,
  string,
  string,
  string,
];
const T = 1_800_000_000;

let folder: string;
let out: string;
let port: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
  out = join(folder, "out");
  port = await freePort();
  const card = (signer: typeof a, role: "device" | "gateway") => ({
    kid: signer!.kid,
    card: testCard(signer!, role, T * 1000),
  });
  writeCards(folder, testSite.publicKey, [
    card(b, "device"),
    card(a, "device"),
    card(lost, "device"),
    card(gateway, "gateway"),
  ]);
  const revoked = [{ kid: lost!.kid, reason: 1, time: T }];
  writeFileSync(
    join(folder, "revoked.crl"),
    encodeRevocations({ issuer: "TEST-ONLY demo", issuedAt: T, number: 1, revoked }, testSite),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (change: Partial<BrokerConfigOptions> = {}) =>
  writeBrokerConfig({
    broker: "mosquitto",
    cards: folder,
    out,
    site: "ward-3",
    install: "/etc/mosquitto/vitalwire",
    port,
    allowTestKeys: true,
    ...change,
  });

test("an ACL from the cards: each device its own topics, the gateway what it needs, the revoked nothing; the same bytes again", async () => {
  const words = ["broker-config", "--broker", "mosquitto", "--cards", folder, "--out", out, "--site", "ward-3"];
  const one = vitalwire(...words, "--port", String(port), "--allow-test-keys", "--json");
  expect(await one.ended()).toBe(0);
  expect(JSON.parse(one.stdout())).toMatchObject({ site: "ward-3", devices: [A, B].sort(), gateways: [GATEWAY] });
  const names = ["mosquitto.conf", "vitalwire.acl", "README.md"];
  const first = names.map((name) => readFileSync(join(out, name), "utf8"));
  const [conf, acl] = first as [string, string, string];
  const rights = (kid: string) =>
    acl
      .split("\n\n")
      .find((block) => block.startsWith(`user ${kid}\n`))
      ?.trimEnd()
      .split("\n")
      .slice(1);
  expect(rights(A)).toEqual([
    `topic write vsp/1/ward-3/${A}/d`,
    `topic write vsp/1/ward-3/${A}/b`,
    `topic write vsp/1/ward-3/${A}/w`,
    `topic read vsp/1/ward-3/${A}/c`,
  ]);
  expect(rights(`gw-${GATEWAY}`)).toEqual([
    "topic read vsp/1/ward-3/+/d",
    "topic read vsp/1/ward-3/+/b",
    "topic read vsp/1/ward-3/+/w",
    "topic write vsp/1/ward-3/+/c",
    `topic write vsp/1/ward-3/gw/${GATEWAY}/s`,
  ]);
  expect(acl).not.toContain(LOST);
  for (const line of [
    "require_certificate true",
    "use_identity_as_username true",
    "use_username_as_clientid true",
    "allow_anonymous false",
    "tls_version tlsv1.2",
  ])
    expect(conf.split("\n")).toContain(line);
  write();
  expect(names.map((name) => readFileSync(join(out, name), "utf8"))).toEqual(first);
});

test("TEST-ONLY cards, and names that no topic or path can hold, are refused by their words", () => {
  expect(() => write({ allowTestKeys: false })).toThrow(/a TEST-ONLY key; give --allow-test-keys/);
  for (const [change, words] of [
    [{ site: "a/+" }, /--site "a\/\+": letters, digits/],
    [{ install: "/a\nacl_file /b" }, /--install .*: a path from \/ on/],
    [{ install: "relative" }, /--install .*: a path from \/ on/],
  ] as const) {
    expect(() => write(change)).toThrow(words);
    expect(() => write(change)).toThrow(UsageError);
  }
});

test("a card that the site has not signed gives no right, and a revocation list that it has not signed stops all", () => {
  const card = join(folder, "cards", "1111111111111111.card");
  writeFileSync(card, "no card");
  expect(write()).toMatchObject({ strangers: 1, document: { devices: [A, B].sort() } });
  rmSync(card);
  const list = join(folder, "revoked.crl");
  const bytes = readFileSync(list);
  writeFileSync(list, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
  expect(() => write()).toThrow(/revoked\.crl: .*signature/);
  writeFileSync(list, bytes);
});

describe.skipIf(lacks("mosquitto") || lacks("openssl"))("a real mosquitto", () => {
  let tls: string;
  let broker: Running;
  const clients: MqttClient[] = [];
  beforeAll(async () => {
    tls = makeCertificates(folder, { board: A, gateway: GATEWAY });
    write({ install: tls });
    const conf = readFileSync(join(out, "mosquitto.conf"), "utf8")
      .replace(/^persistence_location .*$/m, `persistence_location ${folder}/`)
      .replace(/^listener (\d+)$/m, "listener $1 127.0.0.1");
    writeFileSync(join(tls, "vitalwire.acl"), readFileSync(join(out, "vitalwire.acl")));
    // Where it is started by root it would run as another user, who may not read this test's files.
    writeFileSync(join(folder, "mosquitto.conf"), `${conf}user ${userInfo().username}\n`);
    broker = run("/usr/sbin/mosquitto", ["-c", join(folder, "mosquitto.conf")]);
    await broker.printed(/mosquitto version .* running/);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
  });
  afterAll(killAll);

  const enter = (
    credentials: { ca: string; certificate?: string; key?: string },
    id: string,
    protocolVersion: 4 | 5 = 4,
  ) =>
    new Promise<MqttClient>((resolve, reject) => {
      const client = mqtt.connect(`mqtts://localhost:${port}`, {
        clientId: id,
        username: id,
        protocolVersion,
        reconnectPeriod: 0,
        ca: credentials.ca,
        ...(credentials.certificate && { cert: credentials.certificate }),
        ...(credentials.key && { key: credentials.key }),
      });
      clients.push(client);
      client.once("connect", () => resolve(client));
      client.once("error", reject);
      client.once("close", () => reject(new Error("closed")));
    });
  const board = () => texts(tls, `${A}/client.crt`, `${A}/client.key`);
  const asGateway = () => enter(texts(tls, "gateway.crt", "gateway.key"), `gw-${GATEWAY}`);
  /** All that a client hears from now on, topic and payload. */
  const heard = (client: MqttClient) => {
    const all: string[] = [];
    client.on("message", (topic, payload) => all.push(`${topic.replace("vsp/1/ward-3/", "")} ${payload}`));
    return all;
  };
  const until = async (all: string[], word: string) => {
    while (!all.some((line) => line.endsWith(` ${word}`))) await new Promise((resolve) => setImmediate(resolve));
  };

  test("lets a board in by its certificate, and refuses none, an expired one and one that is for servers", async () => {
    expect((await enter(board(), A)).connected).toBe(true);
    await expect(enter({ ca: board().ca }, A)).rejects.toThrow();
    await expect(enter(oneMore(tls, A, "client.ext", ["-days", "-1"]), A)).rejects.toThrow();
    await expect(enter(oneMore(tls, A, "broker.ext"), A)).rejects.toThrow();
  });

  test("calls a client what its certificate says, whatever it calls itself: another board's name gives no right", async () => {
    const posing = await enter(board(), B);
    const ears = await asGateway();
    const all = heard(ears);
    await ears.subscribeAsync(["vsp/1/ward-3/+/d", "vsp/1/ward-3/+/b"], { qos: 1 });
    await posing.publishAsync(`vsp/1/ward-3/${B}/d`, "forged", { qos: 1 });
    await posing.publishAsync(`vsp/1/ward-3/${A}/d`, "own", { qos: 1 });
    await until(all, "own");
    expect(all).toEqual([`${A}/d own`]);
  });

  test("lets a device hear its own commands only, and publish none; the gateway publishes no data", async () => {
    const ears = await enter(board(), A);
    const all = heard(ears);
    for (const filter of ["#", `vsp/1/ward-3/${B}/c`, "vsp/1/ward-3/+/d", "vsp/1/ward-3/+/c"])
      await ears.subscribeAsync(filter, { qos: 1 });
    const other = await enter(oneMore(tls, B), B);
    const mouth = await asGateway();
    const data = heard(mouth);
    await mouth.subscribeAsync("vsp/1/ward-3/+/d", { qos: 1 });
    await other.publishAsync(`vsp/1/ward-3/${B}/d`, "data", { qos: 1 });
    await other.publishAsync(`vsp/1/ward-3/${A}/c`, "by a device", { qos: 1 });
    await ears.publishAsync(`vsp/1/ward-3/${A}/c`, "by itself", { qos: 1 });
    await mouth.publishAsync(`vsp/1/ward-3/${A}/d`, "by the gateway", { qos: 1 });
    await mouth.publishAsync(`vsp/1/ward-3/${B}/c`, "for the other", { qos: 1 });
    await mouth.publishAsync(`vsp/1/ward-3/${A}/c`, "command", { qos: 1 });
    await until(all, "command");
    await until(data, "data");
    expect(new Set(all)).toEqual(new Set([`${A}/c command`]));
    expect(data).toEqual([`${B}/d data`]);
  });

  test("ends the connection of who sends a packet that is too long, or with quality of service 2", async () => {
    for (const [payload, qos] of [
      [Buffer.alloc(4200), 1],
      ["x", 2],
    ] as const) {
      const client = await enter(board(), A);
      const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
      client.publish(`vsp/1/ward-3/${A}/d`, payload, { qos });
      await closed;
    }
    const client = await enter(board(), A);
    await client.publishAsync(`vsp/1/ward-3/${A}/d`, Buffer.alloc(4096), { qos: 1 });
    expect(client.connected).toBe(true);
  });

  test("shares the gateways' work, and loses what falls to a member that may not read it: as the README warns", async () => {
    const worker = await asGateway();
    const all = heard(worker);
    const share = "$share/ingest/vsp/1/ward-3/+/d";
    await worker.subscribeAsync(share, { qos: 1 });
    const thief = await enter(oneMore(tls, B), B);
    const stolen = heard(thief);
    const client = await enter(board(), A);
    const send = async (word: string) => {
      for (let i = 0; i < 10; i++) await client.publishAsync(`vsp/1/ward-3/${A}/d`, word, { qos: 1 });
    };
    await send("alone");
    await thief.subscribeAsync(share, { qos: 1 });
    await send("shared");
    await thief.unsubscribeAsync(share);
    await send("end");
    while (all.filter((line) => line.endsWith("end")).length < 10)
      await new Promise((resolve) => setImmediate(resolve));
    expect(all.filter((line) => line.endsWith("alone"))).toHaveLength(10);
    expect(all.filter((line) => line.endsWith("shared"))).toHaveLength(5);
    expect(stolen).toEqual([]);
    await worker.unsubscribeAsync(share);
  });

  test("keeps a command that somebody has retained, and the board's link does not take it", async () => {
    const mouth = await asGateway();
    const topic = `vsp/1/ward-3/${A}/c`;
    await mouth.publishAsync(topic, "old", { qos: 1, retain: true });
    const link = createMqttLink({ url: `mqtts://localhost:${port}`, site: "ward-3", kid: A, tls: board() });
    const all: string[] = [];
    const up = new Promise<void>((resolve) =>
      link.open(
        { onUp: () => resolve(), onDown: () => {}, onMessage: (message) => all.push(Buffer.from(message).toString()) },
        () => Uint8Array.of(1),
      ),
    );
    await up;
    await mouth.publishAsync(topic, "new", { qos: 1 });
    while (!all.includes("new")) await new Promise((resolve) => setImmediate(resolve));
    expect(all).toEqual(["new"]);
    await mouth.publishAsync(topic, "", { qos: 1, retain: true });
    await new Promise<void>((resolve) => link.close(resolve));
  });

  test("drops what a revoked board publishes as soon as its new ACL is read", async () => {
    const ears = await asGateway();
    const all = heard(ears);
    await ears.subscribeAsync("vsp/1/ward-3/+/d", { qos: 1 });
    const client = await enter(board(), A);
    const other = await enter(oneMore(tls, B), B);
    await client.publishAsync(`vsp/1/ward-3/${A}/d`, "before", { qos: 1 });
    const acl = join(tls, "vitalwire.acl");
    const blocks = readFileSync(acl, "utf8").split("\n\n");
    writeFileSync(acl, blocks.filter((block) => !block.startsWith(`user ${A}\n`)).join("\n\n"));
    broker.process.kill("SIGHUP");
    await broker.printed(/Reloading config/);
    // The reload is done in the broker's own loop: what comes after one full round is judged anew.
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    const round = other.publishAsync(`vsp/1/ward-3/${B}/d`, "round", { qos: 1 });
    await round;
    await Promise.race([client.publishAsync(`vsp/1/ward-3/${A}/d`, "after", { qos: 1 }).catch(() => {}), closed]);
    await other.publishAsync(`vsp/1/ward-3/${B}/d`, "end", { qos: 1 });
    await until(all, "end");
    expect(all).toEqual([`${A}/d before`, `${B}/d round`, `${B}/d end`]);
  });
});
