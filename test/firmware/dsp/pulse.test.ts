import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPulseDetector } from "../../../firmware/dsp/pulse.ts";
import { countStatements } from "../../../tools/count-statements.ts";
import { type FingerOptions, finger } from "./pulses.ts";

const RATES = [30, 50, 64, 100, 125, 200, 400] as const;
const normal: FingerOptions = { rate: 100, seconds: 40, pulseRate: 75, ratio: 0.7, perfusionIndex: 1 };

interface Beat {
  readonly index: number;
  readonly emittedAt: number;
  readonly height: number;
}

/** Beats of a light, pushed in blocks of these lengths in turn. */
function beatsOf(light: Int32Array, rate: number, lengths: readonly number[] = [32]): Beat[] {
  const beats: Beat[] = [];
  const detector = createPulseDetector(rate, (index, emittedAt, height) => beats.push({ index, emittedAt, height }));
  for (let at = 0, k = 0; at < light.length; k++) {
    const count = Math.min(lengths[k % lengths.length]! || k % 2, light.length - at);
    detector.push(light.subarray(at), count);
    at += count;
  }
  return beats;
}

/** Beats a minute of the intervals that end after 10 s. */
function ratesAfterSettling(beats: readonly Beat[], rate: number): number[] {
  const times = beats.map(({ index }) => index / rate).filter((time) => time > 8);
  return times.slice(1).map((time, k) => 60 / (time - times[k]!));
}

describe("the pulse detector", () => {
  test.each(RATES.flatMap((rate) => [30, 45, 60, 90, 130, 180, 240].map((bpm) => [rate, bpm] as const)))(
    "at %i hz finds every beat of %i a minute and nothing else",
    (rate, bpm) => {
      const rates = ratesAfterSettling(beatsOf(finger({ ...normal, rate, pulseRate: bpm }).infrared, rate), rate);
      expect(rates.length).toBeGreaterThan((30 * bpm) / 60 - 2);
      for (const found of rates) expect(Math.abs(found / bpm - 1)).toBeLessThan(0.03);
    },
  );

  test("gives the same time and height of a beat at every rate", () => {
    const [first, ...others] = RATES.map((rate) =>
      beatsOf(finger({ ...normal, rate, seconds: 12 }).infrared, rate)
        .map(({ index, height }) => ({ time: index / rate, height }))
        .filter(({ time }) => time > 4),
    );
    for (const beats of others) {
      expect(beats).toHaveLength(first!.length);
      for (const [k, { time, height }] of beats.entries()) {
        expect(Math.abs(time - first![k]!.time)).toBeLessThan(0.005);
        expect(Math.abs(height / first![k]!.height - 1)).toBeLessThan(0.1);
      }
    }
  });

  test("any split into blocks gives the same beats", () => {
    const cases = RATES.map((rate) => ({
      rate,
      light: finger({ ...normal, rate, seconds: 12, noise: 100, perfusionIndex: 0.3 }).infrared,
    }));
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 60 }),
        ({ rate, light }, lengths) => {
          expect(beatsOf(light, rate, lengths)).toEqual(beatsOf(light, rate));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("after a reset it is as new, whatever it saw before", () => {
    const light = finger({ ...normal, seconds: 12 }).infrared;
    const other = finger({ ...normal, seconds: 12, pulseRate: 130, perfusionIndex: 5 }).infrared;
    const fresh = beatsOf(light, 100);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1200 }), (seen) => {
        const beats: Beat[] = [];
        const detector = createPulseDetector(100, (index, emittedAt, height) =>
          beats.push({ index, emittedAt, height }),
        );
        detector.push(other, seen);
        detector.reset();
        beats.length = 0;
        detector.push(light, light.length);
        expect(beats).toEqual(fresh);
      }),
      { numRuns: 30 },
    );
  });

  test("a beat is told after it was, and never before the one before it", () => {
    const light = finger({ ...normal, seconds: 30, noise: 300 }).infrared;
    let before = -1;
    for (const { index, emittedAt } of beatsOf(light, 100)) {
      expect(index).toBeGreaterThan(before);
      expect(emittedAt).toBeGreaterThanOrEqual(index);
      before = index;
    }
  });

  test.each([24, 0, -100, 1001, Number.NaN])("refuses %f hz and says which rates there are", (rate) => {
    expect(() => createPulseDetector(rate, () => {})).toThrow(`rate ${rate} hz is not 25 to 1000`);
  });

  test("at 100 hz costs no more than 45 statements a sample", () => {
    const light = finger(normal).infrared;
    const { statements } = countStatements({
      entry: "firmware/dsp/pulse.ts",
      run: (dsp: { createPulseDetector: typeof createPulseDetector }) => {
        const detector = dsp.createPulseDetector(100, () => {});
        for (let at = 0; at < light.length; at += 20) detector.push(light.subarray(at), 20);
      },
    });
    expect(statements / light.length).toBeLessThan(45);
  });
});
