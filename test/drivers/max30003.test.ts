/** The MAX30003 driver: transactions, FIFO words, configuration. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FAULT_DATA,
  FLAG_CLOCK_UNCERTAIN,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
  type Outcome,
  type Step,
} from "../../drivers/driver.ts";
import { chip, type Max30003Configuration } from "../../drivers/max30003/chip.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { answer, check, fifo, opened, opening, play, read, status, write } from "./max30003-script.ts";

describe("MAX30003 transactions", () => {
  test("open asks who it is, resets, configures, waits for the PLL, reads back and lets SYNCH be the last (p. 46, 47)", () => {
    const { frame } = opened();
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "INFO 0x513000" });
    expect(frame.faults).toEqual([]);
  });

  test("a poll reads EFIT words in one burst when EINT says that they are there (p. 42)", () => {
    const { driver, frame, block } = opened();
    const words = Array.from({ length: 12 }, (_, i) => fifo(i - 8, i === 11 ? 2 : 0, i & 7));
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...words), ...status(0)] },
    ]);
    expect([...block.samples.subarray(0, block.count)]).toEqual(Array.from({ length: 12 }, (_, i) => i - 8));
    expect(block).toMatchObject({ index: 0, lost: 0, flags: 0 });
  });

  test("without EINT nothing is read: an empty FIFO may not be read at all (p. 61)", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(block).toMatchObject({ count: 0, lost: 0 });
  });

  test("what waits behind the burst goes word by word up to EOF, not beyond (p. 61)", () => {
    const { driver, frame, block } = opened();
    const words = new Array(12).fill(fifo(7, 0));
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...words), ...status(0)] },
      { ops: [read(0x21), ...check], replies: [answer(fifo(8, 0)), ...status(0)] },
      { ops: [read(0x21), ...check], replies: [answer(fifo(9, 2)), ...status(0)] },
    ]);
    expect([...block.samples.subarray(10, block.count)]).toEqual([7, 7, 8, 9]);
  });

  test("an endless FIFO ends the chain after 15 steps, inside the contract's 16", () => {
    const { driver, frame, block } = opened();
    let steps = 0;
    for (let step: Step | null = driver.poll(); step !== null; steps++) {
      const replies: Uint8Array[] = step.ops.map((op) =>
        answer(...new Array(((op as { transfer: number[] }).transfer.length - 1) / 3).fill(0)),
      );
      replies.splice(-2, 2, ...status(steps === 0 ? 0x800000 : 0));
      const outcome: Outcome = { replies, error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 };
      step = step.next?.(outcome, frame) ?? null;
    }
    expect(steps).toBeLessThanOrEqual(15);
    expect(block.count).toBe(12 + 12);
  });

  test("while EINT goes on, burst follows burst, up to what a frame holds", () => {
    const { driver, frame, block } = opened();
    const full = [answer(...new Array(12).fill(fifo(3, 0))), ...status(0x800000)];
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      ...new Array(5).fill({ ops: [read(0x20, 12), ...check], replies: full }),
    ]);
    expect(block.count).toBe(60);
    expect(block.samples.length).toBeGreaterThanOrEqual(60);
    expect(block.uncertainty).toBeGreaterThan((12 * 1e6) / 256); // up to 32 newer ones wait
  });

  test("an edge tells the time of word EFIT only if no word was taken since", () => {
    const { driver, frame, block } = opened();
    const words = {
      ops: [read(0x20, 12), ...check],
      replies: [answer(...new Array(11).fill(0), fifo(0, 2)), ...status(0)],
    };
    const period = 1e6 / 256;
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000), at: 60_000, edgeAt: 50_000 },
      { ...words, at: 61_000 },
    ]);
    expect(block.time).toBe(50_000 - 11 * period);
    expect(block.uncertainty).toBeLessThan(200);
    block.count = 0;
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000), at: 110_000, edgeAt: 60_500 },
      { ...words, at: 111_000 },
    ]);
    expect(block.time).toBe(111_000 - period / 2 - 11 * period);
    expect(block.uncertainty).toBeGreaterThan(period / 2);
  });

  test("a board that carries 30 bytes gets the burst in pieces", () => {
    const driver = chip.create({}, { interrupt: true, maxRead: 30 });
    const frame = driver.createFrame();
    play(driver.open(), frame, opening);
    const words = (n: number) => answer(...new Array(n).fill(fifo(1, 0)));
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      {
        ops: [read(0x20, 9), read(0x20, 3), ...check],
        replies: [words(9), answer(fifo(1, 0), fifo(1, 0), fifo(1, 2)), ...status(0)],
      },
    ]);
    expect(frame.channels[0].count).toBe(12);
    expect(() => chip.create({}, { maxRead: 3 })).toThrow(/maxRead is 3/);
  });

  test("close stops the converter, reads all 32 words, resets", () => {
    const { driver, frame, block } = opened();
    const words = [fifo(5, 0), fifo(6, 2), ...new Array(30).fill(fifo(0, 6))];
    play(driver.close(), frame, [
      { ops: [write(0x10, 0x000004)] },
      { ops: [read(0x20, 32), ...check], replies: [answer(...words), answer(0), answer(0x000004)] },
      { ops: [write(0x08, 0)] },
    ]);
    expect([...block.samples.subarray(0, block.count)]).toEqual([5, 6]);
    expect(frame.faults).toEqual([]);
  });
});

describe("MAX30003 FIFO words (table 50, p. 62)", () => {
  const first = (...words: number[]) => {
    const { driver, frame, block } = opened();
    const full = [...words, ...new Array(12 - words.length).fill(fifo(0, 6))];
    const reset = words.some((word) => [4, 5, 7].includes((word >> 3) & 7));
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...full), ...status(0)] },
      ...(reset ? [{ ops: [write(0x0a, 0)] }] : []),
    ]);
    return { driver, frame, block, samples: [...block.samples.subarray(0, block.count)] };
  };

  // Vectors for protocentral_max30001_arduino#12: the tag is D[5:3], not D[2:0], not D[6:3].
  test.each([
    ["valid", 0x000040, [1], 0],
    ["valid, PTAG 7 beside it", 0x000047, [1], 0],
    ["fast", 0x000048, [1], FLAG_SETTLING],
    ["last valid", 0x000050, [1], 0],
    ["last fast", 0x000058, [1], FLAG_SETTLING],
    ["empty", 0x000070, [], 0],
    ["empty, data bits set", (0xfffff7 & ~0x38) | 0x30, [], 0],
    ["largest", 0x7fffc0, [131071], FLAG_SATURATED],
    ["smallest", 0x800000, [-131072], FLAG_SATURATED],
    ["-1", 0xffffc0, [-1], 0],
    ["one below the largest", 0x7fff80, [131070], 0],
    ["one above the smallest", 0x800040, [-131071], 0],
  ])("%s", (_, word, samples, flags) => {
    const { block, frame, samples: got } = first(word);
    expect(got).toEqual(samples);
    expect(block.flags).toBe(flags);
    expect(frame.faults).toEqual([]);
  });

  test.each([[4], [5], [7]])(
    "tag %i is not data: what came before it stays, the FIFO is reset, the loss is told next",
    (tag) => {
      const { driver, frame, block, samples } = first(fifo(11, 0), fifo(12, 0), fifo(13, tag), fifo(14, 0));
      expect(samples).toEqual([11, 12]);
      expect(block.lost).toBe(0);
      expect(frame.faults).toMatchObject([{ code: FAULT_DATA }]);
      frame.faults.length = 0;
      block.count = 0;
      play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
      expect(block).toMatchObject({ count: 0, lost: -1, index: 2 });
    },
  );

  test("an overflow that STATUS tells behind good words keeps them, resets the FIFO, and the loss is told next", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(12).fill(fifo(4, 0))), ...status(0xc00000)] },
      { ops: [write(0x0a, 0)] },
    ]);
    expect(block).toMatchObject({ count: 12, lost: 0 });
    expect(frame.faults).toMatchObject([{ code: FAULT_DATA }]);
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(block.lost).toBe(-1);
  });

  test.each([
    [0x000001, FLAG_LEAD_OFF],
    [0x000002, FLAG_LEAD_OFF],
    [0x000004, FLAG_LEAD_OFF],
    [0x000008, FLAG_LEAD_OFF],
    [0x000100, FLAG_CLOCK_UNCERTAIN],
    [0x200200, 0],
  ])("STATUS %i in mid-run gives the samples their quality", (bits, flags) => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(11).fill(0), fifo(0, 2)), ...status(bits)] },
    ]);
    expect(block.flags).toBe(flags);
  });

  test("every sample and every valid tag comes back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -131072, max: 131071 }), fc.constantFrom(0, 1)), { maxLength: 12 }),
        (words) => {
          expect(first(...words.map(([sample, tag]) => fifo(sample, tag))).samples).toEqual(
            words.map(([sample]) => sample),
          );
        },
      ),
    );
  });

  test("a sample that comes behind an empty word is kept: its reading took it out of the FIFO", () => {
    expect(first(fifo(1, 2), fifo(0, 6), fifo(2, 2)).samples).toEqual([1, 2]);
  });
});

describe("MAX30003 configuration", () => {
  test.each<[Partial<Max30003Configuration>, RegExp]>([
    [{ sampleRate: 199.8 }, /sampleRate is 199.8/],
    [{ sampleRate: 300 }, /MAX30003: sampleRate is 300; choose one of 512, 256/],
    [{ gain: 10 }, /gain is 10; choose one of 20, 40, 80, 160/],
    [{ lowPass: 60 }, /lowPass is 60/],
    [{ leadOff: 7 }, /leadOff is 7/],
    [{ leadBias: 1 }, /leadBias is 1/],
    [{ sampleRate: 256, lowPass: 150 }, /lowPass 150 and sampleRate 256 fight/],
    [{ sampleRate: 200, lowPass: 100 }, /lowPass 100 and sampleRate 200 fight/],
    [{ sampleRate: 128, lowPass: 40 }, /lowPass 40 and sampleRate 128 fight/],
    [{ sampleRate: 256, lowPass: 28 }, /lowPass 28 and sampleRate 256 fight/],
    [{ leadOff: 5, leadBias: 50 }, /leadOff 5 and leadBias 50 fight/],
  ])("%j is refused, and the error says what to do (table 35, p. 52)", (settings, message) => {
    expect(() => chip.create(settings, {})).toThrow(message);
    expect(() => chip.create(settings, {})).toThrow(/choose/);
  });

  test.each([
    [512, 150],
    [500, 150],
    [512, 100],
    [256, 100],
    [250, 40],
    [200, 40],
    [128, 28],
    [125, 28],
    [125, 0],
  ])("%d sps with a low-pass of %d hz is written, read back and converts at that rate", (sampleRate, lowPass) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate, lowPass } });
    const times: number[] = [];
    bench.emulator.onConvert = (_, __, at) => times.push(at);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(1000);
    expect(times.length - 1).toBe(Math.floor(sampleRate));
    expect(bench.driver.channels()[0].rate).toBeCloseTo(sampleRate, 2);
    expect((times[100] - times[0]) / 100).toBeCloseTo(1e6 / bench.driver.channels()[0].rate, 6);
  });

  test.each([20, 40, 80, 160])("at gain %d the channel's scale is exactly 1 V / (gain x 2^17) (p. 26)", (gain) => {
    const [channel] = chip.create({ gain }, {}).channels();
    expect(Number.isSafeInteger(channel.mul)).toBe(true);
    expect(BigInt(channel.mul) * BigInt(gain) * 2n ** 17n).toBe(10n ** BigInt(-channel.exp10));
    expect(channel).toMatchObject({ mdc: 131328, bits: 18, unit: "V", offset: 0, waveform: true, processing: 0 });
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/max30003/README.md", import.meta.url), "utf8");
    for (const [name, value] of Object.entries(chip.defaults as object)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
    }
  });

  test("reconfigure: lead-off alone is a difference; gain, rate and filters need a new record; nothing needs nothing", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    const now = bench.driver.configuration;
    for (const change of [
      { gain: 40 },
      { sampleRate: 512 },
      { sampleRate: 250 },
      { highPass: true },
      { lowPass: 40 },
    ]) {
      expect(bench.driver.reconfigure({ ...now, ...change })).toBeNull();
    }
    expect(bench.driver.reconfigure({ ...now })?.ops).toEqual([]);
    expect(() => bench.driver.reconfigure({ ...now, leadOff: 3 })).toThrow(/leadOff is 3/);
    bench.emulator.set("leadOff", 1);
    bench.run(bench.driver.reconfigure({ ...now, leadOff: 0 })!);
    expect(bench.driver.configuration.leadOff).toBe(0);
    bench.wait(300);
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block.flags & FLAG_LEAD_OFF).toBe(0);
  });
});
