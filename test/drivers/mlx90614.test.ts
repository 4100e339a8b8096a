/** The MLX90614 driver: words in, frames out; by scripted transactions, and against its emulator in virtual time. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_CONFIGURATION, FLAG_SATURATED } from "../../drivers/driver.ts";
import { chip } from "../../drivers/mlx90614/chip.ts";
import { emulated } from "../../drivers/mlx90614/emulator.ts";
import { crc, order, prefixOf, refreshOf, wordOf, write as writeWord } from "../../drivers/mlx90614/registers.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { factFolder, lacks } from "../support/needs.ts";
import { identity, NOTHING, opened, opening, pec, play, polled, read, values, WAIT, word } from "./mlx90614-script.ts";

const ROOM = 0x3a26;

describe("MLX90614 PEC", () => {
  test.each([
    ["figure 8 (p. 20)", [0xb4, 0x07, 0xb5, 0xd2, 0x3a], 0x30],
    ["figure 9 (p. 20)", [0xb4, 0x22, 0x07, 0xc8], 0x48],
    ["figure 11 (p. 22)", [0xb4, 0xff], 0xe8],
    ["application note 390119061402 p. 19, erasing at address 0", [0x00, 0x2e, 0x00, 0x00], 0x6f],
    ["application note 390119061402 p. 19, writing at address 0", [0x00, 0x2e, 0x5a, 0x00], 0xe1],
  ])("of %s", (_, bytes, expected) => {
    expect(bytes.reduce(crc, 0)).toBe(expected);
    expect(pec(...bytes)).toBe(expected);
  });

  test("of any bytes is that of the polynomial's long division", () => {
    const bytes = fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(bytes, (some) => some.reduce(crc, 0) === pec(...some)),
      { seed: 1 },
    );
  });

  test("covers the address: the same word from another one is none", () => {
    const reply = Uint8Array.from(word(7, ROOM, 0x5b));
    expect(wordOf(prefixOf(0x5b, 7), reply)).toBe(ROOM);
    expect(wordOf(prefixOf(0x5a, 7), reply)).toBeNull();
  });

  test("no single wrong bit, and no two, of a word and its PEC pass for it", () => {
    const flips = fc.uniqueArray(fc.nat({ max: 23 }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(fc.nat({ max: 0xffff }), flips, (value, bits) => {
        const reply = Uint8Array.from(word(6, value));
        for (const bit of bits) reply[bit >> 3] ^= 1 << (bit & 7);
        expect(wordOf(prefixOf(0x5a, 6), reply)).toBeNull();
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  describe.skipIf(lacks("facts"))("published words (eldruin/mlx9061x-rs)", () => {
    interface Vector {
      readonly cmd: string;
      readonly addr7?: string;
      readonly lo: string;
      readonly hi: string;
      readonly pec: string;
      readonly data: string;
      readonly c?: number;
    }
    const facts = lacks("facts")
      ? { read: [], write: [] }
      : (JSON.parse(readFileSync(`${factFolder}/temperature_vectors.json`, "utf8")).MLX90614 as {
          read: Vector[];
          write: Vector[];
        });

    test("reading: PEC and temperature", () => {
      expect(facts.read).toHaveLength(10);
      for (const { cmd, lo, hi, pec, c } of facts.read) {
        const value = wordOf(prefixOf(0x5a, Number(cmd)), Uint8Array.of(Number(lo), Number(hi), Number(pec)));
        expect(value).toBe(Number(lo) | (Number(hi) << 8));
        if (c !== undefined) expect((2 * value! - 27315) / 100).toBeCloseTo(c, 9);
      }
    });

    test("writing: PEC", () => {
      expect(facts.write).toHaveLength(6);
      for (const { cmd, data, pec, addr7 } of facts.write) {
        const address = Number(addr7 ?? "0x5a");
        const value = Number.parseInt(data.slice(2, 4) + data.slice(0, 2), 16);
        const op = data === "" ? order(address, Number(cmd)) : writeWord(address, Number(cmd), value);
        expect(op.write[op.write.length - 1]).toBe(Number(pec));
      }
    });
  });
});

describe("MLX90614 opening", () => {
  test("reads its EEPROM, waits 0.3 s, and changes nothing", () => {
    const { frame } = opened();
    expect(frame.identity).toEqual({
      verdict: "plausible",
      read:
        "ID 0x1234 0x5678 0x9abc 0xdef0, emissivity 0xffff, cell 0x0f 0x733, " +
        "ConfigRegister1 0x9fb4 (FIR 1024, IIR 100 %, one zone), SMBus address 0xbe5a",
    });
  });

  test("before it there is nothing to read, and nothing to close", () => {
    const driver = chip.create({}, {});
    const frame = play(driver.poll(), driver.createFrame(), [NOTHING]);
    expect(frame.faults).toEqual([{ code: FAULT_CONFIGURATION, message: "MLX90614: it is not open; open it first" }]);
    expect(play(driver.close(), frame, [NOTHING]).faults).toEqual([]);
  });

  test.each([
    [0x9ff4, "FIR 1024, IIR 100 %, two zones"],
    [0x9cb0, "FIR 128, IIR 50 %, one zone"],
    [0x9db1, "FIR 256, IIR 25 %, one zone"],
    [0x9eb2, "FIR 512, IIR 17 %, one zone"],
    [0x98b3, "FIR 8, IIR 13 %, one zone"],
    [0x99b5, "FIR 16, IIR 80 %, one zone"],
    [0x9ab6, "FIR 32, IIR 67 %, one zone"],
    [0x9bb7, "FIR 64, IIR 57 %, one zone"],
  ])("ConfigRegister1 %i is told as %s (table 7, p. 15)", (config, told) => {
    const { frame } = opened({}, [NOTHING, identity({ 37: config }), WAIT]);
    expect(frame.identity!.read).toContain(`(${told})`);
  });

  test("at another address the PECs are those of that address", () => {
    const driver = chip.create({}, { address: 0x33 });
    expect(driver.address).toBe(0x33);
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, identity({ 46: 0x33 }, 0x33), WAIT]);
    expect(frame.identity?.verdict).toBe("plausible");
    play(driver.poll(), frame, [
      NOTHING,
      { ops: [read(6), read(7)], replies: [word(6, ROOM, 0x33), word(7, ROOM + 1, 0x33)] },
    ]);
    expect(values(frame)).toEqual([ROOM + 1, ROOM]);
  });

  test.each([
    ["sampleRate 8", { sampleRate: 8 }, 0x9ff4, /sampleRate 8 .*0x9ff4: a new result may take 154 ms; choose 6.4 hz/],
    ["sampleRate 22", { sampleRate: 22 }, 0x9fb4, /sampleRate 22 .* may take 110 ms; choose 8.9 hz or less/],
    ["zones 2", { zones: 2 } as const, 0x9fb4, /zones 2 fights with ConfigRegister1 0x9fb4, .*; choose zones 1/],
  ])("%s fights with the filters that the chip has", (_, configuration, config, message) => {
    const driver = chip.create(configuration, {});
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, identity({ 37: config })]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringMatching(message) }]);
    expect(frame.faults[0].message).toMatch(/^MLX90614: /);
    play(driver.poll(), frame, [NOTHING]);
    expect(frame.faults).toHaveLength(1);
  });

  test.each([
    [0x9fb4, 8.9],
    [0x9ff4, 6.4],
    [0x9eb4, 14.8],
    [0x9cb4, 22],
    [0x9cf4, 14.7],
  ])("with ConfigRegister1 %i the rate that the message names, %d hz, is taken", (config, sampleRate) => {
    const { driver } = opened({ sampleRate }, [NOTHING, identity({ 37: config }), WAIT]);
    expect(driver.pollEvery * 1000).toBeGreaterThanOrEqual(refreshOf(config));
  });

  test.each([
    [0x9fb4, 110_000],
    [0x9eb4, 66_000],
    [0x9db4, 55_000],
    [0x9cb4, 44_000],
    [0x98b4, 44_000],
    [0x9ff4, 154_000],
    [0x9ef4, 110_000],
    [0x9df4, 77_000],
    [0x9cf4, 66_000],
    [0x9bf4, 66_000],
  ])(
    "ConfigRegister1 %i: a result lasts %i us at most (table 9, p. 16, and 10 %% of oscillator, p. 11)",
    (config, us) => {
      expect(refreshOf(config)).toBe(us);
    },
  );
});

describe("MLX90614 values", () => {
  const celsius = (raw: number) => {
    const [{ offset, mul, exp10 }] = opened().driver.channels();
    return ((raw + offset) * mul) / 10 ** -exp10 - 273.15;
  };

  test.each([
    [0x27ad, -70.01],
    [0x27ae, -69.99],
    [0x3559, 273.14 - 273.15],
    [0x355a, 273.16 - 273.15],
    [0x3af7, 28.75],
    [0x3af8, 28.77],
    [0x7fff, 382.19],
  ])("the code %i is the sample, and %d Cel (p. 20, 30)", (code, degrees) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, code]));
    expect(values(frame)).toEqual([code, ROOM]);
    expect(celsius(code)).toBeCloseTo(degrees, 9);
    expect(frame.channels[0].flags).toBe(code === 0x27ad || code === 0x7fff ? FLAG_SATURATED : 0);
  });

  test.each([
    [0x2de4, -38.2, FLAG_SATURATED],
    [0x2de5, -38.18, 0],
    [0x4dc3, 125 - 0.01, 0],
    [0x4dc4, 125.01, FLAG_SATURATED],
  ])("ambient code %i is %d Cel (p. 30)", (code, degrees, flags) => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([code, ROOM]));
    expect(values(frame)).toEqual([ROOM, code]);
    expect(celsius(code)).toBeCloseTo(degrees, 1);
    expect(frame.channels[1].flags).toBe(flags);
    expect(frame.faults).toEqual([]);
  });

  test("two zones: three channels, three words", () => {
    const { driver, frame } = opened({ zones: 2 }, [NOTHING, identity({ 37: 0x9ff4 }), WAIT]);
    expect(driver.channels().map(({ name }) => name)).toEqual(["object", "ambient", "object2"]);
    play(driver.poll(), frame, polled([ROOM, ROOM + 1, ROOM + 2]));
    expect(values(frame)).toEqual([ROOM + 1, ROOM, ROOM + 2]);
  });

  test("any codes that can be are taken bit for bit, each with its index", () => {
    const { driver, frame } = opened();
    let at = 0;
    let index = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0x2de4, max: 0x4dc4 }), fc.integer({ min: 0x27ad, max: 0x7fff }), (ta, to) => {
        at += 200_000;
        play(driver.poll(), frame, polled([ta, to], at));
        expect(values(frame)).toEqual([to, ta]);
        expect(frame.channels.map((block) => [block.index, block.lost])).toEqual([
          [index, 0],
          [index, 0],
        ]);
        index++;
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test("the channels are what table 9 and p. 30 say", () => {
    const [object, ambient, object2] = chip.create({ zones: 2, sampleRate: 4 }, {}).channels();
    const common = { mdc: 150344, rate: 4, waveform: false, bits: 15, offset: 0, mul: 2, exp10: -2, unit: "K" };
    expect(object).toMatchObject({ ...common, name: "object", minimum: 0x27ad, maximum: 0x7fff });
    expect(ambient).toMatchObject({ ...common, name: "ambient", minimum: 0x2de4, maximum: 0x4dc4 });
    expect(object2).toEqual({ ...object, name: "object2", role: "object2" });
    expect(object.accuracy).not.toBe(ambient.accuracy);
  });
});

describe("MLX90614 time", () => {
  test("a value was stored within one refresh before it was read", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, ROOM], 500_000, 501_200));
    for (const { time, uncertainty } of frame.channels) {
      expect(time - uncertainty).toBe(500_000 - 110_000);
      expect(time + uncertainty).toBe(501_200);
    }
  });

  test("a poll within one refresh of the last value reads nothing: never the same result twice", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, ROOM], 1_000_000, 1_001_000));
    play(driver.poll(), frame, [{ ops: [], began: 1_110_999 }]);
    expect(values(frame)).toEqual([null, null]);
    expect(frame.channels.map(({ lost }) => lost)).toEqual([0, 0]);
    play(driver.poll(), frame, polled([ROOM, ROOM], 1_111_000, 1_112_000));
    expect(frame.channels.map(({ index, lost }) => [index, lost])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  test("opened again, it reads at once, from index 0", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, ROOM], 1_000_000));
    play(driver.open(), frame, opening);
    play(driver.poll(), frame, polled([ROOM, ROOM], 1_000_001));
    expect(frame.channels.map(({ index, lost }) => [index, lost])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test.each([
    [5, 1, 199],
    [1, 1, 999],
    [1 / 60, 1, 59_999],
    [5, 2, 198],
    [22, 1, 44],
  ] as const)("%d hz, %i zones: a poll every %i ms, and its own time, are the period", (sampleRate, zones, every) => {
    const driver = chip.create({ sampleRate, zones }, {});
    expect(driver.pollEvery).toBe(every);
    expect(driver.channels()[0].rate).toBe(sampleRate);
  });

  test("a slow or fast oscillator brings no result twice, and every time within its uncertainty (p. 11)", () => {
    fc.assert(
      fc.property(
        uniform(0.91, 1.1),
        fc.array(uniform(0, 1.5), { minLength: 5, maxLength: 30 }),
        (oscillator, waits) => {
          const bench = createBench(chip, emulated, { oscillator, configuration: { sampleRate: 6 } });
          // Every result is another one.
          bench.emulator.set("object", (time) => 20 + (time % 300));
          const stored = new Map<string, number>();
          bench.emulator.onConvert = (name, code, at) => stored.set(`${name} ${code}`, at);
          bench.run(bench.driver.open());
          const seen = new Set<number>();
          for (const wait of waits) {
            bench.wait(wait * bench.driver.pollEvery);
            const block = bench.run(bench.driver.poll()).channels[0];
            expect(bench.frame.faults).toEqual([]);
            if (block.count === 0) continue;
            expect(seen).not.toContain(block.samples[0]);
            seen.add(block.samples[0]);
            const at = stored.get(`object ${block.samples[0]}`)!;
            expect(Math.abs(block.time - at)).toBeLessThanOrEqual(block.uncertainty);
          }
          expect(seen.size).toBeGreaterThan(0);
        },
      ),
      { seed: 4, numRuns: 60 },
    );
  });
});
