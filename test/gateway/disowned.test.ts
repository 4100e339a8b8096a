/** What a board disowned (PROTOCOL.md section 2.4): stored wins, an open end is no highest seq, and a restart knows as much. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RANGES_HELD } from "../../gateway/boot.ts";
import { Sequence } from "../../gateway/sequence.ts";
import type { Store } from "../../gateway/store/store.ts";
import { encodeCard } from "../../protocol/card.ts";
import { sign1 } from "../../protocol/cose.ts";
import { REASON_SUPERSEDED } from "../../protocol/crl.ts";
import {
  DISOWNED_EVICTED,
  DISOWNED_POWER,
  EVENT_DISOWNED,
  type EventMessage,
  encodeDisowned,
} from "../../protocol/messages.ts";
import { createTestDevice, createTestGateway, createTestOrigin, site } from "../support/gateway.ts";
import { manifestOf } from "../support/manifests.ts";
import { createSpeaker, MODES } from "../support/speaking.ts";

const SEQS = 2 ** 32;
const [, M] = MODES;

/** Event 8 of a board in `boot`: a range with an end was evicted, an open one ended with the power. */
const disowned = (boot: number, seq: number, ofBoot: number, first: number, count: number): EventMessage => {
  const reason = first + count === SEQS ? DISOWNED_POWER : DISOWNED_EVICTED;
  const small = encodeDisowned({ boot: ofBoot, first, count, reason, end: { tick: 9000, within: 500 } });
  return { type: "event", boot, seq, tick: 1000 * seq, code: EVENT_DISOWNED, small };
};

const [one, two] = [createTestDevice("a", 1), createTestDevice("a", 2)];

function setUp(store?: Store) {
  const bench = createTestGateway(store);
  one.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  const give = (message: Parameters<typeof one.seal>[0]) => {
    const verdict = bench.gateway.receive(one.seal(message), origin);
    bench.settle();
    return verdict;
  };
  const lastAck = (ofBoot: number) => origin.acks.filter((ack) => ack.ofBoot === ofBoot).at(-1);
  const stored = () => bench.gateway.store.seqs(one.kid, 1, 0);
  return { bench, origin, give, lastAck, stored, again: () => setUp(bench.gateway.store) };
}
/** Authentic, and not what a payload may be. */
const invalid = (seq: number) => sign1(Uint8Array.of(0x86, 1, 1, seq, 0, 1, 0x80), one.signer);

