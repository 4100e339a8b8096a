/** The fuzzer, briefly and always the same; and that it would find what it looks for. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { decode } from "../../protocol/cbor.ts";
import type { nodeCrypto } from "../../protocol/crypto.node.ts";
import { type BatchOptions, createTally, runBatch, type Tally } from "../../tools/fuzz-batch.ts";
import { cborMutations, itemsOf } from "../../tools/fuzz-cbor.ts";
import { keyedHash } from "../../tools/fuzz-crypto.ts";
import { disputed } from "../../tools/fuzz-oracle.ts";
import { createDice } from "../../tools/fuzz-random.ts";
import { makeSeeds } from "../../tools/fuzz-seeds.ts";
import { outcomeOf, refusalOf } from "../protocol/support.ts";

const seeds = makeSeeds();

async function run(options: Partial<BatchOptions>, tally: Tally = createTally()): Promise<Tally> {
  await runBatch({ seeds, seed: 1, batch: 1, inputs: 2000, ...options }, tally);
  return tally;
}

test("the board's messages that are mutated hold data, a birth, an event and a presence", () => {
  const kinds = seeds.payloads.map((payload) => payload[1]);
  for (const kind of [1, 2, 4, 5]) expect(kinds).toContain(kind);
  for (const payload of seeds.payloads) expect(disputed(payload)).toBe(null);
});

test("thousands of hostile inputs reach all ten steps and every reason; none crashes, none forged is accepted", async () => {
  const tally = createTally();
  await run({ batch: 0, inputs: 2500 }, tally); // Ed25519 itself
  await run({ batch: 3, inputs: 9000 }, tally); // faster than the rate limit allows
  expect(tally.finds).toEqual([]);
  expect(tally.reached).toHaveLength(11);
  for (const count of tally.reached) expect(count).toBeGreaterThan(100);
  expect(tally.reached[10]).toBe(tally.verdicts.accepted);
  for (const form of ["S", "M", "ES", "EM"]) expect(tally.forms[form], form).toBeGreaterThan(10);
  const words = [
    "line base64",
    "line crc",
    "line size",
    "cbor",
    "header",
    "kid",
    "rate",
    "signature",
    "payload",
    "replay",
  ];
  for (const word of [...words, "codec", "duplicate"]) expect(tally.verdicts[word], word).toBeGreaterThan(0);
  expect(Object.values(tally.laxer).some(({ taken }) => taken > 0)).toBe(true);
});

test("the same seed and batch give the same inputs and the same verdicts; another seed others", async () => {
  const { slowest: _, ...first } = await run({});
  const { slowest: __, ...again } = await run({});
  expect(again).toEqual(first);
  expect((await run({ seed: 2 })).verdicts).not.toEqual(first.verdicts);
});

test("a gateway that took every signature is found out, and seed and batch repeat the find", async () => {
  const crypto = { ...keyedHash.crypto, verify: () => true };
  const { finds } = await run({ crypto, batch: 6, inputs: 300 });
  expect(finds[0]).toMatchObject({ seed: 1, batch: 6, what: expect.stringContaining("forgery") });
  expect(finds[0]!.input).toMatch(/^([0-9a-f]{2})+$/);
  expect((await run({ crypto, batch: 6, inputs: 300 })).finds).toEqual(finds);
});

test("an exception that is no refusal is a find with the message that caused it", async () => {
  const crypto = {
    ...keyedHash.crypto,
    verify(...given: Parameters<typeof nodeCrypto.verify>) {
      if (given[2].length !== 64 || given[1].length % 50 === 7) throw new TypeError("planted");
      return keyedHash.crypto.verify(...given);
    },
  };
  const { finds } = await run({ crypto });
  expect(finds[0]?.what).toContain("planted");
  expect(finds[0]?.input).not.toBe("");
});

test("an input that never ends is told with its place, and ends the program", () => {
  const program = `
    import { startWatchdog } from "./tools/fuzz-watchdog.ts";
    const dog = startWatchdog(7, 300);
    dog.beat(3, 4);
    for (;;);
  `;
  const { signal, stderr } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(signal).toBe("SIGKILL");
  expect(stderr).toContain("HANG: seed 7 batch 3 input 4");
});

test.each([
  ["longerHead", /more bytes/],
  ["indefinite", /indefinite/],
  ["reserved", /reserved/],
  ["float", /float/],
  ["tag", /tag/],
  ["trailing", /behind/],
  ["keys", /twice|sorted/],
] as const)("the mutation %s breaks the rule that it is named after", (name, rule) => {
  const dice = createDice(1, name);
  const payload = new Uint8Array(Buffer.from("83a201020364c3a9c3a9821904d2f6426162", "hex"));
  expect(() => decode(payload)).not.toThrow();
  let broken = 0;
  for (let i = 0; i < 50; i++) {
    const item = dice.pick(itemsOf(payload));
    const bytes = cborMutations[name]!(dice, payload, item, payload);
    if (Buffer.compare(bytes, payload) === 0) continue;
    // Two keys may stand in order by chance.
    const told = outcomeOf(() => decode(bytes));
    if (told === "cbor" && rule.test(refusalOf(() => decode(bytes)).message)) broken++;
  }
  expect(broken).toBeGreaterThan(10);
});
