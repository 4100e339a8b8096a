/** The TMP117 driver: registers in, frames out; by scripted transactions, and against its emulator in virtual time. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FAULT_BUS,
  FAULT_CONFIGURATION,
  FAULT_DATA,
  FAULT_IDENTITY,
  FAULT_RESTARTED,
  FLAG_SATURATED,
  type Frame,
  type Outcome,
  type Step,
} from "../../drivers/driver.ts";
import { chip, type Tmp117Configuration } from "../../drivers/tmp117/chip.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";
import { type Bench, createBench } from "../../simulator/bench.ts";
import { factFolder, lacks } from "../support/needs.ts";

const read = (register: number) => ({ read: 2, at: register });
const write = (register: number, value: number) => ({ write: [register, (value >> 8) & 255, value & 255] });
const word = (value: number) => Uint8Array.of((value >> 8) & 255, value & 255);

interface Turn {
  readonly ops: readonly object[];
  readonly replies?: readonly number[];
  readonly pause?: number;
  readonly fails?: boolean;
  readonly at?: number;
}

/** Walks a chain of steps along a script; a step too many or too few fails. */
function play(first: Step, frame: Frame, script: readonly Turn[]): Frame {
  let step: Step | null = first;
  for (const turn of script) {
    expect(step?.ops).toEqual(turn.ops);
    if (turn.pause !== undefined) expect(step?.pause).toBe(turn.pause);
    const outcome: Outcome = {
      replies: turn.fails ? [] : (turn.replies ?? []).map(word),
      error: turn.fails ? { kind: "nack", op: 0, message: "not acknowledged" } : null,
      began: turn.at ?? 0,
      ended: turn.at ?? 0,
      edges: 0,
      edgeAt: 0,
      inputs: 0,
    };
    step = step?.next?.(outcome, frame) ?? null;
  }
  expect(step).toBeNull();
  return frame;
}

// 1 sps, 8 averages, continuous, ALERT shows Data_Ready.
const SETTINGS = 0x0224;
const READY = 0x2000;
const BUSY = 0x1000;
const opening: Turn[] = [
  { ops: [read(0x0f), read(0x01)], replies: [0x0117, 0x0220] },
  { ops: [write(0x01, 0x0002)], pause: 3 },
  { ops: [read(0x01)], pause: 4, replies: [0x0220] },
  { ops: [write(0x07, 0), write(0x01, SETTINGS), read(0x07), read(0x01)], replies: [0, SETTINGS] },
];
const ask = (flags = 0, at = 0): Turn => ({ ops: [read(0x01)], replies: [SETTINGS | flags], at });
const take = (value: number, at = 0): Turn => ({ ops: [read(0x00)], replies: [value], at });

function opened() {
  const driver = chip.create({}, {});
  const frame = driver.createFrame();
  play(driver.open(), frame, opening);
  return { driver, frame, block: frame.channels[0] };
}

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

