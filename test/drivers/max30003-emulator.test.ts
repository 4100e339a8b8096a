/** The MAX30003 emulator at its bytes: what the data sheet promises to a driver, so that drivers can lean on it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EmulatorOptions, SpiEmulator } from "../../drivers/emulator.ts";
import { emulated } from "../../drivers/max30003/emulator.ts";

const STATUS = 0x01;
const EOVF = 0x400000;

function powered(options: EmulatorOptions = {}) {
  const chip = emulated.create(options) as SpiEmulator;
  chip.powerOn(0);
  const exchange = (...bytes: number[]) => {
    chip.select();
    const reply = bytes.map((byte) => chip.exchange(byte));
    chip.deselect();
    return reply;
  };
  const words = (register: number, count: number) => {
    const bytes = exchange((register << 1) | 1, ...new Array(3 * count).fill(0)).slice(1);
    return Array.from({ length: count }, (_, i) => (bytes[3 * i] << 16) | (bytes[3 * i + 1] << 8) | bytes[3 * i + 2]);
  };
  const read = (register: number) => words(register, 1)[0];
  const write = (register: number, value: number) =>
    exchange(register << 1, value >> 16, (value >> 8) & 255, value & 255);
  /** 512 sps, gain 20, electrodes connected, no digital filter; started at `at` us. */
  const start = (at: number, { ecg = 0x000000, general = 0x080000, efit = 16 } = {}) => {
    write(0x10, general);
    write(0x14, 0);
    write(0x15, ecg);
    write(0x04, ((efit - 1) << 19) | 4);
    chip.advance(at);
    write(0x09, 0);
  };
  return { chip, exchange, words, read, write, start };
}

const PERIOD = 1e6 / 512;

describe("MAX30003 emulator: registers", () => {
  test("after power-up and after SW_RST every register reads its reset value (p. 43..52)", () => {
    const { read, write } = powered();
    const resets = [
      [0x02, 0x000003],
      [0x03, 0x000003],
      [0x04, 0x780004],
      [0x05, 0x3f0000],
      [0x10, 0x000004],
      [0x12, 0x004800],
      [0x14, 0x300000],
      [0x15, 0x805000],
      [0x1d, 0x3f2300],
      [0x1e, 0x202400],
    ];
    for (const [register, value] of resets) expect(read(register)).toBe(value);
    for (const [register] of resets) write(register, 0);
    write(0x08, 1); // executed only with data 0 (p. 46)
    expect(read(0x10)).toBe(0);
    write(0x08, 0);
    for (const [register, value] of resets) expect(read(register)).toBe(value);
  });

  test("INFO does not read as the first command after power-up or reset (p. 47)", () => {
    const { read, write } = powered();
    expect(read(0x0f) >> 20).not.toBe(5);
    expect(read(0x0f)).toBe(0x513000);
    write(0x08, 0);
    expect(read(0x0f) >> 20).not.toBe(5);
    expect(read(0x0f) >> 20).toBe(5);
  });

  test("NO_OP reads 0, bits that do not exist do not stay, and a read goes on with zeros (p. 38, 41)", () => {
    const { read, write, exchange } = powered();
    expect(read(0x00)).toBe(0);
    expect(read(0x7f)).toBe(0);
    write(0x15, 0xffffff);
    expect(read(0x15) & ~0xc37000).toBe(0);
    expect(exchange((0x10 << 1) | 1, 0, 0, 0, 0, 0).slice(1)).toEqual([0, 0, 4, 0, 0]);
  });

  test("a write that ends before its 32nd clock is not executed; bytes behind it are ignored (p. 38)", () => {
    const { read, exchange } = powered();
    exchange(0x10 << 1, 0x08, 0x12);
    expect(read(0x10)).toBe(0x000004);
    exchange(0x10 << 1, 0x08, 0x12, 0x17, 0xff, 0xff);
    expect(read(0x10)).toBe(0x081217);
  });

  test("an unsupported low-pass reads back as the 40 hz that are in effect (table 35, p. 52)", () => {
    const { read, write } = powered();
    write(0x15, 0x403000); // 256 sps, 150 hz
    expect(read(0x15)).toBe(0x401000);
    write(0x15, 0x003000); // 512 sps, 150 hz
    expect(read(0x15)).toBe(0x003000);
    write(0x15, 0x802000); // 128 sps, 100 hz
    expect(read(0x15)).toBe(0x801000);
  });

  test("an unknown input is refused with the known ones", () => {
    expect(() => powered().chip.set("ppg", 1)).toThrow(/no input "ppg"; it has ecg, leadOff/);
  });
});

