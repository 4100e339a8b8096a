/** A simulated board in modes M and E: into a file, and to a gateway in another process. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { readPsk } from "../../cli/keys/psk-file.ts";
import { testOnlyWrapping } from "../../cli/keys/wrapping.ts";
import { writeCards } from "../../cli/keys.ts";
import { createCaptureLink } from "../../cli/simulate/capture-link.ts";
import { testSite } from "../../cli/site.ts";
import { readBoot } from "../../gateway/read.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { modeOf } from "../../protocol/header.ts";
import { fromHex } from "../../protocol/keys.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createVirtualNode, type SealMode } from "../../simulator/node.ts";
import { ownFolder } from "../support/folder.ts";
import { freePort, vitalwire } from "../support/process.ts";

const folder = ownFolder();
const linesOf = (path: string) => readFileSync(path, "latin1").trimEnd().split("\n");
/** How many messages of a file came in which mode. */
const modesIn = (path: string) => {
  const count = { S: 0, M: 0, E: 0 };
  for (const line of linesOf(path)) count[modeOf(decodeLine(line)!)]++;
  return count;
};

describe("into a file", () => {
  test.each<[SealMode, object]>([
    [
      { mode: "sign", encrypt: false },
      { S: 5, M: 0, E: 0 },
    ],
    [
      { mode: "mac", encrypt: false },
      { S: 1, M: 5, E: 0 },
    ],
    [
      { mode: "sign", encrypt: true },
      { S: 1, M: 0, E: 4 },
    ],
    [
      { mode: "mac", encrypt: true },
      { S: 0, M: 1, E: 5 },
    ],
  ])("%j: every message is written once and settled by an ack in the board's own mode", (seal, modes) => {
    const clock = createVirtualClock();
    const recorder = testOnlySigner("capture");
    const path = join(folder(), "x");
    const node = createVirtualNode({
      clock,
      seed: 1,
      index: 0,
      noise: true,
      seal,
      gateways: [recorder],
      boot: () => 1,
      link: (signer, psk) => createCaptureLink(path, clock, recorder, { kid: signer.kid, psk, seal }),
    });
    node.runtime.start();
    clock.runUntil(3.5e6);
    node.runtime.stop(() => {});
    clock.runUntil(5e6);
    expect(node.runtime.outbox.waiting).toEqual([]);
    expect(node.runtime.refused).toBe(0);
    expect(modesIn(path)).toEqual(modes);
    expect(linesOf(path)).toHaveLength(node.runtime.produced);
  });
});

test("to a gateway in another process, encrypted: the key lies wrapped beside the cards, the record has no hole", async () => {
  writeCards(folder(), testSite.publicKey, []);
  const store = join(folder(), "s.db");
  const broker = await freePort();
  const config = join(folder(), "gateway.yaml");
  writeFileSync(config, `broker: { embedded: { port: ${broker} } }\n`);
  const gateway = vitalwire(
    ...["gateway", "--config", config, "--store", store, "--cards", folder(), "--allow-test-keys", "--port", "0"],
  );
  await gateway.printed(/broker/);
  const board = vitalwire(
    ...["simulate", "--out", `mqtt://127.0.0.1:${broker}`, "--cards", folder(), "--seconds", "3"],
    ...["--seal", "mac", "--encrypt", "--json"],
  );
  expect(await board.ended(60_000)).toBe(0);
  gateway.process.kill("SIGINT");
  expect(await gateway.ended(5000)).toBe(130);
  const { kid, boot, packets } = JSON.parse(board.stdout());
  expect(packets.waiting).toBe(0);
  const path = join(folder(), "keys", `${kid}.psk`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "latin1")).toMatch(/^vitalwire-psk-encrypt 1 [0-9a-f]{16} test-only /);
  expect(readPsk(path, [testOnlyWrapping()]).psk).toHaveLength(32);
  const open = openSqliteStore(store, { readonly: true });
  const stored = readBoot(open, fromHex(kid), boot)!;
  open.close();
  expect(stored).toMatchObject({ messages: packets.produced, evidence: 3 });
}, 90_000);