describe("a message that was disowned and comes after all", () => {
  test("is taken like any other, counted and acknowledged, and once; those that did not come stay settled", () => {
    const { give, origin, lastAck, stored } = setUp();
    for (const message of [one.birth(), one.data(1), disowned(1, 5, 1, 2, 3)]) give(message);
    expect(lastAck(1)).toMatchObject({ next: 6 });
    const acks = origin.acks.length;
    expect(give(one.data(3)).status).toBe("accepted");
    expect(origin.acks).toHaveLength(acks + 1);
    expect(lastAck(1)).toMatchObject({ next: 6, refused: [] });
    expect(origin.counters).toMatchObject({ verified: 4, duplicates: 0 });
    expect(give(one.data(3)).status).toBe("duplicate");
    expect(stored()).toEqual([0, 1, 3, 5]);
  });

  test("behind the end that a later boot has told is taken too, also by a gateway that has started since", () => {
    const { give, bench, again } = setUp();
    for (const message of [one.birth(), one.data(1), two.birth(), disowned(2, 1, 1, 4, SEQS - 4)]) give(message);
    const { devices } = bench.gateway;
    expect(devices.boot(devices.get(one.kid)!, 1)).toMatchObject({ sequence: { open: 4, declared: 0, silent: 2 } });
    expect(give(one.data(3)).status).toBe("accepted");
    const started = again();
    started.give(two.birth());
    expect(started.give(one.data(7)).status).toBe("accepted");
    expect(started.give(one.data(2)).status).toBe("accepted");
    expect(started.stored()).toEqual([0, 1, 2, 3, 7]);
    // nobody waits for what is not there any more
    expect(started.lastAck(1)).toMatchObject({ next: SEQS - 1 });
    const known = started.bench.gateway.devices;
    // of what has no end 4, 5 and 6 are known to have been
    expect(known.boot(known.get(one.kid)!, 1).sequence).toMatchObject({ declared: 3, silent: 0 });
  });

  test("is held against the manifest that listed it: raised where it is the same, an alarm where it is not", () => {
    for (const same of [true, false]) {
      const device = createSpeaker(M, "m");
      const later = createSpeaker(M, "m", 2);
      const bench = createTestGateway();
      device.join(bench.gateway);
      const give = (message: Parameters<typeof device.seal>[0], by = device) =>
        bench.gateway.receive(by.seal(message), device.origin);
      const messages = [device.birth(), device.data(1), device.data(2)];
      give(messages[0]!);
      give(messages[1]!);
      give(manifestOf(3, messages));
      give(later.birth(), later);
      give(disowned(2, 1, 1, 2, SEQS - 2), later);
      bench.settle();
      const verdict = give(device.data(2, same ? undefined : [7, 7, 7]));
      expect(verdict.status).toBe(same ? "accepted" : "refused");
      bench.settle();
      expect(bench.gateway.store.between(device.kid, 1, 2, 2).map(({ evidence }) => evidence)).toEqual(same ? [3] : []);
      expect(bench.alarms.map(({ kind }) => kind)).toEqual(same ? [] : ["clone or rollback"]);
    }
  });

  test("and is invalid is refused for good, and the ack says so", () => {
    const { give, bench, origin, lastAck } = setUp();
    for (const message of [one.birth(), disowned(1, 5, 1, 1, 4)]) give(message);
    for (const _ of [1, 2]) expect(bench.gateway.receive(invalid(3), origin)).toMatchObject({ reason: "payload" });
    bench.settle();
    expect(lastAck(1)).toMatchObject({ next: 6, refused: [{ seq: 3 }] });
    expect(give(one.data(3))).toMatchObject({ reason: "replay", detail: expect.stringContaining("refused before") });
    expect(give(one.data(2)).status).toBe("accepted");
  });
});

test("refused for good stays refused, whatever is disowned, and after a restart", () => {
  const { bench, origin, give, again } = setUp();
  give(one.birth());
  for (const seq of [1, 2, 4]) bench.gateway.receive(invalid(seq), origin);
  give(disowned(1, 9, 1, 1, 8));
  for (const run of [give, again().give]) {
    for (const seq of [1, 2, 4]) expect(run(one.data(seq))).toMatchObject({ status: "refused", reason: "replay" });
  }
  const started = again();
  expect(started.give(one.data(5)).status).toBe("accepted");
  expect(started.lastAck(1)).toMatchObject({ next: 10 });
});

test("what memory has forgotten of the refused the store has not", () => {
  const { bench, origin, give } = setUp();
  give(one.birth());
  const refused = Array.from({ length: RANGES_HELD + 50 }, (_, i) => 300 + 2 * i);
  for (const seq of refused) {
    bench.now += 100;
    bench.gateway.receive(sign1(Uint8Array.of(0x86, 1, 1, 0x19, seq >> 8, seq & 255, 0, 1, 0x80), one.signer), origin);
  }
  give(disowned(1, 9000, 1, 1, 8999));
  const { devices } = bench.gateway;
  const { rejected } = devices.boot(devices.get(one.kid)!, 1);
  expect(rejected.whole).toBe(false);
  for (const seq of refused) expect(give(one.data(seq)), `${seq}`).toMatchObject({ reason: "replay" });
  expect(give(one.data(301)).status).toBe("accepted");
});

