/** The TMP117 driver: registers in, frames out; by scripted transactions, and against its emulator in virtual time. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_DATA, FLAG_SATURATED, type Frame } from "../../drivers/driver.ts";
import { chip } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { type Bench, createBench } from "../../simulator/bench.ts";
import { factFolder, lacks } from "../support/needs.ts";
import { ask, opened, play, READY, read, SETTINGS, take, write } from "./tmp117-script.ts";

describe("TMP117 transactions", () => {
  test("open asks who it is before it writes, resets, waits for the EEPROM, writes and reads back", () => {
    const { frame } = opened();
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "Device_ID 0x117" });
    expect(frame.faults).toEqual([]);
  });

  test("a poll reads the result only where Data_Ready says that there is one", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [ask()]);
    expect(block.count).toBe(0);
    play(driver.poll(), frame, [ask(READY), take(0x0c80)]);
    expect(block).toMatchObject({ count: 1, index: 0, lost: 0, flags: 0 });
    expect(block.samples[0]).toBe(3200);
    block.count = 0;
    play(driver.poll(), frame, [ask()]);
    expect(block.count).toBe(0); // not the last value again
  });

  test("alert flags beside it do not look like a lost state", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [ask(READY | 0xc000), take(1)]);
    expect(frame).toMatchObject({ restart: false, faults: [] });
  });

  test("close stops the conversions, then reads a result that is still there", () => {
    const { driver, frame, block } = opened();
    const stop = [read(0x01), write(0x01, 0x0404), read(0x01)];
    play(driver.close(), frame, [{ ops: stop, replies: [SETTINGS, 0x0404 | READY] }, take(5)]);
    expect(block).toMatchObject({ count: 1 });
    expect(block.samples[0]).toBe(5);
    block.count = 0;
    play(opened().driver.close(), frame, [{ ops: stop, replies: [SETTINGS, 0x0404] }]);
    expect(block.count).toBe(0);
  });

  test("a result whose reading failed is read at the next poll: its Data_Ready was cleared already (section 7.6)", () => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [ask(READY, 100_000), { ops: [read(0x00)], fails: true }]);
    expect(block.count).toBe(0);
    play(driver.poll(), frame, [ask(0, 200_000), take(77, 200_100)]);
    expect(block).toMatchObject({ count: 1, lost: 0 });
    expect(block.samples[0]).toBe(77);
  });
});

describe("TMP117 results", () => {
  const value = (raw: number) => {
    const { driver, frame, block } = opened();
    play(driver.poll(), frame, [ask(READY), take(raw)]);
    const [{ mul, exp10, offset }] = driver.channels();
    return { frame, block, degrees: block.count === 0 ? null : ((block.samples[0] + offset) * mul) / 10 ** -exp10 };
  };

  describe.skipIf(lacks("facts"))("published vectors (table 7-1)", () => {
    const facts = () => JSON.parse(readFileSync(`${factFolder}/temperature_vectors.json`, "utf8"));
    test("every register value of the table gives its temperature; -256 Cel gives none", () => {
      const vectors: [string, number][] = lacks("facts") ? [] : facts().TMP117.vectors;
      expect(vectors.length).toBe(12);
      for (const [raw, degrees] of vectors) {
        expect(value(Number(raw)).degrees).toBe(raw === "0x8000" ? null : degrees);
      }
    });
  });

  test("-1 Cel is -1 Cel, not 511 (the sign bit of a 16-bit register)", () => {
    expect(value(0xff80).degrees).toBe(-1);
  });

  test("every other register value is its two's complement x 7.8125 mCel, exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: -32767, max: 32767 }), (raw) => {
        expect(value(raw & 0xffff).degrees).toBe(raw / 128);
      }),
    );
  });

  test("0x8000 is never a value: a fault and a restart instead (section 7.6)", () => {
    const { frame, block } = value(0x8000);
    expect(block.count).toBe(0);
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_DATA }] });
  });

  test("the largest result is flagged as saturated", () => {
    expect(value(0x7fff).block.flags).toBe(FLAG_SATURATED);
    expect(value(0x7ffe).block.flags).toBe(0);
  });
});

interface Value {
  readonly code: number;
  readonly index: number;
  readonly time: number;
  readonly uncertainty: number;
  readonly lost: number;
}

/** Runs polls with the given pauses, then close; returns what was converted and what was decoded. */
function record<C>(bench: Bench<C>, pauses: readonly number[]) {
  const values: Value[] = [];
  const converted: { code: number; at: number }[] = [];
  const faults = [...bench.run(bench.driver.open()).faults];
  bench.emulator.onConvert = (_, code, at) => converted.push({ code, at });
  const collect = (frame: Frame) => {
    const [{ samples, count, index, time, uncertainty, lost }] = frame.channels;
    faults.push(...frame.faults);
    if (count > 0) values.push({ code: samples[0], index, time, uncertainty, lost });
  };
  for (const pause of pauses) {
    bench.wait(pause);
    collect(bench.run(bench.driver.poll()));
  }
  collect(bench.run(bench.driver.close()));
  bench.wait(20_000);
  return { values, converted, faults };
}

