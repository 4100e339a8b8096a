import fc from "fast-check";
import { expect, test } from "vitest";
import { createOutbox, type Kind } from "../../firmware/outbox.ts";
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
const seqs = (outbox: ReturnType<typeof createOutbox>) => outbox.waiting.map(({ seq }) => seq);

test("an ack frees what is below next, what has its bit, and what was refused for good; nothing else (section 4)", () => {
  fc.assert(
    fc.property(
      fc.nat(12),
      fc.uint8Array({ maxLength: 3 }),
      fc.array(fc.nat(30), { maxLength: 4 }),
      fc.constantFrom(1, 2),
      (next, bitmap, refused, ofBoot) => {
        const outbox = createOutbox(10_000);
        for (let seq = 0; seq < 30; seq++) outbox.add("data", 1, seq, new Uint8Array(10));
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

test("when it is full the oldest data go first, then events, births last; what went is told", () => {
  const outbox = createOutbox(50);
  const add = (kind: Kind, seq: number) => outbox.add(kind, 1, seq, new Uint8Array(10)).map((gone) => gone.seq);
  expect(add("birth", 0)).toEqual([]);
  expect(add("event", 1)).toEqual([]);
  expect(add("data", 2)).toEqual([]);
  expect(add("data", 3)).toEqual([]);
  expect(add("event", 4)).toEqual([]);
  expect(add("data", 5)).toEqual([2]);
  expect(add("event", 6)).toEqual([3]);
  expect(add("event", 7)).toEqual([5]);
  expect(add("event", 8)).toEqual([1]);
  expect(seqs(outbox)).toEqual([0, 4, 6, 7, 8]);
  expect(outbox.bytes).toBe(50);
});

test("what tells of those that went takes no room from others; the next message makes it", () => {
  const outbox = createOutbox(50);
  for (let seq = 0; seq < 5; seq++) outbox.add("event", 1, seq, new Uint8Array(10));
  expect(outbox.add("event", 1, 5, new Uint8Array(10), true)).toEqual([]);
  expect(outbox.bytes).toBe(60);
  expect(outbox.add("event", 1, 6, new Uint8Array(10)).map(({ seq }) => seq)).toEqual([0, 1]);
  expect(outbox.bytes).toBe(50);
});

test("a message larger than the whole outbox is an error that says so, and nothing is evicted for it", () => {
  const outbox = createOutbox(50);
  outbox.add("data", 1, 0, new Uint8Array(10));
  expect(() => outbox.add("data", 1, 1, new Uint8Array(51))).toThrow("51 bytes in an outbox of 50");
  expect(seqs(outbox)).toEqual([0]);
});
