/** The EEPROM of the MLX90614 emulator: what it keeps, and what becomes of the emissivity in it. */
import { describe, expect, test } from "vitest";
import { kelvin, pec, SA_W, wire } from "./mlx90614-script.ts";

describe("MLX90614 emulator, emissivity (p. 14, 30, 48)", () => {
  test("a surface of 0.5 shows half of its difference in radiation, the rest is the surroundings'", () => {
    const { chip, word, wait } = wire();
    chip.set("ambient", 20);
    chip.set("object", 40);
    chip.set("emissivity", 0.5);
    wait(300);
    const seen = (0.5 * 313.15 ** 4 + 0.5 * 293.15 ** 4) ** 0.25;
    expect(word(7)).toBe(Math.round(seen * 50));
  });

  test("told of 0.5 it corrects that, after a restart only (application note p. 12)", () => {
    const { chip, word, wait, put } = wire();
    chip.set("ambient", 20);
    chip.set("object", 40);
    chip.set("emissivity", 32768 / 65535);
    put(0x24, 0);
    wait(6);
    put(0x24, 32768);
    wait(300);
    expect(word(0x24)).toBe(32768);
    expect(word(7)).not.toBe(kelvin(40));
    chip.powerOn(706_000);
    wait(300);
    expect(word(7)).toBe(kelvin(40));
  });
});

describe("MLX90614 emulator, EEPROM (p. 12, 14, 17)", () => {
  test("its factory values", () => {
    const { word } = wire({ part: "BAA" });
    const cells = Array.from({ length: 32 }, (_, i) => word(0x20 + i));
    const expected = new Array(32).fill(0);
    for (const [cell, value] of Object.entries({
      0: 0x9993, // 100 x (120 + 273.15)
      1: 0x62e3, // 100 x (-20 + 273.15)
      2: 0x0201,
      3: 0xf71c,
      4: 0xffff,
      5: 0x9fb4,
      14: 0xbe5a,
      15: 0x0733,
      28: 0x1234,
      29: 0x5678,
      30: 0x9abc,
      31: 0xdef0,
    }))
      expected[Number(cell)] = value;
    expect(cells).toEqual(expected);
  });

  test.each([
    ["AAA", 0x9fb4],
    ["ABA", 0x9ff4],
    ["BBA", 0x9ff4],
    ["BCC", 0x9ff4],
    ["BCF", 0x9ff0],
    ["BCK", 0x9ff1],
  ] as const)("ConfigRegister1 of a %s is %i (table 7 and 8)", (part, config) => {
    expect(wire({ part }).word(0x25)).toBe(config);
  });

  test("a cell changes 5 ms after the write; until then EEBUSY, and no EEPROM command is acknowledged", () => {
    const { bytes, word, put, wait } = wire();
    expect(put(0x24, 0)).toBe(true);
    expect(word(0xf0)).toBe(0x90);
    expect(bytes(0x24)).toBeNull();
    expect(bytes(0x3c)).toBeNull();
    expect(put(0x22, 0)).toBe(false);
    expect(word(0x07)).toBe(kelvin(25));
    wait(4.999);
    expect(word(0xf0)).toBe(0x90);
    wait(0.002);
    expect(word(0xf0)).toBe(0x10);
    expect(word(0x24)).toBe(0);
    expect(word(0x22)).toBe(0x0201);
    put(0x24, 0x8000);
    wait(5.1);
    expect(word(0x24)).toBe(0x8000);
  });

  test("a write whose PEC is wrong is not acknowledged, and changes nothing (p. 18)", () => {
    const { chip, word, wait } = wire();
    const bytes = [0x24, 0, 0, 0x28 ^ 1];
    expect(chip.start(false)).toBe(true);
    expect(bytes.map((byte) => chip.write(byte))).toEqual([true, true, true, false]);
    chip.stop();
    wait(10);
    expect(word(0x24)).toBe(0xffff);
    expect(word(0xf0)).toBe(0x10);
  });

  test("a write without a PEC, or with too many bytes, changes nothing", () => {
    const { chip, send, word, wait } = wire();
    expect(send(0x24, 0, 0)).toBe(true);
    wait(10);
    expect(word(0x24)).toBe(0xffff);
    chip.start(false);
    expect([0x23, 0, 0, pec(SA_W, 0x23, 0, 0), 0].map((byte) => chip.write(byte))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    chip.stop();
    wait(10);
    expect(word(0x23)).toBe(0);
  });

  test("a cell that was not erased gets the bits of both (README.md)", () => {
    const { put, word, wait } = wire();
    put(0x2f, 0x0038);
    wait(6);
    expect(word(0x2f)).toBe(0x073b);
  });

  test("nine cells can be written (p. 17); the others, and RAM, acknowledge and keep what they have", () => {
    const { put, word, wait } = wire();
    const writable = [0, 1, 2, 3, 4, 5, 0x0e, 0x0f, 0x19];
    for (let cell = 0; cell < 32; cell++) {
      const before = word(0x20 + cell);
      expect(put(0x20 + cell, 0)).toBe(true);
      wait(6);
      expect(word(0x20 + cell)).toBe(writable.includes(cell) ? 0 : before);
    }
    expect(put(0x07, 0x1111)).toBe(true);
    wait(200);
    expect(word(0x07)).toBe(kelvin(25));
  });

  test("it survives a loss of supply; one in the midst of an erasure leaves 0, of a write the erased cell (README.md)", () => {
    const { chip, put, word, wait } = wire();
    put(0x24, 0);
    chip.powerOn(402_000);
    wait(10);
    expect(word(0x24)).toBe(0);
    put(0x24, 0x7777);
    chip.powerOn(411_000);
    wait(10);
    expect(word(0x24)).toBe(0);
    put(0x24, 0x7777);
    wait(10);
    chip.powerOn(440_000);
    expect(word(0x24)).toBe(0x7777);
  });

  test("another address counts after a restart (application note p. 19)", () => {
    const { chip, put, wait } = wire();
    put(0x2e, 0);
    wait(6);
    put(0x2e, 0x0033);
    wait(6);
    expect(chip.address).toBe(0x5a);
    chip.powerOn(420_000);
    expect(chip.address).toBe(0x33);
    chip.start(false);
    chip.write(0x2e);
    chip.start(true);
    expect([chip.read(), chip.read(), chip.read()]).toEqual([0x33, 0, pec(0x66, 0x2e, 0x67, 0x33, 0)]);
  });

  test("unlocking and locking are acknowledged with their PEC only, and do nothing (melexis/i2c-stick)", () => {
    const { send } = wire();
    expect(send(0x60, pec(SA_W, 0x60))).toBe(true);
    expect(send(0x61, pec(SA_W, 0x61))).toBe(true);
    expect(send(0x60, pec(SA_W, 0x60) ^ 1)).toBe(false);
  });
});
