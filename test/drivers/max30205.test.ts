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

describe("MAX30205 configuration", () => {
  test.each<[object, RegExp]>([
    [{ sampleRate: 0 }, /MAX30205: sampleRate is 0; choose 1\/64 to 10 hz/],
    [{ sampleRate: 10.5 }, /sampleRate is 10.5/],
    [{ sampleRate: 1 / 65 }, /sampleRate is 0.015/],
    [{ sampleRate: Number.NaN }, /sampleRate is NaN/],
    [{ faultQueue: 3 }, /faultQueue is 3; choose one of 1, 2, 4, 6/],
    [{ mode: "shutdown" }, /mode is shutdown; choose oneShot or continuous/],
    [{ output: "alert" }, /output is alert; choose comparator or interrupt/],
    [{ output: "interrupt" }, /output interrupt and mode oneShot fight: shutdown resets OS; choose mode continuous/],
    [{ alert: { low: 39, high: 38 } }, /alert.low 39 and alert.high 38 fight: choose a lower low/],
    [{ alert: { low: 38, high: 38 } }, /fight/],
    [{ alert: { low: 37, high: 128 } }, /alert.high is 128; choose -128 to 127 Cel/],
    [{ alert: { low: -129, high: 38 } }, /alert.low is -129; choose -128 to 127/],
    [{ alert: { low: -65, high: 38 }, extended: true }, /alert.low is -65; choose -64 to 191 Cel/],
    [{ alert: { low: 37, high: Number.NaN } }, /alert.high is NaN/],
  ])("%j is refused, and the error says what to do", (settings, message) => {
    expect(() => chip.create(settings as Partial<Max30205Configuration>, {})).toThrow(message);
  });

  test.each<[Partial<Max30205Configuration>, number, [number, number]]>([
    [{}, 0x01, [0x7f69, 0x7f97]],
    [{ mode: "continuous" }, 0x00, [0x7f69, 0x7f97]],
    [{ mode: "continuous", output: "interrupt" }, 0x02, [0x7f69, 0x7f97]],
    [{ activeHigh: true }, 0x05, [0x7f69, 0x7f97]],
    [{ faultQueue: 2 }, 0x09, [0x7f69, 0x7f97]],
    [{ faultQueue: 4 }, 0x11, [0x7f69, 0x7f97]],
    [{ faultQueue: 6 }, 0x19, [0x7f69, 0x7f97]],
    [{ busTimeout: false }, 0x41, [0x7f69, 0x7f97]],
    [{ extended: true, alert: { low: 64, high: 70 } }, 0x21, [0x0001, 0x0601]],
    [{ alert: { low: -0.5, high: 38.5 } }, 0x01, [0xff81, 0x2681]],
    [{ alert: { low: 37.999, high: 127.999 } }, 0x01, [0x25ff, 0x7fff]],
    // As at power-up, but for the odd step.
    [{ mode: "continuous", alert: { low: 75, high: 80 } }, 0x00, [0x4b01, 0x5001]],
  ])("%j is Configuration %i (table 5, p. 12)", (settings, configuration, limits) => {
    const driver = chip.create(settings, {});
    const frame = driver.createFrame();
    // Where the format changes, the conversion under way changes it.
    play(driver.open(), frame, [...recognised, settling(configuration | 1, limits), going(configuration)]);
    expect(frame.faults).toEqual([]);
  });

  test("32 addresses, by A0, A1 and A2 as the page says; others are refused", () => {
    expect(chip.addresses[0]).toBe(0x48);
    expect([...chip.addresses].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, i) => 0x40 + i));
    expect(chip.create({}, { address: 0x5f }).address).toBe(0x5f);
    for (const address of [0x3f, 0x60]) {
      expect(() => chip.create({}, { address })).toThrow(`address is 0x${address.toString(16)}; choose 0x40 to 0x5f`);
    }
    // Table 1, p. 9: slave address bytes, A2 and A1 by row, A0 at GND, VDD, SCL, SDA.
    const table = [
      ["GND | GND", 0x90, 0x92, 0x82, 0x80],
      ["GND | VDD", 0x94, 0x96, 0x86, 0x84],
      ["GND | SCL", 0xb4, 0xb6, 0xa6, 0xa4],
      ["GND | SDA", 0xb0, 0xb2, 0xa2, 0xa0],
      ["VDD | GND", 0x98, 0x9a, 0x8a, 0x88],
      ["VDD | VDD", 0x9c, 0x9e, 0x8e, 0x8c],
      ["VDD | SCL", 0xbc, 0xbe, 0xae, 0xac],
      ["VDD | SDA", 0xb8, 0xba, 0xaa, 0xa8],
    ] as const;
    const page = readFileSync(new URL("../../drivers/max30205/README.md", import.meta.url), "utf8");
    for (const [pins, ...bytes] of table) {
      expect(page).toContain(`| ${pins} | ${bytes.map((byte) => `0x${(byte >> 1).toString(16)}`).join("   | ")}   |`);
    }
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/max30205/README.md", import.meta.url), "utf8");
    for (const [name, value] of Object.entries(chip.defaults as object)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
    }
  });

  test.each([
    [1, 948],
    [10, 48],
    [1 / 10, 9948],
  ])("%d hz: a poll and its conversion fill the period", (sampleRate, pollEvery) => {
    expect(chip.create({ sampleRate }, {}).pollEvery).toBe(pollEvery);
    expect(chip.create({ sampleRate, mode: "continuous" }, {}).pollEvery).toBe(pollEvery + 52);
    expect(chip.create({ sampleRate }, {}).channels()[0]).toMatchObject({
      rate: sampleRate,
      mdc: 150364,
      unit: "Cel",
      waveform: false,
    });
  });

  test("it has no data-ready line, also where one is wired", () => {
    expect(chip.create({}, { interrupt: true }).dataReady).toBeNull();
  });

  test("the declared range follows the format", () => {
    expect(chip.create({}, {}).channels()[0]).toMatchObject({ minimum: -2560, maximum: 12800, offset: 0 });
    const extended = { minimum: -18944, maximum: -3584, offset: 16384 };
    expect(chip.create({ extended: true }, {}).channels()[0]).toMatchObject(extended);
  });

  test("reconfigure: what OS does is a difference, rate, mode and format are another record, nothing is nothing", () => {
    const { driver, frame, block } = opened();
    const now = { ...driver.configuration };
    expect(driver.reconfigure({ ...now, sampleRate: 2 })).toBeNull();
    expect(driver.reconfigure({ ...now, mode: "continuous" })).toBeNull();
    expect(driver.reconfigure({ ...now, extended: true })).toBeNull();
    expect(driver.reconfigure({ ...now })?.ops).toEqual([]);
    expect(() => driver.reconfigure({ ...now, faultQueue: 5 })).toThrow(/faultQueue is 5/);
    const next = { ...now, faultQueue: 2, alert: { low: 38, high: 39 } };
    const limits = [0x2601, 0x2701];
    const step = driver.reconfigure(next)!;
    // A poll that is under way when it is asked for is not disturbed.
    play(driver.poll(), frame, [look(0, 0x01), start(0x01), look(1, 0x01)]);
    expect(frame.restart).toBe(false);
    const { pause: _, ...written } = settling(0x09, limits);
    play(step, frame, [written]);
    expect(frame.faults).toEqual([]);
    expect(driver.configuration).toEqual(next);
    play(driver.poll(), frame, [look(0, 0x09, 0, limits), start(0x09), look(2, 0x09, 0, limits)]);
    expect(block).toMatchObject({ count: 1, lost: 0, index: 1 });
    const only = driver.reconfigure({ ...next, alert: { low: 38, high: 39.5 } })!;
    expect(only.ops).toContainEqual(writeWord(3, 0x2781));
    play(only, frame, [{ ops: only.ops, replies: [[0x09, 0x09, 0x26, 0x01, 0x27, 0x01]] }]);
    expect(frame.faults[0].message).toContain("Configuration 0x9, THYST 0x2601, TOS 0x2701 is not what was written");
  });
});

