/** The ADS1292R emulator: what its data says, and what its inputs come to (TI SBAS502C; titles of its sections). */
import { describe, expect, test } from "vitest";
import { awake, BYTE, bench, channels, converting, signed } from "./ads1292r-emulator-script.ts";

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
