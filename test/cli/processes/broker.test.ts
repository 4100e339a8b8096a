/** A gateway with its own broker, and one that is somebody else's: whatever is killed, the record has no hole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBoot } from "../../../gateway/read.ts";
import { openSqliteStore } from "../../../gateway/store/sqlite.ts";
import { fromHex } from "../../../protocol/keys.ts";
import { decodeDisowned } from "../../../protocol/messages.ts";
import { ownFolder } from "../../support/folder.ts";
import { lacks } from "../../support/needs.ts";
import { freePort, run } from "../../support/process.ts";
import { createProcesses, LIFE, pause, type SimulationReport, stored } from "./world.ts";

const folder = ownFolder();
const { store, simulate, gateway, expectWhole } = createProcesses(folder);

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
