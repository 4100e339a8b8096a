/** The MAX30205 emulator at its bytes: what the data sheet (19-8505) promises to a driver, so that drivers can lean on it. */
import { describe, expect, test } from "vitest";
import type { EmulatorOptions, I2cEmulator } from "../../drivers/emulator.ts";
import { emulated } from "../../drivers/max30205/emulator.ts";

function powered(options: EmulatorOptions = {}) {
  const chip = emulated.create(options) as I2cEmulator;
  chip.powerOn(0);
  const write = (...bytes: number[]) => {
    chip.start(false);
    for (const byte of bytes) expect(chip.write(byte)).toBe(true);
    chip.stop();
  };
  const bytes = (count: number, register: number) => {
    chip.start(false);
    chip.write(register);
    chip.start(true);
    const reply = Array.from({ length: count }, () => chip.read());
    chip.stop();
    return reply;
  };
  const read = (register: number) => {
    const [high, low] = bytes(2, register);
    return (high << 8) | low;
  };
  const set = (register: number, value: number) => write(register, (value >> 8) & 255, value & 255);
  /** One conversion in shutdown at so many Cel; what the chip reads then. */
  const convert = (degrees: number) => {
    chip.set("temperature", degrees);
    write(1, (read(1) & 0x7f) | 0x81);
    chip.advance(chip.nextAt);
    return read(0);
  };
  return { chip, write, bytes, read, set, convert };
}

/** Asleep, with the conversion of power-up behind it. */
function asleep(options: EmulatorOptions = {}) {
  const all = powered(options);
  all.write(1, 0x01);
  all.chip.advance(100_000);
  return all;
}

describe("MAX30205 registers (p. 10)", () => {
  test("power-up values: 0 Cel, Configuration 0 twice, 75 and 80 Cel (table 2)", () => {
    const { bytes, read } = powered();
    expect(bytes(8, 0)).toEqual([0, 0, 0, 0, 0x4b, 0, 0x50, 0]);
    expect([0, 1, 2, 3].map(read)).toEqual([0x0000, 0x0000, 0x4b00, 0x5000]);
  });

  test("the pointer goes on after every two bytes, and not from the last register to the first", () => {
    const { bytes } = powered();
    expect(bytes(6, 2)).toEqual([0x4b, 0, 0x50, 0, 0xff, 0xff]);
    expect(bytes(3, 1)).toEqual([0, 0, 0x4b]);
  });

  test("the temperature cannot be written; data that goes on goes to the next register", () => {
    const { bytes, write, read } = powered();
    write(0, 0x12, 0x34, 0x55, 0x44, 0x11, 0x22, 0x33, 0x45, 0x66);
    expect(bytes(8, 0)).toEqual([0, 0, 0x44, 0x44, 0x11, 0x22, 0x33, 0x45]);
    write(3, 1, 2, 3, 4);
    expect([read(2), read(3)]).toEqual([0x1122, 0x0102]);
  });

  test("of two bytes to Configuration the second holds; one byte to a limit is its upper one", () => {
    const { read, write, set } = powered();
    write(1, 0x05, 0x0a);
    expect(read(1)).toBe(0x0a0a);
    set(2, 0x1234);
    write(2, 0x56);
    expect(read(2)).toBe(0x5634);
    write(3, 0x78);
    expect(read(3)).toBe(0x7800);
  });

  test("every bit of the limits and seven of Configuration keep what is written", () => {
    const { read, write, set } = powered();
    for (const value of [0xa5a5, 0x5a5a, 0xffff, 0x8001]) {
      set(2, value);
      set(3, value ^ 0xffff);
      expect([read(2), read(3)]).toEqual([value, value ^ 0xffff]);
    }
    write(1, 0x7e);
    expect(read(1)).toBe(0x7e7e);
  });

  test("the pointer has two bits, and must be written for each transaction: else it is where it was", () => {
    const { chip, read, bytes } = powered();
    expect(read(0xfe)).toBe(0x4b00);
    expect(bytes(2, 1)).toEqual([0, 0]);
    chip.start(true);
    expect([chip.read(), chip.read()]).toEqual([0x4b, 0]);
    chip.stop();
  });
});

