/**
 * PROTOCOL.md section 10, "hostile packets": what is too large, too deep or too many is refused before it costs anything, and
 * who sends too fast is refused before anything is verified. What mutation finds: test/gateway/hostile.test.ts,
 * test/protocol/garbage.test.ts and tools/fuzz.ts.
 */
import { expect, test } from "vitest";
import type { Crypto } from "../../protocol/cose.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { createTally, runBatch } from "../../tools/fuzz-batch.ts";
import { makeSeeds } from "../../tools/fuzz-seeds.ts";
import { createTestGateway, createTestOrigin } from "../support/gateway.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

/** A gateway that counts what it verifies and hashes. */
function createCountingGateway() {
  const spent = { verifications: 0, hashes: 0 };
  const crypto: Crypto = {
    sha256(bytes) {
      spent.hashes++;
      return nodeCrypto.sha256(bytes);
    },
    verify(...given) {
      spent.verifications++;
      return nodeCrypto.verify(...given);
    },
  };
  const bench = createTestGateway(undefined, { crypto });
  return {
    bench,
    spent,
    receive: (bytes: Uint8Array, origin = createTestOrigin()) => bench.gateway.receive(bytes, origin),
  };
}

/** COSE_Sign1 with this in the payload's place, unsigned. */
const around = (item: number[]) => Uint8Array.from([0xd2, 0x84, 0x40, 0xa0, ...item, 0x40]);
const repeat = (count: number, byte: number) => new Array<number>(count).fill(byte);

test.each([
  ["4097 bytes", new Uint8Array(4097).fill(0xd2), "size"],
  ["a list in a list, too deep", around([...repeat(8, 0x81), 0]), "cbor"],
  ["a thousand levels", around([...repeat(1000, 0x81), 0]), "cbor"],
  ["257 items", around([0x99, 1, 1, ...repeat(257, 0)]), "cbor"],
  ["a list that says it has 2^32 items", around([0x9b, 0, 0, 0, 1, 0, 0, 0, 0]), "cbor"],
  ["bytes that say they are 2 GB", around([0x5a, 0x7f, 0xff, 0xff, 0xff]), "cbor"],
  ["an indefinite length", around([0x9f, 0xff]), "cbor"],
])("%s: refused, and nothing was verified or hashed", (_, bytes, reason) => {
  const { spent, receive } = createCountingGateway();
  const before = { ...spent };
  expect(receive(bytes)).toMatchObject({ status: "refused", reason });
  expect(spent).toEqual(before);
});

test.each(MODES)(
  "mode $name: a flood under an enrolled name costs no more verifications than its rate allows",
  (mode) => {
    const { bench, spent, receive } = createCountingGateway();
    const device = createSpeaker(mode, "flooded");
    device.join(bench.gateway);
    const origin = createTestOrigin();
    expect(receive(device.seal(device.birth()), origin).status).toBe("accepted");
    const forged = device.seal(device.data(1)).slice();
    forged[forged.length - 1]! ^= 1;
    const before = spent.verifications + spent.hashes;
    const first = receive(forged, origin);
    const each = spent.verifications + spent.hashes - before;
    expect(first).toMatchObject({ reason: "signature" });
    let judged = 1;
    for (let i = 0; i < 20_000; i++) if (receive(forged, origin).status === "refused") judged++;
    expect(judged).toBe(20_001);
    expect(origin.counters.refused.rate).toBeGreaterThan(15_000);
    expect(spent.verifications + spent.hashes - before).toBeLessThanOrEqual(each * origin.counters.refused.signature);
    // Who sends as it should, over another way, is heard.
    expect(receive(device.seal(device.data(2)), { ...createTestOrigin(), name: "its own cable" }).status).toBe(
      "accepted",
    );
  },
);

test("a thousand mutated messages, a quarter of them validly sealed in all modes: no crash, no forgery", async () => {
  const tally = createTally();
  const seeds = makeSeeds();
  for (const batch of [1, 2]) await runBatch({ seeds, seed: 10, batch, inputs: 500 }, tally);
  expect(tally.finds).toEqual([]);
  expect(tally.verdicts.accepted).toBeGreaterThan(5);
});
