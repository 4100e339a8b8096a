/** The AD8232 driver from opening to close: what it asks of the board, what it looks at and hands over. */
import { describe, expect, test } from "vitest";
import { FAULT_IDENTITY, FAULT_RESTARTED } from "../../drivers/driver.ts";
import {
  CONVERTER,
  create,
  flat,
  LOOK,
  OFF,
  ON,
  opened,
  opening,
  play,
  STOP,
  samples,
  WIRED,
} from "./ad8232-script.ts";

describe("AD8232 open", () => {
  test("samples, looks at 8 samples' time of it, and says what it saw", () => {
    const { driver, frame } = create();
    play(driver.open(), frame, opening(samples(flat(2048, 9))));
    expect(frame.faults).toEqual([]);
    expect(frame.identity).toEqual({
      verdict: "plausible",
      read: "analog, no identification; output at 1650 mV, LO+ low, LO- low",
    });
  });

  test("switches on first where SDN is wired, and lets it settle", () => {
    const { driver, frame } = create({ sampleRate: 1000 }, { ...WIRED, pins: ["shutdown"] });
    play(driver.open(), frame, [
      { ops: [ON], pause: 165 },
      { ops: [{ sample: 1000 }], pause: 8 },
      { ops: [], sampled: samples(flat(2048, 9)) },
    ]);
    expect(frame.identity?.verdict).toBe("plausible");
  });

  test.each([
    ["LO+ high, LO- low", 1, WIRED, 3],
    ["LO+ low, LO- high", 2, WIRED, 3],
    ["LO+ high, LO- low", 2, { converter: CONVERTER, inputs: ["LO-", "LO+"] }, 3],
    ["LO+ not wired, LO- high", 1, { converter: CONVERTER, inputs: ["LO-"] }, 3],
    ["LO+ low, LO- not wired", 0, { converter: CONVERTER, inputs: ["LO+"] }, 3],
    ["LO+ high", 1, { converter: CONVERTER, inputs: ["LO+"] }, 2],
    ["LO+ not wired", 0, { converter: CONVERTER }, 2],
  ])("says the levels as they are wired: %s", (text, inputs, wiring, electrodes) => {
    const { driver, frame } = create({ electrodes }, wiring);
    play(driver.open(), frame, opening(samples([100, 101], 0, { inputs })));
    expect(frame.identity).toEqual({
      verdict: "plausible",
      read: `analog, no identification; output at 81 mV, ${text}`,
    });
  });

  test.each([
    ["a line that is low", flat(0, 8), 0],
    ["a line within 10 mV of ground", flat(12, 8), 10],
    ["a line at the supply", flat(4095, 8), 3300],
    ["a line within 10 mV of the supply", flat(4083, 8), 3290],
    ["a line that jumps from one end to the other", [0, 4095], 1650],
  ])("refuses %s: nothing that is powered is there; the board stops sampling", (_, codes, millivolts) => {
    const { driver, frame, block } = create();
    play(driver.open(), frame, [...opening(samples(codes)), { ops: [STOP] }]);
    expect(frame.identity).toEqual({
      verdict: "refused",
      read: `analog, no identification; output at ${millivolts} mV, LO+ low, LO- low`,
    });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: `AD8232: ${frame.identity?.read}: nothing drives it; check power, the analog pin and SDN`,
      },
    ]);
    frame.faults.length = 0;
    play(driver.poll(), frame, [{ ops: [] }]);
    expect(block.count).toBe(0);
    expect(frame.faults).toMatchObject([{ code: FAULT_RESTARTED }]);
  });

  test.each([
    ["a rail that the chip can be at", flat(13, 8), 0, WIRED],
    ["the other one", flat(4082, 8), 0, WIRED],
    ["one sample that is alive", [0, 0, 0, 13], 0, WIRED],
    ["a line at ground with a lead off: the chip speaks by its pin", flat(0, 8), 1, WIRED],
    // 2.5 V at full scale: a rail of 3.2 V and a line at 3.3 V are the same last code.
    [
      "the end of a converter that ends below the supply",
      flat(4095, 8),
      0,
      { converter: { bits: 12, reference: 2.5 } },
    ],
  ])("does not refuse %s", (_, codes, inputs, wiring) => {
    const { driver, frame } = create({}, wiring);
    play(driver.open(), frame, opening(samples(codes, 0, { inputs })));
    expect(frame.identity?.verdict).toBe("plausible");
    expect(frame.faults).toEqual([]);
  });

  test("refuses a line at the supply on a converter that reaches further (10 bits, 5 V: code 675)", () => {
    const { driver, frame } = create({}, { converter: { bits: 10, reference: 5 } });
    play(driver.open(), frame, [...opening(samples(flat(673, 8))), { ops: [STOP] }]);
    expect(frame.identity?.verdict).toBe("refused");
    play(driver.open(), frame, opening(samples(flat(672, 8))));
    expect(frame.identity?.verdict).toBe("plausible");
  });

  test("waits for a first sample, five looks long, then says that the board gives none", () => {
    const { driver, frame } = create({}, { ...WIRED, pins: ["shutdown"] });
    const start = [
      { ops: [ON], pause: 165 },
      { ops: [{ sample: 250 }], pause: LOOK },
    ];
    const none = { ops: [], pause: LOOK, sampled: samples([]) };
    play(driver.open(), frame, [...start, { ops: [] }, none, none, none, { ...none, sampled: samples([2048]) }]);
    expect(frame.identity?.verdict).toBe("plausible");
    expect(frame.faults).toEqual([]);
    play(driver.open(), frame, [...start, { ops: [] }, none, none, none, none, { ops: [STOP, OFF] }]);
    expect(frame.identity).toEqual({ verdict: "refused", read: "no sample" });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: "AD8232: no sample: the board gave none in 5 looks, 32 ms apart; check the analog pin and its rate",
      },
    ]);
  });

  test("ends at an error on the board, and leaves nothing running", () => {
    const wiring = { ...WIRED, pins: ["shutdown"] };
    const on = { ops: [ON], pause: 165 };
    const start = { ops: [{ sample: 250 }], pause: LOOK };
    const end = { ops: [STOP, OFF] };
    for (const script of [
      [{ ...on, fails: true }],
      [on, { ...start, fails: true }, end],
      [on, start, { ops: [], fails: true, sampled: samples([2048]) }, end],
    ]) {
      const { driver, frame } = create({}, wiring);
      play(driver.open(), frame, script);
      expect(frame.identity).toBeNull();
    }
  });

  test("hands over with the first poll what it looked at, in one record", () => {
    const { driver, frame, block } = create({ settling: 0 });
    const kept = samples([2041, 2042, 2043], 1000, { uncertainty: 7 });
    play(driver.open(), frame, opening(kept));
    kept.samples.fill(0); // the board's buffer is the board's
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2044, 2045], 13_000, { uncertainty: 9 }) }]);
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([2041, 2042, 2043, 2044, 2045]);
    expect(block).toMatchObject({ index: 0, time: 1000, lost: 0, uncertainty: 9, flags: 0 });
    play(driver.poll(), frame, [{ ops: [], sampled: samples([2046], 21_000) }]);
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([2046]);
    expect(block).toMatchObject({ index: 5, time: 21_000, lost: 0 });
  });

  test("hands it over at close, where no poll came", () => {
    const { driver, frame, block } = create();
    play(driver.open(), frame, opening(samples([2041, 2042], 1000)));
    play(driver.close(), frame, [{ ops: [STOP], sampled: samples([]) }]);
    expect(Array.from(block.samples.subarray(0, block.count))).toEqual([2041, 2042]);
    expect(block).toMatchObject({ index: 0, time: 1000, lost: 0 });
  });

  test("keeps 64 samples; a host so late that there are more has lost an unknown number", () => {
    const { driver, frame, block } = create();
    play(driver.open(), frame, opening(samples(flat(2048, 64))));
    play(driver.poll(), frame, [{ ops: [], sampled: samples([1]) }]);
    expect(block).toMatchObject({ count: 65, lost: 0, index: 0 });
    play(driver.open(), frame, opening(samples(flat(2048, 65))));
    play(driver.poll(), frame, [{ ops: [], sampled: samples([1]) }]);
    expect(block).toMatchObject({ count: 1, lost: -1, index: 0 });
    play(driver.poll(), frame, [{ ops: [], sampled: samples([1]) }]);
    expect(block).toMatchObject({ count: 1, lost: 0, index: 1 });
  });

  test("does not paste a hole between what it kept and what came later", () => {
    for (const lost of [1, -1]) {
      const { driver, frame, block } = create();
      play(driver.open(), frame, opening(samples([2041])));
      play(driver.poll(), frame, [{ ops: [], sampled: samples([2042], 8000, { lost }) }]);
      expect(block).toMatchObject({ count: 1, lost: -1, index: 0, time: 8000 });
      expect(block.samples[0]).toBe(2042);
    }
  });

  test("begins anew: index, loss, settling and rail time of a former record are gone", () => {
    const { driver, frame, block, clear, poll } = opened({ settling: 100, railTimeout: 1 });
    poll(samples(flat(4000, 240), 0, { lost: -1 }));
    clear();
    play(driver.open(), frame, opening(samples([4000], 1_000_000)));
    play(driver.poll(), frame, [{ ops: [], sampled: samples(flat(4000, 30), 1_004_000) }]);
    expect(frame.faults).toEqual([]);
    expect(block).toMatchObject({ index: 0, lost: 0, count: 31, time: 1_000_000 });
  });

  test("forgets which electrode was off before", () => {
    const { driver, frame, poll } = opened();
    poll(samples([2048], 0, { inputs: 1 }));
    expect(driver.electrodesOff?.()).toBe("+IN");
    play(driver.open(), frame, opening(samples([2048])));
    expect(driver.electrodesOff?.()).toBe("");
  });
});

describe("AD8232 close", () => {
  test("stops the board, hands over what it had, switches the chip off; twice is harmless", () => {
    const { driver, frame, block, clear } = opened({}, WIRED);
    play(driver.close(), frame, [{ ops: [STOP], sampled: samples([2050, 2051], 8000) }]);
    expect(block).toMatchObject({ count: 2, index: 1, time: 8000, lost: 0 });
    clear();
    play(driver.close(), frame, [{ ops: [STOP] }]);
    expect(frame.faults).toEqual([]);
    expect(block.count).toBe(0);
    const switched = create({}, { ...WIRED, pins: ["shutdown"] });
    play(switched.driver.close(), switched.frame, [{ ops: [STOP, OFF] }]);
  });
});
