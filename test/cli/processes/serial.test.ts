/** A gateway that is killed on a serial line: the record has no hole. */
import { test } from "vitest";
import { ownFolder } from "../../support/folder.ts";
import { createProcesses, LIFE, pause, stored } from "./world.ts";

const folder = ownFolder();
const { simulate, gateway, expectWhole } = createProcesses(folder);

/** How often the gateway dies. */
const KILLS = 10;

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
