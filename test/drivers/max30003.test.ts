/** The MAX30003 driver: registers in, frames out; by scripted transactions, and against its emulator in virtual time. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
  type Frame,
  type Step,
} from "../../drivers/driver.ts";
import { chip, type Max30003Configuration } from "../../drivers/max30003/driver.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";
import { measureCalibration } from "../../drivers/max30003/selftest.ts";
import { type Bench, createBench } from "../support/bench.ts";

const read = (register: number, words = 1) => ({ transfer: [(register << 1) | 1, ...new Array(3 * words).fill(0)] });
const write = (register: number, value: number) => ({
  transfer: [register << 1, value >> 16, (value >> 8) & 255, value & 255],
});
const answer = (...words: number[]) =>
  Uint8Array.from([0xff, ...words.flatMap((word) => [(word >> 16) & 255, (word >> 8) & 255, word & 255])]);
const fifo = (sample: number, tag: number, pace = 0) => ((sample & 0x3ffff) << 6) | (tag << 3) | pace;

/** One step as it must be asked for, and what the bus answers. */
interface Turn {
  readonly ops: readonly object[];
  readonly replies?: readonly Uint8Array[];
  readonly pause?: number;
  readonly fails?: boolean;
  readonly edgeAt?: number;
  readonly at?: number;
}

/** Walks a chain of steps along a script; a step too many or too few fails. */
function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  let step: Step | null = first;
  for (const turn of script) {
    expect(step?.ops).toEqual(turn.ops);
    if (turn.pause !== undefined) expect(step?.pause).toBe(turn.pause);
    const outcome = {
      replies: turn.replies ?? turn.ops.map(() => answer(0)),
      error: turn.fails ? ({ kind: "timeout", op: 0, message: "no answer" } as const) : null,
      began: turn.at ?? 0,
      ended: turn.at ?? 0,
      edges: turn.edgeAt === undefined ? 0 : 1,
      edgeAt: turn.edgeAt ?? 0,
      inputs: 0,
    };
    step = step?.next?.(outcome, frame) ?? null;
  }
  expect(step).toBeNull();
  return frame;
}

// The default configuration, wired: 256 sps, gain 20, 10 nA lead-off, 100 MOhm bias, EFIT 12, automatic fast recovery.
const GEN = 0x081217;
const REGISTERS = [
  [0x10, GEN],
  [0x12, 0x004800],
  [0x14, 0x000000],
  [0x15, 0x400000],
  [0x04, 0x580004],
  [0x05, 0xbf0000],
  [0x02, 0x800003],
] as const;
const check = [read(0x01), read(0x10)];
const status = (bits: number) => [answer(bits), answer(GEN)];

const opening: Turn[] = [
  { ops: [read(0x01), read(0x0f)], replies: [answer(0), answer(0x513000)] },
  { ops: [write(0x08, 0)], pause: 20 },
  { ops: REGISTERS.map(([register, value]) => write(register, value)), pause: 20 },
  { ops: [read(0x01)], pause: 20, replies: [answer(0x000100)] },
  { ops: [read(0x01)], pause: 20, replies: [answer(0)] },
  { ops: REGISTERS.map(([register]) => read(register)), replies: REGISTERS.map(([, value]) => answer(value)) },
  { ops: [write(0x09, 0)] },
];

/** A wired driver that has been opened by script, and a frame. */
function opened() {
  const driver = chip.create({}, { interrupt: true });
  const frame = driver.createFrame();
  play(driver.open(), frame, opening);
  return { driver, frame, block: frame.channels[0] };
}

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
      const replies = step.ops.map((op) =>
        answer(...new Array(((op as { transfer: number[] }).transfer.length - 1) / 3).fill(0)),
      );
      replies.splice(-2, 2, ...status(steps === 0 ? 0x800000 : 0));
      const outcome = { replies, error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 };
      step = step.next?.(outcome, frame) ?? null;
    }
    expect(steps).toBeLessThanOrEqual(15);
    expect(block.count).toBe(12 + 12);
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
    [199.8, 40],
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
      expect(page).toMatch(new RegExp(`\\| ${name} \\| [^|]*\\| ${value} \\|`));
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

