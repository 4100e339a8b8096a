/** Every word of a MAX30003 burst by its own tag, and bursts in the pieces that a bus carries. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_SETTLING } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, check, fifo, GEN, opened, read, status, write } from "./max30003-script.ts";
import { followStreams } from "./streams.ts";

describe("MAX30003 words", () => {
  test("every word of a burst is judged by its own tag, whatever comes before or behind it", () => {
    const word = fc.tuple(fc.integer({ min: -131072, max: 131071 }), fc.constantFrom(0, 0, 0, 1, 2, 3, 6, 4, 5, 7));
    const property = fc.property(fc.array(word, { minLength: 12, maxLength: 12 }), (words) => {
      const { driver, frame, block } = opened();
      let step = driver.poll();
      const outcome = { error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 };
      step = step.next!({ ...outcome, replies: status(0x800000) }, frame)!;
      const burst = answer(...words.map(([sample, tag]) => fifo(sample, tag, 5)));
      const next = step.next!({ ...outcome, replies: [burst, ...status(0)] }, frame);
      const end = words.findIndex(([, tag]) => tag === 4 || tag === 5 || tag === 7);
      const good = (end < 0 ? words : words.slice(0, end)).filter(([, tag]) => tag !== 6);
      expect([...block.samples.subarray(0, block.count)]).toEqual(good.map(([sample]) => sample));
      expect((block.flags & FLAG_SETTLING) !== 0).toBe(good.some(([, tag]) => (tag & 1) !== 0));
      expect((block.flags & 32) !== 0).toBe(good.some(([sample]) => sample === 131071 || sample === -131072));
      const last = words[11][1];
      // More words wait where the last one is not the last.
      expect(next?.ops).toEqual(
        end >= 0 ? [write(0x0a, 0)] : last === 0 || last === 1 ? [read(0x21), ...check] : undefined,
      );
    });
    fc.assert(property, { seed: 9, numRuns: 300 });
    expect(GEN).toBe(0x081217);
  });

  test.each([
    [4, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    [8, [2, 2, 2, 2, 2, 2]],
    [30, [9, 3]],
  ])("a bus of %i bytes reads a burst in pieces of so many words: %j", (maxRead, pieces) => {
    const bench = createBench(chip, emulated, { interrupt: true, maxRead });
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(256 * sinceStart) / (20 * 131072));
    const streams = followStreams(bench.emulator, bench.driver.channels());
    bench.run(bench.driver.open());
    const step = bench.driver.poll();
    while (bench.edges.count === 0) bench.clock.step();
    const asked: number[] = [];
    bench.board.busFault = (_, ops, at) => {
      const op = ops[at] as { transfer: number[] };
      expect(op.transfer.length).toBeLessThanOrEqual(maxRead);
      if (op.transfer[0] === 0x41 || op.transfer[0] === 0x43) asked.push((op.transfer.length - 1) / 3);
      return null;
    };
    streams.follow(bench.run(step));
    bench.board.busFault = null;
    expect(asked).toEqual(pieces);
    streams.end(bench.run(bench.driver.close()));
  });
});
