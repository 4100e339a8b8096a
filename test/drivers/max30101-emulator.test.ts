import { describe, expect, it } from "vitest";
import { emulated } from "../../drivers/max30101/emulator.ts";
import { emulated as max30102 } from "../../drivers/max30102/emulator.ts";
import { probeFifo } from "./fifo-probe.ts";

const create = (which: Parameters<typeof probeFifo>[0] = emulated) => probeFifo(which);

/** One count at 8192 nA and 18 bits, nA. */
const LSB = 8192 / 2 ** 18;

describe("MAX30101 emulator", () => {
  it("has three LEDs, and the ambient light", () => {
    expect(() => create().chip.set("blue", 1)).toThrow(
      'MAX30101 emulator: no input "blue"; it has red, infrared, green, temperature, ambient',
    );
    expect(create().chip.model).toBe("MAX30101");
    expect(create().read(0xff, 1)).toEqual([0x15]);
  });

  it("lets LED3_PA and LED4_PA add up in the green LED, in multi-LED mode", () => {
    const { chip, write, words } = create();
    chip.set("green", 1000 * LSB);
    write(0x0a, 0x47, 0, 0, 0, 5, 10);
    write(0x11, 0x03);
    write(0x09, 0x07);
    chip.advance(1);
    expect(words(1)).toEqual([3000]);
  });

  it("stores its slots in their order and names repeated ones by the slot's number", () => {
    const { chip, write, words } = create();
    chip.set("red", 5 * LSB);
    chip.set("infrared", 50 * LSB);
    chip.set("green", 500 * LSB);
    write(0x0a, 0x47, 0, 10, 10, 10);
    write(0x11, 0x13, 0x32);
    const heard: [string, number][] = [];
    chip.onConvert = (channel, code) => heard.push([channel, code]);
    write(0x09, 0x07);
    chip.advance(1);
    expect(heard).toEqual([
      ["green", 1000],
      ["red", 10],
      ["infrared", 100],
      ["green4", 1000],
    ]);
    expect(words(4)).toEqual([1000, 10, 100, 1000]);
  });

  it("starts anew when slots change in multi-LED mode, and does not care in SpO2 mode (p21)", () => {
    for (const [mode, next] of [
      [0x07, 15_000],
      [0x03, 10_000],
    ]) {
      const { chip, write } = create();
      write(0x0a, 0x47);
      write(0x11, 0x21);
      write(0x09, mode);
      chip.advance(5_000);
      write(0x11, 0x12);
      // A new start converts at once.
      expect(chip.nextAt).toBe(mode === 0x07 ? 5_000 : next);
      chip.advance(5_001);
      expect(chip.nextAt).toBe(next);
    }
  });

  it("has no reserved registers where the MAX30102 has: LED3_PA to PILOT_PA, PROX_INT_THRESH, PROX_INT_EN", () => {
    for (const [which, kept] of [
      [emulated, true],
      [max30102, false],
    ] as const) {
      const { write, read } = create(which);
      write(0x0e, 1, 2, 3);
      write(0x30, 4);
      write(0x02, 0xff, 0xff);
      expect(read(0x0e, 3)).toEqual(kept ? [1, 2, 3] : [0, 0, 0]);
      expect(read(0x30, 1)).toEqual([kept ? 4 : 0]);
      expect(read(0x02, 2)).toEqual([kept ? 0xf0 : 0xe0, 0x02]);
    }
  });

  it("ignores a slot code that its LEDs do not have", () => {
    const { chip, write, words } = create(max30102);
    chip.set("red", LSB);
    write(0x0a, 0x47, 0, 5, 5);
    write(0x11, 0x31);
    write(0x09, 0x07);
    chip.advance(1);
    expect(words(2)).toEqual([1, 0]);
  });

  it("adds ambient light beyond 200 uA to every code and raises ALC_OVF at every conversion (p12)", () => {
    const { chip, write, read, words } = create();
    write(0x0a, 0x47, 0, 5, 5);
    write(0x02, 0x20);
    read(0, 1);
    chip.set("ambient", 200);
    write(0x09, 0x03);
    chip.advance(5_000);
    expect(chip.interrupt).toBe(1);
    expect(words(2)).toEqual([0, 0]);
    chip.set("ambient", 200 + (100 * LSB) / 1000);
    chip.advance(10_000);
    expect(chip.interrupt).toBe(0);
    expect(read(0, 1)[0] & 0x20).toBe(0x20);
    expect(chip.interrupt).toBe(1);
    expect(words(2)).toEqual([100, 100]);
    chip.advance(20_000);
    expect(chip.interrupt).toBe(0);
  });

  it("waits for something near with PILOT_PA alone, then raises PROX_INT and starts (provisional)", () => {
    const { chip, write, read } = create();
    chip.set("infrared", 1023.4 * LSB);
    write(0x0a, 0x47, 0, 31, 31);
    write(0x10, 5);
    write(0x30, 1);
    write(0x02, 0x90);
    read(0, 1);
    write(0x09, 0x03);
    chip.advance(95_000);
    expect(read(0, 7)).toEqual([0, 0, 0x90, 0, 0, 0, 0]);
    chip.set("infrared", 1024 * LSB);
    chip.advance(100_000);
    expect(chip.interrupt).toBe(0);
    expect(read(0, 1)[0]).toBe(0x10 | 0x40);
    expect(read(4, 3)).toEqual([1, 0, 0]);
    chip.advance(110_000);
    expect(read(4, 1)).toEqual([2]);
    // A new start of the mode waits again.
    write(0x09, 0x03);
    chip.set("infrared", 0);
    chip.advance(200_000);
    expect(read(4, 1)).toEqual([2]);
  });

  it("does not wait in multi-LED mode, nor without its enable", () => {
    for (const [enable, mode] of [
      [0x90, 0x07],
      [0x80, 0x03],
    ]) {
      const { chip, write, read } = create();
      write(0x11, 0x21);
      write(0x30, 255);
      write(0x02, enable);
      write(0x09, mode);
      chip.advance(1);
      expect(read(4, 1)).toEqual([1]);
    }
  });

  it("tells of a die temperature where its end is enabled, and of none otherwise", () => {
    for (const enable of [0, 2]) {
      const { chip, write } = create();
      const heard: [string, number, number][] = [];
      chip.onConvert = (channel, code, at) => heard.push([channel, code, at]);
      chip.set("temperature", -12.3);
      write(0x03, enable);
      write(0x21, 1);
      chip.advance(29_000);
      expect(heard).toEqual(enable === 0 ? [] : [["dieTemperature", -197, 14_500]]);
    }
  });
});
