/** The ADS1292R emulator at byte level, as the data sheet says (TI SBAS502C; titles of its sections). */
import { describe, expect, test } from "vitest";
import { type Ads1292rEmulatorOptions, emulated } from "../../drivers/ads1292r/emulator.ts";

/** us of 8 bits at 900 khz, and of one tCLK and one tMOD at the nominal 512 khz. */
const BYTE = 80 / 9;
const T_CLK = 1e6 / 512000;
const T_MOD = 4 * T_CLK;

/** The chip alone on a bus whose bytes last `byte` us; `power`: it has been awake for that long, us. */
function bench(options: Ads1292rEmulatorOptions = {}, byte = BYTE, power = 50_000) {
  const chip = emulated.create(options);
  const edges: number[] = [];
  const levels: (0 | 1)[] = [];
  const codes: [string, number, number][] = [];
  let now = 0;
  chip.powerOn(0);
  chip.onInterrupt = (level, at) => {
    levels.push(level);
    if (level === 0) edges.push(at);
  };
  chip.onConvert = (name, code, at) => codes.push([name, code, at]);
  const wait = (us: number) => {
    now += us;
    chip.advance(now);
  };
  /** A transfer; `tail`: us from its last bit to CS high; null: CS stays low. */
  const transfer = (bytes: readonly number[], tail: number | null = 4 * T_CLK, gap = byte) => {
    chip.select();
    const reply = bytes.map((one, i) => {
      wait(i === 0 ? byte : gap);
      return chip.exchange(one);
    });
    if (tail !== null) {
      wait(tail);
      chip.deselect();
    }
    return reply;
  };
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const read = (register: number, count = 1) => transfer([0x20 | register, count - 1, ...zeros(count)]).slice(2);
  const write = (register: number, ...values: number[]) => transfer([0x40 | register, values.length - 1, ...values]);
  const command = (code: number) => transfer([code]);
  const data = () => transfer([0x12, ...zeros(9)]).slice(1);
  const stream = (count = 9) => transfer(zeros(count));
  wait(power);
  return {
    chip,
    edges,
    levels,
    codes,
    wait,
    transfer,
    read,
    write,
    command,
    data,
    stream,
    get now() {
      return now;
    },
  };
}
type Bench = ReturnType<typeof bench>;

/** Registers can be reached, the reference is on. */
function awake(options: Ads1292rEmulatorOptions = {}) {
  const b = bench(options);
  b.command(0x11);
  b.write(2, 0xa0);
  return b;
}
/** START, and until its first conversion has ended. */
function converting(b: Bench, rate = 0) {
  b.write(1, rate);
  b.command(0x08);
  b.wait((4 * (1024 >> rate) + 5) * T_MOD);
  return b;
}
const signed = (bytes: readonly number[], at: number) =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
const channels = (b: Bench) => {
  const bytes = b.data();
  return [signed(bytes, 3), signed(bytes, 6)];
};

