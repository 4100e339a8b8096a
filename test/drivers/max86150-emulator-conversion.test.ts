/** The MAX86150 at byte level: what it converts, and when. Where a name stands in brackets, see "Sources" of its page. */
import { describe, expect, it } from "vitest";
import { LSB, pointers, running, s18, until } from "./max86150-script.ts";

describe("MAX86150 emulator: conversion", () => {
  it.each([
    [0, 0x00, 4096],
    [1, 0x40, 8192],
    [2, 0x80, 16384],
    [3, 0xc0, 32768],
  ])("PPG_ADC_RGE %d has %d, %d nA at full scale, and stays there", (_, bits, range) => {
    const bench = running(0x01, 0);
    bench.chip.set("infrared", 100);
    bench.write(0x0e, bits | 0x17);
    bench.chip.advance(5000);
    expect(bench.words(1)).toEqual([Math.round((1000 * 2 ** 19) / range)]);
    bench.chip.set("infrared", 5000);
    bench.chip.advance(10_000);
    bench.words(1);
    bench.chip.advance(15_000);
    expect(bench.words(1)).toEqual([524287]);
    bench.chip.set("infrared", -1);
    bench.chip.advance(25_000);
    bench.words(1);
    expect(bench.words(1)).toEqual([0]);
  });

  it("has 0.2 mA a step of LED current, or 0.4 in the range of 100 mA, LED by LED", () => {
    for (const [range, infrared, red] of [
      [0, 20, 40],
      [1, 40, 40],
      [4, 20, 80],
      [5, 40, 80],
    ]) {
      const bench = running(0x21, 0);
      bench.chip.set("infrared", 32768 / 2 ** 19);
      bench.chip.set("red", 32768 / 2 ** 19);
      bench.write(0x11, 100, 200);
      bench.write(0x14, range);
      bench.chip.advance(5000);
      bench.words(2);
      expect(bench.words(2)).toEqual([infrared, red]);
    }
  });

  it.each([5, 9.5, 20, 50].flatMap((ia, i) => [1, 2, 4, 8].map((pga, p) => [ia, pga, (p << 2) | i])))(
    "has 12.247 uV / (%d x %d) a step of ECG with code %d, to both ends [X, V]",
    (ia, pga, code) => {
      const bench = running(0x09, 0);
      bench.write(0x3e, code);
      const volts = [1000, -1000, 131071, 131073, -131072, -131074].map((k) => (k * LSB) / (ia * pga));
      const seen = volts.map((volt) => {
        bench.write(0x3e, code);
        bench.chip.set("ecg", volt);
        bench.chip.advance(bench.chip.nextAt);
        return s18(bench.words(1)[0]);
      });
      expect(seen).toEqual([1000, -1000, 131071, 131071, -131072, -131072]);
    },
  );

  it.each([10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200, 10, 20, 50, 84, 100])(
    "converts light at %d hz (PPG_SR %#) [N, X]",
    (rate) => {
      const codes = [10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200];
      for (const code of [codes.indexOf(rate), ...(rate <= 100 ? [11 + codes.indexOf(rate)] : [])]) {
        const bench = running(0x01, 0);
        bench.write(0x0e, code << 2);
        bench.chip.advance(0);
        expect(bench.chip.nextAt).toBeCloseTo(1e6 / rate, 6);
      }
    },
  );

  it.each([
    [0x01, [3200, 1600, 1000, 1000]],
    [0x21, [1600, 800, 800, 400]],
  ])(
    "takes the highest possible rate instead of a higher one, and says so in the register: slots %d [X, N]",
    (slots, highest) => {
      const codes = [10, 20, 50, 84, 100, 200, 400, 800, 1000, 1600, 3200];
      highest.forEach((rate, width) => {
        const { write, read } = running(slots, 0);
        write(0x0e, (10 << 2) | width);
        expect(read(0x0e, 1)).toEqual([(codes.indexOf(rate) << 2) | width]);
      });
    },
  );

  it.each([1600, 800, 400, 200, 3200, 1600, 800, 400].map((rate, code) => [code, rate]))(
    "converts the ECG with code %d at %d hz [N, V]",
    (code, rate) => {
      const bench = running(0x09, 0, 0x1f, code);
      bench.chip.advance(0);
      expect(bench.chip.nextAt).toBeCloseTo(1e6 / rate, 6);
    },
  );

  it("repeats the newest light where the ECG is faster: the FIFO moves on with the faster one [D]", () => {
    const bench = running(0x21, 0x09, 0x1f, 1);
    bench.chip.advance(5001);
    expect(pointers(bench)).toEqual([5, 0, 0]);
    expect(bench.words(15)).toEqual([
      ...[1001, 1, 0],
      ...[1001, 1, 0x3ffff],
      ...[1001, 1, 0x3fffe],
      ...[1001, 1, 0x3fffd],
      ...[1002, 2, 0x3fffc],
    ]);
  });

  it("repeats the newest ECG where light is faster", () => {
    const bench = running(0x01, 0x09, 0x1f, 3);
    bench.write(0x0e, 0xdb, 0);
    bench.chip.advance(7501);
    expect(pointers(bench)).toEqual([4, 0, 0]);
    expect(bench.words(8).filter((_, i) => i % 2 === 1)).toEqual([0, 0, 0x3ffff, 0x3ffff]);
  });

  it.each([
    [0, 1],
    [1, 2],
    [3, 8],
    [5, 32],
    [6, 32],
    [7, 32],
  ])("SMP_AVE %d makes one sample of the mean of %d conversions, dated to their middle", (code, count) => {
    const bench = running(0x21, 0);
    const heard: [string, number, number][] = [];
    bench.write(0x0f, code);
    bench.chip.onConvert = (channel, value, at) => heard.push([channel, value, at]);
    bench.chip.advance(until(2 * count));
    expect(pointers(bench)).toEqual([2, 0, 0]);
    const mean = 1001 + Math.floor((count - 1) / 2);
    expect(bench.words(4)).toEqual([mean, mean - 1000, mean + count, mean + count - 1000]);
    const middle = ((count - 1) * 5000) / 2;
    expect(heard).toEqual([
      ["infrared", mean, middle],
      ["red", mean - 1000, middle],
      ["infrared", mean + count, middle + count * 5000],
      ["red", mean + count - 1000, middle + count * 5000],
    ]);
  });

  it("tells its converter's listener every code, also of samples that a full FIFO loses", () => {
    const bench = running(0x09, 0, 0x0f);
    const heard: number[] = [];
    bench.chip.onConvert = (channel, value) => channel === "ecg" && heard.push(value);
    bench.chip.advance(until(40));
    expect(heard).toEqual(Array.from({ length: 40 }, (_, k) => 0 - k));
  });

  it("runs with its oscillator, and without noise unless deviates are given", () => {
    const fast = running(0x09, 0, 0x1f, 3, { oscillator: 1.25 });
    fast.chip.advance(40_001);
    expect(pointers(fast)).toEqual([11, 0, 0]);
    const loud = running(0x91, 0, 0x1f, 3, { noise: () => 2 });
    loud.chip.advance(1);
    // 0.2 nA of 32768 nA / 2^19, and 2 uV at gain 5, in steps.
    expect(loud.words(2)).toEqual([1001 + 3, 1]);
    const deep = running(0x09, 0, 0x1f, 3, { noise: () => -3 });
    deep.chip.advance(1);
    expect(s18(deep.words(1)[0])).toBe(-1);
  });

  it("takes nothing with it from before a brown-out", () => {
    const bench = running();
    bench.chip.advance(until(20));
    bench.chip.powerOn(until(20));
    expect([bench.chip.interrupt, bench.chip.nextAt]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(bench.read(0, 11)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(bench.read(8, 14)).toEqual(Array(14).fill(0));
  });
});