/** Runs polls with the given pauses, then close; returns what was converted and what was decoded. */
function record<C>(bench: Bench<C>, pauses: readonly number[]) {
  const converted: number[] = [];
  const at: number[] = [];
  const decoded: number[] = [];
  const blocks: { index: number; time: number; uncertainty: number; count: number; lost: number }[] = [];
  bench.emulator.onConvert = (_, code, time) => {
    converted.push(code);
    at.push(time);
  };
  const faults = [...bench.run(bench.driver.open()).faults];
  const collect = (frame: Frame) => {
    const [block] = frame.channels;
    faults.push(...frame.faults);
    decoded.push(...block.samples.subarray(0, block.count));
    const { index, time, uncertainty, count, lost } = block;
    blocks.push({ index, time, uncertainty, count, lost });
  };
  for (const pause of pauses) {
    bench.wait(pause);
    collect(bench.run(bench.driver.poll()));
  }
  collect(bench.run(bench.driver.close()));
  bench.wait(100);
  return { converted, at, decoded, blocks, faults };
}

const sha256 = (samples: readonly number[]) =>
  createHash("sha256")
    .update(new Uint8Array(Int32Array.from(samples).buffer))
    .digest("hex");

describe("MAX30003 driver against its emulator", () => {
  const sine = (time: number) => 0.01 * Math.sin(2 * Math.PI * 7 * time) - 0.002;

  test("everything that was converted is decoded, in order, whenever it is polled within pollEvery", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(128, 200, 256, 500, 512),
        fc.boolean(),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (sampleRate, interrupt, shares) => {
          const bench = createBench(chip, emulated, { configuration: { sampleRate }, interrupt });
          bench.emulator.set("ecg", sine);
          const { converted, decoded, blocks, faults } = record(
            bench,
            shares.map((share) => share * bench.driver.pollEvery),
          );
          expect(faults).toEqual([]);
          expect(sha256(decoded)).toBe(sha256(converted));
          expect(blocks.every(({ lost }) => lost === 0)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a block's time lies within its stated uncertainty of the first conversion, also with a crystal 500 ppm off", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(1, 1.0005, 0.9995),
        fc.array(fc.double({ min: 0.3, max: 1, noNaN: true }), { minLength: 5, maxLength: 20 }),
        (interrupt, oscillator, shares) => {
          const bench = createBench(chip, emulated, { interrupt, oscillator });
          const { at, blocks } = record(
            bench,
            shares.map((share) => share * bench.driver.pollEvery),
          );
          for (const { index, time, uncertainty, count } of blocks) {
            if (count > 0) expect(Math.abs(time - at[index])).toBeLessThanOrEqual(uncertainty);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("polled at its interrupt, every block's time is exact to the edge: word EFIT came then (p. 44)", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    const at: number[] = [];
    bench.emulator.onConvert = (_, __, time) => at.push(time);
    bench.run(bench.driver.open());
    for (let i = 0; i < 20; i++) {
      while (bench.edges.count === 0) bench.clock.step();
      bench.wait(i % 4); // the host is late
      const [block] = bench.run(bench.driver.poll()).channels;
      expect(block).toMatchObject({ count: 12, index: 12 * i });
      expect(block.time).toBeCloseTo(at[block.index], 3);
      expect(block.uncertainty).toBeLessThan(200);
    }
  });

  test("without an interrupt a block is known to half a sampling period and its reading", () => {
    const bench = createBench(chip, emulated);
    const { blocks } = record(bench, new Array(10).fill(60));
    for (const { uncertainty } of blocks.slice(0, 10)) expect(uncertainty).toBeLessThan(1e6 / 256);
  });

  test("over full scale and beyond, at every gain, the code is the rounded voltage, and saturation is flagged", () => {
    for (const gain of [20, 40, 80, 160]) {
      const bench = createBench(chip, emulated, { configuration: { gain } });
      const steps = 200;
      bench.emulator.set("ecg", (_, sinceStart) => (1.1 * (2 * Math.round(sinceStart * 256) - steps)) / steps / gain);
      const { decoded } = record(bench, new Array(14).fill(60));
      for (let i = 0; i <= steps; i++) {
        const exact = ((1.1 * (2 * i - steps)) / steps / gain) * (gain * 131072);
        const code = Math.sign(exact) * Math.round(Math.abs(exact));
        expect(decoded[i]).toBe(Math.max(-131072, Math.min(131071, code)) + 0);
      }
    }
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", 0.06);
    bench.run(bench.driver.open());
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0].flags).toBe(FLAG_SATURATED);
    bench.emulator.set("ecg", 0.04);
    bench.wait(62);
    bench.run(bench.driver.poll());
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0].flags).toBe(0);
  });

  test("a long saturation engages fast recovery, and its samples are flagged as settling (p. 26)", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", (time) => (time < 0.4 ? 0.06 : 0));
    bench.run(bench.driver.open());
    const flags: number[] = [];
    for (let i = 0; i < 20; i++) {
      bench.wait(60);
      flags.push(bench.run(bench.driver.poll()).channels[0].flags);
    }
    expect(flags[0]).toBe(FLAG_SATURATED);
    expect(flags.some((flag) => (flag & FLAG_SETTLING) !== 0)).toBe(true);
    expect(flags[19]).toBe(0);
  });

  test("an overflow is one fault and one loss of unknown size; nothing of it is decoded, and the record goes on", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(sinceStart * 256) / (20 * 131072)); // code = index
    bench.run(bench.driver.open());
    bench.wait(500);
    const over = bench.run(bench.driver.poll());
    expect(over.faults).toMatchObject([
      { code: FAULT_DATA, message: expect.stringMatching(/FIFO overflow.*poll at least/) },
    ]);
    expect(over.channels[0]).toMatchObject({ count: 0, lost: -1 });
    bench.wait(60);
    const after = bench.run(bench.driver.poll());
    const { samples, count, lost } = after.channels[0];
    expect(after.faults).toEqual([]);
    expect(lost).toBe(0);
    expect(count).toBeGreaterThan(10);
    expect(samples[0]).toBeGreaterThan(120);
    for (let i = 1; i < count; i++) expect(samples[i]).toBe(samples[i - 1] + 1);
  });

  test("a host that does nothing for 125 ms loses samples aloud, never silently (aromring/MAX30102_by_RF#34)", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(sinceStart * 256) / (20 * 131072));
    bench.run(bench.driver.open());
    let next = 0;
    let gaps = 0;
    for (let i = 0; i < 30; i++) {
      if (i === 10) bench.board.stall(140);
      while (bench.edges.count === 0) bench.clock.step();
      const [block] = bench.run(bench.driver.poll()).channels;
      if (block.lost === -1) gaps++;
      else if (block.count > 0 && gaps === 0) expect(block.samples[0]).toBe(next);
      if (block.count > 0) next = block.samples[block.count - 1] + 1;
    }
    expect(gaps).toBe(1);
    expect(next).toBeGreaterThan(300);
  });

  test("a lead that is off for more than 115 ms is flagged until it is back on; not looked for at 0 nA (p. 42)", () => {
    for (const leadOff of [0, 10]) {
      const bench = createBench(chip, emulated, { configuration: { leadOff } });
      bench.emulator.set("leadOff", (time) => (time >= 0.5 && time < 1 ? 1 : 0));
      bench.run(bench.driver.open());
      const seen: [number, boolean][] = [];
      while (bench.clock.now < 1.6e6) {
        bench.wait(60);
        const [block] = bench.run(bench.driver.poll()).channels;
        seen.push([bench.clock.now / 1e6, (block.flags & FLAG_LEAD_OFF) !== 0]);
      }
      const flagged = seen.filter(([, off]) => off).map(([time]) => time);
      if (leadOff === 0) expect(flagged).toEqual([]);
      else {
        expect(flagged[0]).toBeGreaterThan(0.615);
        expect(flagged[0]).toBeLessThan(0.7);
        expect(flagged.at(-1)).toBeLessThan(1.2);
        expect(flagged.length).toBeGreaterThan(4);
      }
    }
  });

  test("a lead that was off between two polls without samples is not forgotten: reading STATUS clears it", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [{ ops: check, replies: status(0x100009) }]);
    block.flags = 0;
    play(driver.poll(), frame, [
      { ops: check, replies: status(0x800000) },
      { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(11).fill(0), fifo(0, 2)), ...status(0)] },
    ]);
    expect(block.flags).toBe(FLAG_LEAD_OFF);
    block.flags = block.count = 0;
    play(driver.poll(), frame, [{ ops: check, replies: status(0) }]);
    expect(block.flags).toBe(0);
  });
});

