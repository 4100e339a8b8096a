import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  beatTimes,
  createRandom,
  drawEcg,
  halfSine,
  type SyntheticEcg,
  standardBeat,
  triangularQrs,
} from "../../../simulator/index.ts";

const nothing = { seconds: 2, microvoltsPerCount: 1, beats: [], waves: () => [] };
const draw = (options: Partial<SyntheticEcg> & { rate: number }) => drawEcg({ ...nothing, ...options });
const sum = (samples: Int32Array) => samples.reduce((total, value) => total + value, 0);

describe("the synthetic ECG", () => {
  test("the QRS of heart rate meter tests rises to 7/8, falls to -1/8 and is its height from peak to peak", () => {
    const qrs = triangularQrs(2, 0.08);
    expect(qrs.to - qrs.from).toBeCloseTo(0.08, 12);
    expect(qrs.at(qrs.from)).toBeCloseTo(0, 12);
    expect(qrs.at(0)).toBeCloseTo(1.75, 12);
    expect(qrs.at(0.04)).toBeCloseTo(-0.25, 12);
    expect(qrs.at(qrs.to)).toBeCloseTo(0, 12);
  });

  test("T ends 350 ms after the QRS began and is highest in its middle", () => {
    const [qrs, t] = standardBeat(1, 0.1, 1.2);
    expect(t!.to - qrs!.from).toBeCloseTo(0.35, 12);
    expect(t!.at((t!.from + t!.to) / 2)).toBeCloseTo(1.2, 12);
    expect(halfSine(0, 0.18, 1).at(0.18)).toBeCloseTo(0, 12);
    expect(standardBeat(1, 0.1)).toHaveLength(1);
  });

  test("beats of a rate that changes follow it from beat to beat", () => {
    expect(beatTimes(3, 60)).toEqual([0.3, 1.3, 2.3]);
    const times = beatTimes(10, (time) => (time < 5 ? 60 : 120));
    expect(times.slice(-3)).toEqual([8.8, 9.3, 9.8].map((time) => expect.closeTo(time, 9)));
    expect(times[1]).toBeCloseTo(1.3, 12);
  });

  test.each([125, 128, 250, 256, 360, 500, 512])(
    "at %i hz R is where it is said to be, between samples too",
    (rate) => {
      for (const at of [1, 1 + 0.3 / rate, 1 + 0.7 / rate]) {
        const symmetric = { from: -0.05, to: 0.05, at: (offset: number) => 1 - Math.abs(offset) / 0.05 };
        const samples = draw({ rate, beats: [at], waves: () => [symmetric] });
        let moment = 0;
        samples.forEach((value, k) => {
          moment += (value * k) / rate;
        });
        expect(moment / sum(samples)).toBeCloseTo(at, 4);
      }
    },
  );

  test("the sinc3 decimator lets half the power of 0.262 of the rate through, and all of 0.0125", () => {
    const through = (part: number) => {
      const rate = 256;
      const samples = draw({ rate, seconds: 8, background: (time) => 10 * Math.sin(2 * Math.PI * part * rate * time) });
      const power = samples.slice(64, -64).reduce((total, value) => total + value * value, 0);
      return power / ((samples.length - 128) * 10_000 * 10_000 * 0.5);
    };
    expect(through(0.262)).toBeCloseTo(0.5, 1);
    expect(through(0.0125)).toBeCloseTo(1, 2);
  });

  test("a pulse leaves its area wherever it lies between two samples, cut to the converter's range", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        fc.constantFrom(0.0001, 0.0005, 0.001, 0.002),
        fc.constantFrom(2, 20, -20, 700),
        (at, width, height) => {
          const samples = draw({ rate: 128, range: 50, pulses: [{ at, width, height }] });
          const seen = Math.max(-50, Math.min(50, height));
          expect(Math.abs(sum(samples) / 128 / 1000 - seen * width)).toBeLessThan(2e-5);
          const wide = samples.filter((value) => value !== 0).length;
          expect(wide).toBeLessThanOrEqual(4);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a tail begins at the pulse's end and falls by e in its time constant", () => {
    const pulse = { at: 0.5, width: 0.001, height: 0, overshoot: -2, decay: 0.1 };
    const samples = draw({ rate: 256, pulses: [pulse] });
    expect(samples[125]).toBeCloseTo(0, 6);
    expect(samples[154]! / samples[128 + 13]!).toBeCloseTo(Math.exp(-13 / 256 / 0.1), 2);
    expect(samples[140]).toBeLessThan(-1000);
  });

  test("noise has its RMS, and the converter's range ends it all", () => {
    const samples = draw({ rate: 256, seconds: 20, noise: { rms: 0.1, random: createRandom(5) } });
    const rms = Math.sqrt(samples.reduce((total, value) => total + value * value, 0) / samples.length);
    expect(rms).toBeGreaterThan(97);
    expect(rms).toBeLessThan(103);
    const cut = draw({ rate: 256, range: 0.5, background: () => 3 });
    expect(cut.every((value) => value === 500)).toBe(true);
  });

  test.each([{ rate: 0 }, { rate: 128, seconds: -1 }, { rate: 128, microvoltsPerCount: Number.NaN }])(
    "refuses %o",
    (options) => {
      expect(() => draw(options)).toThrow(/is not above 0/);
    },
  );
});
