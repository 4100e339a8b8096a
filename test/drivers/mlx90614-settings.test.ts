/** The MLX90614 driver: configuration, emissivity, close, self-test. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FAULT_CONFIGURATION, FLAG_BUS_FAULT } from "../../drivers/driver.ts";
import { chip, type Mlx90614Configuration } from "../../drivers/mlx90614/chip.ts";
import { refreshOf } from "../../drivers/mlx90614/registers.ts";

import {
  FACTORY,
  identity,
  NOTHING,
  opened,
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
