import { describe, expect, it } from "vitest";
import type { EmulatorOptions } from "../../drivers/emulator.ts";
import { emulated } from "../../drivers/max30102/emulator.ts";
import { probeFifo } from "./fifo-probe.ts";

const create = (options: EmulatorOptions = {}) => probeFifo(emulated, options);

/** SpO2 mode at 100 sps, 18 bits, 8192 nA, 6.2 mA from the present time; sample k reads k + 1 and 1001 + k. */
function running(fifoConfig = 0x0f, options: EmulatorOptions = {}) {
  const bench = create(options);
  const lsb = 8192 / 2 ** 18 / 6.2;
  bench.chip.set("red", (_, sinceStart) => (Math.round(sinceStart * 100) + 1) * lsb);
  bench.chip.set("infrared", (_, sinceStart) => (Math.round(sinceStart * 100) + 1001) * lsb);
  bench.write(0x08, fifoConfig);
  bench.write(0x0a, 0x47, 0, 31, 31);
  bench.read(0, 2);
  bench.write(0x09, 0x03);
  return bench;
}
/** The time at which `count` samples have come. */
const untilSample = (count: number) => (count - 1) * 10_000 + 1;

describe("MAX30102 emulator: registers", () => {
  it("comes up with PWR_RDY, its power-on values and the interrupt low until the status is read (p10-12)", () => {
    const { chip, read } = create();
    expect(chip.interrupt).toBe(0);
    expect(read(0xfe, 2)).toEqual([0x03, 0x15]);
    expect(read(0, 7)).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(chip.interrupt).toBe(1);
    expect(read(0, 1)).toEqual([0]);
    expect(read(0x08, 11)).toEqual(Array(11).fill(0));
  });

  it("counts its register address up, but stays at FIFO_DATA and at 0xFF (p14)", () => {
    const { chip, write, read } = running();
    chip.advance(untilSample(1));
    expect(read(4, 9)).toEqual([1, 0, 0, 0, 0, 1, 0, 3, 233]);
    write(0x0c, 1, 2);
    expect(read(0x0a, 4)).toEqual([0x47, 0, 1, 2]);
    expect(read(0xff, 3)).toEqual([0x15, 0x15, 0x15]);
  });

  it("does not let itself be written where it is read only", () => {
    const { write, read } = create();
    write(0xff, 1);
    write(0x1f, 5, 6);
    write(0x00, 0, 0);
    expect([read(0xff, 1), read(0x1f, 2), read(0, 1)]).toEqual([[0x15], [0, 0], [1]]);
  });

  it("clears RESET by itself, loses every setting, and raises no PWR_RDY (p18)", () => {
    const { chip, write, read } = running();
    chip.advance(untilSample(5));
    write(0x09, 0x40);
    expect(read(0x09, 1)).toEqual([0x40]);
    chip.advance(chip.nextAt);
    expect(read(0, 7)).toEqual(Array(7).fill(0));
    expect(read(7, 6)).toEqual(Array(6).fill(0));
    expect(read(8, 6)).toEqual(Array(6).fill(0));
    expect(chip.interrupt).toBe(1);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  it("keeps registers and FIFO in shutdown, converts nothing, clears its interrupts (p18)", () => {
    const { chip, write, read, words } = running();
    write(0x02, 0x40);
    chip.advance(untilSample(3));
    expect(chip.interrupt).toBe(0);
    write(0x09, 0x83);
    expect(chip.interrupt).toBe(1);
    chip.advance(untilSample(9));
    expect(read(0, 7)).toEqual([0, 0, 0x40, 0, 3, 0, 0]);
    expect(words(6)).toEqual([1, 1001, 2, 1002, 3, 1003]);
  });

  it("takes pointers only in the modes 010, 011 and 111 (p13)", () => {
    const { write, read } = create();
    write(0x04, 3, 4, 5);
    expect(read(4, 3)).toEqual([0, 0, 0]);
    write(0x09, 0x83);
    write(0x04, 3, 4, 5);
    expect(read(4, 3)).toEqual([3, 4, 5]);
  });

  it.each([
    ["SpO2", 3, [6, 5, 4, 3]],
    ["heart rate", 2, [7, 6, 6, 5]],
  ])("programs the highest possible rate instead of too high a one in %s mode (p19, p23)", (_, mode, highest) => {
    const { write, read } = create();
    write(0x09, mode);
    highest.forEach((code, width) => {
      write(0x0a, (7 << 2) | width);
      expect(read(0x0a, 1)).toEqual([(code << 2) | width]);
    });
    write(0x0a, 3);
    expect(read(0x0a, 1)).toEqual([3]);
  });

  it("is known by its inputs", () => {
    expect(() => create().chip.set("green", 1)).toThrow(
      'MAX30102 emulator: no input "green"; it has red, infrared, temperature',
    );
  });
});

describe("MAX30102 emulator: FIFO", () => {
  it("pops with the first byte of a sample, also of one that is read in part (p15)", () => {
    const { chip, read, words } = running();
    chip.advance(untilSample(3));
    expect(read(7, 4)).toEqual([0, 0, 1, 0]);
    expect(read(4, 3)).toEqual([3, 0, 1]);
    expect(words(2)).toEqual([2, 1002]);
    expect(read(6, 1)).toEqual([2]);
  });

  it("reads a sample again when FIFO_RD_PTR is moved back (p13, p16)", () => {
    const { chip, write, words } = running();
    chip.advance(untilSample(3));
    expect(words(6)).toEqual([1, 1001, 2, 1002, 3, 1003]);
    write(0x06, 1);
    expect(words(4)).toEqual([2, 1002, 3, 1003]);
  });

  it("keeps the oldest without FIFO_ROLLOVER_EN, counts what comes after them, up to 31 (p13, p17)", () => {
    const { chip, read, words } = running();
    chip.advance(untilSample(32));
    expect(read(4, 3)).toEqual([0, 0, 0]);
    chip.advance(untilSample(37));
    expect(read(4, 3)).toEqual([0, 5, 0]);
    chip.advance(untilSample(100));
    expect(read(5, 1)).toEqual([31]);
    expect(words(64).filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: 32 }, (_, k) => k + 1));
    expect(read(4, 3)).toEqual([0, 0, 0]);
  });

  it("keeps the newest with FIFO_ROLLOVER_EN", () => {
    const { chip, words } = running(0x1f);
    chip.advance(untilSample(40));
    expect(words(64).filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: 32 }, (_, k) => k + 9));
  });

  it("resets OVF_COUNTER when a sample is popped (p13)", () => {
    const { chip, read } = running();
    chip.advance(untilSample(40));
    expect(read(5, 3)).toEqual([8, 0, 0]);
    expect(read(5, 1)).toEqual([0]);
  });

  it("raises A_FULL at 17 unread samples for FIFO_A_FULL 0xF and at 32 for 0; its status read clears it (p12, p17)", () => {
    for (const [setting, count] of [
      [0x0f, 17],
      [0x05, 27],
      [0x00, 32],
    ]) {
      const { chip, write, read } = running(setting);
      write(0x02, 0x80);
      const edges: [number, number][] = [];
      chip.onInterrupt = (level, at) => edges.push([level, at]);
      chip.advance(untilSample(count - 1));
      expect(chip.interrupt).toBe(1);
      chip.advance(untilSample(count));
      expect(edges).toEqual([[0, (count - 1) * 10_000]]);
      read(7, 6);
      expect(chip.interrupt).toBe(0);
      expect(read(0, 1)[0] & 0x80).toBe(0x80);
      expect(chip.interrupt).toBe(1);
    }
  });

  it("raises A_FULL once, by the sample that reaches the threshold", () => {
    const { chip, read } = running();
    chip.advance(untilSample(17));
    expect(read(0, 1)[0] & 0x80).toBe(0x80);
    chip.advance(untilSample(25));
    expect(read(0, 1)[0] & 0x80).toBe(0);
  });

  it("clears PPG_RDY by the status or by the data (p12)", () => {
    const { chip, write, read } = running();
    write(0x02, 0x40);
    chip.advance(untilSample(1));
    expect(chip.interrupt).toBe(0);
    read(7, 6);
    expect(chip.interrupt).toBe(1);
    chip.advance(untilSample(2));
    expect(read(0, 1)).toEqual([0x40]);
    expect(chip.interrupt).toBe(1);
  });

  it("averages and decimates (p17), and tells the converter's listener what goes to the FIFO", () => {
    const { chip, words } = running(0x4f);
    const heard: [string, number, number][] = [];
    chip.onConvert = (channel, code, at) => heard.push([channel, code, at]);
    chip.advance(untilSample(11));
    expect(words(4)).toEqual([2, 1002, 6, 1006]);
    expect(heard).toEqual([
      ["red", 2, 15_000],
      ["infrared", 1002, 15_000],
      ["red", 6, 55_000],
      ["infrared", 1006, 55_000],
    ]);
  });

  it("keeps the MSB at bit 17 for every pulse width, and saturates (p14)", () => {
    for (const width of [0, 1, 2, 3]) {
      const { chip, write, words } = running();
      chip.set("red", 8192 / 2 / 6.2);
      chip.set("infrared", 1e6);
      write(0x0a, 0x44 | width);
      chip.advance(untilSample(1));
      const top = (2 ** (15 + width) - 1) << (3 - width);
      expect(words(2)).toEqual([0x20000, top]);
    }
  });

  it("stores red alone in heart-rate mode and the slots' LEDs in multi-LED mode (p18, p21)", () => {
    const { chip, write, words } = running();
    write(0x09, 0x02);
    chip.advance(1);
    expect(words(1)).toEqual([1]);
    write(0x11, 0x12, 0x02);
    write(0x09, 0x07);
    chip.advance(2);
    expect(words(3)).toEqual([1001, 1, 1001]);
  });

  it("takes sample k at start + k periods of its own oscillator", () => {
    const { chip } = running(0x0f, { oscillator: 0.5 });
    const times: number[] = [];
    chip.onConvert = (channel, _, at) => channel === "red" && times.push(at);
    chip.advance(60_001);
    expect(times).toEqual([0, 20_000, 40_000, 60_000]);
  });

  it("adds its noise at the converter", () => {
    const deviates = [1, -1, 2, 0];
    const { chip, words } = running(0x0f, { noise: () => deviates.shift()! });
    chip.set("red", 100);
    chip.set("infrared", 100);
    chip.advance(untilSample(2));
    const quiet = Math.round((100 * 6.2) / (8192 / 2 ** 18));
    // 0.102 nA and 3.2 codes of 31.25 pA: 4.57 codes.
    expect(words(4).map((code) => code - quiet)).toEqual([5, -5, 9, 0]);
  });
});

describe("MAX30102 emulator: die temperature", () => {
  it.each([
    [-127.5, 0x80, 0x08],
    [127, 0x7f, 0x00],
    [-1, 0xff, 0x00],
    [-127, 0x81, 0x00],
    [-0.0625, 0xff, 0x0f],
    [36.31, 0x24, 0x05],
    [200, 0x7f, 0x0f],
    [-200, 0x80, 0x00],
  ])("%d Cel is TINT %i, TFRAC %i (p22)", (value, integer, fraction) => {
    const { chip, write, read } = running();
    chip.set("temperature", value);
    write(0x03, 0x02);
    write(0x21, 0x01);
    chip.advance(28_999);
    expect(read(0x21, 1)).toEqual([1]);
    expect(chip.interrupt).toBe(1);
    chip.advance(29_000);
    expect(chip.interrupt).toBe(0);
    expect(read(0x1f, 1)).toEqual([integer]);
    expect(chip.interrupt).toBe(0);
    expect(read(0x20, 2)).toEqual([fraction, 0]);
    expect(chip.interrupt).toBe(1);
    expect(read(1, 1)).toEqual([0]);
  });
});
