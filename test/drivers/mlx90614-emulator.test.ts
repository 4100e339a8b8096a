/** The MLX90614 emulator at byte level, as the data sheet (3901090614, Rev 13) and the application note say. */
import { describe, expect, test } from "vitest";
import { kelvin, pec, SA_R, SA_W, wire } from "./mlx90614-script.ts";

describe("MLX90614 emulator, reading", () => {
  test("figure 8 (p. 20): RAM 0x07 at 0x3ad2 reads d2 3a, PEC 30", () => {
    const { chip, bytes, wait } = wire();
    chip.set("object", 0x3ad2 / 50 - 273.15);
    wait(300);
    expect(bytes(0x07)).toEqual([0xd2, 0x3a, 0x30]);
  });

  test("the PEC covers the address it was given", () => {
    const { chip } = wire({ address: 0x33 });
    expect(chip.address).toBe(0x33);
    expect([chip.start(false), chip.write(0x3c), chip.start(true)]).toEqual([true, true, true]);
    expect([chip.read(), chip.read(), chip.read()]).toEqual([0x34, 0x12, pec(0x66, 0x3c, 0x67, 0x34, 0x12)]);
  });

  test("the temperatures are K x 50, the ambient one limited to its range (p. 30)", () => {
    const { chip, word, wait } = wire();
    for (const [object, object2, ambient] of [
      [-70, 382.18, -38.2],
      [-0.01, 0.01, 0],
      [36.6, 22, 125],
      [-200, 900, -60],
    ]) {
      chip.set("object", object);
      chip.set("object2", object2);
      chip.set("ambient", ambient);
      wait(300);
      const limited = (code: number, low: number, high: number) => Math.max(low, Math.min(high, code));
      expect(word(0x06)).toBe(limited(kelvin(ambient), 0x2de4, 0x4dc4));
      expect(word(0x07)).toBe(limited(kelvin(object), 0x27ad, 0x7fff));
      expect(word(0x08)).toBe(limited(kelvin(object2), 0x27ad, 0x7fff));
    }
  });

  test("raw infrared data is sign and magnitude (p. 20): the sign is that of object minus ambient", () => {
    const { chip, word, wait } = wire();
    chip.set("object", 40);
    chip.set("object2", 10);
    wait(300);
    expect(word(0x04)).toBeGreaterThan(0);
    expect(word(0x04)).toBeLessThan(0x8000);
    expect(word(0x05)).toBeGreaterThan(0x8000);
    chip.set("object", 25);
    wait(300);
    expect(word(0x04)).toBe(0);
  });

  test("what is in no table reads 0, and beyond the PEC the lines are high", () => {
    const { chip, word } = wire();
    expect([word(0x00), word(0x09), word(0x1f), word(0x26)]).toEqual([0, 0, 0, 0]);
    chip.start(false);
    chip.write(0x3d);
    chip.start(true);
    const bytes = [chip.read(), chip.read(), chip.read(), chip.read(), chip.read()];
    expect(bytes).toEqual([0x78, 0x56, pec(SA_W, 0x3d, SA_R, 0x78, 0x56), 0xff, 0xff]);
  });

  test("with a STOP in the place of the repeated start the command is forgotten (README.md)", () => {
    const { chip } = wire();
    chip.start(false);
    chip.write(0x07);
    chip.stop();
    chip.start(true);
    expect([chip.read(), chip.read(), chip.read()]).toEqual([0xff, 0xff, 0xff]);
  });

  test("a word is one moment's: a result that comes between its bytes is the next reading's", () => {
    const { chip, wait, word } = wire();
    chip.set("object", 100);
    chip.start(false);
    chip.write(0x07);
    chip.start(true);
    const low = chip.read();
    wait(300);
    const high = chip.read();
    expect(low | (high << 8)).toBe(kelvin(25));
    chip.stop();
    expect(word(0x07)).toBe(kelvin(100));
  });

  test("a command that is none is not acknowledged (README.md)", () => {
    const { send } = wire();
    for (const command of [0x40, 0x5f, 0x62, 0x80, 0xef, 0xf1, 0xfe]) expect(send(command)).toBe(false);
    for (const command of [0x00, 0x1f, 0x20, 0x3f, 0xf0]) expect(send(command)).toBe(true);
  });
});

