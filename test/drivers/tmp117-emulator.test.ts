/** The TMP117 emulator at its bytes: what the data sheet promises to a driver, so that drivers can lean on it. */
import { describe, expect, test } from "vitest";
import type { EmulatorOptions, I2cEmulator } from "../../drivers/emulator.ts";
import { emulated } from "../../drivers/tmp117/emulator.ts";

function powered(options: EmulatorOptions = {}) {
  const chip = emulated.create(options) as I2cEmulator;
  chip.powerOn(0);
  const write = (...bytes: number[]) => {
    chip.start(false);
    for (const byte of bytes) chip.write(byte);
    chip.stop();
  };
  const bytes = (count: number) => {
    chip.start(true);
    const reply = Array.from({ length: count }, () => chip.read());
    chip.stop();
    return reply;
  };
  const read = (register: number) => {
    write(register);
    const [high, low] = bytes(2);
    return (high << 8) | low;
  };
  const set = (register: number, value: number) => write(register, value >> 8, value & 255);
  return { chip, write, bytes, read, set };
}

const READY = 0x2000;
const BUSY = 0x1000;

describe("TMP117 emulator", () => {
  test("registers read their reset values, high byte first; unknown ones read 0 (section 7.6)", () => {
    const { chip, read, write, bytes } = powered();
    chip.advance(2_000);
    const resets = [
      [0x00, 0x8000],
      [0x01, 0x0220],
      [0x02, 0x6000],
      [0x03, 0x8000],
      [0x04, 0x0000],
      [0x07, 0x0000],
      [0x0f, 0x0117],
      [0x0a, 0x0000],
    ];
    for (const [register, value] of resets) expect(read(register)).toBe(value);
    write(0x02);
    expect(bytes(4)).toEqual([0x60, 0x00, 0x60, 0x00]);
    expect(bytes(2)).toEqual([0x60, 0x00]); // the pointer stays
  });

  test("result and identity cannot be written, flags and reserved bits of Configuration neither", () => {
    const { chip, read, set } = powered();
    chip.advance(2_000);
    set(0x00, 0x1234);
    set(0x0f, 0x1234);
    set(0x01, 0xf225);
    expect(read(0x00)).toBe(0x8000);
    expect(read(0x0f)).toBe(0x0117);
    expect(read(0x01)).toBe(0x0224);
    set(0x01, 0x0a20); // MOD 10 is 00, and reads back so
    expect(read(0x01)).toBe(0x0220);
  });

  test("power-up takes 1.5 ms with EEPROM_Busy; what is written meanwhile does not stay", () => {
    const { chip, read, set } = powered();
    set(0x02, 0x1234);
    expect(read(0x01)).toBe(0x0220 | BUSY);
    chip.advance(1_600);
    expect(read(0x01)).toBe(0x0220);
    expect(read(0x02)).toBe(0x6000);
  });

  // Section 7.6, CONV: the cycle is the longer of what CONV says and what averaging takes.
  const base = [15.5, 125, 250, 500, 1000, 4000, 8000, 16000];
  test.each([0, 1, 2, 3].flatMap((avg) => base.map((_, conv) => [conv, avg])))(
    "CONV %i, AVG %i: first result after the active time, then one each cycle",
    (conv, avg) => {
      const { chip, set } = powered();
      chip.advance(10_000);
      const times: number[] = [];
      chip.onConvert = (_, __, at) => times.push(at);
      set(0x01, (conv << 7) | (avg << 5));
      chip.advance(100e6);
      const active = [15.5, 124, 496, 992][avg];
      expect(times[0]).toBeCloseTo(10_000 + active * 1000, 6);
      expect(times[1] - times[0]).toBeCloseTo(1000 * Math.max(base[conv], [15.5, 125, 500, 1000][avg]), 6);
    },
  );

  test("its oscillator shifts the conversions; a signal is asked at k cycles exactly", () => {
    const { chip, set } = powered({ oscillator: 0.8 });
    chip.advance(10_000);
    const asked: number[] = [];
    const at: number[] = [];
    chip.onConvert = (_, __, time) => at.push(time);
    chip.set("temperature", (_, sinceStart) => {
      asked.push(sinceStart);
      return 20;
    });
    set(0x01, 0x0000);
    chip.advance(1e6);
    expect(asked[40]).toBe((40 * 15_500) / 1e6);
    expect(at[40]).toBeCloseTo(10_000 + (41 * 15_500) / 0.8, 6);
  });

  test("Data_Ready is set by a conversion and cleared by reading either register (section 7.6)", () => {
    const { chip, read } = powered();
    chip.advance(126_000);
    expect(read(0x01) & READY).toBe(READY);
    expect(read(0x01) & READY).toBe(0);
    chip.advance(1_126_000);
    expect(read(0x00)).toBe(25 * 128);
    expect(read(0x01) & READY).toBe(0);
  });

  test("results are two's complement, rounded to a step, with the offset, and saturate", () => {
    const { chip, read, set } = powered();
    chip.advance(2_000);
    const convert = (degrees: number, offset = 0) => {
      chip.set("temperature", degrees);
      set(0x07, offset & 0xffff);
      set(0x01, 0x0c00);
      chip.advance(chip.nextAt);
      return read(0x00);
    };
    expect(convert(-1)).toBe(0xff80);
    expect(convert(-25)).toBe(0xf380);
    expect(convert(0.0039)).toBe(0);
    expect(convert(0.00391)).toBe(1);
    expect(convert(-0.00391)).toBe(0xffff);
    expect(convert(25, -128)).toBe(24 * 128);
    expect(convert(400)).toBe(0x7fff);
    expect(convert(-400)).toBe(0x8000);
    expect(convert(255, 1280)).toBe(0x7fff);
  });

  test("shutdown converts nothing; one-shot converts once, without a standby, and shuts down (section 7.4)", () => {
    const { chip, read, set } = powered();
    chip.advance(2_000);
    set(0x01, 0x0420);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    set(0x01, 0x0c20);
    expect(chip.nextAt).toBeCloseTo(2_000 + 124_000, 6);
    chip.advance(1e6);
    expect(read(0x01)).toBe(0x0420 | READY);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test("ALERT shows Data_Ready or the alerts, low or high active (section 7.6)", () => {
    const { chip, read, set } = powered();
    const edges: [number, number][] = [];
    chip.onInterrupt = (level, at) => edges.push([level, at]);
    chip.advance(10_000);
    set(0x01, 0x0224);
    chip.advance(140_000);
    read(0x00);
    expect(edges).toEqual([
      [0, 134_000],
      [1, 140_000],
    ]);
    set(0x02, 24 * 128); // high limit under 25 Cel
    set(0x01, 0x0220);
    chip.advance(300_000);
    expect(chip.interrupt).toBe(0);
    expect(read(0x01) & 0xc000).toBe(0x8000);
    expect(chip.interrupt).toBe(1);
    set(0x01, 0x022c); // POL
    expect(chip.interrupt).toBe(0);
  });

  test("a soft reset takes 2 ms and forgets everything but the EEPROM; unlocked writes program it in 7 ms (section 7.5.1)", () => {
    const { chip, read, set } = powered();
    chip.advance(10_000);
    set(0x02, 0x1111);
    set(0x04, 0x8000);
    set(0x03, 0x2222);
    expect(read(0x04)).toBe(0xc000);
    set(0x07, 0x0005); // too early
    chip.advance(18_000);
    expect(read(0x04)).toBe(0x8000);
    set(0x01, 0x0002);
    expect(read(0x01) & BUSY).toBe(BUSY);
    chip.advance(20_100);
    expect([read(0x00), read(0x02), read(0x03), read(0x04), read(0x07)]).toEqual([0x8000, 0x6000, 0x2222, 0, 0]);
    chip.powerOn(30_000);
    expect(read(0x03)).toBe(0x2222);
  });

  test("noise is one step without averaging, and falls with the root of the averages (section 7.3.2)", () => {
    for (const [avg, expected] of [
      [0, 8],
      [3, 1],
    ]) {
      const { chip, set } = powered({ noise: () => 8 });
      chip.advance(2_000);
      const codes: number[] = [];
      chip.onConvert = (_, code) => codes.push(code);
      set(0x01, 0x0c00 | (avg << 5));
      chip.advance(2e6);
      expect(codes).toEqual([25 * 128 + expected]);
    }
  });

  test("therm mode: high above the high limit, until below the low one; no low alert; reading clears neither (section 7.4.4.2)", () => {
    const { chip, read, set } = powered();
    chip.advance(2_000);
    set(0x02, 39 * 128);
    set(0x03, 38 * 128);
    const seen = [39, 40, 38, 37.99, 37, 40].map((degrees) => {
      chip.set("temperature", degrees);
      set(0x01, 0x0c10);
      chip.advance(chip.nextAt);
      const flags = read(0x01) & 0xe000;
      return [flags, chip.interrupt];
    });
    expect(seen).toEqual([
      [0x2000, 1],
      [0xa000, 0],
      [0xa000, 0],
      [0x2000, 1],
      [0x2000, 1],
      [0xa000, 0],
    ]);
    expect(read(0x01) & 0xe000).toBe(0x8000);
  });

  test("alert mode: above or below, not at a limit; both are cleared by reading Configuration alone (section 7.4.4.1)", () => {
    const { chip, read, set } = powered();
    chip.advance(2_000);
    set(0x02, 39 * 128);
    set(0x03, 38 * 128);
    const at = (degrees: number) => {
      chip.set("temperature", degrees);
      set(0x01, 0x0c00);
      chip.advance(chip.nextAt);
      read(0x00);
    };
    at(39);
    expect(read(0x01)).toBe(0x0400);
    at(38);
    expect(read(0x01)).toBe(0x0400);
    at(39.01);
    at(37.99);
    expect(chip.interrupt).toBe(0);
    expect(read(0x01)).toBe(0xc400);
    expect(chip.interrupt).toBe(1);
    expect(read(0x01)).toBe(0x0400);
  });

  test("an unknown input is refused with the known one", () => {
    expect(() => powered().chip.set("humidity", 1)).toThrow(/no input "humidity"; it has temperature/);
  });
});
