/** The MAX30205 driver: registers in, frames out; by scripted transactions, and against its emulator in virtual time. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_DATA, FLAG_SATURATED } from "../../drivers/driver.ts";
import { chip, type Max30205Configuration } from "../../drivers/max30205/chip.ts";
import { emulated } from "../../drivers/max30205/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { factFolder, lacks } from "../support/needs.ts";
import { again, going, look, opened, play, recognised, settling, start, writeWord } from "./max30205-script.ts";
import { followStreams } from "./streams.ts";
import { shake } from "./subjects.ts";

describe("MAX30205 transactions", () => {
  test("open reads before it writes, gives back what the limits held, and leaves the chip asleep", () => {
    const { driver, frame } = opened();
    const read = "Configuration 0x0, THYST 0x4b00, TOS 0x5000, limits keep 16 bits";
    play(driver.open(), frame, [...recognised, settling(0x01), going(0x01)]);
    expect(frame.identity).toEqual({ verdict: "plausible", read });
    expect(frame.faults).toEqual([]);
  });

  test("a poll asks who it is, starts a conversion, leaves the bus for 52 ms, and takes the result", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [look(0x1900, 0x01), start(0x01, 1_000_000), look(0x2580, 0x01, 1_053_000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, flags: 0 });
    expect(block.samples[0]).toBe(9600);
    // 32 ms after the start began to 50 ms after it ended (p. 2).
    expect([block.time, block.uncertainty]).toEqual([1_041_050, 9_050]);
    play(driver.poll(), frame, [look(0x2580, 0x01), start(0x01, 2_000_000), look(0x2581, 0x01, 2_030_000)]);
    // Not later than when it was seen to be there; not earlier than it can be.
    expect(block).toMatchObject({ count: 1, index: 1, lost: 0, time: 2_030_300, uncertainty: 0 });
  });

  test("ONE_SHOT that is still set is waited for, 3 looks in all, then named (p. 13)", () => {
    const { driver, frame, block } = opened();
    const slow = [look(0, 0x01), start(0x01), look(0, 0x81), again, look(0, 0x81), again];
    play(driver.poll(), frame, [...slow, look(0x2500, 0x01)]);
    expect(block).toMatchObject({ count: 1, lost: 0 });
    play(driver.poll(), frame, [...slow, look(0, 0x81)]);
    expect(block.count).toBe(0);
    const message = "MAX30205: no conversion within 52 ms; check the supply";
    expect(frame.faults).toEqual([{ code: FAULT_DATA, message }]);
    // It came in the end: it is taken at the next poll, and nothing is started.
    play(driver.poll(), frame, [look(0x2600, 0x01)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: 0 });
  });

  test("a format that changes while nothing converts gets a conversion that nobody reads (p. 13)", () => {
    const driver = chip.create({ extended: true }, {});
    const asleep = [
      {
        ...recognised[0],
        replies: [
          [0, 0, 1, 1, 0x4b, 0, 0x50, 0],
          [1, 1],
          [0x4b, 0],
          [0x50, 0],
        ],
      },
    ];
    const discarded = { ops: [{ write: [1, 0xa1] }, { read: 8, at: 0 }], pause: 52 };
    const frame = driver.createFrame();
    play(driver.open(), frame, [...asleep, recognised[1], settling(0x21), discarded, going(0x21)]);
    expect(frame.faults).toEqual([]);
    // One that was converting changes with the conversion under way.
    play(driver.open(), frame, [...recognised, settling(0x21), going(0x21)]);
  });

  test("close takes what was started, then sleeps with the limits of power-up", () => {
    const { driver, frame, block } = opened();
    const rest = { ops: [{ write: [1, 0x01] }, writeWord(2, 0x4b00), writeWord(3, 0x5000)] };
    play(driver.close(), frame, [look(5, 0x01), rest]);
    expect(block).toMatchObject({ count: 0, lost: 0 });
    const lost = { ops: [{ read: 8, at: 0 }], error: "nack" as const };
    play(driver.poll(), frame, [look(0, 0x01), start(0x01, 1000), lost]);
    play(driver.close(), frame, [look(0, 0x81), again, look(77, 0x01, 200_000), rest]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, time: 42_050, uncertainty: 9_050 });
    expect(block.samples[0]).toBe(77);
    play(driver.close(), frame, [look(77, 0x01, 0, [0x4b00, 0x5000])]);
    expect(frame).toMatchObject({ faults: [], restart: false });
    expect(block.count).toBe(0);
  });

  test("continuous: a reading is a value only when a whole conversion fits since the last one", () => {
    const { driver, frame, block } = opened({ mode: "continuous" }, 0x00);
    play(driver.poll(), frame, [look(1, 0x00, 54_999)]);
    expect(block.count).toBe(0);
    play(driver.poll(), frame, [look(2, 0x00, 55_000)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: -1, time: 27_650, uncertainty: 27_650 });
    play(driver.poll(), frame, [look(2, 0x00, 110_299)]);
    expect(block.count).toBe(0);
    play(driver.poll(), frame, [look(2, 0x00, 110_300)]);
    expect(block).toMatchObject({ count: 1, index: 1, lost: -1, time: 82_950 });
  });
});

describe("MAX30205 results", () => {
  const value = (raw: number, settings: Partial<Max30205Configuration> = {}, configuration = 0x01) => {
    const { driver, frame, block } = opened(settings, configuration);
    play(driver.poll(), frame, [look(0, configuration), start(configuration), look(raw, configuration)]);
    const [{ mul, exp10, offset }] = driver.channels();
    return { frame, block, degrees: ((block.samples[0] + offset) * mul) / 10 ** -exp10 };
  };

  describe.skipIf(lacks("facts"))("published vectors", () => {
    test("every register value gives its temperature", () => {
      const facts = lacks("facts") ? null : JSON.parse(readFileSync(`${factFolder}/temperature_vectors.json`, "utf8"));
      const vectors: [string, number][] = facts?.MAX30205.vectors ?? [];
      expect(vectors.length).toBe(4);
      for (const [raw, degrees] of vectors) expect(value(Number(raw)).degrees).toBe(degrees);
    });
  });

  // Table 4, p. 12.
  test.each([
    [64, 0x4000, 0x0000],
    [25, 0x1900, 0xd900],
    [0.5, 0x0080, 0xc080],
    [0, 0x0000, 0xc000],
  ])("%d Cel is the same in both formats", (degrees, normal, extended) => {
    expect(value(normal).degrees).toBe(degrees);
    expect(value(extended, { extended: true }, 0x21).degrees).toBe(degrees);
  });

  test("-1 Cel is -1 Cel, not 255 (the sign bit of a 16-bit register, table 3, p. 11)", () => {
    expect(value(0xff00).degrees).toBe(-1);
    expect(value(0x8000).degrees).toBe(-128);
  });

  test("every register value is its two's complement x 3.90625 mCel, exactly", () => {
    const codes = fc.integer({ min: -32768, max: 32767 });
    const property = fc.property(codes, fc.boolean(), (raw, extended) => {
      const { degrees } = value(raw & 0xffff, { extended }, extended ? 0x21 : 0x01);
      expect(degrees).toBe(raw / 256 + (extended ? 64 : 0));
    });
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  test("only the codes at the rails are flagged as saturated", () => {
    expect(value(0x7fff).block.flags).toBe(FLAG_SATURATED);
    expect(value(0x8000).block.flags).toBe(FLAG_SATURATED);
    expect(value(0x7ffe).block.flags).toBe(0);
    expect(value(0x8001).block.flags).toBe(0);
  });
});

describe("MAX30205 driver against its emulator", () => {
  test("every poll is a conversion of its own, dated within its uncertainty, with any oscillator, however late or early", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 12 });
    const property = fc.property(
      pauses,
      fc.constantFrom(0.885, 1, 1.3),
      fc.boolean(),
      (waits, oscillator, extended) => {
        const bench = createBench(chip, emulated, { configuration: { extended }, oscillator });
        shake(bench.emulator);
        const streams = followStreams(bench.emulator, bench.driver.channels());
        expect(bench.run(bench.driver.open()).faults).toEqual([]);
        waits.forEach((wait, i) => {
          bench.wait(wait);
          streams.follow(bench.run(bench.driver.poll()));
          expect(bench.frame).toMatchObject({ faults: [], channels: [{ count: 1, index: i, lost: 0 }] });
          expect(bench.frame.channels[0].uncertainty).toBeLessThanOrEqual(9_200);
        });
        streams.end(bench.run(bench.driver.close()));
      },
    );
    fc.assert(property, { seed: 7, numRuns: 60 });
  });

  test("continuous: no conversion is ever given twice, and every value is dated", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 30 });
    const property = fc.property(pauses, fc.constantFrom(0.885, 1, 1.3), (waits, oscillator) => {
      const configuration = { mode: "continuous" } as const;
      const bench = createBench(chip, emulated, { configuration, oscillator });
      shake(bench.emulator);
      const ends: number[] = [];
      bench.run(bench.driver.open());
      bench.emulator.onConvert = (_, code, at) => ends.push(at, code);
      let last = -1;
      for (const wait of [...waits, 1000]) {
        bench.wait(wait);
        const [block] = bench.run(bench.driver.poll()).channels;
        expect(bench.frame.faults).toEqual([]);
        if (block.count === 0) continue;
        const i = ends.lastIndexOf(block.samples[0]);
        expect(i).toBeGreaterThan(last);
        last = i;
        expect(Math.abs(block.time - ends[i - 1])).toBeLessThanOrEqual(block.uncertainty);
        expect(block).toMatchObject({ count: 1, lost: -1 });
      }
      expect(last).toBeGreaterThan(0);
      bench.wait(100);
      expect(bench.run(bench.driver.close()).channels[0]).toMatchObject({ count: 1, lost: -1 });
      bench.wait(1000);
      expect(bench.emulator.nextAt).toBe(Number.POSITIVE_INFINITY);
    });
    fc.assert(property, { seed: 8, numRuns: 60 });
  });

  test("the self-test measures the conversion, and the record goes on behind a loss", () => {
    for (const mode of ["oneShot", "continuous"] as const) {
      const bench = createBench(chip, emulated, { configuration: { mode } });
      bench.emulator.set("temperature", 36.5);
      bench.run(bench.driver.open());
      const frame = bench.run(bench.driver.selfTest());
      expect(frame.faults).toEqual([]);
      expect(frame.measurements).toEqual([
        { name: "registers", value: 0, unit: "1", minimum: 0, maximum: 0, pass: true },
        { name: "conversion", value: 47, unit: "ms", minimum: 32, maximum: 58, pass: true },
        { name: "temperature", value: 36.5, unit: "Cel", minimum: -10, maximum: 50, pass: true },
      ]);
      bench.wait(100);
      const [block] = bench.run(bench.driver.poll()).channels;
      expect(block).toMatchObject({ count: 1, lost: -1 });
      expect(block.samples[0] / 256).toBe(36.5);
    }
  });

  test.each([
    [0.885, 52, true],
    [1.5, 30, false],
  ])("the self-test sees an oscillator at %d of its frequency", (oscillator, value, pass) => {
    const bench = createBench(chip, emulated, { oscillator });
    expect(bench.run(bench.driver.selfTest()).measurements[1]).toMatchObject({ name: "conversion", value, pass });
  });

  test("a conversion that does not begin, and one that does not end in time, have no value", () => {
    const bench = createBench(chip, emulated, { oscillator: 0.7 });
    // The one of power-up is still under way, so that a one-shot is not taken.
    const first = bench.run(bench.driver.selfTest());
    expect(first.faults).toMatchObject([{ code: FAULT_DATA, message: expect.stringContaining("does not begin") }]);
    bench.wait(100);
    const { measurements, faults } = bench.run(bench.driver.selfTest());
    expect(faults).toMatchObject([
      { code: FAULT_DATA, message: expect.stringContaining("no conversion within 54 ms") },
    ]);
    expect(measurements.map(({ name }) => name)).toEqual(["registers"]);
  });

  test("a temperature that the chip does not stand does not pass, in either format", () => {
    for (const extended of [false, true]) {
      const bench = createBench(chip, emulated, { configuration: { extended } });
      bench.emulator.set("temperature", 60);
      const { measurements } = bench.run(bench.driver.selfTest());
      expect(measurements[2]).toMatchObject({ value: 60, pass: false });
    }
  });
});
