/** A serial cable that is pulled, and programs that cannot have the port or the store. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownFolder } from "../../support/folder.ts";
import { lacks } from "../../support/needs.ts";
import { run, vitalwire } from "../../support/process.ts";
import { createProcesses, pause, stored } from "./world.ts";

const folder = ownFolder();
const { store, simulate, gateway, expectWhole } = createProcesses(folder);

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
