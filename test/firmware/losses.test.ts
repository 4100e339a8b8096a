/** Losses in the middle of a run, from a chip's FIFO to the record: counted within a segment, or a new segment (FAULTS.md 8). */
import { expect, test } from "vitest";
import { EVENT_FAULT, EVENT_OVERFLOW } from "../../protocol/messages.ts";
import { createCommanded, ECG, INFRARED, RED, waves } from "./commanded.ts";

/** A board whose host stands still for so many ms after 10 s, and what it told then. */
function stalled(ms: number) {
  const board = createCommanded();
  board.start(10);
  const sourced = () => board.node.sources.map(({ samples }) => samples);
  board.node.board.stall(ms);
  board.run(10);
  const losses = board.eventsOf(EVENT_OVERFLOW).map(({ small }) => small as [number, number, number | null]);
  return { board, losses, sourced: sourced() };
}

/** The blocks of a channel, each [seg, idx, n, us of board time]. */
const blocks = (board: ReturnType<typeof createCommanded>, id: number) =>
  board
    .data()
    .flatMap(({ tick, channels }) =>
      channels.flatMap((one) =>
        one.kind === "wave" && one.id === id
          ? [{ seg: one.seg, idx: one.idx, n: one.n, at: tick * 1000 + one.dt }]
          : [],
      ),
    );

test("what a FIFO of light can count is a step of idx by just as many, in the same segment, and event 4 tells it", () => {
  const { board, losses, sourced } = stalled(400);
  const light = losses.filter(([id]) => id !== ECG);
  expect(light.map(([id, seg]) => [id, seg])).toEqual([
    [RED, 0],
    [INFRARED, 0],
  ]);
  for (const [id, , lost] of light) {
    expect(lost).toBeGreaterThan(10);
    expect(lost).toBeLessThan(32);
    const found = blocks(board, id);
    expect(new Set(found.map(({ seg }) => seg))).toEqual(new Set([0]));
    const steps = found.slice(1).flatMap(({ idx }, i) => {
      const step = idx - found[i]!.idx - found[i]!.n;
      return step === 0 ? [] : [step];
    });
    expect(steps).toEqual([lost]);
    // not one too many, not one too few: each sample still stands at its time
    const last = found.at(-1)!;
    const came = found.reduce((sum, { n }) => sum + n, 0);
    expect(came + lost!).toBe(last.idx + last.n);
    expect(sourced[id]! - last.idx - last.n).toBeGreaterThanOrEqual(0);
    expect(sourced[id]! - last.idx - last.n).toBeLessThan(120);
    expect((last.at - found[0]!.at) / 10_000).toBeCloseTo(last.idx - found[0]!.idx, 0);
  }
  expect(waves(board, RED).length).toBeGreaterThan(5);
});

test("what a FIFO cannot count is a new segment from idx 0, and event 4 with null, while the chip goes on without an opening", () => {
  const { board, losses } = stalled(500);
  expect(losses.filter(([id]) => id === ECG)).toEqual([[ECG, 0, null]]);
  const found = blocks(board, ECG);
  const second = found.findIndex(({ seg }) => seg === 1);
  expect(found[second]!.idx).toBe(0);
  found.forEach((block, i) => {
    expect(block.seg).toBe(i < second ? 0 : 1);
    if (i > 0 && i !== second) expect(block.idx).toBe(found[i - 1]!.idx + found[i - 1]!.n);
  });
  const told = board.eventsOf(EVENT_FAULT).map(({ small }) => String((small as unknown[])[2]));
  expect(told.filter((words) => words.includes("MAX30003"))).toEqual([expect.stringContaining("FIFO overflow")]);
});

test("more than a FIFO of light can count is a new segment too", () => {
  const { board, losses } = stalled(3000);
  expect(losses.filter(([id]) => id !== ECG)).toEqual([
    [RED, 0, null],
    [INFRARED, 0, null],
  ]);
  for (const id of [RED, INFRARED]) {
    const found = blocks(board, id);
    expect([...new Set(found.map(({ seg }) => seg))]).toEqual([0, 1]);
    expect(found.find(({ seg }) => seg === 1)!.idx).toBe(0);
  }
});
