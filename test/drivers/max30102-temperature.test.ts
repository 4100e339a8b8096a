import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAULT_DATA, FAULT_RESTARTED, type Op } from "../../drivers/driver.ts";
import { chip } from "../../drivers/max30102/chip.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { type Exchange, opened, play, STATUS, status } from "./max30102-script.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

const DEFAULT = [0x0f, 0x83, 0x47, 0, 31, 31];
const START: Op = { write: [0x21, 0x01] };
const READ: Op[] = [
  { read: 3, at: 0x1f },
  { read: 1, at: 0x03 },
];
const warm = (dieTemperature: boolean | number = true) =>
  opened({ dieTemperature }, undefined, DEFAULT, [], [0x80, 0x02]);
/** A status without samples, `at` us; `ready`: DIE_TEMP_RDY. */
const look = (at: number, ready = false): Exchange => ({
  ops: [STATUS],
  replies: [status(0, 0, 0, 0, ready ? 2 : 0)],
  began: at,
  ended: at + 200,
});
const start = (at: number, error?: "nack"): Exchange => ({
  ops: [START],
  began: at,
  ended: at + 100,
  ...(error && { error }),
});
const value = (at: number, integer: number, fraction: number, busy = 0, enable = 2): Exchange => ({
  ops: READ,
  replies: [[integer, fraction, busy], [enable]],
  began: at,
  ended: at + 200,
});