describe("MAX30205 conversions", () => {
  test("from power-up it converts all the time, 44 ms each (p. 2)", () => {
    const { chip, read } = powered();
    const times: number[] = [];
    chip.onConvert = (name, code, at) => times.push(name === "temperature" && code === 6400 ? at : Number.NaN);
    expect(chip.nextAt).toBe(44_000);
    chip.advance(43_999);
    expect(read(0)).toBe(0);
    chip.advance(200_000);
    expect(times).toEqual([44_000, 88_000, 132_000, 176_000]);
    expect(read(0)).toBe(0x1900);
  });

  test("its oscillator shifts the conversions; a signal is asked at k of them exactly", () => {
    const { chip } = powered({ oscillator: 0.8 });
    const asked: number[][] = [];
    chip.set("temperature", (time, sinceStart) => {
      asked.push([time, sinceStart]);
      return 20;
    });
    chip.advance(120_000);
    expect(asked).toEqual([
      [0.055, 0],
      [0.11, 0.044],
    ]);
  });

  test("shutdown comes after the conversion under way; leaving it begins one (p. 12)", () => {
    const { chip, read, write } = powered();
    const times: number[] = [];
    chip.advance(10_000);
    write(1, 0x01);
    expect(chip.nextAt).toBe(44_000);
    chip.advance(1_000_000);
    expect(read(0)).toBe(0x1900);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    chip.onConvert = (_, __, at) => times.push(at);
    write(1, 0x00);
    chip.advance(1_100_000);
    expect(times).toEqual([1_044_000, 1_088_000]);
    write(1, 0x00); // nothing changes, nothing begins anew
    expect(chip.nextAt).toBe(1_132_000);
  });

  test("one-shot: ONE_SHOT is 1 until its conversion has ended, then it sleeps (p. 13)", () => {
    const { chip, read, write } = asleep();
    const codes: number[] = [];
    chip.onConvert = (_, code) => codes.push(code);
    chip.set("temperature", 37);
    write(1, 0x81);
    expect(read(1)).toBe(0x8181);
    chip.advance(120_000);
    write(1, 0x81); // a second one is the same
    chip.advance(143_999);
    expect([read(0), read(1)]).toEqual([0x1900, 0x8181]);
    chip.advance(144_000);
    expect([read(0), read(1)]).toEqual([0x2500, 0x0101]);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(codes).toEqual([0x2500]);
  });

  test("one-shot has no effect out of shutdown, nor in the write that enters it (p. 13)", () => {
    const { chip, read, write } = powered();
    write(1, 0x80);
    expect(read(1)).toBe(0x0000);
    write(1, 0x81);
    expect(read(1)).toBe(0x0101);
    chip.advance(20_000);
    write(1, 0x81); // the conversion of power-up is still under way
    expect(read(1)).toBe(0x0101);
    chip.advance(44_000);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test("out of a one-shot into continuous: a new conversion, ONE_SHOT is 0", () => {
    const { chip, read, write } = asleep();
    write(1, 0x81);
    chip.advance(120_000);
    write(1, 0x00);
    expect(read(1)).toBe(0);
    expect(chip.nextAt).toBe(164_000);
  });

  test("results are two's complement, rounded to a step half away from zero, and saturate (table 3)", () => {
    const { convert } = asleep();
    expect(convert(37.5)).toBe(0x2580);
    expect(convert(-1)).toBe(0xff00);
    expect(convert(0.00195)).toBe(0);
    expect(convert(0.00196)).toBe(1);
    expect(convert(-0.00195)).toBe(0);
    expect(convert(-0.00196)).toBe(0xffff);
    expect(convert(200)).toBe(0x7fff);
    expect(convert(-200)).toBe(0x8000);
  });

  test("the extended format comes one conversion after it was set, and adds 64 Cel (table 4, p. 12; p. 13)", () => {
    const { chip, convert, write } = asleep();
    const told: number[] = [];
    chip.onConvert = (_, code) => told.push(code);
    write(1, 0x21);
    expect(convert(25)).toBe(0x1900);
    expect(convert(25)).toBe(0xd900);
    expect(convert(64)).toBe(0x0000);
    expect(convert(0.5)).toBe(0xc080);
    // The one whose format nobody can know is not told.
    expect(told).toEqual([-9984, 0, -16256]);
  });

  test("a read takes one word: what ends within it is seen by the next one (p. 8)", () => {
    const { chip } = powered();
    chip.set("temperature", 37.25);
    chip.start(false);
    chip.write(0);
    chip.start(true);
    expect(chip.read()).toBe(0);
    chip.advance(50_000);
    expect(chip.read()).toBe(0);
    chip.stop();
    chip.start(false);
    chip.write(0);
    chip.start(true);
    expect([chip.read(), chip.read()]).toEqual([0x25, 0x40]);
  });

  test("a conversion in the midst of which the mode changes can be read, but is told to nobody", () => {
    const { chip, read, write } = powered();
    const told: number[] = [];
    chip.onConvert = (_, code) => told.push(code);
    write(1, 0x01);
    chip.advance(50_000);
    expect(read(0)).toBe(0x1900);
    expect(told).toEqual([]);
    write(1, 0x05);
    write(1, 0x85);
    chip.advance(100_000);
    expect(told).toEqual([0x1900]);
  });

  test("noise is 0.009 Cel, where it is asked for (p. 2)", () => {
    const { convert } = asleep({ noise: () => 10 });
    expect(convert(25)).toBe(0x1900 + 23);
  });

  test("power that comes again forgets everything, also a one-shot", () => {
    const { chip, bytes, write, set } = asleep();
    set(2, 0x1234);
    write(1, 0xe5);
    chip.powerOn(200_000);
    expect(bytes(8, 0)).toEqual([0, 0, 0, 0, 0x4b, 0, 0x50, 0]);
    expect(chip.nextAt).toBe(244_000);
    expect(chip.interrupt).toBe(1);
  });

  test("an unknown input is refused with the known one; the address is the one asked for", () => {
    expect(() => powered().chip.set("humidity", 1)).toThrow(
      /MAX30205 emulator: no input "humidity"; it has temperature/,
    );
    expect(powered().chip.address).toBe(0x48);
    expect(powered({ address: 0x5d }).chip.address).toBe(0x5d);
  });
});

describe("MAX30205 OS (p. 8, 9, 12)", () => {
  /** Levels of OS after conversions at these temperatures; limits 38 and 39 Cel. */
  function levels(
    configuration: number,
    degrees: number[],
    between: (all: ReturnType<typeof powered>) => void = () => {},
  ) {
    const all = powered();
    const { chip, set, write } = all;
    set(2, 38 * 256);
    set(3, 39 * 256);
    write(1, configuration);
    const edges: (readonly [number, number])[] = [];
    chip.onInterrupt = (level, at) => edges.push([level, at]);
    const seen = degrees.map((value) => {
      chip.set("temperature", value);
      chip.advance(chip.nextAt);
      const { interrupt } = chip;
      between(all);
      return interrupt;
    });
    return { seen, edges, all };
  }

  test("comparator: low above T_OS, high again below T_HYST, whatever is read", () => {
    const { seen, edges } = levels(0x00, [39, 39.004, 38.5, 38, 37.99, 39, 40], ({ read }) => read(0));
    expect(seen).toEqual([1, 0, 0, 0, 1, 1, 0]);
    expect(edges).toEqual([
      [0, 88_000],
      [1, 220_000],
      [0, 308_000],
    ]);
  });

  test("polarity: active high", () => {
    expect(levels(0x04, [37, 40, 37]).seen).toEqual([0, 1, 0]);
  });

  test.each([
    [0x08, 2],
    [0x10, 4],
    [0x18, 6],
  ])("fault queue %i: %i results in a row (table 6, p. 13)", (configuration, count) => {
    const almost = Array.from({ length: count - 1 }, () => 40);
    expect(levels(configuration, [...almost, 38.5, ...almost, 40]).seen).toEqual([
      ...almost.map(() => 1),
      1,
      ...almost.map(() => 1),
      0,
    ]);
  });

  test("interrupt: until any register is read; then only below T_HYST, and so on", () => {
    const { seen, all } = levels(0x02, [40, 40, 37, 37, 40], ({ read }) => read(3));
    expect(seen).toEqual([0, 1, 0, 1, 0]);
    expect(all.chip.interrupt).toBe(1);
    expect(levels(0x02, [40, 38.5, 38.5]).seen).toEqual([0, 0, 0]);
  });

  test("shutdown resets an interrupt, and leaves a comparator as it is", () => {
    const interrupt = levels(0x02, [40]).all;
    interrupt.write(1, 0x03);
    expect(interrupt.chip.interrupt).toBe(1);
    const comparator = levels(0x00, [40]).all;
    comparator.write(1, 0x01);
    expect(comparator.chip.interrupt).toBe(0);
  });

  test("limits are compared as two's complement", () => {
    const { chip, set } = powered();
    set(2, 0xfe00);
    set(3, 0xff00);
    chip.set("temperature", -0.5);
    chip.advance(50_000);
    expect(chip.interrupt).toBe(0);
    chip.set("temperature", -1.5);
    chip.advance(90_000);
    expect(chip.interrupt).toBe(0);
    chip.set("temperature", -3);
    chip.advance(140_000);
    expect(chip.interrupt).toBe(1);
  });

  test("one-shots move it as well", () => {
    const { chip, convert, set } = asleep();
    set(3, 39 * 256);
    set(2, 38 * 256);
    convert(40);
    expect(chip.interrupt).toBe(0);
    convert(37);
    expect(chip.interrupt).toBe(1);
  });
});
