/** The MLX90614 driver: words in, frames out; by scripted transactions, and against its emulator in virtual time. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_CONFIGURATION, FLAG_BUS_FAULT, FLAG_SATURATED } from "../../drivers/driver.ts";
import { chip, type Mlx90614Configuration } from "../../drivers/mlx90614/driver.ts";
import { emulated } from "../../drivers/mlx90614/emulator.ts";
import { crc, order, prefixOf, refreshOf, wordOf, write as writeWord } from "../../drivers/mlx90614/registers.ts";
import { createBench } from "../../simulator/bench.ts";
import { uniform } from "../support/arbitrary.ts";
import { factFolder, lacks } from "../support/needs.ts";
import {
  FACTORY,
  identity,
  NOTHING,
  opened,
  opening,
  pec,
  play,
  polled,
  read,
  SLEEP,
  spoilt,
  type Turn,
  values,
  WAIT,
  word,
  write,
} from "./mlx90614-script.ts";

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

describe("MLX90614 configuration", () => {
  const bad = (configuration: object, address?: number) => () =>
    chip.create(configuration as Partial<Mlx90614Configuration>, address === undefined ? {} : { address });

  test.each([
    [{ sampleRate: 23 }, "MLX90614: sampleRate is 23; choose 1/60 to 22 hz"],
    [{ sampleRate: 0.016 }, "MLX90614: sampleRate is 0.016; choose 1/60 to 22 hz"],
    [{ sampleRate: Number.NaN }, "MLX90614: sampleRate is NaN; choose 1/60 to 22 hz"],
    [{ zones: 3 }, "MLX90614: zones is 3; choose 1 or 2"],
    [{ zones: 0 }, "MLX90614: zones is 0; choose 1 or 2"],
    [
      { zones: 2, sampleRate: 15 },
      "MLX90614: zones 2 and sampleRate 15 fight: a dual-zone chip makes a new result every 66 ms at best; " +
        "choose 14 hz or less, or zones 1",
    ],
    [{ emissivity: 0.09 }, "MLX90614: emissivity is 0.09; choose 0.1 to 1, or null to leave it as it is"],
    [{ emissivity: 1.01 }, "MLX90614: emissivity is 1.01; choose 0.1 to 1, or null to leave it as it is"],
    [{ emissivity: Number.NaN }, "MLX90614: emissivity is NaN; choose 0.1 to 1, or null to leave it as it is"],
  ])("%j is refused", (configuration, message) => {
    expect(bad(configuration)).toThrow(new Error(message));
  });

  test.each([0x07, 0x78, 0, 90.5])("address %d is refused", (address) => {
    expect(bad({}, address)).toThrow(/^MLX90614: address is 0x.*; choose 0x8 to 0x77, as its EEPROM says$/);
  });

  test.each([
    { sampleRate: 22 },
    { sampleRate: 1 / 60 },
    { zones: 2, sampleRate: 14 },
    { emissivity: 0.1 },
    { emissivity: 1 },
  ])("%j is taken", (configuration) => {
    expect(bad(configuration)).not.toThrow();
  });

  test("its addresses are all that I2C does not reserve, the factory's first (p. 12)", () => {
    expect(chip.addresses[0]).toBe(0x5a);
    expect([...chip.addresses].sort((a, b) => a - b)).toEqual(Array.from({ length: 0x70 }, (_, i) => 8 + i));
    for (const address of [0x08, 0x77]) expect(chip.create({}, { address }).address).toBe(address);
  });

  test("it runs at 100 khz at most, and has no data-ready line, also where one is wired (p. 21)", () => {
    const driver = chip.create({}, { interrupt: true });
    expect([driver.maxHz, driver.dataReady, driver.bus, driver.model]).toEqual([100_000, null, "i2c", "MLX90614"]);
  });

  test("the page names every setting with its default, every refresh, and no conformity", () => {
    const page = readFileSync(new URL("../../drivers/mlx90614/README.md", import.meta.url), "utf8");
    for (const [name, value] of Object.entries(chip.defaults as object)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
    }
    for (const dual of [0, 0x40]) {
      const row = [4, 5, 6, 7].map((fir) => refreshOf((fir << 8) | dual) / 1000);
      expect(page).toMatch(new RegExp(`${row.join(" +\\| +")} +\\|`));
    }
    expect(page).toContain("## What no source settles");
    expect(page).not.toMatch(/compliant/);
  });
});

describe("MLX90614 emissivity (p. 14, 17)", () => {
  const code = 0xb333; // 0.7
  const emissivity = { emissivity: 0.7 };
  const erase = { ops: [write(0x24, 0)], pause: 10 };
  const set = { ops: [write(0x24, code)], pause: 10 };
  const back = { ops: [read(0x24)], replies: [word(0x24, code)] };

  test("that is there already is not written", () => {
    opened(emissivity, [NOTHING, identity({ 36: code }), WAIT]);
    opened({ emissivity: 1 });
  });

  test("is erased, written, read back; then the chip is put to sleep until it is restarted", () => {
    const driver = chip.create(emissivity, {});
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, identity(), erase, set, back, { ops: [SLEEP] }]);
    expect(frame.identity?.verdict).toBe("plausible");
    expect(frame.faults).toEqual([
      {
        code: FAULT_CONFIGURATION,
        message:
          "MLX90614: emissivity 0.7 is in the EEPROM and counts from the next start; it was put to sleep for that; " +
          "switch its supply off and on",
      },
    ]);
    expect(play(driver.poll(), frame, [NOTHING]).faults).toHaveLength(1);
  });

  test("that reads back otherwise is a fault; the chip is left as it is", () => {
    const driver = chip.create(emissivity, {});
    const turns = [NOTHING, identity(), erase, set];
    const other = { ops: [read(0x24)], replies: [word(0x24, 0xffff)] };
    const frame = play(driver.open(), driver.createFrame(), [...turns, other]);
    expect(frame.faults).toMatchObject([
      {
        code: FAULT_CONFIGURATION,
        message: expect.stringContaining("reads 0xffff, 0xb333 was written; open it again"),
      },
    ]);
    const garbled = { ops: [read(0x24)], replies: [spoilt(0x24, code)] };
    play(driver.open(), frame, [...turns, garbled]);
    expect(frame.faults).toMatchObject([{ message: expect.stringContaining("cannot be read back, its PEC is wrong") }]);
  });

  test.each<[string, Turn[]]>([
    ["erasing", [{ ...erase, error: "nack" }]],
    ["writing", [erase, { ...set, error: "nack" }]],
    ["reading back", [erase, set, { ...back, replies: [], error: "nack" }]],
  ])("a bus that fails in %s ends the chain, and nothing runs", (_, turns) => {
    const driver = chip.create(emissivity, {});
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, identity(), ...turns]);
    play(driver.poll(), frame, [NOTHING]);
    expect(frame.faults).toHaveLength(1);
  });

  test.each([0, 1, 6552])("a cell that reads %i was cut off in writing: it does not run, and says so", (cell) => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, identity({ 36: cell })]);
    expect(frame.faults).toMatchObject([
      {
        code: FAULT_CONFIGURATION,
        message: expect.stringMatching(/^MLX90614: emissivity reads 0x.*a write was cut off/),
      },
    ]);
  });

  test("the lowest that the data sheet allows runs, rounded up or down", () => {
    opened({}, [NOTHING, identity({ 36: 6553 }), WAIT]);
    opened({ emissivity: 0.1 }, [NOTHING, identity({ 36: 6554 }), WAIT]);
  });

  test("a cell that was cut off gets what the configuration says", () => {
    const driver = chip.create(emissivity, {});
    const turns = [NOTHING, identity({ 36: 0 }), erase, set, back, { ops: [SLEEP] }];
    expect(play(driver.open(), driver.createFrame(), turns).faults).toHaveLength(1);
  });

  test("changed while it runs: only if the cell differs", () => {
    const { driver, frame } = opened();
    const same = { ops: [read(0x24)], replies: [word(0x24, 0xffff)] };
    play(driver.reconfigure({ ...driver.configuration, emissivity: 1 })!, frame, [same]);
    expect(frame.faults).toEqual([]);
    expect(driver.configuration.emissivity).toBe(1);
    play(driver.poll(), frame, polled([ROOM, ROOM]));
    expect(values(frame)).toEqual([ROOM, ROOM]);

    const next = { ...driver.configuration, emissivity: 0.7 };
    play(driver.reconfigure(next)!, frame, [same, erase, set, back, { ops: [SLEEP] }]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION }]);
    expect(driver.configuration.emissivity).toBe(0.7);
    play(driver.poll(), frame, [NOTHING]);
    expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION, message: expect.stringContaining("not open") }]);
  });

  test("left alone when it is null; another rate or other zones need a new driver", () => {
    const { driver, frame } = opened({ emissivity: 1 });
    const step = driver.reconfigure({ ...driver.configuration, emissivity: null, sleep: true })!;
    play(step, frame, [{ ops: [read(0x24)], replies: [word(0x24, 0x8000)] }]);
    expect(driver.configuration).toMatchObject({ emissivity: null, sleep: true });
    expect(driver.reconfigure({ ...driver.configuration, sampleRate: 4 })).toBeNull();
    expect(driver.reconfigure({ ...driver.configuration, zones: 2 })).toBeNull();
    expect(() => driver.reconfigure({ ...driver.configuration, emissivity: 2 })).toThrow(/emissivity is 2/);
  });

  test("a reconfiguration that cannot be read changes nothing", () => {
    const { driver, frame } = opened();
    const next = { ...driver.configuration, emissivity: 0.7 };
    play(driver.reconfigure(next)!, frame, [{ ops: [read(0x24)], error: "nack" }]);
    expect(driver.configuration.emissivity).toBeNull();
    play(driver.reconfigure(next)!, frame, [{ ops: [read(0x24)], replies: [spoilt(0x24, 0xffff)] }]);
    expect(frame.faults).toMatchObject([{ message: expect.stringContaining("PEC of the emissivity is wrong") }]);
    expect(driver.configuration.emissivity).toBeNull();
    play(driver.poll(), frame, polled([ROOM, ROOM]));
    expect(values(frame)).toEqual([ROOM, ROOM]);
  });
});

describe("MLX90614 close", () => {
  const shut = [NOTHING];

  test("takes a value that is due, and leaves the chip awake", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, polled([ROOM, ROOM + 1], 400_000));
    expect(values(frame)).toEqual([ROOM + 1, ROOM]);
    play(driver.close(), frame, shut);
    expect(frame.faults).toEqual([]);
    play(driver.poll(), frame, shut);
    expect(frame.faults).toEqual([{ code: FAULT_CONFIGURATION, message: "MLX90614: it is not open; open it first" }]);
  });

  test("reads nothing within a refresh of the last value", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, polled([ROOM, ROOM], 400_000));
    play(driver.close(), frame, [{ ops: [], began: 450_000 }]);
    expect(values(frame)).toEqual([null, null]);
    expect(frame.channels.map(({ lost }) => lost)).toEqual([0, 0]);
  });

  test("`sleep`: puts it to sleep with its PEC (figure 11, p. 22)", () => {
    const { driver, frame } = opened({ sleep: true });
    play(driver.close(), frame, [...polled([ROOM, ROOM]), { ops: [SLEEP] }]);
    play(driver.close(), frame, shut);
  });

  test("a value that is still owed is lost in a number that nobody knows", () => {
    const { driver, frame } = opened();
    play(driver.close(), frame, [NOTHING, { ops: [read(6), read(7)], replies: [word(6, ROOM)], error: "nack" }]);
    expect(values(frame)).toEqual([null, ROOM]);
    expect(frame.channels.map(({ lost }) => lost)).toEqual([-1, 0]);
  });
});

describe("MLX90614 self-test", () => {
  const commands = [0x24, 0x25, 0x2e, 0x2f, 0x3c, 0x3d, 0x3e, 0x3f, 6, 7];
  const turn = (other: Record<number, number[]> = {}) => ({
    ops: commands.map(read),
    replies: commands.map((command, i) => other[command] ?? word(command, FACTORY[i] ?? ROOM)),
  });

  test("measures PECs, emissivity, refresh, address and temperatures, each against what it may be", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [turn()]);
    expect(frame.measurements).toEqual([
      { name: "PEC errors", value: 0, unit: "1", minimum: 0, maximum: 0, pass: true },
      { name: "emissivity", value: 1, unit: "1", minimum: 6554 / 65535, maximum: 1, pass: true },
      { name: "refresh", value: 110, unit: "ms", minimum: 0, maximum: 200, pass: true },
      { name: "address", value: 0x5a, unit: "1", minimum: 0x5a, maximum: 0x5a, pass: true },
      { name: "ambient", value: 24.57, unit: "Cel", minimum: -40, maximum: 125, pass: true },
      { name: "object", value: 24.57, unit: "Cel", minimum: -70.01, maximum: 382.19, pass: true },
    ]);
    play(driver.poll(), frame, polled([ROOM, ROOM]));
    expect(frame.channels.map(({ lost, index }) => [lost, index])).toEqual([
      [-1, 0],
      [-1, 0],
    ]);
  });

  test.each([
    ["PEC errors", { 7: spoilt(7, ROOM) }, 1],
    ["emissivity", { 36: word(0x24, 6553) }, 6553 / 65535],
    ["refresh", { 37: word(0x25, 0x9ff4) }, 154],
    ["address", { 46: word(0x2e, 0xbe5b) }, 0x5b],
    ["ambient", { 6: word(6, 0x4dc5) }, 125.03],
    ["ambient", { 6: word(6, 0x2d89) }, -40.01],
    ["object", { 7: word(7, 0x8000) }, 382.21],
    ["object", { 7: word(7, 0x27ac) }, -70.03],
  ])("%s fails alone where that one thing is wrong", (name, other: Record<number, number[]>, value) => {
    const { driver, frame } = opened({ sampleRate: 6.5 });
    play(driver.selfTest(), frame, [turn(other)]);
    const failed = frame.measurements.filter(({ pass }) => !pass);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ name });
    expect(failed[0].value).toBeCloseTo(value, 9);
  });

  test("an emissivity that was asked for must be that one", () => {
    const { driver, frame } = opened({ emissivity: 0.7 }, [NOTHING, identity({ 36: 0xb333 }), WAIT]);
    play(driver.selfTest(), frame, [turn()]);
    expect(frame.measurements[1]).toMatchObject({
      value: 1,
      minimum: 0xb333 / 65535,
      maximum: 0xb333 / 65535,
      pass: false,
    });
  });

  test("a bus that fails in it measures nothing; the record goes on", () => {
    const { driver, frame } = opened();
    play(driver.selfTest(), frame, [{ ops: commands.map(read), replies: [word(0x24, 0xffff)], error: "nack" }]);
    expect(frame.measurements).toEqual([]);
    play(driver.poll(), frame, polled([ROOM, ROOM]));
    expect(values(frame)).toEqual([ROOM, ROOM]);
  });

  test("words whose PEC is wrong are counted, not judged", () => {
    const { driver, frame } = opened();
    const wrong = Object.fromEntries(commands.map((command, i) => [command, spoilt(command, FACTORY[i] ?? ROOM)]));
    play(driver.selfTest(), frame, [turn(wrong)]);
    expect(frame.measurements).toMatchObject([{ name: "PEC errors", value: 10, pass: false }]);
  });

  test("two zones: three temperatures", () => {
    const { driver, frame } = opened({ zones: 2 }, [NOTHING, identity({ 37: 0x9ff4 }), WAIT]);
    const { ops, replies } = turn();
    play(driver.selfTest(), frame, [{ ops: [...ops, read(8)], replies: [...replies, word(8, ROOM + 50)] }]);
    expect(frame.measurements.map(({ name }) => name).slice(4)).toEqual(["ambient", "object", "object2"]);
    expect(frame.measurements[6].value).toBeCloseTo(25.57, 9);
  });

  test("a value that comes after a repetition carries the flag bus fault", () => {
    const { driver, frame } = opened();
    play(driver.poll(), frame, [
      NOTHING,
      { ops: [read(6), read(7)], replies: [word(6, ROOM), spoilt(7, ROOM)], began: 10, ended: 20 },
      { ops: [read(7)], replies: [word(7, ROOM + 3)], began: 30, ended: 40 },
    ]);
    expect(values(frame)).toEqual([ROOM + 3, ROOM]);
    expect(frame.channels.map(({ flags }) => flags)).toEqual([FLAG_BUS_FAULT, 0]);
    expect(frame.channels[0].time + frame.channels[0].uncertainty).toBe(40);
    expect(frame.faults).toEqual([]);
  });
});
