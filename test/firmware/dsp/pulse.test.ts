import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPulseDetector } from "../../../firmware/dsp/pulse.ts";
import { countStatements } from "../../../tools/count-statements.ts";
import { type FingerOptions, finger, join } from "./pulses.ts";

const RATES = [30, 50, 64, 100, 125, 200, 400] as const;
const normal: FingerOptions = { rate: 100, seconds: 40, pulseRate: 75, ratio: 0.7, perfusionIndex: 1 };

interface Beat {
  readonly index: number;
  readonly emittedAt: number;
  readonly height: number;
  readonly brightness: number;
}

/** Beats of a light, pushed in blocks of these lengths in turn. */
function beatsOf(light: Int32Array, rate: number, lengths: readonly number[] = [32]): Beat[] {
  const beats: Beat[] = [];
  const detector = createPulseDetector(rate, (index, emittedAt, height, brightness) =>
    beats.push({ index, emittedAt, height, brightness }),
  );
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

  test.each([0.05, 0.07, 0.13])("a dicrotic wave %f s wide is no beat, from 20 to 110 a minute", (dicrotic) => {
    for (const pulseRate of [20, 35, 50, 70, 90, 110]) {
      const rates = ratesAfterSettling(beatsOf(finger({ ...normal, pulseRate, dicrotic }).infrared, 100), 100);
      expect(rates.length).toBeGreaterThan(8);
      for (const found of rates) expect(Math.abs(found / pulseRate - 1)).toBeLessThan(0.03);
    }
  });

  test.each([
    [0.5, 15],
    [0.2, 15],
    [0.1, 10],
  ])(
    "finds every beat where the pulse is %f percent of the light, in noise of %i counts, and nothing else",
    (perfusionIndex, noise) => {
      for (const pulseRate of [50, 75, 120]) {
        const light = finger({ ...normal, pulseRate, perfusionIndex, noise }).infrared;
        for (const found of ratesAfterSettling(beatsOf(light, 100), 100))
          expect(Math.abs(found / pulseRate - 1)).toBeLessThan(0.25);
      }
    },
  );

  test("breathing six times the pulse makes no beat and hides none", () => {
    const baseline = (time: number) => 0.003 * Math.sin(2 * Math.PI * 0.25 * time);
    const light = finger({ ...normal, pulseRate: 80, perfusionIndex: 0.3, baseline, noise: 5 }).infrared;
    const rates = ratesAfterSettling(beatsOf(light, 100), 100);
    expect(rates).toHaveLength(41);
    for (const found of rates) expect(Math.abs(found / 80 - 1)).toBeLessThan(0.1);
  });

  test.each([
    [80, 40],
    [40, 80],
    [60, 150],
    [150, 60],
    [200, 60],
    [60, 200],
  ])("a step of the pulse from %i to %i a minute is followed within 4 s: neither half nor double", (before, after) => {
    const pulseRate = (time: number) => (time < 20 ? before : after);
    const times = beatsOf(finger({ ...normal, pulseRate }).infrared, 100).map(({ index }) => index / 100);
    const late = times.filter((time) => time > 24);
    expect(late.length).toBeGreaterThan(15 * (after / 60) - 1);
    for (const [k, time] of late.entries())
      if (k > 0) expect(Math.abs(60 / (time - late[k - 1]!) / after - 1)).toBeLessThan(0.05);
  });

  test("a pulse that becomes ten times weaker is found again within three beats, one that becomes stronger at once", () => {
    for (const [before, after] of [
      [2, 0.5],
      [4, 0.4],
      [0.4, 4],
    ] as const) {
      const first = finger({ ...normal, seconds: 24, perfusionIndex: before });
      const second = finger({ ...normal, seconds: 16, perfusionIndex: after });
      const times = beatsOf(join(first, second).infrared, 100).map(({ index }) => index / 100);
      const rates = times.slice(1).map((time, k) => ({ time, rate: 60 / (time - times[k]!) }));
      const wrong = rates.filter(({ time, rate }) => time > 8 && Math.abs(rate / 75 - 1) > 0.1);
      for (const { time } of wrong) expect(time - 24).toBeLessThan(3 * 0.8);
      expect(wrong.length).toBeLessThan(3);
    }
  });

  test("one that becomes two hundred times weaker is found again within 6 s", () => {
    const first = finger({ ...normal, seconds: 24, perfusionIndex: 20 });
    const second = finger({ ...normal, seconds: 16, perfusionIndex: 0.1 });
    const times = beatsOf(join(first, second).infrared, 100).map(({ index }) => index / 100);
    expect(times.filter((time) => time > 30).length).toBeGreaterThan(10);
  });

  test("a beat is told a fifth of a second after its steepest, at the latest a quarter", () => {
    for (const rate of RATES) {
      const delays = beatsOf(finger({ ...normal, rate }).infrared, rate).map(
        ({ index, emittedAt }) => (emittedAt - index) / rate,
      );
      expect(delays.reduce((sum, delay) => sum + delay, 0) / delays.length).toBeLessThan(0.21);
      expect(Math.max(...delays)).toBeLessThan(0.25);
    }
  });

  test("height and brightness are a beat's own, however bright it was before", () => {
    const baseline = (time: number) => (time < 20 ? 0 : -0.2);
    const beats = beatsOf(finger({ ...normal, baseline }).infrared, 100);
    const at = (from: number, to: number) => beats.filter(({ index }) => index > from * 100 && index < to * 100);
    for (const { height, brightness } of at(5, 19)) {
      expect(Math.abs(height / 1100 - 1)).toBeLessThan(0.1);
      expect(Math.abs(brightness / 120_500 - 1)).toBeLessThan(0.01);
    }
    for (const { height, brightness } of at(23, 39)) {
      expect(Math.abs(height / 880 - 1)).toBeLessThan(0.1);
      expect(Math.abs(brightness / 96_400 - 1)).toBeLessThan(0.01);
    }
    expect(at(23, 39).length).toBeGreaterThan(18);
  });

  test("a step between two beats, of a probe that was moved, is no beat; steep pulses are, from the start on and when they begin", () => {
    for (const when of [20.85, 22.6, 24.9]) {
      const light = finger(normal).infrared.map((value, i) => (i > when * 100 ? value - 1500 : value));
      for (const found of ratesAfterSettling(beatsOf(light, 100), 100).slice(-10))
        expect(Math.abs(found / 75 - 1)).toBeLessThan(0.03);
      const times = beatsOf(light, 100).map(({ index }) => index / 100);
      expect(times.filter((time) => Math.abs(time - when) < 0.03)).toEqual([]);
    }
    // a rise of 50 ms, where a sine was before
    const steep = Int32Array.from({ length: 6000 }, (_, i) => {
      const since = (i / 100) % (i < 3000 ? 0.8 : 0.45);
      const sine = 400 * Math.sin(2 * Math.PI * 1.25 * (i / 100));
      return Math.round(
        100_000 - (i < 1500 ? sine : 1000 * Math.min(1, since / 0.05, Math.max(0, (0.35 - since) / 0.1))),
      );
    });
    const times = beatsOf(steep, 100).map(({ index }) => index / 100);
    for (const [from, to, rate] of [
      [19, 30, 75],
      [34, 60, 60 / 0.45],
    ] as const) {
      const within = times.filter((time) => time > from && time < to);
      expect(within.length).toBeGreaterThan(((to - from) * rate) / 60 - 2);
      for (const [k, time] of within.entries())
        if (k > 0) expect(Math.abs(60 / (time - within[k - 1]!) / rate - 1)).toBeLessThan(0.05);
    }
  });

  test("an early beat of a third of the height is found, and the pause after it is none", () => {
    const interval = 0.75;
    const onsets = Array.from({ length: 40 }, (_, k) => k * interval - (k % 8 === 7 ? 0.2 : 0));
    const light = Int32Array.from({ length: 3000 }, (_, i) => {
      let pulse = 0;
      for (const [k, onset] of onsets.entries())
        pulse += (k % 8 === 7 ? 1 / 3 : 1) * Math.exp(-(((i / 100 - onset - 0.2) / 0.08) ** 2) / 2);
      return Math.round(100_000 - 1000 * pulse);
    });
    const times = beatsOf(light, 100).map(({ index }) => index / 100);
    for (const onset of onsets.slice(8, 39))
      expect(Math.min(...times.map((time) => Math.abs(time - onset - 0.12)))).toBeLessThan(0.05);
    expect(times.filter((time) => time > onsets[8]!)).toHaveLength(32);
  });

  test("nothing that is flat, or falls less than 0.02 % in 100 ms, is a beat", () => {
    expect(beatsOf(new Int32Array(3000).fill(100_000), 100)).toEqual([]);
    expect(beatsOf(new Int32Array(3000), 100)).toEqual([]);
    const slow = Int32Array.from({ length: 6000 }, (_, i) => Math.round(100_000 + 2000 * Math.sin(i / 1100)));
    expect(beatsOf(slow, 100)).toEqual([]);
  });

  test("no two beats are less than 0.2 s apart, whatever the light does", () => {
    const sample = fc.integer({ min: 0, max: 262_143 });
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), sample, sample), { minLength: 20, maxLength: 80 }),
        (rate, pieces) => {
          const light = Int32Array.from(
            pieces.flatMap(([length, from, to]) =>
              Array.from({ length }, (_, k) => from + Math.round(((to - from) * k) / length)),
            ),
          );
          let before = Number.NEGATIVE_INFINITY;
          for (const { index, emittedAt, height } of beatsOf(light, rate)) {
            expect(index - before).toBeGreaterThan(0.2 * rate * (1 - 1e-9));
            expect(emittedAt).toBeGreaterThanOrEqual(index);
            expect(height).toBeGreaterThanOrEqual(0);
            before = index;
          }
        },
      ),
    );
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
        const detector = createPulseDetector(100, (index, emittedAt, height, brightness) =>
          beats.push({ index, emittedAt, height, brightness }),
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

  test.each([
    [50, 26],
    [100, 15],
    [200, 9],
  ])("at %i hz costs no more than %i statements a sample", (rate, limit) => {
    const light = finger({ ...normal, rate }).infrared;
    const { statements } = countStatements({
      entry: "firmware/dsp/pulse.ts",
      run: (dsp: { createPulseDetector: typeof createPulseDetector }) => {
        const detector = dsp.createPulseDetector(rate, () => {});
        for (let at = 0; at < light.length; at += 20) detector.push(light.subarray(at), 20);
      },
    });
    expect(statements / light.length).toBeLessThan(limit);
  });
});
