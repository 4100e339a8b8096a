/** PROTOCOL.md section 10, "replay: same boot, after a reboot, of a retained message": a whole capture twice makes 0 new rows. */
import { expect, test } from "vitest";
import type { Message } from "../../protocol/messages.ts";
import { createTestGateway } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

/** Two boots of a board, manifests and presences among it, as bytes. */
function capture(mode: (typeof MODES)[number]) {
  const [first, second] = [createSpeaker(mode, "replayed", 1), createSpeaker(mode, "replayed", 2, 8)];
  const messages: Message[] = [first.birth(), first.data(1), first.data(2)];
  const presence = (boot: number, connection: number): Message => ({ type: "presence", boot, connection, state: 1 });
  return {
    first,
    bytes: [
      ...[
        presence(1, 1),
        ...messages,
        manifestOf(3, [first.birth(), first.data(1), first.data(2)]),
        presence(1, 2),
      ].map(first.seal),
      ...[presence(2, 3), second.birth(), second.data(1)].map(second.seal),
    ],
  };
}

test.each(MODES)(
  "mode $name: a capture that is played again, in any order, at once or to another process, makes no row",
  (mode) => {
    const { first, bytes } = capture(mode);
    const bench = createTestGateway();
    first.join(bench.gateway);
    for (const message of bytes) expect(bench.gateway.receive(message, first.origin).status).toBe("accepted");
    bench.settle();
    const { store } = bench.gateway;
    const rows = store.head().position;
    const again = createTestGateway(store);
    first.join(again.gateway);
    for (const { gateway, settle } of [bench, again]) {
      for (const order of [bytes, bytes.toReversed()]) {
        // Old presences are refused, for a newer connection is known; all else is a duplicate.
        for (const message of order) {
          const verdict = gateway.receive(message, first.origin);
          if (verdict.status === "refused") expect(verdict).toMatchObject({ reason: "replay" });
          else expect(verdict.status).toBe("duplicate");
        }
        settle();
      }
    }
    expect(store.head().position).toBe(rows);
    expect([...bench.alarms, ...again.alarms]).toEqual([]);
  },
);

test("what a broker retained of a boot long ago is taken as what it is: a duplicate, which ends no newer boot", () => {
  const { first, bytes } = capture(MODES[0]);
  const bench = createTestGateway();
  first.join(bench.gateway);
  for (const message of bytes) bench.gateway.receive(message, first.origin);
  bench.settle();
  bench.gateway.receive(first.seal(first.birth()), first.origin);
  expect(bench.gateway.devices.get(first.kid)!.currentBoot).toBe(2);
});
