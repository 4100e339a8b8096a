import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAULT_DATA, FAULT_RESTARTED, FLAG_SATURATED } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { counting, type Exchange, opened, play, reds, STATUS, samples, status } from "./max30102-script.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

const PERIOD = 10_000;
const DEFAULT = [0x0f, 0x83, 0x47, 0, 31, 31];
const single = () => opened({ interruptOn: "sample" }, undefined, DEFAULT, [], [0xc0, 0]);
/** A poll that was called by an edge and finds `count` samples from `from`. */
const called = (
  from: number,
  count: number,
  edgeAt: number,
  began: number,
  status1 = 0x40,
  status2 = 0,
): Exchange[] => [
  { ops: [STATUS], replies: [status(from + count, 0, from, status1, status2, 0xc0)], began, edges: 1, edgeAt },
  { ops: [{ read: 3 + 6 * count, at: 4 }], replies: [[from + count, 0, from, ...samples(from, count)]], began },
];

describe("MAX30102 with an interrupt for every sample", () => {
  it("enables PPG_RDY beside A_FULL (p13), and takes another enable for a reset", () => {
    const { driver, frame } = single();
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [status(0, 0, 0, 0, 0, 0x80)] }]);
    expect(frame.restart).toBe(true);
    expect(frame.faults).toEqual([
      {
        code: FAULT_RESTARTED,
        message:
          "MAX30102 at 0x57: lost its registers (status 0x00, enable 0x80): brown-out, or reset by another; check the supply",
      },
    ]);
  });

  it("dates a lone sample by its edge, to a sixteenth of a period", () => {
    const { driver, frame } = single();
    play(driver.poll(), frame, called(0, 1, 8_000, 9_000));
    expect(frame.channels[0]).toMatchObject({ count: 1, time: 8_000, uncertainty: PERIOD / 16 });
    play(driver.poll(), frame, called(1, 1, 18_050, 19_000));
    expect(frame.channels[1]).toMatchObject({ index: 1, time: 18_050, uncertainty: PERIOD / 16 });
  });

  it("does not where there are two: nobody knows whose edge it was", () => {
    const { driver, frame } = single();
    play(driver.poll(), frame, called(0, 2, 18_000, 19_000));
    expect(frame.channels[0].uncertainty).toBeGreaterThan(PERIOD / 4);
  });

  it.each([
    ["the die temperature", 0x40, 2],
    ["the ambient light", 0x60, 0],
    ["something near", 0x50, 0],
  ])("nor where it may have been that of %s", (_, status1, status2) => {
    const { driver, frame } = single();
    play(driver.poll(), frame, called(0, 1, 8_000, 9_000, status1, status2));
    expect(frame.channels[0].uncertainty).toBeGreaterThan(PERIOD / 4);
  });

  it("is polled like the other where INT is not wired", () => {
    const driver = chip.create({ interruptOn: "sample" }, {});
    expect(driver).toMatchObject({ dataReady: null, pollEvery: 160 });
    expect(chip.create({ interruptOn: "sample" }, { interrupt: true })).toMatchObject({ dataReady: "falling" });
  });

  it("hears every sample of a chip at its time", () => {
    const property = fc.property(
      uniform(10.32 / 10.48, 10.64 / 10.48),
      fc.constantFrom(1, 4),
      (oscillator, averaging) => {
        const configuration = { interruptOn: "sample", averaging } as const;
        const bench = createBench(chip, emulated, { configuration, oscillator, interrupt: true });
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        // The first sample comes with the end of the opening, and with it the edge.
        streams.follow(bench.run(bench.driver.poll()));
        for (let i = 0; i < 40; i++) {
          expect(bench.emulator.interrupt).toBe(1);
          while (bench.edges.count === 0) bench.clock.step();
          streams.follow(bench.run(bench.driver.poll()));
          expect(bench.frame.channels[0].count).toBe(1);
          if (i > 0) expect(bench.frame.channels[0].uncertainty).toBe((averaging * PERIOD) / 16);
        }
        streams.end(bench.run(bench.driver.close()));
      },
    );
    fc.assert(property, { seed: 30102, numRuns: 20 });
  });
});

