import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFibrillationMeter, FIBRILLATION_THRESHOLD } from "../../../firmware/dsp/fibrillation.ts";
import { lacks } from "../../support/needs.ts";
import { readRecordBeats } from "../../support/reference-beats.ts";

/** The entropy written as the paper writes it, over the last 127 words of intervals in seconds without a gap. */
function entropyOf(intervals: readonly number[]): number | null {
  const symbols = intervals.map((seconds) => Math.min(63, Math.floor(60 / seconds / 5)));
  const words = symbols.slice(2).map((_, n) => symbols.slice(n, n + 3).join());
  if (words.length < 127) return null;
  const counts = new Map<string, number>();
  for (const word of words.slice(-127)) counts.set(word, (counts.get(word) ?? 0) + 1);
  let sum = 0;
  for (const n of counts.values()) sum -= (n / 127) * Math.log2(n / 127);
  return (counts.size / (127 * Math.log2(127))) * sum;
}

/** The meter's values after each of the beats that these intervals (s) separate. */
function valuesOf(intervals: readonly number[], perSecond = 1): (number | null)[] {
  const meter = createFibrillationMeter(perSecond);
  let at = 17 * perSecond;
  meter.beat(at);
  return intervals.map((interval) => {
    at += interval * perSecond;
    meter.beat(at);
    return meter.read();
  });
}

/** Intervals that sit in the middle of their symbol, so that no rounding moves them to another one. */
const middles = (symbols: readonly number[]) => symbols.map((symbol) => 60 / (5 * symbol + 2.5));

test("after every beat it is the entropy of equation and window of Zhou et al. (2015), in any unit of time", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 60 }),
      fc.array(fc.nat({ max: 255 }), { minLength: 300, maxLength: 420 }),
      fc.constantFrom(1, 128, 1000, 1e6),
      (spread, draws, perSecond) => {
        const intervals = middles(draws.map((draw) => 3 + (draw % spread)));
        const values = valuesOf(intervals, perSecond);
        values.forEach((value, k) => {
          if (k % 40 !== 0 && k !== 128 && k !== 127) return;
          const expected = entropyOf(intervals.slice(0, k + 1));
          if (expected === null) expect(value).toBe(null);
          else expect(value).toBeCloseTo(expected, 5);
        });
      },
    ),
    { numRuns: 40 },
  );
});

test("it is null until beat 130, and says how far it is", () => {
  const meter = createFibrillationMeter(1000);
  for (let k = 1; k <= 130; k++) {
    expect(meter.read()).toBe(null);
    expect(meter.progress()).toBe(Math.max(0, k - 4) / 127);
    meter.beat(800 * k);
  }
  expect(meter.read()).toBe(0);
  expect(meter.progress()).toBe(1);
});

test("a steady rhythm has no entropy, a random one is above the threshold, bigeminy is not", () => {
  const random = Array.from({ length: 200 }, (_, k) => 0.4 + ((k * k * 7919) % 1009) / 1500);
  const bigeminy = Array.from({ length: 200 }, (_, k) => (k % 2 === 0 ? 0.5 : 1.1));
  expect(valuesOf(Array.from({ length: 200 }, () => 0.83)).at(-1)).toBe(0);
  expect(valuesOf(random).at(-1)!).toBeGreaterThan(FIBRILLATION_THRESHOLD);
  expect(valuesOf(bigeminy).at(-1)!).toBeLessThan(0.05);
});

test("the paper's symbols: 315 a minute and above are one, every 5 below is its own", () => {
  const fast = Array.from({ length: 200 }, (_, k) => 0.1 + (k % 9) / 100);
  expect(valuesOf(fast).at(-1)).toBe(0);
  const two = Array.from({ length: 200 }, (_, k) => (k % 2 === 0 ? 60 / 79.9 : 60 / 80.1));
  expect(valuesOf(two).at(-1)!).toBeGreaterThan(0);
  const one = Array.from({ length: 200 }, (_, k) => (k % 2 === 0 ? 60 / 80.1 : 60 / 84.9));
  expect(valuesOf(one).at(-1)).toBe(0);
});

test.each(["told", "longer than 4 s"])("no word reaches across a gap (%s), and the window is kept", (which) => {
  const meter = createFibrillationMeter(1);
  const beats = (count: number, from: number) => {
    for (let k = 0; k < count; k++) meter.beat(from + 0.83 * k);
  };
  beats(60, 0);
  if (which === "told") meter.gap();
  const from = which === "told" ? 51 : 60;
  beats(72, from);
  // three words fewer than beats on each side of the gap
  expect(meter.progress()).toBe((57 + 69) / 127);
  expect(meter.read()).toBe(null);
  beats(1, from + 0.83 * 72);
  expect(meter.progress()).toBe(1);
  expect(meter.read()).not.toBe(null);
});

test("after a reset it is as new", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 3, max: 62 }), { minLength: 140, maxLength: 200 }), (symbols) => {
      const meter = createFibrillationMeter(1);
      middles(symbols)
        .reverse()
        .reduce((at, interval) => {
          meter.beat(at);
          return at + interval;
        }, 3);
      meter.reset();
      let at = 17;
      meter.beat(at);
      const again = middles(symbols).map((interval) => {
        at += interval;
        meter.beat(at);
        return meter.read();
      });
      expect(again).toEqual(valuesOf(middles(symbols)));
    }),
    { numRuns: 30 },
  );
});

test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
  expect(() => createFibrillationMeter(perSecond)).toThrow(`${perSecond} units a second`);
});

describe.skipIf(lacks("recordings"))("on recorded beats", () => {
  const above = (record: string, from: number, to: number) => {
    const meter = createFibrillationMeter(1);
    let shown = 0;
    let high = 0;
    for (const beat of readRecordBeats(record).beats) {
      meter.beat(beat);
      const value = meter.read();
      if (value === null || beat < from || beat > to) continue;
      shown++;
      if (value > FIBRILLATION_THRESHOLD) high++;
    }
    return high / shown;
  };

  test("record 203, in fibrillation almost throughout, is above the threshold; sinus rhythm (101, 115, 122) is never", () => {
    expect(above("203", 0, 1806)).toBeGreaterThan(0.97);
    for (const record of ["101", "115", "122"]) expect(above(record, 0, 1806)).toBe(0);
  });
});
