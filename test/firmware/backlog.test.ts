/** What is taken up from the log after an outage: all that is there, once, and nothing that is not. */
import { expect, test } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { createSimulatedFlash } from "../../boards/simulated-flash.ts";
import { type Bench, bench, drain, newTruth, type Truth } from "./power-cuts.ts";

/** A boot whose birth is settled, with `count` messages behind it that are in the log, and as many in RAM as there is room for. */
function away(count: number): { readonly one: Bench; readonly truth: Truth } {
  const flash = createSimulatedFlash({ pageSize: 4096, pages: 8 });
  const truth = newTruth();
  const one = bench(flash, createMemoryStorage(), 1, truth);
  one.make("birth", 200);
  one.run();
  one.ack(one.outbox.waiting);
  make(one, count);
  return { one, truth };
}

function make(one: Bench, count: number): void {
  for (let i = 0; i < count; i++) {
    one.make("data", 300 + ((i * 7919) % 200));
    one.run();
  }
}

const seqs = (names: Iterable<string>) => [...names].map((name) => Number(name.split(" ").at(-1)));

test.each([20, 40, 60, 80, 100, 120, 140])(
  "a message that was next when %i more made it go is not looked for where it lay",
  (more) => {
    const { one, truth } = away(30);
    const { outbox } = one;
    // as with a link that is up for a moment: which is the next one is known, and it is not read
    expect(outbox.backlog!.next()).toMatchObject({ seq: 1 });
    make(one, more);
    const there = outbox.waiting.map(({ seq }) => seq);
    one.ack(outbox.waiting);
    expect(outbox.gone).toMatchObject([{ first: 1, reason: 1 }]);
    const from = outbox.gone[0]!.last + 1;
    there.push(...seqs(drain(one, truth)));
    expect(there.sort((a, b) => a - b)).toEqual(Array.from({ length: 32 + more - from }, (_, i) => from + i));
    // the last of them tells what had to go
    for (const run of truth.told) expect(run).toMatchObject({ first: 1, last: from - 1, reason: 1 });
    expect(outbox.gone).toEqual([]);
    expect(outbox.count).toBe(0);
  },
);

test("a message that was next when an ack settled it does not wait any more", () => {
  const { one, truth } = away(30);
  const { outbox } = one;
  expect(outbox.backlog!.next()).toMatchObject({ seq: 1 });
  const bitmap = new Uint8Array(0);
  outbox.settle({ type: "ack", kid: new Uint8Array(8), boot: 1, n: 1, ofBoot: 1, next: 31, bitmap, refused: [] });
  expect([...drain(one, truth)]).toEqual([]);
  expect(outbox.count).toBe(0);
});