describe("MAX30102 in too much light", () => {
  it("flags what came since the last status, and tells it once (p12)", () => {
    const { driver, frame } = opened();
    const bright = (from: number, status1: number): Exchange[] => [
      { ops: [STATUS], replies: [status(from + 1, 0, from, status1)], began: (from + 1) * PERIOD },
      {
        ops: [{ read: 9, at: 4 }],
        replies: [[from + 1, 0, from, ...samples(from, 1)]],
        began: (from + 1) * PERIOD,
        ended: (from + 1) * PERIOD,
      },
    ];
    play(driver.poll(), frame, bright(0, 0x20));
    expect(frame.faults).toEqual([
      { code: FAULT_DATA, message: "MAX30102 at 0x57: ALC_OVF: too much ambient light; shade it" },
    ]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_SATURATED, FLAG_SATURATED]);
    play(driver.poll(), frame, bright(1, 0x20));
    expect(frame.faults).toEqual([]);
    expect(frame.channels[0].flags).toBe(FLAG_SATURATED);
    play(driver.poll(), frame, bright(2, 0));
    expect(frame.channels[0].flags).toBe(0);
    play(driver.poll(), frame, bright(3, 0x20));
    expect(frame.faults).toEqual([]);
  });

  it("is seen on an emulated chip beyond 200 uA, and its interrupt enabled only on request", () => {
    for (const [ambientOverflow, enabled] of [
      [false, 0x80],
      [true, 0xa0],
    ] as const) {
      const bench = createBench(chip, emulated, { configuration: { ambientOverflow }, interrupt: true });
      bench.run(bench.driver.open());
      bench.emulator.set("ambient", 201);
      bench.wait(15);
      expect(bench.edges.count).toBe(enabled === 0x80 ? 0 : 1);
      bench.run(bench.driver.poll());
      expect(bench.frame.channels[0].flags).toBe(FLAG_SATURATED);
      expect(bench.frame.faults).toHaveLength(1);
    }
  });
});

describe("MAX30102 that loses its supply between status and samples", () => {
  const first: Exchange = { ops: [STATUS], replies: [status(17, 0, 0, 0x80)], began: 170_000, ended: 170_200 };
  const drained = (head: number[], ended: number): Exchange => ({
    ops: [{ read: 105, at: 4 }],
    replies: [[...head, ...samples(0, 17)]],
    began: 170_300,
    ended,
  });

  it("takes a FIFO that cannot be full for one that was reset, and none of its zeros", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [first, drained([0, 0, 0], 173_000)]);
    expect(frame.restart).toBe(true);
    expect(frame.faults).toEqual([
      {
        code: FAULT_RESTARTED,
        message:
          "MAX30102 at 0x57: lost its registers (FIFO_RD_PTR 0x00): brown-out, or reset by another; check the supply",
      },
    ]);
    expect(frame.channels.map(({ count, lost }) => [count, lost])).toEqual([
      [0, -1],
      [0, -1],
    ]);
  });

  it.each([
    // 15 more are 14 periods by the fastest oscillator (p3), the first of them at once.
    [170_000 + 14 * PERIOD * (63 / 64) - 1, true],
    [170_000 + 14 * PERIOD * (63 / 64), false],
  ])("counts on the fastest oscillator: ended at %d us", (ended, restart) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [first, drained([0, 0, 0], ended)]);
    expect(frame.restart).toBe(restart);
    expect(frame.channels[0].count).toBe(restart ? 0 : 17);
  });

  it("notices a read pointer that is not where it was left", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [first, drained([17, 0, 0], 173_000)]);
    expect(reds(frame)).toEqual(counting(1000, 17));
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(18, 0, 17)], began: 180_000, ended: 180_200 },
      { ops: [{ read: 9, at: 4 }], replies: [[18, 0, 16, ...samples(17, 1)]], began: 180_300, ended: 180_600 },
    ]);
    expect(frame.restart).toBe(true);
    expect(frame.channels[0].count).toBe(0);
  });
});
