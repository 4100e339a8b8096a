import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { createManifests } from "../../firmware/manifests.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { manifestLists, payloadHash } from "../../protocol/manifest.ts";
import type { ManifestMessage } from "../../protocol/messages.ts";

/** A board that gives seqs to messages and manifests, as the runtime does. */
const setUp = () => {
  const clock = createVirtualClock();
  const told: ManifestMessage[] = [];
  const payloads = new Map<number, Uint8Array>();
  let seq = 0;
  const manifests = createManifests(createSimulatedBoard(clock), nodeCrypto, (first, hashes) =>
    told.push({ type: "manifest", boot: 1, seq: seq++, tick: clock.now / 1000, ofBoot: 1, first, hashes }),
  );
  const send = () => {
    const payload = Uint8Array.of(seq >> 8, seq & 255);
    payloads.set(seq, payload);
    manifests.add(seq++, payload, false);
    manifests.check();
  };
  return { clock, told, payloads, manifests, send, produced: () => seq };
};

test("the sixtieth message is followed by a manifest over all sixty, and the next one begins behind it", () => {
  const { told, send } = setUp();
  for (let i = 0; i < 120; i++) send();
  expect(told.map(({ seq, first, hashes }) => [seq, first, hashes.length / 16])).toEqual([
    [60, 0, 60],
    [121, 61, 60],
  ]);
});

test("fewer are covered a minute after the first of them; silence makes none", () => {
  const { clock, told, send } = setUp();
  clock.runUntil(200e6);
  expect(told).toEqual([]);
  send();
  clock.runUntil(220e6);
  send();
  clock.runUntil(259.9e6);
  expect(told).toEqual([]);
  clock.runUntil(600e6);
  expect(told.map(({ seq, first, tick, hashes }) => [seq, first, tick, hashes.length / 16])).toEqual([
    [2, 0, 260000, 2],
  ]);
});

test("a batch that was full leaves no timer behind: the minute counts from the next one's first message", () => {
  const { clock, told, send } = setUp();
  for (let i = 0; i < 60; i++) send();
  clock.runUntil(50e6);
  send();
  clock.runUntil(109e6);
  expect(told).toHaveLength(1);
  clock.runUntil(110e6);
  expect(told.map(({ tick }) => tick)).toEqual([0, 110000]);
});

test("at the end the rest is covered, once", () => {
  const { clock, told, send, manifests } = setUp();
  manifests.flush();
  send();
  manifests.flush();
  manifests.flush();
  clock.runUntil(200e6);
  expect(told.map(({ first }) => first)).toEqual([0]);
});

test("whatever comes when, every seq is a manifest's own or listed in exactly one with its payload's hash", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 70e6 }))), (bursts) => {
      const { clock, told, payloads, manifests, send, produced } = setUp();
      for (const [count, wait] of bursts) {
        for (let i = 0; i < count; i++) send();
        clock.runUntil(clock.now + wait);
      }
      manifests.flush();
      const own = new Set(told.map(({ seq }) => seq));
      for (let seq = 0; seq < produced(); seq++) {
        const payload = payloads.get(seq);
        const lists = told.filter((one) => payload && manifestLists(one, 1, seq, payloadHash(payload, nodeCrypto)));
        expect(lists.length, `seq ${seq}`).toBe(own.has(seq) ? 0 : 1);
      }
    }),
    { numRuns: 30 },
  );
});