describe("MLX90614 emulator, time", () => {
  test.each([
    ["BBA", 140],
    ["BAA", 100],
  ] as const)("%s: first results after 250 ms (p. 11), then each cell once in %i ms", (part, cycle) => {
    const { chip, word, wait } = wire({ part }, false);
    const zones = part === "BBA" ? 2 : 1;
    wait(249.999);
    expect([word(6), word(7), word(8)]).toEqual([0, 0, 0]);
    wait(0.002);
    expect([word(6), word(7)]).toEqual([kelvin(25), kelvin(25)]);
    expect(word(8)).toBe(zones === 2 ? kelvin(25) : 0);
    chip.set("ambient", 30);
    chip.set("object", 40);
    chip.set("object2", 50);
    const share = cycle / (zones + 1);
    wait(share);
    expect([word(6), word(7)]).toEqual([kelvin(30), kelvin(25)]);
    wait(share);
    expect([word(6), word(7)]).toEqual([kelvin(30), kelvin(40)]);
    chip.set("ambient", 31);
    if (zones === 2) {
      expect(word(8)).toBe(kelvin(25));
      wait(share);
      expect(word(8)).toBe(kelvin(50));
    }
    expect(word(6)).toBe(kelvin(30));
    wait(share);
    expect(word(6)).toBe(kelvin(31));
  });

  test.each([
    [4, 40],
    [5, 50],
    [6, 60],
    [7, 100],
    [0, 40],
  ])("FIR code %i: a cycle of %i ms, after a restart (table 9, p. 16)", (fir, cycle) => {
    const { chip, put, wait } = wire({ part: "BAA" });
    expect(put(0x25, 0)).toBe(true);
    wait(6);
    expect(put(0x25, 0x98b4 | (fir << 8))).toBe(true);
    wait(6);
    chip.powerOn(412_000);
    chip.advance(412_000 + 250_000);
    expect(chip.nextAt).toBe(412_000 + 250_000 + (cycle * 1000) / 2);
  });

  test("a fast oscillator shortens everything", () => {
    const { chip, word, wait } = wire({ part: "BAA", oscillator: 1.25 }, false);
    wait(200);
    expect(word(7)).toBe(kelvin(25));
    expect(chip.nextAt).toBe(200_000 + 40_000);
  });

  test("onConvert is told of a result when it is first read, with the time at which it was stored", () => {
    const { chip, word, wait } = wire({}, false);
    const told: [string, number, number][] = [];
    chip.onConvert = (...result) => told.push(result);
    word(6);
    wait(310);
    expect(told).toEqual([]);
    word(7);
    word(7);
    word(6);
    word(8);
    expect(told).toEqual([
      ["object", kelvin(25), 250_000],
      ["ambient", kelvin(25), 250_000 + 140_000 / 3],
      ["object2", kelvin(25), 250_000],
    ]);
    wait(140);
    word(7);
    expect(told).toHaveLength(4);
    expect(told[3][2]).toBeCloseTo(250_000 + (140_000 * 2) / 3, 6);
  });

  test("the first result passes unfiltered, those after it through the IIR filter (p. 22): 50 % for a BCF", () => {
    const { chip, word, wait } = wire({ part: "BCF" }, false);
    wait(251);
    chip.set("object", 125);
    wait(140);
    expect(word(7)).toBe(kelvin(75));
    wait(140);
    expect(word(7)).toBe(kelvin(100));
    wait(140);
    expect(word(7)).toBe(kelvin(112.5));
  });

  test("noise is that of table 8 (p. 16), twice as much with a quarter of the filter; none on the ambient temperature", () => {
    for (const [fir, rms] of [
      [7, 0.07],
      [5, 0.14],
    ]) {
      const { chip, word, wait, put } = wire({ noise: () => 3 });
      put(0x25, 0);
      wait(6);
      put(0x25, 0x98f4 | (fir << 8));
      wait(6);
      chip.powerOn(500_000);
      wait(500);
      expect([word(6), word(7), word(8)]).toEqual([kelvin(25), kelvin(25 + 3 * rms), kelvin(25 + 3 * rms)]);
    }
  });
});