describe("ADS1292R emulator, registers", () => {
  const RESET = [0x73, 0x02, 0x80, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0c];

  test("have the reset values of table 16", () => {
    const b = bench();
    b.command(0x11);
    expect(b.read(0, 12)).toEqual(RESET);
  });

  test("cannot be read or written in RDATAC mode, the mode after power-up (table 15)", () => {
    const b = bench();
    b.write(1, 0x03);
    expect(b.read(0)).toEqual([0]);
    b.command(0x11);
    expect(b.read(0, 2)).toEqual([0x73, 0x02]);
    b.command(0x10);
    expect(b.read(0, 2)).toEqual([0, 0]);
  });

  test("keep what is written, but fixed and read-only bits (Register Maps)", () => {
    const b = bench();
    b.command(0x11);
    b.write(0, ...new Array(12).fill(0xff));
    expect(b.read(0, 12)).toEqual([0x73, 0x87, 0xfb, 0xfd, 0xff, 0xff, 0xff, 0x3f, 0x40, 0xff, 0x87, 0x0c]);
    b.write(0, ...new Array(12).fill(0));
    // CONFIG2 bit 2 and LOFF bit 1 are 0, whatever is written; LOFF_STAT keeps CLK_DIV alone.
    expect(b.read(0, 12)).toEqual([0x73, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("beyond the last one are zeros, and nothing is written there", () => {
    const b = bench();
    b.command(0x11);
    expect(b.read(10, 4)).toEqual([0x02, 0x0c, 0, 0]);
    b.write(10, 0x07, 0x00, 0x55, 0x55);
    expect(b.read(10, 4)).toEqual([0x07, 0x00, 0, 0]);
    expect(b.read(0)).toEqual([0x73]);
  });

  test("come back by RESET, in 9 tMOD in which nothing is heard, and RDATAC with them (RESET)", () => {
    const b = bench();
    b.command(0x11);
    b.write(1, 0x03, 0xb0);
    b.transfer([0x06], 4 * T_CLK);
    expect(b.transfer([0x11, 0, 0, 0])).toEqual([0, 0, 0, 0]);
    b.wait(9 * T_MOD);
    expect(b.read(0)).toEqual([0]);
    b.command(0x11);
    expect(b.read(0, 12)).toEqual(RESET);
  });

  test("GPIO shows outputs as they are set, inputs as low, and both in the status word (Data Retrieval)", () => {
    const b = awake();
    b.write(11, 0x03);
    expect(b.read(11)).toEqual([0x03]);
    converting(b);
    expect(b.data().slice(0, 3)).toEqual([0xc0, 0x60, 0x00]);
    b.write(11, 0x0b);
    expect(b.read(11)).toEqual([0x09]);
    b.wait(8100);
    expect(b.data().slice(0, 3)).toEqual([0xc0, 0x20, 0x00]);
  });

  test.each([0x52, 0x53, 0x73])("ID is 0x%x where that is asked for", (id) => {
    const b = bench({ id });
    b.command(0x11);
    expect(b.read(0)).toEqual([id]);
  });
});

describe("ADS1292R emulator, conversions", () => {
  test.each([4100, 2052, 1028, 516, 260, 132, 68].map((cycles, code) => [code, cycles]))(
    "at rate code %d the first one ends %d tMOD after START, then one a period (Settling Time, table 13)",
    (code, cycles) => {
      const b = awake();
      b.write(1, code);
      b.command(0x08);
      const started = b.now;
      b.wait(3 * (1024 >> code) * T_MOD + cycles * T_MOD + 1);
      // The command is decoded 4 tCLK after its byte: that is when CS went high here.
      expect(b.edges.map((at) => Math.round(((at - started) / T_MOD) * 1000) / 1000)).toEqual(
        [0, 1, 2, 3].map((i) => cycles + i * (1024 >> code)),
      );
      expect(b.codes).toHaveLength(8);
      expect(b.codes[0][2]).toBe(b.edges[0]);
    },
  );

  test("an oscillator that is off stretches them all", () => {
    const b = awake({ oscillator: 1.05 });
    b.write(1, 0);
    b.command(0x08);
    const started = b.now;
    b.wait(50000);
    expect(b.edges[0] - started).toBeCloseTo((4100 * T_MOD + 4 * T_CLK) / 1.05 - 4 * T_CLK, 6);
    expect(b.edges[1] - b.edges[0]).toBeCloseTo(8000 / 1.05, 6);
  });

  test("without START there are none; START in progress changes nothing (START)", () => {
    const b = awake();
    b.wait(100_000);
    expect(b.edges).toEqual([]);
    b.write(1, 0);
    b.command(0x08);
    const started = b.now;
    b.wait(20_000);
    b.command(0x08);
    b.wait(20_000);
    expect(b.edges).toHaveLength(1);
    expect(b.edges[0] - started).toBeCloseTo(4100 * T_MOD, 6);
  });

  test("STOP lets the one in progress end, and there is no other; START begins again with the settling time", () => {
    const b = converting(awake());
    b.wait(4000);
    b.command(0x0a);
    b.wait(100_000);
    expect(b.edges).toHaveLength(2);
    b.command(0x0a);
    b.wait(20_000);
    b.command(0x08);
    const started = b.now;
    b.wait(40_000);
    expect(b.edges).toHaveLength(3);
    expect(b.edges[2] - started).toBeCloseTo(4100 * T_MOD, 6);
  });

  test("START while the last one is in progress begins anew", () => {
    const b = converting(awake());
    b.command(0x0a);
    b.wait(1000);
    b.command(0x08);
    const started = b.now;
    b.wait(33_000);
    expect(b.edges.slice(1).map((at) => Math.round(at - started))).toEqual([32031]);
    b.wait(8000);
    expect(b.edges).toHaveLength(3);
  });

  test("a new value of CONFIG1 resets the filter; the same one does not (CONFIG1)", () => {
    const b = converting(awake());
    b.wait(4000);
    b.write(1, 0);
    b.wait(8000);
    expect(b.edges).toHaveLength(2);
    b.write(1, 2);
    const started = b.now;
    b.wait(9000);
    expect(b.edges.slice(2).map((at) => Math.round((at - started) / T_MOD))).toEqual([1028]);
    const idle = awake();
    idle.write(1, 3);
    idle.wait(50_000);
    expect(idle.edges).toEqual([]);
  });

  test("single shot is one conversion a START (Single-Shot Mode)", () => {
    const b = awake();
    b.write(1, 0x86);
    b.command(0x08);
    b.wait(10_000);
    expect(b.edges).toHaveLength(1);
    b.command(0x08);
    b.wait(10_000);
    expect(b.edges).toHaveLength(2);
  });

  test("STANDBY stops them and hears WAKEUP alone, which begins anew (STANDBY, WAKEUP)", () => {
    const b = converting(awake());
    b.command(0x04);
    b.wait(50_000);
    expect(b.edges).toHaveLength(1);
    expect(b.read(0)).toEqual([0]);
    expect(b.data()).toEqual(new Array(9).fill(0));
    b.command(0x0a);
    b.command(0x06);
    b.command(0x02);
    const awoken = b.now;
    expect(b.read(0, 3)).toEqual([0x73, 0x00, 0xa0]);
    b.wait(33_000);
    expect(b.edges.slice(1).map((at) => Math.round((at - awoken) / T_MOD))).toEqual([4100]);
    b.command(0x02);
    b.wait(8000);
    expect(b.edges).toHaveLength(3);
  });

  test("WAKEUP of one that had not been started starts nothing", () => {
    const b = awake();
    b.command(0x04);
    b.command(0x02);
    b.wait(100_000);
    expect(b.edges).toEqual([]);
  });
});

describe("ADS1292R emulator, pins", () => {
  test("START high converts at once, low lets the one in progress end (START)", () => {
    const b = awake();
    b.write(1, 0);
    b.chip.pin!("start", 1);
    const started = b.now;
    b.wait(33_000);
    expect(b.edges.map((at) => Math.round((at - started) / T_MOD))).toEqual([4100]);
    b.chip.pin!("start", 1);
    b.chip.pin!("start", 0);
    b.wait(100_000);
    expect(b.edges).toHaveLength(2);
    b.command(0x08);
    b.wait(1000);
    b.chip.pin!("start", 1);
    b.chip.pin!("start", 0);
    b.wait(100_000);
    // The command still holds.
    expect(b.edges.length).toBeGreaterThan(8);
  });

  test("STOP does nothing while START is high", () => {
    const b = awake();
    b.chip.pin!("start", 1);
    b.command(0x0a);
    b.wait(100_000);
    expect(b.edges.length).toBeGreaterThan(40);
  });

  test("with START high it converts after its power came, at 500 sps with no reference: 7FFFFF (CONFIG2; E2E 1210270)", () => {
    const b = bench({}, BYTE, 0);
    b.chip.pin!("start", 1);
    b.chip.powerOn(0);
    b.wait(50_000);
    expect(Math.round(b.edges[0] / T_MOD)).toBe(4096 + 1028);
    expect(b.edges[1] - b.edges[0]).toBeCloseTo(2000, 6);
    expect(b.stream()).toEqual([0xc0, 0, 0, 0x7f, 0xff, 0xff, 0x7f, 0xff, 0xff]);
  });

  test("PWDN/RESET low: nothing is heard, nothing converts, registers are reset; a short one needs 9 tMOD after it", () => {
    const b = converting(awake());
    b.chip.pin!("reset", 0);
    expect(b.chip.interrupt).toBe(1);
    b.wait(3000);
    expect(b.stream(3)).toEqual([0xff, 0xff, 0xff]);
    expect(b.edges).toHaveLength(1);
    b.chip.pin!("reset", 1);
    b.chip.pin!("reset", 1);
    b.wait(9 * T_MOD);
    b.command(0x11);
    expect(b.read(0, 3)).toEqual([0x73, 0x02, 0x80]);
    b.wait(50_000);
    expect(b.edges).toHaveLength(1);
  });

  test("PWDN/RESET low for 2^9 tMOD powers down: 2^12 tMOD until it answers", () => {
    for (const [low, busy] of [
      [511, 9],
      [512, 4096],
    ]) {
      const b = bench();
      b.chip.pin!("reset", 0);
      b.wait(low * T_MOD);
      b.chip.pin!("reset", 1);
      b.wait(busy * T_MOD - 2 * BYTE);
      expect(b.transfer([0x11])).toEqual([0]);
      expect(b.read(0)).toEqual([0]);
      b.wait(BYTE);
      b.command(0x11);
      expect(b.read(0)).toEqual([0x73]);
    }
  });

  test("START is not obeyed in power-down or standby, but holds when it wakes", () => {
    const b = awake();
    b.command(0x04);
    b.chip.pin!("start", 1);
    b.wait(50_000);
    expect(b.edges).toEqual([]);
    b.command(0x02);
    b.wait(10_000);
    expect(b.edges.length).toBeGreaterThan(0);
    b.chip.pin!("reset", 0);
    const before = b.edges.length;
    b.chip.pin!("start", 0);
    b.chip.pin!("start", 1);
    b.wait(50_000);
    expect(b.edges).toHaveLength(before);
    b.chip.pin!("reset", 1);
    b.wait(50_000);
    expect(b.edges.length).toBeGreaterThan(before);
  });

  test("after its power came nothing is heard for 2^12 tMOD", () => {
    const b = bench({}, BYTE, 4096 * T_MOD - 2 * BYTE);
    expect(b.transfer([0x11])).toEqual([0]);
    expect(b.read(0)).toEqual([0]);
    b.command(0x11);
    expect(b.read(0)).toEqual([0x73]);
  });
});

describe("ADS1292R emulator, data", () => {
  test("DRDY falls with a conversion and rises with the first clock of anything (Data Retrieval)", () => {
    const b = converting(awake());
    expect(b.chip.interrupt).toBe(0);
    expect(b.levels).toEqual([0]);
    b.read(0);
    expect(b.chip.interrupt).toBe(1);
    b.wait(8000);
    b.wait(8000);
    // Not read in between: it rises for a moment.
    expect(b.levels).toEqual([0, 1, 0, 1, 0]);
  });

  test("RDATA is the newest conversion, and again by more clocks (RDATA, Data Retrieval)", () => {
    const b = awake();
    b.chip.set("ecg", 0.1);
    b.chip.set("ecg1", -0.1);
    converting(b);
    const code = Math.round((0.1 * 6 * 8388607) / 2.42);
    const expected = [0xc0, 0, 0, -code >> 16, -code >> 8, -code, code >> 16, code >> 8, code].map((one) => one & 255);
    expect(b.transfer([0x12, ...new Array(19).fill(0)])).toEqual([0, ...expected, ...expected, 0xc0]);
    expect(b.data()).toEqual(expected);
    // Without RDATA the clock brings nothing in this mode.
    expect(b.stream()).toEqual(new Array(9).fill(0));
  });

  test("RDATA is whole also where the next conversion ends within it; RDATAC is of both (RDATA)", () => {
    const b = awake();
    b.chip.set("ecg", (_, sinceStart) => (sinceStart < 0.004 ? 0.1 : -0.1));
    converting(b);
    b.wait(8000 - 8 * BYTE);
    const whole = b.data();
    const code = Math.round((0.1 * 6 * 8388607) / 2.42);
    expect(signed(whole, 6)).toBe(code);
    const c = awake();
    c.chip.set("ecg", (_, sinceStart) => (sinceStart < 0.004 ? 0.1 : -0.1));
    converting(c);
    c.command(0x10);
    const next = c.edges[0] + 8000;
    c.wait(next - c.now - 7.5 * BYTE);
    const torn = c.stream();
    expect(torn.slice(6)).toEqual([code >> 16, (-code >> 8) & 255, -code & 255]);
  });

  test("before the first conversion data is C00000 and zeros", () => {
    expect(bench().stream(10)).toEqual([0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0]);
  });

  test("RDATAC brings data on every clock, SDATAC ends it, and RDATA is not heard in it", () => {
    const b = awake();
    b.chip.set("ecg", 0.05);
    converting(b);
    b.command(0x10);
    const bytes = b.stream();
    expect(signed(bytes, 6)).toBe(Math.round((0.05 * 6 * 8388607) / 2.42));
    expect(b.transfer([0x12, ...new Array(9).fill(0)])).toEqual([...bytes, 0xc0]);
    b.transfer([0x11]);
    expect(b.stream()).toEqual(new Array(9).fill(0));
    // In the same transfer: the byte of SDATAC is still data, what follows is none.
    b.command(0x10);
    expect(b.transfer([0x11, 0, 0])).toEqual([0xc0, 0, 0]);
  });

  test("a channel that is powered down says 0 and converts nothing; the other keeps its place (Data Retrieval)", () => {
    const b = awake();
    b.chip.set("ecg", 0.1);
    b.chip.set("ecg1", 0.1);
    b.write(4, 0x81);
    converting(b);
    expect(channels(b)).toEqual([0, Math.round((0.1 * 6 * 8388607) / 2.42)]);
    expect(b.codes.map(([name]) => name)).toEqual(["ecg"]);
    b.write(4, 0x00, 0x81);
    b.wait(8000);
    expect(channels(b)[1]).toBe(0);
    expect(b.codes.map(([name]) => name)).toEqual(["ecg", "ecg1"]);
  });

  test("codes clip at 7FFFFF and 800000, and are rounded half away from zero (Data Format)", () => {
    const b = converting(awake(), 6);
    const step = 2.42 / (6 * 8388607);
    for (const [volts, code] of [
      [1, 8388607],
      [-1, -8388608],
      [0.4 * step, 0],
      [0.6 * step, 1],
      [-0.4 * step, 0],
      [-0.6 * step, -1],
      [-1.4 * step, -1],
    ]) {
      b.chip.set("ecg", volts);
      b.wait(200);
      expect(channels(b)[1]).toBe(code);
    }
  });

  test.each([
    [0x00, 6],
    [0x10, 1],
    [0x20, 2],
    [0x30, 3],
    [0x40, 4],
    [0x50, 8],
    [0x60, 12],
  ])("CHnSET 0x%s is gain %d, with either reference (CHnSET, CONFIG2)", (set, gain) => {
    const b = awake();
    b.chip.set("ecg", 0.123);
    b.chip.set("ecg1", -0.2);
    b.write(4, set, set);
    converting(b, 6);
    expect(channels(b)).toEqual([
      -Math.round((0.2 * gain * 8388607) / 2.42),
      Math.round((0.123 * gain * 8388607) / 2.42),
    ]);
    b.write(2, 0xb0);
    b.wait(200);
    expect(channels(b)[1]).toBe(Math.round((0.123 * gain * 8388607) / 4.033));
  });
});

describe("ADS1292R emulator, inputs", () => {
  const step = (gain: number) => 2.42 / (gain * 8388607);

  test("shorted, right leg and reserved inputs are 0 V (CHnSET)", () => {
    const b = awake();
    b.chip.set("ecg", 0.1);
    for (const mux of [1, 2, 6, 7, 8]) {
      b.write(5, mux);
      converting(b, 6);
      expect(channels(b)[1]).toBe(0);
    }
    b.chip.set("auxiliary", 0.02);
    b.write(5, 9);
    b.wait(200);
    expect(channels(b)[1] * step(6)).toBeCloseTo(0.02, 7);
  });

  test("the test signal is +-reference / 2400, a square wave of 1 hz or a direct voltage, if it is on (CONFIG2)", () => {
    const b = awake();
    b.write(4, 5, 5);
    converting(b, 6);
    expect(channels(b)).toEqual([0, 0]);
    for (const [config2, reference] of [
      [0xa3, 2.42],
      [0xb3, 4.033],
    ]) {
      b.write(2, config2);
      const seen: number[] = [];
      for (let i = 0; i < 40; i++) {
        b.wait(50_000);
        const [first, second] = channels(b);
        expect(first).toBe(second);
        seen.push((first * reference) / (6 * 8388607) / (reference / 2400));
      }
      expect(seen.filter((one) => Math.abs(one - 1) < 1e-3)).toHaveLength(20);
      expect(seen.filter((one) => Math.abs(one + 1) < 1e-3)).toHaveLength(20);
    }
    b.write(2, 0xa2);
    for (let i = 0; i < 5; i++) {
      b.wait(300_000);
      expect(channels(b)[0] * step(6)).toBeCloseTo(2.42 / 2400, 7);
    }
  });

  test("supplies are AVDD / 2 in channel 1 and DVDD / 4 in channel 2 (Supply Measurements)", () => {
    const b = awake();
    b.chip.set("analogSupply", 3);
    b.chip.set("digitalSupply", 1.8);
    b.write(4, 0x13, 0x13);
    converting(b, 6);
    const [first, second] = channels(b);
    expect(first * step(1)).toBeCloseTo(1.5, 6);
    expect(second * step(1)).toBeCloseTo(0.45, 6);
  });

  test("temperature is 145.3 mV at 25 Cel, 490 uV a degree", () => {
    const b = awake();
    b.write(4, 0x14, 0x14);
    converting(b, 6);
    expect(channels(b)[1] * step(1)).toBeCloseTo(0.1453, 6);
    b.chip.set("temperature", -15);
    b.wait(200);
    expect(channels(b)[0] * step(1)).toBeCloseTo(0.1257, 6);
  });

  test("respiration needs its carrier and its demodulator; channel 2 has none (RESP1)", () => {
    const b = awake();
    b.chip.set("respiration", 0.01);
    b.chip.set("ecg1", 0.02);
    b.chip.set("ecg", 0.03);
    converting(b, 6);
    for (const [resp1, volts, name] of [
      [0x02, 0.02, "ecg1"],
      [0xc2, 0.01, "respiration"],
      [0x82, 0, "ecg1"],
      [0x42, 0.02, "respiration"],
    ] as const) {
      b.write(9, resp1);
      b.codes.length = 0;
      b.wait(200);
      expect(channels(b).map((code) => code * step(6))[0]).toBeCloseTo(volts, 7);
      expect(channels(b)[1] * step(6)).toBeCloseTo(0.03, 7);
      expect(b.codes[0][0]).toBe(name);
    }
  });

  test("lead-off bits are shown where they are looked at, with comparators on and direct current (LOFF_STAT, Lead-Off)", () => {
    const b = awake();
    converting(b, 6);
    const status = () => {
      b.wait(200);
      const bytes = b.data();
      return [((bytes[0] & 15) << 1) | (bytes[1] >> 7), b.read(8)[0]];
    };
    b.chip.set("leadOff", 0x1f);
    expect(status()).toEqual([0, 0]);
    b.write(7, 0x0f);
    expect(status()).toEqual([0, 0]);
    b.write(2, 0xe0);
    expect(status()).toEqual([0x0f, 0x0f]);
    b.write(6, 0x10);
    expect(status()).toEqual([0x1f, 0x1f]);
    b.write(7, 0x06);
    expect(status()).toEqual([0x16, 0x16]);
    b.chip.set("leadOff", 0x02);
    expect(status()).toEqual([0x02, 0x02]);
    b.write(3, 0x11);
    expect(status()).toEqual([0, 0]);
  });

  test("an electrode that is off takes its channel to the rail, FLIP to the other one (DC Lead-Off)", () => {
    const b = awake();
    b.write(7, 0x0f);
    converting(b, 6);
    for (const [off, sense, first, second] of [
      [0x01, 0x0f, 8388607, 0],
      [0x02, 0x0f, 8388607, 0],
      [0x04, 0x0f, 0, 8388607],
      [0x08, 0x2f, 0, -8388608],
      [0x01, 0x1f, -8388608, 0],
      [0x0f, 0x00, 0, 0],
      [0x01, 0x0e, 0, 0],
    ]) {
      b.chip.set("leadOff", off);
      b.write(7, sense);
      b.wait(200);
      expect(channels(b)).toEqual([first, second]);
    }
    b.write(7, 0x0f);
    b.write(3, 0x11);
    b.wait(200);
    expect(channels(b)).toEqual([0, 0]);
  });

  test("noise is 8 uV peak to peak (6.6 sigma) in 150 hz, and grows with the root of the rate; none unless asked for", () => {
    let deviate = 1;
    const b = awake({ noise: () => deviate });
    converting(b, 2);
    const sigma = (8e-6 / 6.6) * Math.sqrt((0.262 * 500) / 150);
    expect(channels(b)[1]).toBe(Math.round(sigma / step(6)));
    deviate = -2;
    b.write(1, 4);
    b.wait(5000);
    expect(channels(b)[0]).toBe(-Math.round((2 * sigma * 2) / step(6)));
  });

  test("a signal gets the time, and how long it has converted", () => {
    const b = awake();
    const seen: number[][] = [];
    b.chip.set("ecg", (time, sinceStart) => {
      seen.push([time, sinceStart]);
      return 0;
    });
    converting(b);
    b.wait(8000);
    expect(seen.map(([, sinceStart]) => sinceStart)).toEqual([0, 0.008]);
    expect(seen[1][0]).toBeCloseTo(b.edges[1] / 1e6, 9);
  });

  test("an input that it does not have is named in the error, with those that it has", () => {
    expect(() => bench().chip.set("pulse", 1)).toThrow(
      'ADS1292R emulator: no input "pulse"; it has ecg, ecg1, respiration, leadOff, auxiliary, temperature, analogSupply, digitalSupply',
    );
  });
});

describe("ADS1292R emulator, time on the bus", () => {
  test("a byte that comes within 4 tCLK of a command byte loses both, until CS is high (Sending Multi-Byte Commands)", () => {
    const b = bench();
    b.command(0x11);
    const fast = 4 * T_CLK - 0.01;
    expect(b.transfer([0x20, 0, 0], 10, fast)).toEqual([0, 0, 0]);
    b.transfer([0x41, 0, 0x06], 10, fast);
    expect(b.transfer([0x20, 1, 0, 0], 10, 4 * T_CLK)).toEqual([0, 0, 0x73, 0x02]);
    // A system command loses what it should do.
    b.transfer([0x10, 0], 10, fast);
    expect(b.read(0)).toEqual([0x73]);
    b.transfer([0x10, 0], 10, 4 * T_CLK);
    expect(b.read(0)).toEqual([0]);
  });

  test("a slow oscillator needs more time, a fast one less", () => {
    for (const [oscillator, gap, heard] of [
      [0.9, 4 * T_CLK, false],
      [0.9, (4 * T_CLK) / 0.9, true],
      [1.1, (4 * T_CLK) / 1.1, true],
    ] as const) {
      const b = bench({ oscillator });
      b.command(0x11);
      expect(b.transfer([0x20, 0, 0], 10, gap)[2]).toBe(heard ? 0x73 : 0);
    }
  });

  test("CS that rises within 3 tCLK of a command's last bit loses it (Timing Requirements, tSCCS)", () => {
    const b = bench();
    b.transfer([0x11], 3 * T_CLK - 0.01);
    expect(b.read(0)).toEqual([0]);
    b.transfer([0x11], 3 * T_CLK);
    b.wait(T_CLK);
    expect(b.read(0)).toEqual([0x73]);
    b.transfer([0x41, 0, 0x06], 0);
    expect(b.read(1)).toEqual([0x02]);
    b.transfer([0x41, 1, 0x06, 0xa0], 0);
    expect(b.read(1, 2)).toEqual([0x06, 0x80]);
  });

  test("RDATA and its data know no such limit (RDATA)", () => {
    const b = awake();
    b.chip.set("ecg", 0.1);
    converting(b);
    const fast = b.transfer([0x12, ...new Array(9).fill(0)], 0, 0.5);
    expect(signed(fast, 7)).toBe(Math.round((0.1 * 6 * 8388607) / 2.42));
  });

  test("a zero is no command, and keeps CS low for the time a command needs", () => {
    const b = bench();
    b.transfer([0x11, 0], 0);
    b.transfer([0x41, 0, 0x05, 0], 0);
    expect(b.read(0, 2)).toEqual([0x73, 0x05]);
  });

  test("a transfer that ends in the middle of a command leaves nothing behind (Serial Clock)", () => {
    const b = bench();
    b.command(0x11);
    b.transfer([0x40]);
    b.transfer([0x41, 1]);
    b.transfer([0x41, 1, 0x03]);
    expect(b.read(0, 3)).toEqual([0x73, 0x03, 0x80]);
  });

  test("a host that lets no time go by between bytes is heard", () => {
    const { chip } = bench();
    const transfer = (...bytes: number[]) => {
      chip.select();
      const reply = bytes.map((byte) => chip.exchange(byte));
      chip.deselect();
      return reply;
    };
    transfer(0x11);
    transfer(0x42, 0, 0xa0);
    expect(transfer(0x20, 2, 0, 0, 0)).toEqual([0, 0, 0x73, 0x02, 0xa0]);
    transfer(0x08);
    chip.advance(60_000);
    expect(chip.interrupt).toBe(0);
  });

  test("while CS stays low a command is done 4 tCLK after its byte", () => {
    const b = bench();
    b.transfer([0x08], null);
    expect(b.chip.nextAt).toBeCloseTo(b.now + 4 * T_CLK, 6);
    b.wait(4 * T_CLK);
    expect(b.chip.nextAt).toBeCloseTo(b.now + 1028 * T_MOD, 6);
  });

  test("its next moment is Infinity while nothing converts", () => {
    expect(bench().chip.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});
