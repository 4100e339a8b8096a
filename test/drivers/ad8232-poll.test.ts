/** The AD8232 driver at work: blocks, counts and flags. */
import { describe, expect, test } from "vitest";
import { FAULT_RESTARTED, FLAG_LEAD_OFF, FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { CONVERTER, create, flat, ON, opened, opening, play, samples, WIRED } from "./ad8232-script.ts";

describe("AD8232 poll", () => {
  test("says codes as they are, each once, and counts them and what was lost", () => {
    const { poll } = opened();
    const block = poll(samples([125, 3970, 2047, 2048], 40_000, { uncertainty: 5 }));
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([125, 3970, 2047, 2048]);
    expect(block).toMatchObject({ index: 1, time: 40_000, uncertainty: 5, lost: 0, flags: 0 });
    expect(poll(samples([]))).toMatchObject({ count: 0, index: 5, lost: 0, flags: 0 });
    expect(poll(samples([2000], 60_000, { lost: 3 }))).toMatchObject({ count: 1, index: 8, lost: 3 });
    expect(poll(samples([], 0, { lost: 2 }))).toMatchObject({ count: 0, index: 11, lost: 2 });
    expect(poll(samples([2000], 90_000, { lost: -1 }))).toMatchObject({ count: 1, index: 11, lost: -1 });
    expect(poll(samples([2000], 94_000))).toMatchObject({ count: 1, index: 12, lost: 0 });
    expect(poll(samples([2000], 98_000, { lost: 1 }))).toMatchObject({ count: 1, index: 14, lost: 1 });
  });

  test("a code below the baseline is a negative voltage, by the channel's own formula (sign edge)", () => {
    const { offset, mul, exp10 } = create().driver.channels()[0];
    const volts = (code: number) => (code + offset) * mul * 10 ** exp10;
    expect(volts(2048)).toBe(0);
    expect(volts(2047)).toBeCloseTo(-732.421875e-9, 15);
    expect(volts(2049)).toBeCloseTo(732.421875e-9, 15);
    expect(volts(0)).toBeCloseTo(-1.5e-3, 15);
  });

  test("without a board that samples there is no sample, but a fault and the wish to be opened", () => {
    const { driver, frame } = create();
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(frame).toMatchObject({
      restart: true,
      faults: [{ code: FAULT_RESTARTED, message: "AD8232: the board does not sample it; open it" }],
    });
    expect(frame.channels[0].count).toBe(0);
  });

  test("an error of the board is told by whoever runs the steps; samples that came all the same are kept", () => {
    const { driver, frame, block, clear } = opened();
    play(driver.poll(), frame, [{ ops: [], fails: true }]);
    expect(frame).toMatchObject({ restart: false, faults: [] });
    clear();
    play(driver.poll(), frame, [{ ops: [], fails: true, sampled: samples([2050]) }]);
    expect(block).toMatchObject({ count: 1, index: 1 });
  });

  test.each([
    [1, WIRED, "+IN"],
    [2, WIRED, "-IN"],
    [3, WIRED, "+IN, -IN"],
    [1, { converter: CONVERTER, inputs: ["LO-", "LO+"] }, "-IN"],
    [2, { converter: CONVERTER, inputs: ["LO-", "LO+"] }, "+IN"],
    [1, { converter: CONVERTER, inputs: ["LO-"] }, "-IN"],
    [1, { converter: CONVERTER, inputs: ["LO+"] }, "+IN"],
  ])("levels %i: lead off, and which electrode, as it is wired (p. 18)", (inputs, wiring, electrodes) => {
    const { driver, frame, poll } = opened({}, wiring);
    expect(driver.electrodesOff?.()).toBe("");
    expect(poll(samples([2048], 0, { inputs })).flags & FLAG_LEAD_OFF).toBe(FLAG_LEAD_OFF);
    expect(driver.electrodesOff?.()).toBe(electrodes);
    expect(frame.faults).toEqual([]);
    expect(poll(samples([2048], 1e6)).flags).toBe(0);
    expect(driver.electrodesOff?.()).toBe("");
  });

  test("with two electrodes LO+ tells that one is off, not which (p. 18)", () => {
    const { driver, poll } = opened({ electrodes: 2 }, { converter: CONVERTER, inputs: ["LO+"] });
    expect(poll(samples([2048], 0, { inputs: 1 })).flags & FLAG_LEAD_OFF).toBe(FLAG_LEAD_OFF);
    expect(driver.electrodesOff?.()).toBe("+IN or -IN");
  });

  test("the first sample of a block counts as much as the last", () => {
    const { poll } = opened();
    for (const codes of [
      [4000, 2048],
      [2048, 4000],
    ])
      expect(poll(samples(codes)).flags & FLAG_SATURATED).toBe(FLAG_SATURATED);
  });

  test("pins that are not wired tell nothing, whatever the board says of them", () => {
    const { driver, poll } = opened({}, { converter: CONVERTER });
    expect(poll(samples([2048], 0, { inputs: 3 })).flags).toBe(0);
    expect(driver.electrodesOff?.()).toBe("");
  });

  test.each([
    [124, FLAG_SATURATED],
    [125, 0],
    [3970, 0],
    [3971, FLAG_SATURATED],
    [0, FLAG_SATURATED],
    [4095, FLAG_SATURATED],
  ])("code %i of 4096: saturated within 0.1 V of a rail (table 1)", (code, flags) => {
    const { poll } = opened();
    expect(poll(samples([2048, code, 2048])).flags & FLAG_SATURATED).toBe(flags);
  });

  test.each([
    [{ bits: 10, reference: 5 }, 20, 21, 654, 655],
    [{ bits: 12, reference: 2.5 }, 163, 164, 4094, 4095],
  ])("on %o the rails are where the supply is, or where the converter ends", (converter, low, above, below, high) => {
    const { poll } = opened({}, { converter });
    const saturated = (code: number) => poll(samples([code], 1e6)).flags & FLAG_SATURATED;
    expect([low, above, below, high].map(saturated)).toEqual([FLAG_SATURATED, 0, 0, FLAG_SATURATED]);
  });
});

describe("AD8232 settling", () => {
  const flagsAt = (poll: ReturnType<typeof opened>["poll"], at: number) => poll(samples([2048], at)).flags;

  test("follows a lead that came back, 165 ms from the last sample with the lead off (table 1: 110 + 55)", () => {
    const { poll } = opened({ settling: 165 });
    // Off for 10 samples: up to 36 ms, so 201 ms.
    expect(poll(samples(flat(2048, 10), 1_000_000, { inputs: 1 })).flags).toBe(FLAG_LEAD_OFF | FLAG_SETTLING);
    expect(flagsAt(poll, 1_200_999)).toBe(FLAG_SETTLING);
    expect(flagsAt(poll, 1_201_000)).toBe(0);
  });

  test("follows a rail, from its last sample", () => {
    const { poll } = opened({ settling: 100 });
    expect(poll(samples([2048, 4000, 100, 2048], 1_000_000)).flags).toBe(FLAG_SATURATED | FLAG_SETTLING);
    expect(flagsAt(poll, 1_107_999)).toBe(FLAG_SETTLING);
    expect(flagsAt(poll, 1_108_000)).toBe(0);
  });

  test("follows an opening that did not switch it on: its power may have come just now", () => {
    const { driver, frame, block } = create({ settling: 100 });
    play(driver.open(), frame, opening(samples([2048], 500_000)));
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 504_000) }]);
    expect(block.flags).toBe(FLAG_SETTLING);
    block.flags = 0;
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 599_999) }]);
    expect(block.flags).toBe(FLAG_SETTLING);
    block.flags = 0;
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 600_000) }]);
    expect(block.flags).toBe(0);
  });

  test("does not follow one that did, and waited", () => {
    const { driver, frame, block } = create({ settling: 100 }, { ...WIRED, pins: ["shutdown"] });
    const [start, look] = opening(samples([2048], 500_000));
    play(driver.open(), frame, [{ ops: [ON], pause: 100 }, start, look]);
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2048], 504_000) }]);
    expect(block.flags).toBe(0);
  });

  test("is never shortened by what comes later", () => {
    const { driver, frame, poll } = opened({ settling: 1000 });
    poll(samples([4000], 1_000_000));
    play(driver.reconfigure({ ...driver.configuration, settling: 10 })!, frame, [{ ops: [] }]);
    poll(samples([4000], 1_004_000));
    expect(flagsAt(poll, 1_999_999)).toBe(FLAG_SETTLING);
    expect(flagsAt(poll, 2_000_000)).toBe(0);
  });
});
