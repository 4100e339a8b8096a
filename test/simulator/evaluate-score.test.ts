import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  average,
  createLinearResampler,
  gross,
  resampleLinear,
  type Score,
  scoreBeats,
  statistics,
} from "../../simulator/evaluate/index.ts";

fc.configureGlobal({ seed: 20240229 }); // the same cases every time

const score = (tp: number, fn: number, fp: number): Score => ({ beats: tp + fn, tp, fn, fp });

describe("beat-by-beat scoring (ANSI/AAMI EC57)", () => {
  test("a detection on every beat is all true, none is all missed, and one without a beat is false", () => {
    expect(scoreBeats([1, 2, 3], [1.01, 1.99, 3])).toEqual(score(3, 0, 0));
    expect(scoreBeats([1, 2, 3], [])).toEqual(score(0, 3, 0));
    expect(scoreBeats([], [1, 2])).toEqual(score(0, 0, 2));
    expect(scoreBeats([1, 2, 3], [1, 2.5])).toEqual(score(1, 2, 1));
  });

  test("two detections near one beat are one true and one false, wherever they lie", () => {
    for (const pair of [
      [0.95, 1.05],
      [0.9, 1],
      [1, 1.1],
      [1.01, 1.02],
      [1, 1],
      [0.97, 0.99],
    ]) {
      expect([pair, scoreBeats([1], pair)]).toEqual([pair, score(1, 0, 1)]);
    }
  });

  test("one detection between two beats finds one and misses one", () => {
    expect(scoreBeats([1, 1.2], [1.1])).toEqual(score(1, 1, 0));
    expect(scoreBeats([1, 1.2], [1.02])).toEqual(score(1, 1, 0));
    expect(scoreBeats([1, 1.2], [1.18])).toEqual(score(1, 1, 0));
    expect(scoreBeats([1, 1], [1])).toEqual(score(1, 1, 0));
  });

  test("150 ms sharp is a match on either side, one sample more is none", () => {
    for (const rate of [128, 250, 256, 360]) {
      const window = 0.15 * rate; // 54 samples at 360 hz
      for (let beat = 1000; beat < 1400; beat++) {
        const at = beat / rate;
        expect(scoreBeats([at], [(beat + window) / rate])).toEqual(score(1, 0, 0));
        expect(scoreBeats([at], [(beat - window) / rate])).toEqual(score(1, 0, 0));
        expect(scoreBeats([at], [(Math.floor(beat + window) + 1) / rate])).toEqual(score(0, 1, 1));
        expect(scoreBeats([at], [(Math.ceil(beat - window) - 1) / rate])).toEqual(score(0, 1, 1));
      }
    }
  });

  test("the pairs of the comparator's own example are both found (bxb.c, 24 November 2002)", () => {
    expect(scoreBeats([96 / 250, 160 / 250], [128 / 250, 185 / 250])).toEqual(score(2, 0, 0));
    expect(scoreBeats([96 / 250, 160 / 250], [130 / 250, 185 / 250])).toEqual(score(2, 0, 0));
    expect(scoreBeats([130 / 250, 185 / 250], [96 / 250, 160 / 250])).toEqual(score(2, 0, 0));
  });

  test("the order of detections does not matter: a beat looked back for comes late", () => {
    expect(scoreBeats([1, 2, 3], [1, 3, 2])).toEqual(score(3, 0, 0));
    expect(scoreBeats([3, 1, 2], [2, 3, 1])).toEqual(score(3, 0, 0));
    expect(scoreBeats([9, 10, 11], [10, 9])).toEqual(score(2, 1, 0)); // in order of time, not of text
  });

  test("an excluded stretch counts neither its beats nor its false detections, ends included", () => {
    const excluded = [[10, 20]] as const;
    expect(scoreBeats([1, 10, 15, 20, 30], [1, 12, 13, 14, 30], { excluded })).toEqual(score(2, 0, 0));
    expect(scoreBeats([1, 30], [1, 9.9, 20.1, 30], { excluded })).toEqual(score(2, 0, 2));
    expect(scoreBeats([1, 30], [10, 20], { excluded })).toEqual(score(0, 2, 0));
  });

  test("a detection inside an excluded stretch may match a beat just outside, which counts", () => {
    expect(scoreBeats([9.95, 20.05], [10.02, 19.99], { excluded: [[10, 20]] })).toEqual(score(2, 0, 0));
    expect(scoreBeats([20.05], [19.95, 20.05], { excluded: [[10, 20]] })).toEqual(score(1, 0, 0));
  });

  test("from five minutes on, a pair counts by its beat", () => {
    const from = 300;
    expect(scoreBeats([299, 300, 301], [299, 301], { from })).toEqual(score(1, 1, 0));
    expect(scoreBeats([299.95, 300.95], [300.05, 301.05], { from })).toEqual(score(1, 0, 0));
    expect(scoreBeats([300.05], [299.95], { from })).toEqual(score(1, 0, 0));
    expect(scoreBeats([300.05], [299.95, 300.05], { from })).toEqual(score(1, 0, 0));
    expect(scoreBeats([], [299.99, 300], { from })).toEqual(score(0, 0, 1));
  });

  test("beats and detections from the end of the recording on do not count", () => {
    expect(scoreBeats([1, 2, 3, 4], [1, 2.02, 3.5], { until: 3 })).toEqual(score(2, 0, 0));
  });

  test("counts add up, are the same shifted in time, and a detector equal to the reference is perfect", () => {
    const times = fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 40 });
    fc.assert(
      fc.property(times, times, fc.integer({ min: 0, max: 1000 }), (reference, detected, shift) => {
        const seconds = (list: number[]) => list.map((time) => time / 100);
        const result = scoreBeats(seconds(reference), seconds(detected));
        expect(result.tp + result.fn).toBe(reference.length);
        expect(result.tp + result.fp).toBe(detected.length);
        expect(result.beats).toBe(reference.length);
        const moved = (list: number[]) => seconds(list.map((time) => time + shift * 100));
        expect(scoreBeats(moved(reference), moved(detected))).toEqual(result);
        expect(scoreBeats(seconds(reference), seconds(reference.toReversed()))).toEqual(score(reference.length, 0, 0));
      }),
      { numRuns: 500 },
    );
  });

  test("with beats and detections further apart than two windows, as many pairs are found as there can be", () => {
    const spaced = fc.array(fc.integer({ min: 31, max: 120 }), { maxLength: 20 }).map((gaps) => {
      return gaps.map((_, k) => gaps.slice(0, k + 1).reduce((sum, gap) => sum + gap, 0) / 100);
    });
    fc.assert(
      fc.property(spaced, spaced, (reference, detected) => {
        const near = reference.filter((beat) => detected.some((time) => Math.abs(time - beat) <= 0.15 + 1e-9));
        expect(scoreBeats(reference, detected).tp).toBe(near.length);
      }),
    );
  });

  test("a time that is no number is refused with its place", () => {
    expect(() => scoreBeats([1, Number.NaN], [])).toThrow("beat 1 of 2: time NaN");
    expect(() => scoreBeats([1], [Number.POSITIVE_INFINITY])).toThrow("beat 0 of 1: time Infinity");
  });
});

