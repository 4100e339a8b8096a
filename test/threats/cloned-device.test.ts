/** PROTOCOL.md section 10, "cloned device": two boards with one key make an alarm within 1 duplicate seq. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { createCaptureLink } from "../../cli/simulate/capture-link.ts";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { encodeCard } from "../../protocol/card.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { testOnlyIdentity } from "../../simulator/identity.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createVirtualNode, type NodeIdentity, type SealMode } from "../../simulator/node.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestGateway, site } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const folder = ownFolder();

/** What a simulated board with this key writes in three seconds; `seed` is the patient on it, and its chance. */
function written(identity: NodeIdentity, seed: number, seal: SealMode): Uint8Array[] {
  const clock = createVirtualClock();
  const path = join(folder(), `${seed}`);
  const recorder = testOnlySigner("capture");
  const node = createVirtualNode({
    ...{ clock, seed, index: 0, noise: true, seal, identity, gateways: [recorder], boot: () => 1 },
    link: (signer, psk) => createCaptureLink(path, clock, recorder, { kid: signer.kid, psk, seal }),
  });
  node.runtime.start();
  clock.runUntil(3e6);
  node.runtime.stop(() => {});
  clock.runUntil(4e6);
  return readFileSync(path, "latin1")
    .trimEnd()
    .split("\n")
    .map((line) => decodeLine(line)!);
}

test.each(MODES)(
  "mode $name: two simulated boards with one key, on two patients: the first seq that both send",
  (mode) => {
    const identity = testOnlyIdentity(new Uint8Array(32), mode);
    const { kid, publicKey, psk } = identity;
    const bench = createTestGateway();
    const { devices } = bench.gateway;
    const card = { issuer: "TEST-ONLY", role: "device" as const, kid, publicKey, issuedAt: 0, expires: 4e9 };
    devices.enroll(encodeCard(card, site), site.publicKey, true);
    if (psk !== null) devices.givePsk(kid, psk, mode.encrypt);
    const origin: Origin = { name: "test", counters: createCounters(), reply() {} };
    const [one, two] = [1, 2].map((seed) => written(identity, seed, mode));
    expect(one!.length).toBeGreaterThan(3);
    for (const bytes of one!) expect(bench.gateway.receive(bytes, origin).status).toBe("accepted");
    expect(bench.alarms).toEqual([]);
    expect(bench.gateway.receive(two![0]!, origin)).toMatchObject({ status: "refused", reason: "replay" });
    expect(bench.alarms).toMatchObject([{ kind: "clone or rollback", kid }]);
  },
);

test.each(MODES)(
  "mode $name: two that share key, boot and nonce: the first seq that both send is the alarm",
  (mode) => {
    const bench = createTestGateway();
    const [one, two] = [createSpeaker(mode, "twin"), createSpeaker(mode, "twin")];
    one.join(bench.gateway);
    const receive = (from: typeof one, message: Parameters<typeof one.seal>[0]) =>
      bench.gateway.receive(from.seal(message), from.origin);
    // The clone was made of a board that had sent its birth: both go on from there.
    receive(one, one.birth());
    expect(receive(two, two.birth()).status).toBe("duplicate");
    receive(one, one.data(1, [1, 2, 3]));
    expect(bench.alarms).toEqual([]);
    expect(receive(two, two.data(1, [1, 2, 4]))).toMatchObject({ reason: "replay" });
    expect(bench.alarms).toMatchObject([{ kind: "clone or rollback", kid: one.kid }]);
    // Which of them is the board cannot be told from here: neither is heard.
    bench.settle();
    const rows = bench.gateway.store.head().position;
    expect(receive(one, one.data(2)).status).toBe("refused");
    expect(receive(two, two.data(2)).status).toBe("refused");
    bench.settle();
    expect(bench.gateway.store.head().position).toBe(rows);
    expect(bench.alarms).toHaveLength(1);
  },
);

test("a clone that starts anew under the same boot is told by its nonce, at its birth", () => {
  for (const mode of MODES) {
    const bench = createTestGateway();
    const [one, two] = [createSpeaker(mode, "twin", 4, 1), createSpeaker(mode, "twin", 4, 2)];
    one.join(bench.gateway);
    bench.gateway.receive(one.seal(one.birth()), one.origin);
    expect(bench.gateway.receive(two.seal(two.birth()), two.origin)).toMatchObject({ reason: "replay" });
    expect(bench.alarms).toMatchObject([{ kind: "clone or rollback" }]);
  }
});

test("a clone from an old backup is told by its boot, which the board says it never had", () => {
  const bench = createTestGateway();
  const board = createSpeaker(MODES[0], "twin", 9);
  board.join(bench.gateway);
  bench.gateway.receive(board.seal({ ...board.birth(), prev: { boot: 8, seq: 100 } }), board.origin);
  const before = createSpeaker(MODES[0], "twin", 8);
  bench.gateway.receive(before.seal({ ...before.birth(), prev: { boot: 3, seq: 100 } }), board.origin);
  expect(bench.alarms).toEqual([]);
  const clone = createSpeaker(MODES[0], "twin", 5);
  bench.gateway.receive(clone.seal(clone.birth()), clone.origin);
  expect(bench.alarms).toMatchObject([{ kind: "boot regression", kid: board.kid }]);
});