describe("TMP117 configuration", () => {
  test.each<[Partial<Tmp117Configuration>, RegExp]>([
    [{ sampleRate: 3 }, /TMP117: sampleRate is 3; choose one of 64, 8, 4/],
    [{ averaging: 4 }, /averaging is 4; choose one of 1, 8, 32, 64/],
    [
      { sampleRate: 64, averaging: 8 },
      /averaging 8 and sampleRate 64 fight: 8 conversions take 124 ms, the cycle 15.5 ms/,
    ],
    [{ sampleRate: 8, averaging: 32 }, /averaging 32 and sampleRate 8 fight/],
    [{ sampleRate: 2, averaging: 64 }, /averaging 64 and sampleRate 2 fight/],
    [{ offset: 256 }, /offset is 256; choose/],
    [{ offset: Number.NaN }, /offset is NaN/],
  ])("%j is refused, and the error says what to do", (settings, message) => {
    expect(() => chip.create(settings, {})).toThrow(message);
  });

  test("an address that it cannot have is refused", () => {
    expect(() => chip.create({}, { address: 0x40 })).toThrow(/address is 0x40; choose 0x48/);
    expect(chip.create({}, { address: 0x4b }).address).toBe(0x4b);
  });

  test.each([
    [64, 1, 15.5],
    [8, 8, 125],
    [4, 1, 250],
    [2, 32, 500],
    [1, 64, 1000],
    [1 / 4, 8, 4000],
    [1 / 16, 64, 16000],
  ])("%d hz with %d averages converts every %d ms, and the channel says so", (sampleRate, averaging, cycle) => {
    const bench = createBench(chip, emulated, { configuration: { sampleRate, averaging } });
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    const times: number[] = [];
    bench.emulator.onConvert = (_, __, at) => times.push(at);
    bench.wait(4 * cycle);
    expect(times[2] - times[1]).toBeCloseTo(cycle * 1000, 6);
    expect(bench.driver.channels()[0].rate).toBeCloseTo(1000 / cycle, 12);
    expect(bench.driver.pollEvery).toBeLessThan((cycle * 13) / 15.5);
  });

  test("the configuration never equals the reset value 0x0220, so that a lost state shows", () => {
    for (const sampleRate of [64, 8, 4, 2, 1, 1 / 4]) {
      const ops = chip
        .create({ sampleRate, averaging: 1 }, {})
        .reconfigure({ sampleRate, averaging: 1, offset: 1 })!.ops;
      expect(ops[1]).not.toEqual(write(0x01, 0x0220));
    }
  });

  test("an offset is added by the chip, in its steps, also a negative one", () => {
    const bench = createBench(chip, emulated, { configuration: { offset: -0.5 } });
    bench.emulator.set("temperature", 37);
    bench.run(bench.driver.open());
    bench.wait(500);
    expect(bench.run(bench.driver.poll()).channels[0].samples[0] / 128).toBe(36.5);
  });

  test("reconfigure: averaging and offset are differences, another rate is another record, nothing is nothing", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("temperature", 37);
    bench.run(bench.driver.open());
    const now = { ...bench.driver.configuration };
    expect(bench.driver.reconfigure({ ...now, sampleRate: 2 })).toBeNull();
    expect(bench.driver.reconfigure(now)?.ops).toEqual([]);
    expect(() => bench.driver.reconfigure({ ...now, averaging: 5 })).toThrow(/averaging is 5/);
    expect(bench.run(bench.driver.reconfigure({ ...now, averaging: 32, offset: 1 })!).faults).toEqual([]);
    expect(bench.driver.configuration).toEqual({ sampleRate: 1, averaging: 32, offset: 1 });
    bench.wait(500);
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ count: 1, lost: -1 });
    expect(block.samples[0] / 128).toBe(38);
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/tmp117/README.md", import.meta.url), "utf8");
    for (const [name, value] of Object.entries(chip.defaults as object)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
    }
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

describe("TMP117 when things go wrong", () => {
  test.each([
    [0x0117, "confirmed", "Device_ID 0x117"],
    [0x1117, "confirmed", "Device_ID 0x1117"],
    [0x2117, "plausible", "TMP119"],
    [0x1116, "refused", "TMP116"],
    [0x0000, "refused", "0x0"],
    [0xffff, "refused", "0xffff"],
    [0x7501, "refused", "0x7501"],
  ])("Device_ID %i: %s; a refused chip is not written to", (id, verdict, said) => {
    const driver = chip.create({}, {});
    const frame = driver.createFrame();
    const first = { ...opening[0], replies: [id, 0x0220] };
    play(driver.open(), frame, verdict === "refused" ? [first] : [first, ...opening.slice(1)]);
    expect(frame.identity?.verdict).toBe(verdict);
    expect(frame.identity?.read).toContain(said);
    if (verdict === "refused") expect(frame.faults).toMatchObject([{ code: FAULT_IDENTITY }]);
    else expect(frame.faults).toEqual([]);
  });

  test("an EEPROM that stays busy ends the opening after three looks, before and after the reset", () => {
    const busy = { ops: [read(0x01)], pause: 4, replies: [0x0220 | BUSY] };
    for (const script of [
      [{ ...opening[0], replies: [0x0117, 0x0220 | BUSY] }, busy, busy, busy],
      [opening[0], opening[1], busy, busy, busy],
    ]) {
      const driver = chip.create({}, {});
      const frame = play(driver.open(), driver.createFrame(), script);
      expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("EEPROM") }]);
    }
  });

  test.each([
    [[0, 0x0220], "Configuration reads 0x220, 0x224 was written"],
    [[7, SETTINGS], "Temp_Offset reads 7, 0 was written"],
  ])("a register that does not keep its value is named: %j", (replies, message) => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [...opening.slice(0, 3), { ...opening[3], replies }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining(message) }]);
  });

  test.each(opening.map((_, i) => i))("a bus that fails in step %i of open ends it without a loop", (failing) => {
    const driver = chip.create({}, {});
    const script = opening.slice(0, failing + 1).map((turn, i) => (i === failing ? { ...turn, fails: true } : turn));
    play(driver.open(), driver.createFrame(), script);
  });

  test("a chip that is not there, and one that is pulled off, are bus faults with no value", () => {
    const bench = createBench(chip, emulated);
    bench.board.busFault = () => "nack";
    expect(bench.run(bench.driver.open())).toMatchObject({ identity: null, faults: [{ code: FAULT_BUS }] });
    bench.board.busFault = null;
    bench.run(bench.driver.open());
    bench.wait(500);
    bench.board.busFault = () => "nack";
    const frame = bench.run(bench.driver.poll());
    expect(frame.faults).toMatchObject([
      { code: FAULT_BUS, message: expect.stringContaining("TMP117 at address 0x48") },
    ]);
    expect(frame.channels[0].count).toBe(0);
    bench.board.busFault = null;
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, lost: 0 });
  });

  test("after a brown-out the poll asks for a restart, and open brings values back", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.emulator.powerOn(bench.clock.now);
    bench.wait(500);
    const frame = bench.run(bench.driver.poll());
    expect(frame).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
    expect(frame.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.open()).faults).toEqual([]);
    bench.wait(500);
    expect(bench.run(bench.driver.poll()).channels[0]).toMatchObject({ count: 1, index: 0, lost: 0 });
  });

  test("closing twice is harmless, and a poll after it says that the chip must be opened", () => {
    const bench = createBench(chip, emulated);
    bench.run(bench.driver.open());
    bench.wait(300);
    expect(bench.run(bench.driver.close()).channels[0].count).toBe(1);
    expect(bench.run(bench.driver.close())).toMatchObject({ faults: [], restart: false });
    expect(bench.frame.channels[0].count).toBe(0);
    expect(bench.run(bench.driver.poll())).toMatchObject({ restart: true, faults: [{ code: FAULT_RESTARTED }] });
  });
});