describe("MAX30003 when things go wrong", () => {
  test.each([
    [0xffffff, "refused"],
    [0x000000, "refused"],
    [0x153000, "refused"],
    [0x541000, "plausible"],
    [0x500000, "plausible"],
    [0x553000, "confirmed"],
  ])("INFO %i: %s; a refused chip is not written to", (info, verdict) => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const first = { ops: [read(0x01), read(0x0f)], replies: [answer(info), answer(info)] };
    if (verdict === "refused") {
      play(driver.open(), frame, [first]);
      expect(frame.faults).toMatchObject([{ code: FAULT_IDENTITY, message: expect.stringContaining("check power") }]);
    } else {
      play(driver.open(), frame, [first, ...opening.slice(1)]);
      expect(frame.faults).toEqual([]);
    }
    expect(frame.identity?.verdict).toBe(verdict);
    if (info === 0x541000) expect(frame.identity?.read).toContain("MAX30001");
  });

  test("a register that does not keep its value is named, and the chip is left reset, not started", () => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const kept = REGISTERS.map(([register, value]) => answer(register === 0x15 ? 0x805000 : value));
    play(driver.open(), frame, [...opening.slice(0, 5), { ...opening[5], replies: kept }, { ops: [write(0x08, 0)] }]);
    expect(frame.faults).toMatchObject([
      {
        code: FAULT_CONFIGURATION,
        message: expect.stringContaining("register 0x15 reads 0x805000, 0x400000 was written"),
      },
    ]);
  });

  test("a PLL that never locks ends the opening after 100 ms, with the clock named", () => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const unlocked = { ops: [read(0x01)], pause: 20, replies: [answer(0x100)] };
    play(driver.open(), frame, [...opening.slice(0, 3), ...new Array(5).fill(unlocked), { ops: [write(0x08, 0)] }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("FCLK") }]);
  });

  test.each(opening.map((_, i) => i))("a bus that fails in step %i of open ends it without a loop", (failing) => {
    const driver = chip.create({}, { interrupt: true });
    const frame = driver.createFrame();
    const script = opening.slice(0, failing + 1).map((turn, i) => (i === failing ? { ...turn, fails: true } : turn));
    const after = failing > 0 && failing < 6 ? [{ ops: [write(0x08, 0)] }] : [];
    play(driver.open(), frame, [...script, ...after]);
  });

  test("a bus that fails while STATUS is read loses nothing; while words are read, nobody knows how many", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    bench.emulator.set("ecg", (_, sinceStart) => Math.round(sinceStart * 256) / (20 * 131072));
    bench.run(bench.driver.open());
    bench.wait(62);
    bench.board.busFault = () => "timeout";
    expect(bench.run(bench.driver.poll()).faults).toMatchObject([{ code: FAULT_BUS }]);
    bench.board.busFault = null;
    const good = bench.run(bench.driver.poll()).channels[0];
    expect(good).toMatchObject({ index: 0, lost: 0 });
    expect(good.samples[0]).toBe(0);

    bench.wait(62);
    bench.board.busFault = (_, ops) => ("transfer" in ops[0] && ops[0].transfer.length > 4 ? "bus" : null);
    expect(bench.run(bench.driver.poll())).toMatchObject({ faults: [{ code: FAULT_BUS }] });
    bench.board.busFault = null;
    expect(bench.run(bench.driver.poll()).channels[0].lost).toBe(-1);
  });

  test.each([
    [0xffffff, FAULT_BUS],
    [0x000000, FAULT_BUS],
    [0x000004, FAULT_RESTARTED],
    [0x081007, FAULT_RESTARTED],
  ])("CNFG_GEN that reads %i in mid-run is no data: fault, restart, no sample", (value, code) => {
    for (const inBurst of [false, true]) {
      const { driver, frame, block } = opened();
      const bad = [answer(value), answer(value)];
      play(
        driver.poll(),
        frame,
        inBurst
          ? [
              { ops: check, replies: status(0x800000) },
              { ops: [read(0x20, 12), ...check], replies: [answer(...new Array(12).fill(value)), ...bad] },
            ]
          : [{ ops: check, replies: bad }],
      );
      expect(block.count).toBe(0);
      expect(frame).toMatchObject({ restart: true, faults: [{ code }] });
    }
  });

  test("after a brown-out the poll asks for a restart, and open brings the record back", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.wait(60);
    bench.run(bench.driver.poll());
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(60);
    const frame = bench.run(bench.driver.poll());
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
    expect(frame.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 16, index: 0, lost: 0 });
  });

  test("closing twice is harmless, and a poll after it says that the chip must be opened", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.wait(30);
    expect(bench.run(bench.driver.close()).channels[0].count).toBe(8);
    const again = bench.run(bench.driver.close());
    expect(again.faults).toEqual([]);
    expect(again.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
  });
});