describe("MAX30205 limits", () => {
  const limits = [0x2601, 0x2681];
  const run = (raw: number[]) => {
    const driver = chip.create({ alert: { low: 38, high: 38.5 } }, {});
    const frame = driver.createFrame();
    play(driver.open(), frame, [...recognised, settling(0x01, limits), going(0x01)]);
    return raw.map((code) => {
      const at = (value: number) => look(value, 0x01, 0, limits);
      play(driver.poll(), frame, [at(0), start(0x01), at(code)]);
      expect(frame.channels[0].count).toBe(1);
      return frame.faults.map(({ code, message }) => `${code} ${message}`);
    });
  };

  test("a value above alert.high is told once, and again only after one below alert.low", () => {
    const told = [`${FAULT_DATA} MAX30205: above alert.high, 38.5 Cel, now 38.5078125 Cel`];
    expect(run([0x2681, 0x2682, 0x2700, 0x2601, 0x2682])).toEqual([[], told, [], [], []]);
    expect(run([0x2682, 0x2600, 0x2682])).toEqual([told, [], told]);
  });

  test("in the extended format the message has degrees, not steps", () => {
    const far = [0xe601, 0xe681];
    const driver = chip.create({ alert: { low: 38, high: 38.5 }, extended: true }, {});
    const frame = driver.createFrame();
    play(driver.open(), frame, [...recognised, settling(0x21, far), going(0x21)]);
    play(driver.poll(), frame, [look(0, 0x21, 0, far), start(0x21), look(0xe700, 0x21, 0, far)]);
    expect(frame.faults[0].message).toBe("MAX30205: above alert.high, 38.5 Cel, now 39 Cel");
  });

  test("an opening, and other limits, begin anew", () => {
    const driver = chip.create({ alert: { low: 38, high: 38.5 } }, {});
    const frame = driver.createFrame();
    const above = () => {
      play(driver.poll(), frame, [look(0, 0x01, 0, limits), start(0x01), look(0x2700, 0x01, 0, limits)]);
      return frame.faults.length;
    };
    for (let round = 0; round < 2; round++) {
      play(driver.open(), frame, [...recognised, settling(0x01, limits), going(0x01)]);
      expect([above(), above()]).toEqual([1, 0]);
    }
    const step = driver.reconfigure({ ...driver.configuration, alert: { low: 37, high: 38.5 } })!;
    const next = [0x2501, 0x2681];
    play(step, frame, [{ ops: step.ops, replies: [[1, 1, 0x25, 0x01, 0x26, 0x81]] }]);
    const high = [look(0, 0x01, 0, next), start(0x01), look(0x2700, 0x01, 0, next)];
    play(driver.poll(), frame, high);
    expect(frame.faults).toHaveLength(1);
    play(driver.poll(), frame, high);
    expect(frame.faults).toHaveLength(0);
  });

  test("a negative value is below them", () => {
    expect(run([0x2682, 0xff00, 0x2682]).map(({ length }) => length)).toEqual([1, 0, 1]);
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