describe("MAX30003 emulator: converter and FIFO", () => {
  test("PLLINT is set until the PLL has locked, then held until STATUS is read (p. 43)", () => {
    const { chip, read, write } = powered();
    expect(read(STATUS)).toBe(0);
    write(0x10, 0x080000);
    expect(read(STATUS) & 0x100).toBe(0x100);
    expect(read(STATUS) & 0x100).toBe(0x100);
    chip.advance(50_000);
    expect(read(STATUS) & 0x100).toBe(0x100);
    expect(read(STATUS) & 0x100).toBe(0);
    write(0x10, 0x180000); // another master clock
    expect(read(STATUS) & 0x100).toBe(0x100);
  });

  test("nothing is converted before SYNCH; then conversion k comes k periods after it, and not one more after EN_ECG = 0", () => {
    const { chip, write, start } = powered({ oscillator: 1.01 });
    const times: number[] = [];
    chip.onConvert = (_, __, at) => times.push(at);
    write(0x10, 0x080000);
    chip.advance(90_000);
    expect(times).toEqual([]);
    start(100_000);
    chip.advance(100_000 + 1e6);
    expect(times.length).toBe(518);
    times.forEach((at, k) => {
      expect(at).toBe(100_000 + (k * 1e6) / (512 * 1.01));
    });
    write(0x10, 0);
    expect(chip.nextAt).toBe(Number.POSITIVE_INFINITY);
    chip.advance(2e6);
    expect(times.length).toBe(518);
  });

  test("the code is the voltage x gain x 2^17, rounded half away from zero, saturating at 18 bits", () => {
    fc.assert(
      fc.property(fc.integer({ min: -60_000, max: 60_000 }), fc.integer({ min: 0, max: 3 }), (microvolts, gain) => {
        const volts = microvolts / 1e6;
        const { chip, words, start } = powered();
        chip.set("ecg", volts);
        start(50_000, { ecg: gain << 16 });
        const exact = volts * 20 * 2 ** gain * 2 ** 17;
        const code = Math.max(-131072, Math.min(131071, exact < 0 ? -Math.round(-exact) : Math.round(exact)));
        chip.advance(50_001);
        expect(words(0x21, 1)[0] >> 6).toBe(code & 0x3ffff);
      }),
    );
    const { chip, words, start } = powered();
    chip.set("ecg", (_, sinceStart) => (sinceStart < 0.001 ? 0.5 : -0.5) / (20 * 131072)); // half a step up, half a step down
    start(50_000);
    chip.advance(50_000 + PERIOD);
    expect(words(0x20, 2).map((word) => (word << 8) >> 14)).toEqual([1, -1]);
  });

  test("a signal is asked at k / rate exactly, and is told the wiring's time as well", () => {
    const { chip, start } = powered({ oscillator: 0.98 });
    const asked: [number, number][] = [];
    chip.set("ecg", (time, sinceStart) => {
      asked.push([time, sinceStart]);
      return 0;
    });
    start(100_000);
    chip.advance(600_000);
    asked.forEach(([time, sinceStart], k) => {
      expect(sinceStart).toBe(k / 512);
      expect(time).toBeCloseTo(0.1 + k / (512 * 0.98), 9);
    });
    expect(asked.length).toBeGreaterThan(240);
  });

  test("words end with EOF, an empty FIFO answers EMPTY, single and burst reads take from the same FIFO (p. 61, 62)", () => {
    const { chip, words, start } = powered();
    chip.set("ecg", (_, sinceStart) => (sinceStart * 512) / (20 * 131072));
    start(50_000);
    chip.advance(50_000 + 4.5 * PERIOD);
    expect(words(0x21, 1)).toEqual([0 << 6]);
    expect(words(0x20, 5)).toEqual([1 << 6, 2 << 6, 3 << 6, (4 << 6) | (2 << 3), 6 << 3]);
    expect(words(0x21, 1)).toEqual([6 << 3]);
  });

  test("EINT follows the number of unread words against EFIT; the pin is low only while it is enabled (p. 42..44)", () => {
    const { chip, read, write, words, start } = powered();
    const edges: [number, number][] = [];
    chip.onInterrupt = (level, at) => edges.push([level, at]);
    write(0x02, 0x800003);
    start(50_000, { efit: 8 });
    chip.advance(50_000 + 6.5 * PERIOD);
    expect(read(STATUS) & 0x800000).toBe(0);
    expect(edges).toEqual([]);
    chip.advance(50_000 + 7.5 * PERIOD);
    expect(edges).toEqual([[0, 50_000 + 7 * PERIOD]]);
    expect(read(STATUS) & 0x800000).not.toBe(0);
    expect(read(STATUS) & 0x800000).not.toBe(0); // reading it does not clear it
    words(0x20, 1);
    expect(chip.interrupt).toBe(1);
    expect(read(STATUS) & 0x800000).toBe(0);
    chip.advance(50_000 + 8.5 * PERIOD);
    expect(chip.interrupt).toBe(0);
    write(0x02, 0x800000); // type 00: not driven
    expect(chip.interrupt).toBe(1);
  });

  test("a 33rd unread word is an overflow: converted but not kept; all words are tagged until FIFO_RST (p. 61)", () => {
    const { chip, read, write, words, start } = powered();
    let converted = 0;
    chip.onConvert = () => converted++;
    start(50_000);
    chip.advance(50_000 + 31.5 * PERIOD);
    expect(read(STATUS) & EOVF).toBe(0);
    chip.advance(50_000 + 32.5 * PERIOD);
    expect(converted).toBe(33);
    expect(read(STATUS) & EOVF).toBe(EOVF);
    expect(words(0x20, 4).map((word) => (word >> 3) & 7)).toEqual([7, 7, 7, 7]);
    expect(read(STATUS) & EOVF).toBe(EOVF);
    write(0x0a, 1); // executed only with data 0
    expect(read(STATUS) & EOVF).toBe(EOVF);
    write(0x0a, 0);
    expect(read(STATUS) & EOVF).toBe(0);
    expect(words(0x20, 1)).toEqual([6 << 3]);
    chip.advance(50_000 + 33.5 * PERIOD);
    expect(words(0x20, 1).map((word) => (word >> 3) & 7)).toEqual([2]);
  });

  test("SYNCH clears an overflow too, and time begins anew", () => {
    const { chip, read, write, start } = powered();
    start(50_000);
    chip.advance(200_000);
    write(0x09, 0);
    expect(read(STATUS) & EOVF).toBe(0);
    expect(chip.nextAt).toBe(200_000);
  });

  test("SAMP marks each sampling instant for a quarter of a period (p. 45)", () => {
    const { chip, read, write, start } = powered();
    start(50_000);
    chip.advance(50_000 + 1.1 * PERIOD);
    expect(read(STATUS) & 0x200).toBe(0x200);
    chip.advance(50_000 + 1.3 * PERIOD);
    expect(read(STATUS) & 0x200).toBe(0);
    const edges: [number, number][] = [];
    chip.onInterrupt = (level, at) => edges.push([level, at]);
    write(0x02, 0x000203);
    chip.advance(50_000 + 2.3 * PERIOD);
    expect(edges).toEqual([
      [0, 50_000 + 2 * PERIOD],
      [1, 50_000 + 2.25 * PERIOD],
    ]);
    write(0x04, 0x780000); // CLR_SAMP 0: until STATUS is read
    chip.advance(50_000 + 3.9 * PERIOD);
    expect(read(STATUS) & 0x200).toBe(0x200);
    expect(read(STATUS) & 0x200).toBe(0);
  });

  test("noise has the data sheet's size for its gain and bandwidth, in volts, before rounding (table 5, p. 28)", () => {
    for (const [ecg, expected] of [
      [0x001000, 0.46e-6], // gain 20, 40 hz
      [0x003000, 0.77e-6], // gain 20, 150 hz
      [0x033000, 0.61e-6], // gain 160, 150 hz
    ]) {
      let sign = 1;
      const { chip, start } = powered({
        noise: () => {
          sign = -sign;
          return sign * 10;
        },
      });
      let sum = 0;
      let count = 0;
      const gain = 20 * 2 ** ((ecg >> 16) & 3);
      chip.onConvert = (_, code) => {
        sum += Math.abs(code) / (gain * 131072);
        count++;
      };
      start(50_000, { ecg });
      chip.advance(550_000);
      expect(sum / count / 10).toBeCloseTo(expected, 7);
      expect(Math.abs(sum / count / 10 - expected)).toBeLessThan(0.05e-6);
    }
  });
});

