/** When the MAX30003's samples were taken, exactly; and what is left of a FIFO that is not to be trusted. */
import { describe, expect, test } from "vitest";
import { FAULT_BUS, FAULT_DATA, FAULT_RESTARTED, type Outcome, type Step } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { answer, check, fifo, GEN, opened, opening, play, read, status, write } from "./max30003-script.ts";

const PERIOD = 1e6 / 256;
const DRIFT = PERIOD / 1024;
const words = (n: number, last = 2) => answer(...new Array(n - 1).fill(fifo(5, 0)), fifo(5, last));

/** A poll with these looks and bursts; every outcome lasts 300 us. */
function run(turns: readonly { replies: readonly Uint8Array[]; at: number; edges?: number; edgeAt?: number }[]) {
  const { driver, frame, block } = opened();
  let step: Step | null = driver.poll();
  for (const { replies, at, edges = 0, edgeAt = 0 } of turns) {
    const outcome: Outcome = { replies, error: null, began: at, ended: at + 300, edges, edgeAt, inputs: 0 };
    step = step?.next?.(outcome, frame) ?? null;
  }
  return { step, block, frame };
}

describe("MAX30003 time", () => {
  test("without an edge the last word is as old as a period at most", () => {
    const { block } = run([
      { replies: status(0x800000), at: 100_000 },
      { replies: [words(12), ...status(0)], at: 101_000 },
    ]);
    // Between 101000 - period and 101300.
    expect(block.time).toBe((101_000 - PERIOD + 101_300) / 2 - 11 * PERIOD);
    expect(block.uncertainty).toBe((300 + PERIOD) / 2 + 11 * DRIFT);
  });

  test.each([
    ["more words wait than a frame holds", 0x800000, 32, false],
    ["an overflow cuts it off", 0x400000, 32, true],
  ])("where %s, up to 32 newer ones wait, one at least", (_, bits, behind, lost) => {
    const burst = { replies: [words(12, 0), ...status(bits)], at: 101_000 };
    const turns = new Array(lost ? 1 : 5).fill(burst);
    const { block, step } = run([{ replies: status(0x800000), at: 100_000 }, ...turns]);
    const low = 101_000 - (behind + 1) * PERIOD;
    const high = 101_300 - PERIOD;
    expect(block.count).toBe(lost ? 12 : 60);
    expect(block.time).toBe((low + high) / 2 - (block.count - 1) * PERIOD);
    expect(block.uncertainty).toBe((high - low) / 2 + (block.count - 1) * DRIFT);
    expect(step === null).toBe(!lost);
  });

  test("where single words are still to come at the end of a chain, fewer than EFIT wait", () => {
    const single = { replies: [answer(fifo(5, 0)), ...status(0)], at: 101_000 };
    const { block, step } = run([
      { replies: status(0x800000), at: 100_000 },
      { replies: [words(12, 0), ...status(0)], at: 101_000 },
      ...new Array(12).fill(single),
    ]);
    expect(step).toBeNull();
    expect(block.count).toBe(24);
    const low = 101_000 - 13 * PERIOD;
    const high = 101_300 - PERIOD;
    expect(block.time).toBe((low + high) / 2 - 23 * PERIOD);
    expect(block.uncertainty).toBe((high - low) / 2 + 23 * DRIFT);
  });

  test.each([
    ["one edge since the FIFO was read is word 12", 1, 90_000, true],
    ["two edges: nobody knows which", 2, 90_000, false],
    ["none", 0, 90_000, false],
    ["an edge of before it was read", 1, 0, false],
  ])("%s", (_, edges, edgeAt, anchored) => {
    const { block } = run([
      { replies: status(0x800000), at: 100_000, edges, edgeAt },
      { replies: [words(12), ...status(0)], at: 101_000 },
    ]);
    expect(block.time).toBe(anchored ? 90_000 - 11 * PERIOD : (101_000 - PERIOD + 101_300) / 2 - 11 * PERIOD);
    expect(block.uncertainty).toBe(anchored ? 100 + 11 * DRIFT : (300 + PERIOD) / 2 + 11 * DRIFT);
  });

  test("a poll without samples leaves the time alone", () => {
    const { block } = run([{ replies: status(0), at: 100_000, edges: 1, edgeAt: 90_000 }]);
    expect(block).toMatchObject({ count: 0, time: 0, uncertainty: 0 });
  });
});

describe("MAX30003 FIFO that is not to be trusted", () => {
  test("a bad tag in the first piece of a burst spoils the pieces behind it", () => {
    const driver = chip.create({}, { interrupt: true, maxRead: 30 });
    const frame = driver.createFrame();
    play(driver.open(), frame, opening);
    const first = answer(fifo(1, 0), fifo(2, 0), fifo(3, 7), ...new Array(6).fill(fifo(4, 7)));
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 9), read(0x20, 3), ...check], replies: [first, words(3), ...status(0)] },
      { ops: [write(0x0a, 0)] },
    ]);
    expect([...frame.channels[0].samples.subarray(0, frame.channels[0].count)]).toEqual([1, 2]);
    expect(frame.faults).toMatchObject([{ code: FAULT_DATA }]);
  });

  const stop = { ops: [write(0x10, 0x000004)], at: 100_000 };
  const drain = { ops: [read(0x20, 32), ...check], at: 101_000 };
  const reset = { ops: [write(0x08, 0)] };

  test("close dates what it drains by the moment at which the channel stopped", () => {
    const { driver, frame, block } = opened();
    const full = answer(...new Array(5).fill(fifo(7, 0)), fifo(7, 2), ...new Array(26).fill(fifo(0, 6)));
    play(driver.close(), frame, [stop, { ...drain, replies: [full, answer(0), answer(4)] }, reset]);
    expect(block).toMatchObject({ count: 6, index: 0, lost: 0 });
    expect(block.time).toBe(100_000 - PERIOD / 2 - 5 * PERIOD);
    expect(block.uncertainty).toBe(PERIOD / 2 + 5 * DRIFT);
  });

  test("an overflow at close is told; what came before it stays", () => {
    const { driver, frame, block } = opened();
    const over = answer(fifo(7, 0), ...new Array(31).fill(fifo(7, 7)));
    play(driver.close(), frame, [stop, { ...drain, replies: [over, answer(0x400000), answer(4)] }, reset]);
    expect(block.count).toBe(1);
    expect(frame.faults).toMatchObject([{ code: FAULT_DATA, message: expect.stringContaining("FIFO overflow") }]);
  });

  test("a bus that fails at close, or another chip there, gives no sample; both times it is reset", () => {
    const failed = opened();
    play(failed.driver.close(), failed.frame, [stop, { ...drain, replies: [words(32)], fails: true }, reset]);
    expect(failed.block.count).toBe(0);
    for (const [value, code] of [
      [0, FAULT_BUS],
      [GEN, FAULT_RESTARTED],
    ]) {
      const { driver, frame, block } = opened();
      play(driver.close(), frame, [stop, { ...drain, replies: [words(32), answer(0), answer(value)] }, reset]);
      expect(block.count).toBe(0);
      expect(frame.faults).toMatchObject([{ code }]);
    }
    const stopped = opened();
    play(stopped.driver.close(), stopped.frame, [{ ...stop, fails: true }, reset]);
    expect(stopped.block.count).toBe(0);
  });
});
