/** Board and gateway as two processes: whatever is killed or unplugged, the record has no hole. */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { channelName, readBoot } from "../../gateway/read.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { fromHex } from "../../protocol/keys.ts";
import { decodeDisowned } from "../../protocol/messages.ts";
import { ownFolder } from "../support/folder.ts";
import { lacks } from "../support/needs.ts";
import { freePort, type Running, run, vitalwire } from "../support/process.ts";

const folder = ownFolder();

/** How often the gateway dies, and for how long each lives after its first packet, ms. */
const KILLS = 10;
const LIFE = 1200;

const store = () => join(folder(), "s.db");
const simulate = (out: string, seconds: number) =>
  vitalwire("simulate", "--out", out, "--cards", folder(), "--seconds", String(seconds), "--json");
const gateway = (...options: string[]) =>
  vitalwire("gateway", "--store", store(), "--cards", folder(), "--allow-test-keys", "--port", "0", ...options);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** A message of the board has become durable. */
const stored = (one: Running) => one.printed(/board [0-9a-f]{16}: (boot|heard)/);

interface SimulationReport {
  kid: string;
  boot: number;
  packets: { produced: number; waiting: number };
  channels: { name: string; samples: number; sourceSha256: string }[];
}

/** The board has ended by itself, the gateway is asked to; the store is compared with what the converters gave. */
async function expectWhole(board: Running, last: Running): Promise<void> {
  expect(await board.ended(60_000)).toBe(0);
  last.process.kill("SIGINT");
  expect(await last.ended(5000)).toBe(130);
  const report = JSON.parse(board.stdout()) as SimulationReport;
  expect(report.packets.waiting).toBe(0);
  const verify = vitalwire("verify", "--store", store(), "--site", join(folder(), "site.pub"), "--json");
  expect(await verify.ended()).toBe(0);
  const document = JSON.parse(verify.stdout());
  expect(document).toMatchObject({ failed: [], gaps: 0, duplicates: 0, audit: "whole" });
  const open = openSqliteStore(store(), { readonly: true });
  const boot = readBoot(open, fromHex(report.kid), report.boot)!;
  open.close();
  expect(boot.messages).toBe(report.packets.produced);
  for (const { name, samples, sourceSha256 } of report.channels) {
    const hash = createHash("sha256");
    let count = 0;
    for (const channel of boot.channels.values()) {
      if (channelName(channel) !== name) continue;
      for (const block of channel.blocks) {
        count += block.samples.length;
        for (const sample of block.samples) hash.update(Buffer.from(Int32Array.of(sample).buffer));
      }
    }
    expect({ name, count, hash: hash.digest("hex") }).toEqual({ name, count: samples, hash: sourceSha256 });
  }
}

test("a gateway on a pty, killed with -9 and started again ten times, has every sample in the end", async () => {
  const board = simulate("pty", 60);
  const [port] = await board.printed(/\/dev\/pts\/\d+/);
  let one = gateway("--serial", port);
  for (let kill = 0; kill < KILLS; kill++) {
    await stored(one);
    await pause(LIFE);
    one.process.kill("SIGKILL");
    await one.ended();
    one = gateway("--serial", port);
  }
  await expectWhole(board, one);
}, 120_000);

test("a gateway with its own broker, killed with -9 and started again, has every sample in the end", async () => {
  const port = await freePort();
  const config = join(folder(), "gateway.yaml");
  writeFileSync(config, `broker: { embedded: { port: ${port} } }\n`);
  const board = simulate(`mqtt://127.0.0.1:${port}`, 30);
  await board.printed(/TEST-ONLY key/);
  let one = gateway("--config", config);
  for (let kill = 0; kill < 4; kill++) {
    await stored(one);
    await pause(LIFE);
    one.process.kill("SIGKILL");
    await one.ended();
    one = gateway("--config", config);
  }
  await expectWhole(board, one);
}, 120_000);

test("a board whose power is cut while there is no broker has what it measured before in its outbox, and says where it ended", async () => {
  const port = await freePort();
  const out = `mqtt://127.0.0.1:${port}`;
  const config = join(folder(), "gateway.yaml");
  writeFileSync(config, `broker: { embedded: { port: ${port} } }\n`);
  const first = simulate(out, 60);
  await first.printed(/boot 1: a synthetic patient/);
  await pause(8000);
  first.process.kill("SIGKILL");
  await first.ended();
  const receiver = gateway("--config", config);
  await receiver.printed(/page: /);
  const second = simulate(out, 12);
  await second.printed(/boot 2: a synthetic patient/);
  await expectWhole(second, receiver);
  const open = openSqliteStore(store(), { readonly: true });
  const { kid } = JSON.parse(second.stdout()) as SimulationReport;
  const boot = readBoot(open, fromHex(kid), 1)!;
  const told = readBoot(open, fromHex(kid), 2)!.events.flatMap((event) => decodeDisowned(event) ?? []);
  open.close();
  const seconds = [...boot.channels.values()].map(({ blocks, definition }) =>
    blocks.reduce((sum, { samples }) => sum + samples.length / (definition.rateMilliHz / 1000), 0),
  );
  expect(Math.max(...seconds)).toBeGreaterThan(4);
  expect(told).toMatchObject([{ boot: 1, reason: 2, first: boot.messages }]);
}, 120_000);

