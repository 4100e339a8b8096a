/** A simulated board that waits for its keys on a line, in virtual time. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { giveKeys } from "../../cli/enroll/port.ts";
import { awaitKeys } from "../../cli/simulate/unprovisioned.ts";
import type { Provision } from "../../firmware/provision.ts";
import { createWire } from "../../gateway/wire.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { kidOf, kidText } from "../../protocol/keys.ts";
import { readLines } from "../../protocol/lines.node.ts";
import { ownFolder } from "../support/folder.ts";
import { gatewayKey } from "../support/gateway.ts";

const folder = ownFolder();
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const provisionOf = (fill: number, part: Partial<Provision> = {}): Provision => {
  const seed = new Uint8Array(32).fill(fill);
  const { publicKey } = nodeSigner(seed);
  const ueid = Uint8Array.of(1, ...new Uint8Array(16).fill(3));
  const sitePublicKey = new Uint8Array(32);
  const gateways = [gatewayKey.publicKey];
  return { publicKey, seed, ueid, psk: null, gateways, sitePublicKey, releasePublicKey: null, ...part };
};

/** A board in `folder`, and the other end of its line. No process has the line open here: it counts as open. */
function board() {
  const [near, far] = createWire();
  const state = { interrupted: false };
  const path = join(folder(), "no such port");
  const given = awaitKeys({ stream: near, path }, join(folder(), "board"), () => state.interrupted);
  return { far, given, interrupt: () => (state.interrupted = true) };
}
const say = () => {};
const run = async (ms: number) => {
  for (let done = 0; done < ms; done += 100) {
    await vi.advanceTimersByTimeAsync(100);
    await new Promise(setImmediate);
  }
};

test("it takes them, keeps them for its owner alone, and begins as who it was told to be", async () => {
  const one = board();
  const provision = provisionOf(1, { psk: new Uint8Array(32).fill(9) });
  const giving = giveKeys(one.far, { provision, replaces: null, say });
  await run(3000);
  await giving;
  const { identity, gateways, storage } = (await one.given)!;
  expect(identity).toMatchObject({
    kid: kidOf(provision.publicKey, nodeCrypto),
    psk: provision.psk,
    ueid: provision.ueid,
  });
  expect(identity.signer!.kid).toEqual(identity.kid);
  expect(gateways).toEqual([gatewayKey]);
  storage.release();
  const path = join(folder(), "board");
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(path, "board.identity")).mode & 0o777).toBe(0o600);
});

test("it begins anew with the keys it has two seconds after it was opened; within them it takes others", async () => {
  const first = board();
  const giving = giveKeys(first.far, { provision: provisionOf(1), replaces: null, say });
  await run(3000);
  await giving;
  (await first.given)!.storage.release();

  const second = board();
  let begun = false;
  void second.given.then(() => {
    begun = true;
  });
  await run(1800);
  expect(begun).toBe(false);
  await run(400);
  expect(begun).toBe(true);
  const kept = (await second.given)!;
  expect(kept.identity.publicKey).toEqual(provisionOf(1).publicKey);
  kept.storage.release();

  const third = board();
  const macOnly = provisionOf(2, { seed: null, psk: new Uint8Array(32).fill(9) });
  const again = giveKeys(third.far, {
    provision: macOnly,
    replaces: kidText(nodeSigner(provisionOf(1).seed!).kid),
    say,
  });
  await run(4500);
  await again;
  const { identity, storage } = (await third.given)!;
  expect(identity).toMatchObject({ publicKey: macOnly.publicKey, signer: null, psk: macOnly.psk });
  storage.release();
});

test("it refuses a private key that is not that of the public one", async () => {
  const one = board();
  const giving = giveKeys(one.far, { provision: provisionOf(1, { seed: new Uint8Array(32) }), replaces: null, say });
  const refused = expect(giving).rejects.toThrow(/refused its keys \(seed\)/);
  await run(500);
  await refused;
  one.interrupt();
  await run(500);
  expect(await one.given).toBeNull();
  expect(readdirSync(join(folder(), "board"))).not.toContain("board.identity");
});

test("it says every second that it waits, until it is ended; then another process may run it", async () => {
  const one = board();
  const lines: string[] = [];
  readLines(
    one.far,
    (line) => lines.push(line),
    () => {},
  );
  await run(3500);
  expect(lines).toEqual(new Array(4).fill("vsp-unprovisioned 1 simulated"));
  await expect(board().given).rejects.toThrow(/another process works on it/);
  one.interrupt();
  await run(500);
  expect(await one.given).toBeNull();
  const next = board();
  next.interrupt();
  await run(500);
  expect(await next.given).toBeNull();
});
