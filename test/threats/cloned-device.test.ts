/** PROTOCOL.md section 10, "cloned device": two boards with one key make an alarm within 1 duplicate seq. */
import { expect, test } from "vitest";
import { createTestGateway } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

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
