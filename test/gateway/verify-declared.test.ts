/** vitalwire verify, of a store and of captures: what is missing without a word, what is declared, what comes twice. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { writeCards } from "../../cli/keys.ts";
import { verify } from "../../cli/verify.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { encodeLine } from "../../protocol/frame.ts";
import {
  DISOWNED_EVICTED,
  DISOWNED_POWER,
  EVENT_DISOWNED,
  type EventMessage,
  encodeDisowned,
  type Message,
} from "../../protocol/messages.ts";
import { createRandom } from "../../simulator/random.ts";
import { ownFolder } from "../support/folder.ts";
import { createTestDevice, createTestGateway, createTestOrigin, site } from "../support/gateway.ts";

const folder = ownFolder();
afterEach(() => {
  process.exitCode = 0;
});
const [one, two] = [createTestDevice("told", 1), createTestDevice("told", 2)];

const disowned = (seq: number, ofBoot: number, first: number, count: number): EventMessage => {
  const reason = first + count === 2 ** 32 ? DISOWNED_POWER : DISOWNED_EVICTED;
  const small = encodeDisowned({ boot: ofBoot, first, count, reason, end: null });
  return { type: "event", boot: 2, seq, tick: 1000 * seq, code: EVENT_DISOWNED, small };
};

/**
 * Of boot 1 seq 3 is missing without a word, 4 to 8 were evicted but 6 had come, and from 12 on nothing was to come but 14 did;
 * of boot 2 seq 2 is missing.
 */
const messages: readonly Message[] = [
  ...[one.birth(), one.data(1), one.data(2), one.data(6), one.data(9), one.data(10), one.data(11), one.data(14)],
  ...[two.birth(), two.data(1), disowned(3, 1, 4, 5), disowned(4, 1, 12, 2 ** 32 - 12), two.data(5)],
];
const TOLD = { gaps: 2, declared: 6, cut: 1, duplicates: 0 };

async function printed(file: string | undefined, options: object): Promise<string> {
  let out = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  try {
    await verify(file, { cards: folder(), ...options });
  } finally {
    spy.mockRestore();
  }
  return out;
}
const reported = async (file: string | undefined, options: object = {}) =>
  JSON.parse(await printed(file, { json: true, ...options }));

/** A store to which a board has sent these; a capture of the same; the board's card beside them. */
function kept(sent: readonly Message[]) {
  const [store, capture] = [join(folder(), "store.db"), join(folder(), "capture.txt")];
  const bench = createTestGateway(openSqliteStore(store));
  const card = one.enrollAt(bench.gateway);
  for (const message of sent) bench.gateway.receive(one.seal(message), createTestOrigin());
  bench.settle();
  bench.gateway.close();
  writeCards(folder(), site.publicKey, [{ kid: one.kid, card }]);
  writeFileSync(capture, sent.map((message) => encodeLine(one.seal(message))).join(""));
  return { store, capture };
}

test("a store and a capture count what is declared apart from what is not, in any order of arrival", async () => {
  const { store } = kept(messages);
  const whole = { messages: 13, verified: 13, failed: [], audit: "whole" };
  expect(await reported(undefined, { store })).toEqual({ ...whole, ...TOLD });
  const random = createRandom("orders");
  for (let i = 0; i < 20; i++) {
    const shuffled = [...messages].map((message) => ({ message, at: random.uniform() })).sort((a, b) => a.at - b.at);
    const { capture } = kept(shuffled.map(({ message }) => message));
    expect(await reported(capture)).toEqual({ ...whole, ...TOLD });
  }
  const { capture } = kept([...messages, one.data(6), one.data(14), two.data(5)]);
  expect(await reported(capture)).toMatchObject({ ...TOLD, duplicates: 3 });
});

test("the sentence says both, and nothing where nothing is declared", async () => {
  const { store, capture } = kept(messages);
  const sentence =
    "declared: 6 more messages are missing, and their device says so; 1 boot ended by a power cut or a reset, as the device says";
  for (const text of [await printed(undefined, { store }), await printed(capture, {})]) {
    expect(text).toContain("gaps 2, duplicates 0");
    expect(text).toContain(sentence);
  }
  const plain = kept(messages.slice(0, 3));
  const report = await reported(plain.capture);
  expect(report).not.toHaveProperty("declared");
  expect(report).not.toHaveProperty("cut");
  expect(await printed(plain.capture, {})).not.toContain("declared");
});

test("a boot that ended with a goodbye is missing all up to its last message, which the next birth names", async () => {
  const next = { ...two.birth(), prev: { boot: 1, seq: 5 } };
  expect(await reported(kept([one.birth(), one.data(1), one.data(2), next]).capture)).toMatchObject({ gaps: 3 });
  // of a boot of which nothing was heard nobody knows whether it was here that it should have been
  expect(await reported(kept([next, two.data(1)]).capture)).toMatchObject({ gaps: 0 });
});