describe.skipIf(lacks("mosquitto"))("an external broker", () => {
  test("that is killed and started again costs nothing", async () => {
    const port = await freePort();
    const config = join(folder(), "mosquitto.conf");
    writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
    const broker = () => run("/usr/sbin/mosquitto", ["-c", config]);
    let one = broker();
    await one.printed(/mosquitto version .* running/);
    const board = simulate(`mqtt://127.0.0.1:${port}`, 25);
    await board.printed(/TEST-ONLY key/);
    const receiver = gateway("--broker", `mqtt://127.0.0.1:${port}`);
    await stored(receiver);
    for (let kill = 0; kill < 3; kill++) {
      await pause(LIFE);
      one.process.kill("SIGKILL");
      await one.ended();
      await pause(LIFE);
      one = broker();
      await one.printed(/mosquitto version .* running/);
    }
    expect(receiver.output()).toMatch(/broker 127\.0\.0\.1:\d+: .*trying again/);
    await expectWhole(board, receiver);
  }, 120_000);
});

describe.skipIf(lacks("socat"))("a cable", () => {
  test("that is pulled and plugged in again leaves a gap that is named, and filled", async () => {
    const board = simulate("pty", 25);
    const [port] = await board.printed(/\/dev\/pts\/\d+/);
    const end = join(folder(), "tty");
    const plug = async () => {
      const cable = run("socat", ["-d", "-d", `FILE:${port},raw,echo=0`, `PTY,raw,echo=0,link=${end}`]);
      await cable.printed(/starting data transfer loop/);
      return cable;
    };
    let cable = await plug();
    const receiver = gateway("--serial", end);
    await stored(receiver);
    await pause(2000);
    cable.process.kill("SIGKILL");
    await receiver.printed(/tty: unplugged; plug it in again/);
    await receiver.printed(/nothing for \d+ s/);
    await cable.ended();
    rmSync(end, { force: true });
    cable = await plug();
    await receiver.printed(/back after \d+\.\d s; \d+ messages are missing/);
    await receiver.printed(/complete again, nothing is missing/);
    await expectWhole(board, receiver);
    cable.process.kill();
  }, 90_000);
});

test("a port that is not there is named with what to do, and waited for", async () => {
  const board = simulate("pty", 60);
  await board.printed(/\/dev\/pts\/\d+/);
  const receiver = gateway("--serial", join(folder(), "nowhere"));
  await receiver.printed(/nowhere: not there; is the board plugged in\?/);
});

test("two gateways on one store: the second says so and ends", async () => {
  const board = simulate("pty", 60);
  const [port] = await board.printed(/\/dev\/pts\/\d+/);
  const first = gateway("--serial", port);
  await first.printed(/page:/);
  const second = gateway("--serial", port);
  expect(await second.ended()).toBe(1);
  expect(second.output()).toMatch(/another process works on it; stop that one first/);
});

test("a second program on the same port is told who holds it", async () => {
  const board = simulate("pty", 60);
  const [port] = await board.printed(/\/dev\/pts\/\d+/);
  const first = gateway("--serial", port);
  await first.printed(/open at/);
  const other = join(folder(), "other");
  mkdirSync(other);
  const second = gateway("--serial", port, "--store", join(other, "s.db"));
  await second.printed(new RegExp(`held by .*pid ${first.process.pid}`));
});

test("without --allow-test-keys no card of a demonstration is enrolled, and the reason is given", async () => {
  const board = simulate("pty", 60);
  const [port] = await board.printed(/\/dev\/pts\/\d+/);
  const receiver = vitalwire("gateway", "--store", store(), "--cards", folder(), "--port", "0", "--serial", port);
  await receiver.printed(/not enrolled: .*TEST-ONLY/);
  await receiver.printed(/no board is enrolled yet/);
  await receiver.printed(/refused \(kid\)/, 30_000);
});

test("a gateway without the site's key ends with 2 and says what to give", async () => {
  const receiver = vitalwire("gateway", "--store", store());
  expect(await receiver.ended()).toBe(2);
  expect(receiver.output()).toMatch(/no site key at .*site\.pub: give --site FILE .* or --cards DIR/);
});