describe("MLX90614 emulator, flags (p. 20)", () => {
  test("INIT is low until the first cycle runs", () => {
    const { word, wait } = wire({}, false);
    expect(word(0xf0)).toBe(0);
    wait(109);
    expect(word(0xf0)).toBe(0);
    wait(2);
    wait(140);
    expect(word(0xf0)).toBe(0x10);
  });

  test("they are read without a repeated start too: the PEC covers what was on the bus", () => {
    const { chip } = wire();
    chip.start(false);
    chip.write(0xf0);
    expect([chip.read(), chip.read(), chip.read()]).toEqual([0x10, 0, pec(SA_W, 0xf0, 0x10, 0)]);
    chip.stop();
  });

  test("damage sets EE_DEAD, error the error flag of every temperature, pecErrors turns bits of every PEC", () => {
    const { chip, word, bytes, wait } = wire();
    chip.set("damage", 1);
    expect(word(0xf0)).toBe(0x30);
    chip.set("error", 1);
    wait(300);
    expect([word(6), word(7), word(8)]).toEqual([6, 7, 8].map(() => kelvin(25) | 0x8000));
    chip.set("error", 0);
    wait(300);
    expect(word(7)).toBe(kelvin(25));
    const [, , right] = bytes(7)!;
    chip.set("pecErrors", 0x81);
    expect(bytes(7)![2]).toBe(right ^ 0x81);
  });

  test("a flagged result is told to nobody as a sample", () => {
    const { chip, word, wait } = wire();
    let told = 0;
    chip.set("error", 1);
    wait(300);
    chip.onConvert = () => told++;
    word(6);
    word(7);
    expect(told).toBe(0);
  });
});

describe("MLX90614 emulator, sleep (p. 22)", () => {
  test("figure 11: ff e8 puts it to sleep; then it answers nothing and measures nothing", () => {
    const { chip, send, bytes } = wire();
    expect(send(0xff, 0xe9)).toBe(false);
    expect(bytes(7)).not.toBeNull();
    expect(send(0xff, 0xe8)).toBe(true);
    expect(bytes(7)).toBeNull();
    expect(send(0x07)).toBe(false);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test("SDA low for 33 ms wakes it; it starts as after power-up", () => {
    const { chip, send, word, wait } = wire();
    send(0xff, 0xe8);
    chip.pin!("SDA", 0);
    wait(32.9);
    chip.pin!("SDA", 1);
    expect(send(0x07)).toBe(false);
    wait(10);
    chip.pin!("SDA", 1);
    expect(send(0x07)).toBe(false);
    chip.pin!("SDA", 0);
    wait(33);
    chip.pin!("SCL", 1);
    chip.pin!("SDA", 1);
    expect(word(7)).toBe(0);
    wait(250);
    expect(word(7)).toBe(kelvin(25));
  });

  test("SDA low does nothing to one that is awake", () => {
    const { chip, word, wait } = wire();
    chip.pin!("SDA", 0);
    wait(40);
    chip.pin!("SDA", 1);
    expect(word(7)).toBe(kelvin(25));
  });

  test("a supply that comes back wakes it", () => {
    const { chip, send, wait, word } = wire();
    send(0xff, 0xe8);
    chip.powerOn(500_000);
    wait(400);
    expect(word(7)).toBe(kelvin(25));
  });

  test("5 V versions have no sleep", () => {
    const { send, word } = wire({ part: "AAA" });
    expect(send(0xff, 0xe8)).toBe(false);
    expect(word(7)).toBe(kelvin(25));
  });

  test("it has no interrupt, and an unknown input is refused with those that it has", () => {
    const { chip } = wire();
    expect(chip.interrupt).toBe(1);
    expect(() => chip.set("temperature", 1)).toThrow(
      /MLX90614 emulator: no input "temperature"; it has object, object2/,
    );
  });
});