describe("MAX30102 die temperature", () => {
  it("is a channel of single values in sixteenths of a Cel", () => {
    const channels = chip.create({ dieTemperature: true }, {}).channels();
    expect(channels).toHaveLength(3);
    expect(channels[2]).toMatchObject({
      name: "dieTemperature",
      mdc: 150344,
      rate: 0,
      waveform: false,
      bits: 12,
      offset: 0,
      mul: 625,
      exp10: -4,
      unit: "Cel",
      minimum: -640,
      maximum: 1360,
      role: "die",
      processing: 0,
    });
    expect(chip.create({ dieTemperature: false }, {}).channels()).toHaveLength(2);
    expect(chip.create({ dieTemperature: true }, {}).createFrame().channels[2].samples).toHaveLength(1);
  });

  it.each([0, 0.5, 3601, Number.NaN])("refuses an interval of %d s", (dieTemperature) => {
    expect(() => chip.create({ dieTemperature }, {})).toThrow(
      `MAX30102 at 0x57: dieTemperature ${dieTemperature} s: choose 1 to 3600, or true for every 10 s`,
    );
  });

  it("is started by TEMP_EN behind the samples, and read when DIE_TEMP_RDY says so (p12, p22)", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(50_000), start(50_300)]);
    expect(frame.channels[2].count).toBe(0);
    // Not over yet; nothing is asked of it.
    play(driver.poll(), frame, [look(60_000)]);
    play(driver.poll(), frame, [look(80_000, true), value(80_300, 0x24, 0x05)]);
    const block = frame.channels[2];
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, flags: 0 });
    expect(block.samples[0]).toBe(36 * 16 + 5);
    // It came between the start and the flag.
    expect(block.time).toBe((50_300 + 80_200) / 2);
    expect(block.uncertainty).toBe((80_200 - 50_300) / 2);
    expect(frame.channels[0].count).toBe(0);
    expect(frame.faults).toEqual([]);
  });

  it.each([
    [0x80, 0x08, -2040],
    [0xff, 0x0f, -1],
    [0x00, 0x00, 0],
    [0xff, 0x00, -16],
    [0x7f, 0xff, 127 * 16 + 15],
  ])("is right at the sign edge: TINT %i, TFRAC %i (p22)", (integer, fraction, sixteenths) => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(0), start(300)]);
    play(driver.poll(), frame, [look(40_000, true), value(40_300, integer, fraction)]);
    expect(frame.channels[2].samples[0]).toBe(sixteenths);
  });

  it("comes every ten seconds, or as often as is wished, and counts", () => {
    for (const [every, seconds] of [
      [true, 10],
      [3, 3],
    ] as const) {
      const { driver, frame } = warm(every);
      play(driver.poll(), frame, [look(0), start(300)]);
      play(driver.poll(), frame, [look(40_000, true), value(40_300, 30, 0)]);
      play(driver.poll(), frame, [look(seconds * 1e6 - 200)]);
      play(driver.poll(), frame, [look(seconds * 1e6 + 200), start(seconds * 1e6 + 500)]);
      play(driver.poll(), frame, [look(seconds * 1e6 + 40_000, true), value(seconds * 1e6 + 40_300, 31, 0)]);
      expect(frame.channels[2]).toMatchObject({ count: 1, index: 1 });
      expect(frame.channels[2].samples[0]).toBe(31 * 16);
    }
  });

  it("goes behind the samples of its poll", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [
      { ops: [STATUS], replies: [status(1, 0, 0)], began: 10_000 },
      { ops: [{ read: 9, at: 4 }], replies: [[1, 0, 0, 0, 0, 7, 0, 0, 8]], began: 10_000 },
      start(10_500),
    ]);
    expect(frame.channels.map(({ count }) => count)).toEqual([1, 1, 0]);
  });

  it("is read after 100 ms also where the status that had its flag was lost", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(0), start(300)]);
    play(driver.poll(), frame, [{ ops: [STATUS], error: "short", began: 40_000 }]);
    play(driver.poll(), frame, [look(99_000)]);
    play(driver.poll(), frame, [look(100_100), value(100_400, 20, 0)]);
    expect(frame.channels[2]).toMatchObject({ count: 1, index: 0, lost: 0 });
    expect(frame.channels[2].time).toBe((300 + 100_600) / 2);
  });

  it("makes no value up where TEMP_EN stays set: a fault, and another start in its time", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(0), start(300)]);
    play(driver.poll(), frame, [look(200_000), value(200_300, 20, 0, 1)]);
    expect(frame.channels[2].count).toBe(0);
    expect(frame.faults).toEqual([
      { code: FAULT_DATA, message: "MAX30102 at 0x57: TEMP_CONFIG (0x21) keeps its TEMP_EN bit; check the supply" },
    ]);
    play(driver.poll(), frame, [look(400_000)]);
    play(driver.poll(), frame, [look(10_100_000), start(10_100_300)]);
  });

  it("is read again when reading it failed", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(0), start(300)]);
    play(driver.poll(), frame, [look(40_000, true), { ops: READ, error: "nack" }]);
    expect(frame.channels[2].count).toBe(0);
    play(driver.poll(), frame, [look(50_000), value(50_300, 20, 0)]);
    expect(frame.channels[2]).toMatchObject({ count: 1, index: 0 });
    expect(frame.channels[2].time).toBe((300 + 40_200) / 2);
  });

  it("takes a zero that a brown-out left for none", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(0), start(300)]);
    play(driver.poll(), frame, [look(40_000, true), value(40_300, 0, 0, 0, 0)]);
    expect(frame.channels[2].count).toBe(0);
    play(driver.poll(), frame, [{ ops: [STATUS], replies: [[1, 0, 0, 0, 0, 0, 0]] }]);
    expect(frame.restart).toBe(true);
    expect(frame.channels[2].lost).toBe(-1);
    expect(frame.faults[0].code).toBe(FAULT_RESTARTED);
  });

  it("repeats no value where nobody knows whether the start reached the chip: it waits for the flag", () => {
    const { driver, frame } = warm();
    play(driver.poll(), frame, [look(0), start(300, "nack")]);
    play(driver.poll(), frame, [look(90_000)]);
    // Not seen for 100 ms: it did not. Again.
    play(driver.poll(), frame, [look(110_000), start(110_300)]);
    play(driver.poll(), frame, [look(150_000, true), value(150_300, 20, 0)]);
    expect(frame.channels[2]).toMatchObject({ count: 1, index: 0 });
    // The first start may have been the one.
    expect(frame.channels[2].time).toBe((300 + 150_200) / 2);
    play(driver.poll(), frame, [look(160_000, true)]);
    expect(frame.channels[2].count).toBe(0);
  });

  it("reads what is ready when it closes, and says where a conversion was cut off", () => {
    const ending: Exchange[] = [{ ops: [{ write: [0x09, 0x40] }] }, { ops: [{ write: [0x09, 0x80] }] }];
    const shut: Exchange = { ops: [{ write: [0x09, 0x83] }, STATUS], replies: [status(0, 0, 0)], began: 50_000 };
    const flagged = (bits: number): Exchange => ({
      ops: [{ read: 1, at: 1 }],
      replies: [[bits]],
      began: 49_000,
      ended: 49_100,
    });
    const ready = warm();
    play(ready.driver.poll(), ready.frame, [look(0), start(300)]);
    play(ready.driver.close(), ready.frame, [flagged(2), shut, value(51_000, 20, 1), ...ending]);
    expect(ready.frame.channels[2]).toMatchObject({ count: 1, lost: 0 });
    expect(ready.frame.channels[2].samples[0]).toBe(321);
    expect(ready.frame.channels[2].uncertainty).toBe((49_100 - 300) / 2);

    const cut = warm();
    play(cut.driver.poll(), cut.frame, [look(0), start(300)]);
    play(cut.driver.close(), cut.frame, [flagged(0), shut, ...ending]);
    expect(cut.frame.channels[2]).toMatchObject({ count: 0, lost: -1 });

    const failed = warm();
    play(failed.driver.poll(), failed.frame, [look(0), start(300)]);
    play(failed.driver.close(), failed.frame, [flagged(2), shut, { ops: READ, error: "nack" }, ...ending]);
    expect(failed.frame.channels[2]).toMatchObject({ count: 0, lost: -1 });

    const idle = warm();
    play(idle.driver.close(), idle.frame, [shut, ...ending]);
    expect(idle.frame.channels[2]).toMatchObject({ count: 0, lost: 0 });
  });

  it("disturbs no sample: both streams are whole at any rate, interval and interrupt", () => {
    const property = fc.property(
      fc.constantFrom(50, 200, 1600),
      fc.boolean(),
      fc.array(uniform(0.05, 1), { minLength: 3, maxLength: 12 }),
      (sampleRate, single, parts) => {
        const bench = createBench(chip, emulated, {
          configuration: { sampleRate, pulseWidth: 69, dieTemperature: 1, interruptOn: single ? "sample" : "burst" },
          interrupt: true,
        });
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        bench.run(bench.driver.open());
        for (const part of parts) {
          bench.wait((part * 16_000) / sampleRate);
          streams.follow(bench.run(bench.driver.poll()));
          expect(bench.frame.faults).toEqual([]);
          expect(bench.frame.channels[0].lost).toBe(0);
        }
        streams.end(bench.run(bench.driver.close()));
      },
    );
    fc.assert(property, { seed: 21, numRuns: 60 });
  });
});