describe("MAX30003 self-test", () => {
  test.each([
    [256, 20],
    [128, 160],
    [500, 40],
    [200, 80],
  ])("at %d sps, gain %d the calibration source reads 1 mV peak to peak (p. 5, 24)", (sampleRate, gain) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate, gain } });
    bench.emulator.set("ecg", 0.003); // electrodes are isolated
    bench.run(bench.driver.open());
    const frame = bench.run(bench.driver.selfTest());
    expect(frame.faults).toEqual([]);
    expect(frame.measurements).toMatchObject([{ name: "calibration", unit: "mV", pass: true }]);
    expect(frame.measurements[0].value).toBeCloseTo(1, 2);
  });

  test("afterwards the outputs are as configured, and the record goes on behind a loss", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    bench.emulator.set("ecg", 0.003);
    bench.run(bench.driver.open());
    bench.run(bench.driver.selfTest());
    while (bench.edges.count === 0) bench.clock.step();
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ count: 12, lost: -1, flags: 0 });
    expect(block.samples[0]).toBe(Math.round(0.003 * 20 * 131072));
  });

  test("a dead, a weak and a foreign signal do not pass", () => {
    const square = (high: number, low: number) => [
      answer(...Array.from({ length: 24 }, (_, i) => fifo(i % 16 < 8 ? high : low, 0))),
    ];
    expect(measureCalibration(square(1311, -1311), 20)).toMatchObject({ pass: true });
    expect(measureCalibration(square(1000, -1000), 20)).toMatchObject({ pass: false });
    expect(measureCalibration(square(0, 0), 20)).toMatchObject({ pass: false, value: 0 });
    expect(measureCalibration([answer(...new Array(24).fill(0xffffff))], 20)).toBeNull();
  });

  test("a bus that fails in the middle still puts the outputs back", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("ecg", 0.003);
    bench.run(bench.driver.open());
    bench.board.busFault = (_, ops) => ("transfer" in ops[0] && ops[0].transfer.length > 4 ? "bus" : null);
    const frame = bench.run(bench.driver.selfTest());
    bench.board.busFault = null;
    expect(frame.measurements).toEqual([]);
    expect(frame.faults.map(({ code }) => code)).toEqual([FAULT_BUS, FAULT_DATA]);
    bench.wait(62);
    expect(bench.run(bench.driver.poll()).channels[0].samples[0]).toBe(Math.round(0.003 * 20 * 131072));
  });
});