describe("TMP117 driver against its emulator", () => {
  test("every conversion is decoded once, at a time within its uncertainty, whenever it is polled within pollEvery", () => {
    fc.assert(
      fc.property(
        fc.constantFrom([64, 1], [8, 8], [1, 8], [1, 64], [1 / 4, 1]),
        fc.boolean(),
        fc.constantFrom(1, 1.1, 0.9),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 40 }),
        ([sampleRate, averaging], interrupt, oscillator, shares) => {
          const bench = createBench(chip, emulated, {
            configuration: { sampleRate, averaging },
            interrupt,
            oscillator,
          });
          bench.emulator.set("temperature", (time) => 37 + Math.sin(time));
          const { values, converted, faults } = record(
            bench,
            shares.map((share) => (share / 100) * bench.driver.pollEvery),
          );
          expect(faults).toEqual([]);
          expect(values.map(({ code }) => code)).toEqual(converted.map(({ code }) => code));
          values.forEach(({ index, time, uncertainty, lost }, i) => {
            expect(index).toBe(i);
            expect(lost).toBe(0);
            expect(Math.abs(time - converted[i].at)).toBeLessThanOrEqual(uncertainty);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test("at its data-ready line the time is the edge's", () => {
    const bench = createBench(chip, emulated, { interrupt: true });
    const at: number[] = [];
    bench.emulator.onConvert = (_, __, time) => at.push(time);
    bench.run(bench.driver.open());
    for (let i = 0; i < 5; i++) {
      while (bench.edges.count === 0) bench.clock.step();
      bench.wait(3);
      const [block] = bench.run(bench.driver.poll()).channels;
      expect(block).toMatchObject({ count: 1, index: i, lost: 0, time: at[i] });
      expect(block.uncertainty).toBeLessThan(1000);
    }
  });

  test("a host that polls too late loses results aloud: nobody knows how many were written over", () => {
    const bench = createBench(chip, emulated);
    const { values } = record(bench, [500, 500, 5000, 500, 500]);
    expect(values.map(({ lost }) => lost)).toEqual([0, -1, 0]);
  });

  test("over the operating range every temperature comes back within half a step", () => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate: 64, averaging: 1 } });
    bench.run(bench.driver.open());
    for (let degrees = -55; degrees <= 150; degrees += 5 / 3) {
      bench.emulator.set("temperature", degrees);
      bench.wait(16);
      bench.run(bench.driver.poll());
      bench.wait(16);
      const [block] = bench.run(bench.driver.poll()).channels;
      expect(Math.abs(block.samples[0] / 128 - degrees)).toBeLessThanOrEqual(0.5 / 128);
    }
  });
});