test("of two ranges with the same beginning the longer one outlasts a restart, in either order", () => {
  for (const counts of [
    [2, 5, SEQS - 1],
    [SEQS - 1, 5, 2],
    [2, 5],
    [5, 2],
  ]) {
    const { give, again } = setUp();
    give(one.birth());
    give(two.birth());
    counts.forEach((count, i) => void give(disowned(2, 1 + i, 1, 1, count)));
    const { give: start, lastAck } = again();
    // it answers whom it has heard in the current boot
    for (const message of [two.birth(), one.birth()]) start(message);
    expect(lastAck(1)).toMatchObject({ next: Math.min(SEQS - 1, 1 + Math.max(...counts)) });
  }
});

test("a key that is replaced had reached its highest stored seq, not the end that it told", () => {
  const bench = createTestGateway();
  const young = createTestDevice("young");
  const enroll = (device: typeof one, issuedAt: number) => {
    const { kid, publicKey } = device.signer;
    const card = encodeCard({ issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt, expires: 4e9 }, site);
    bench.gateway.devices.enroll(card, site.publicKey, true);
  };
  enroll(one, 100);
  enroll(young, 200);
  const superseded = { kid: one.kid, reason: REASON_SUPERSEDED, time: 1 };
  bench.gateway.devices.applyRevocations({ number: 1, revoked: [superseded] }, Uint8Array.of(1));
  const origin = createTestOrigin();
  const give = (device: typeof one, message: Parameters<typeof one.seal>[0]) =>
    bench.gateway.receive(device.seal(message), origin);
  give(one, one.birth());
  give(one, one.data(3));
  give(one, disowned(1, 4, 1, 5, SEQS - 5));
  give(young, young.birth());
  bench.settle();
  expect(bench.gateway.store.rotations()).toMatchObject([{ boot: 1, seq: 4 }]);
  expect(give(one, one.data(5))).toMatchObject({ reason: "revoked" });
  expect(give(one, one.data(2)).status).toBe("accepted");
});

test("the seqs of a boot are counted as sets of numbers, in any order", () => {
  const range = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 6 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(fc.nat(40)), fc.array(range, { maxLength: 6 }), fc.nat(40), (stored, ranges, seed) => {
      const steps = [
        ...stored.map((seq) => (it: Sequence) => void it.add(seq)),
        ...ranges.map(([first, count, isOpen]) => (it: Sequence) => {
          it.disown({ first, count: isOpen ? SEQS - first : count, reason: isOpen ? DISOWNED_POWER : 1 });
        }),
      ];
      const orders = [steps, [...steps].reverse(), [...steps.slice(seed), ...steps.slice(0, seed)]];
      const open = Math.min(...ranges.filter(([, , isOpen]) => isOpen).map(([first]) => first));
      const closed = ranges.filter(([, , isOpen]) => !isOpen);
      const top = Math.max(-1, ...stored, ...closed.map(([first, count]) => first + count - 1));
      const told = (seq: number) => seq >= open || closed.some(([first, count]) => seq >= first && seq < first + count);
      const missing = Array.from({ length: Math.max(top + 1, Number.isFinite(open) ? open : 0) }, (_, i) => i);
      const absent = missing.filter((seq) => !stored.includes(seq));
      for (const order of orders) {
        const it = new Sequence();
        for (const step of order) step(it);
        expect(it.declared).toBe(absent.filter((seq) => seq <= top && told(seq)).length);
        expect(it.silent).toBe(absent.filter((seq) => !told(seq)).length);
        expect(it.cut).toBe(Number.isFinite(open));
        for (let from = 0; from < 48; from += 3) {
          for (let to = from - 1; to < 48; to += 5) {
            const all = Array.from({ length: to - from + 1 }, (_, i) => from + i);
            expect(it.declares(from, to)).toBe(all.every((seq) => stored.includes(seq) || told(seq)));
          }
        }
      }
    }),
  );
});
