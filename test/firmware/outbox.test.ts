import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock } from "../../boards/virtual-clock.ts";
import { createOutbox, type Kind, type Run } from "../../firmware/outbox.ts";
import type { AckMessage } from "../../protocol/messages.ts";

const ack = (parts: Partial<AckMessage>): AckMessage => ({
  type: "ack",
  kid: new Uint8Array(8),
  boot: 1,
  n: 0,
  ofBoot: 1,
  next: 0,
  bitmap: new Uint8Array(0),
  refused: [],
  ...parts,
});
const outboxOf = (capacity: number) =>
  createOutbox({
    board: createSimulatedBoard(createVirtualClock()),
    boot: 1,
    capacity,
    log: null,
    onDurable: () => {},
    onFailed: () => {},
  });
const seqs = (outbox: ReturnType<typeof createOutbox>) => outbox.waiting.map(({ seq }) => seq);

test("an ack frees what is below next, what has its bit, and what was refused for good; nothing else (section 4)", () => {
  fc.assert(
    fc.property(
      fc.nat(12),
      fc.uint8Array({ maxLength: 3 }),
      fc.array(fc.nat(30), { maxLength: 4 }),
      fc.constantFrom(1, 2),
      (next, bitmap, refused, ofBoot) => {
        const outbox = outboxOf(10_000);
        for (let seq = 0; seq < 30; seq++) outbox.add("data", 1, seq, new Uint8Array(10), {});
        const settled = (seq: number) =>
          ofBoot === 1 &&
          (seq < next ||
            refused.includes(seq) ||
            (seq > next &&
              seq - next - 1 < 8 * bitmap.length &&
              ((bitmap[(seq - next - 1) >> 3] << ((seq - next - 1) & 7)) & 0x80) !== 0));
        const left = Array.from({ length: 30 }, (_, seq) => seq).filter((seq) => !settled(seq));
        const count = outbox.settle(ack({ ofBoot, next, bitmap, refused: refused.map((seq) => ({ seq, reason: 9 })) }));
        expect(seqs(outbox)).toEqual(left);
        expect(count).toBe(30 - left.length);
        expect(outbox.bytes).toBe(10 * left.length);
      },
    ),
  );
});

/** Ten bytes under this seq of boot 1. */
const add = (outbox: ReturnType<typeof createOutbox>, kind: Kind, seq: number, tells?: Run) =>
  outbox.add(kind, 1, seq, new Uint8Array(10), tells === undefined ? {} : { tells });
const gone = (outbox: ReturnType<typeof createOutbox>) =>
  outbox.gone.map(({ first, last }) => [first, last]).sort((a, b) => a[0]! - b[0]!);

test("when it is full the oldest data go first, then manifests, then events, births last; what went is told", () => {
  const outbox = outboxOf(50);
  for (const [seq, kind] of (["birth", "event", "manifest", "data", "data"] as const).entries()) add(outbox, kind, seq);
  expect(outbox.gone).toEqual([]);
  const left = (kind: Kind, seq: number) => {
    add(outbox, kind, seq);
    return seqs(outbox);
  };
  expect(left("event", 5)).toEqual([0, 1, 2, 4, 5]);
  expect(left("event", 6)).toEqual([0, 1, 2, 5, 6]);
  expect(left("event", 7)).toEqual([0, 1, 5, 6, 7]);
  expect(left("event", 8)).toEqual([0, 5, 6, 7, 8]);
  expect(gone(outbox)).toEqual([[1, 4]]);
  expect(outbox.bytes).toBe(50);
});

test("what tells of those that went takes no room from others; the next message makes it", () => {
  const outbox = outboxOf(50);
  for (let seq = 0; seq < 6; seq++) add(outbox, "event", seq);
  for (const run of outbox.takeGone(false)) add(outbox, "event", 6, run);
  expect(outbox.gone).toEqual([]);
  expect(outbox.bytes).toBe(60);
  add(outbox, "event", 7);
  expect(seqs(outbox)).toEqual([3, 4, 5, 6, 7]);
  expect(gone(outbox)).toEqual([[1, 2]]);
});

test("where what tells has to go itself, what it told is to be told again", () => {
  const outbox = outboxOf(50);
  for (let seq = 0; seq < 8; seq++) add(outbox, "event", seq);
  for (const run of outbox.takeGone(false)) add(outbox, "event", 8, run);
  for (let seq = 9; seq < 15; seq++) add(outbox, "event", seq);
  expect(seqs(outbox)).toEqual([10, 11, 12, 13, 14]);
  expect(gone(outbox)).toEqual([[0, 9]]);
});

test("whatever goes, comes, is told and is settled: every seq waits, is settled, or is told of or to be", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom<Kind>("data", "event", "manifest", "birth") }),
    fc.record({ tell: fc.constant(true) }),
    fc.record({ next: fc.nat(40), bitmap: fc.uint8Array({ maxLength: 2 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const outbox = outboxOf(50);
      const settled = new Set<number>();
      const tells = new Map<number, Run>();
      let seq = 0;
      for (const one of steps) {
        if ("kind" in one) add(outbox, one.kind, seq++);
        else if ("tell" in one) {
          for (const run of outbox.takeGone(false)) {
            tells.set(seq, run);
            add(outbox, "event", seq++, run);
          }
        } else {
          const next = Math.min(one.next, seq);
          outbox.settle(ack({ next, bitmap: one.bitmap }));
          for (let n = 0; n < seq; n++) {
            const bit = n - next - 1;
            if (n < next || ((one.bitmap[bit >> 3] ?? 0) & (0x80 >> (bit & 7)) & (bit >= 0 ? 255 : 0)) !== 0)
              settled.add(n);
          }
        }
        const known = new Set([...settled, ...seqs(outbox)]);
        for (const { first, last } of [
          ...outbox.gone,
          ...outbox.waiting.flatMap((message) => message.about.tells ?? []),
        ])
          for (let n = first; n <= last; n++) known.add(n);
        // an event 8 that was settled has told what it told
        for (const [n, run] of tells) if (settled.has(n)) for (let k = run.first; k <= run.last; k++) known.add(k);
        for (let n = 0; n < seq; n++) expect(known.has(n), `seq ${n}`).toBe(true);
        const runs = gone(outbox);
        for (let i = 1; i < runs.length; i++) expect(runs[i]![0]).toBeGreaterThan(runs[i - 1]![1]! + 1);
      }
    }),
  );
});

test("a message larger than the whole outbox is an error that says so, and nothing is evicted for it", () => {
  const outbox = outboxOf(50);
  outbox.add("data", 1, 0, new Uint8Array(10), {});
  expect(() => outbox.add("data", 1, 1, new Uint8Array(51), {})).toThrow("51 bytes in an outbox of 50");
  expect(seqs(outbox)).toEqual([0]);
});