describe("TMP117 self-test", () => {
  test("one conversion and a register that keeps its value; afterwards the record goes on behind a loss", () => {
    const bench = createBench(chip, emulated, { configuration: { offset: 0.25 } });
    bench.emulator.set("temperature", 36.5);
    bench.run(bench.driver.open());
    const frame = bench.run(bench.driver.selfTest());
    expect(frame.faults).toEqual([]);
    expect(frame.measurements).toMatchObject([
      { name: "registers", value: 0, pass: true },
      { name: "temperature", value: 36.5, unit: "Cel", pass: true },
    ]);
    bench.wait(500);
    const [block] = bench.run(bench.driver.poll()).channels;
    expect(block).toMatchObject({ count: 1, lost: -1 });
    expect(block.samples[0] / 128).toBe(36.75);
  });

  test("a temperature beyond the operating range does not pass", () => {
    const bench = createBench(chip, emulated);
    bench.emulator.set("temperature", 200);
    expect(bench.run(bench.driver.selfTest()).measurements[1]).toMatchObject({ value: 200, pass: false });
  });

  test("a chip that does not convert is a fault, not a value", () => {
    const driver = chip.create({}, {});
    const frame = driver.createFrame();
    play(driver.selfTest(), frame, [
      ...opening.slice(0, 3),
      { ops: [write(0x02, 0x5aa5), write(0x01, 0x0c04)], pause: 20 },
      { ops: [read(0x01), read(0x00), read(0x02)], replies: [0x0c04, 0x8000, 0x5aa4] },
      ...opening.slice(1),
    ]);
    expect(frame.measurements).toMatchObject([{ name: "registers", value: 1, pass: false }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_DATA, message: expect.stringContaining("no conversion") }]);
  });
});