describe("statistics", () => {
  test("are percent with 3 decimals; gross sums counts, average weighs records alike", () => {
    const scores = [score(2, 1, 0), score(900, 0, 99)];
    expect(statistics(scores[0]!)).toEqual({ se: 66.667, ppv: 100, der: 33.333 });
    expect(gross(scores)).toEqual({ se: 99.889, ppv: 90.11, der: 11.074 });
    expect(average(scores)).toEqual({ se: 83.333, ppv: 95.045, der: 22.167 });
  });

  test("are null, not 0 or 100, where nothing could be counted, and an average leaves such records out", () => {
    expect(statistics(score(0, 0, 0))).toEqual({ se: null, ppv: null, der: null });
    expect(statistics(score(0, 5, 0))).toEqual({ se: 0, ppv: null, der: 100 });
    expect(average([score(0, 5, 0), score(5, 0, 5)])).toEqual({ se: 50, ppv: 50, der: 100 });
    expect(average([])).toEqual({ se: null, ppv: null, der: null });
  });
});

describe("linear resampling", () => {
  test("sample k is the value at k / toRate on the line between its neighbours, none beyond the last", () => {
    expect([...resampleLinear([0, 10, 20, 0], 2, 4)]).toEqual([0, 5, 10, 15, 20, 10, 0]);
    expect([...resampleLinear([0, 10, 20, 30, 40], 500, 250)]).toEqual([0, 20, 40]);
    expect([...resampleLinear([0, 3, 6, 9, 12], 3, 2)]).toEqual([0, 4.5, 9]);
    expect([...resampleLinear([7], 360, 256)]).toEqual([7]);
    expect([...resampleLinear([], 360, 256)]).toEqual([]);
  });

  test("in blocks of any size gives the very same samples as at once", () => {
    const rate = fc.constantFrom(125, 128, 199.8, 250, 256, 360, 500, 512, 1000);
    const sizes = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        rate,
        rate,
        sizes,
        fc.infiniteStream(fc.integer({ min: -2048, max: 2047 })),
        (from, to, blocks, stream) => {
          const samples = Float64Array.from(stream.take(blocks.reduce((a, b) => a + b)).map((x) => x));
          const resampler = createLinearResampler(from, to);
          const out = new Float64Array(Math.ceil((50 * to) / from) + 1);
          const pieces: number[] = [];
          let at = 0;
          for (const size of blocks) {
            const ready = resampler.push(samples.subarray(at, at + size), size, out);
            pieces.push(...out.subarray(0, ready));
            at += size;
          }
          const whole = resampleLinear(samples, from, to);
          expect(pieces).toEqual([...whole]);
          if (samples.length > 0) expect(whole).toHaveLength(Math.floor(((samples.length - 1) * to) / from) + 1);
        },
      ),
    );
  });

  test("a straight line stays one after 30 minutes: no error adds up", () => {
    const line = Float64Array.from({ length: 650000 }, (_, i) => i);
    const out = resampleLinear(line, 360, 256);
    expect(out).toHaveLength(Math.floor((649999 * 256) / 360) + 1);
    expect(out.at(-1)).toBeCloseTo(((out.length - 1) * 360) / 256, 6);
  });

  test("refuses rates that are none, and an output that is too short", () => {
    expect(() => createLinearResampler(0, 256)).toThrow("from 0 to 256 hz");
    expect(() => createLinearResampler(360, Number.NaN)).toThrow("from 360 to NaN hz");
    expect(() => createLinearResampler(1, 2).push([1, 2], 2, new Float64Array(1))).toThrow(
      "output of 1 samples is too short",
    );
  });
});