describe("MAX30003 emulator: inputs", () => {
  const samples = (codes: readonly number[]) => [...new Set(codes)].sort((a, b) => a - b);

  test("open switches isolate the electrodes, ECG_POL turns the sign round (p. 50)", () => {
    const { chip, write, start } = powered();
    const codes: number[] = [];
    chip.onConvert = (_, code) => codes.push(code);
    chip.set("ecg", 0.001);
    start(50_000);
    chip.advance(60_000);
    write(0x14, 0x800000);
    chip.advance(70_000);
    write(0x14, 0x300000);
    chip.advance(80_000);
    expect(samples(codes)).toEqual([-2621, 0, 2621]);
  });

  test.each([
    ["VCALP, bipolar, 0.5 mV against VMID", 0x702800, 0x390000, [-1311, 1311]],
    ["VCALP, unipolar, 0.25 mV against VMID", 0x402800, 0x390000, [0, 655]],
    ["VCALP against VCALN, bipolar, 0.25 mV", 0x602800, 0x3b0000, [-1311, 1311]],
    ["VCALN, unipolar, 0.5 mV against VMID", 0x502800, 0x3d0000, [-1311, 0]],
    ["VMID on both", 0x702800, 0x350000, [0]],
    ["sources off", 0x302800, 0x390000, [0]],
  ])("calibration source: %s (figure 17, p. 50)", (_, cal, emux, expected) => {
    const { chip, write, start } = powered();
    const codes: number[] = [];
    chip.onConvert = (__, code) => codes.push(code);
    start(50_000);
    write(0x12, cal);
    write(0x14, emux);
    chip.advance(50_000 + 1e6);
    expect(samples(codes)).toEqual(expected);
    // 16 hz with half duty: 16 rises a second, half of the samples high.
    if (expected.length === 2) {
      const rises = codes.filter((code, i) => i > 0 && code === expected[1] && codes[i - 1] === expected[0]).length;
      expect(rises).toBeGreaterThanOrEqual(15);
      expect(rises).toBeLessThanOrEqual(16);
      expect(codes.filter((code) => code === expected[1]).length / codes.length).toBeCloseTo(0.5, 1);
    }
  });

  test("a lead off for more than 115 ms raises DCLOFFINT and its electrodes, held until read once it is back (p. 42)", () => {
    const { chip, read, start } = powered();
    chip.set("leadOff", (time) => (time >= 0.1 && time < 0.3 ? 1 : 0));
    start(50_000, { general: 0x081200 });
    for (const [at, expected] of [
      [210_000, 0],
      [222_000, 0x100009],
      [290_000, 0x100009],
      [310_000, 0x100009], // over, but not read since
      [311_000, 0],
    ]) {
      chip.advance(at);
      expect(read(STATUS) & 0x10000f).toBe(expected);
    }
  });

  test("automatic fast recovery: saturated for 125 ms, then its samples are tagged for about 500 ms (p. 26)", () => {
    const { chip, read, write, words, start } = powered();
    chip.set("ecg", (time) => (time < 0.4 ? 0.06 : 0));
    start(50_000);
    write(0x05, 0xbf0000);
    const fast: number[] = [];
    for (let at = 60_000; at < 1_000_000; at += 10_000) {
      chip.advance(at);
      const tags = words(0x20, 8).map((word) => (word >> 3) & 7);
      if (tags.some((tag) => tag === 1 || tag === 3)) fast.push(at);
      if (at === 300_000) expect(read(STATUS) & 0x200000).toBe(0x200000);
    }
    expect(fast[0]).toBe(180_000);
    expect(fast.at(-1)).toBeGreaterThan(660_000);
    expect(fast.at(-1)).toBeLessThan(700_000);
  });

  test("a brown-out takes registers and FIFO with it", () => {
    const { chip, read, words, start } = powered();
    start(50_000);
    chip.advance(60_000);
    chip.powerOn(60_000);
    chip.advance(200_000);
    expect(read(0x10)).toBe(0x000004);
    expect(words(0x20, 1)).toEqual([6 << 3]);
  });
});
