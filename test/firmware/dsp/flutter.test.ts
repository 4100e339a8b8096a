import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFlutterGuard } from "../../../firmware/dsp/flutter.ts";
import { beatTimes, drawEcg, gaussianBeat, standardBeat } from "../../../simulator/evaluate/synthetic-ecg.ts";
import { createRandom } from "../../../simulator/random.ts";
import { lacks } from "../../support/needs.ts";
import { readLead } from "../../support/recorded-lead.ts";
import { readRecordBeats } from "../../support/reference-beats.ts";

const MICROVOLTS = 0.5;
const RATES = [125, 128, 250, 256, 360, 500, 512];

/** Three sines of 4 to 7 hz whose frequencies and amplitudes wander: ventricular fibrillation as far as slopes go. */
function fibrillation(rate: number, seconds: number, seed: number, millivolts: number): Int32Array {
  const random = createRandom(seed);
  const parts = Array.from({ length: 3 }, () => ({
    frequency: 4 + 3 * random.uniform(),
    phase: 2 * Math.PI * random.uniform(),
    swing: 0.1 + 0.3 * random.uniform(),
  }));
  return Int32Array.from({ length: rate * seconds }, (_, i) => {
    let sum = 0;
    for (const part of parts) {
      part.frequency = Math.min(7, Math.max(4, part.frequency + random.normal() / Math.sqrt(rate)));
      part.phase += (2 * Math.PI * part.frequency) / rate;
      sum += (0.6 + 0.4 * Math.sin((2 * Math.PI * part.swing * i) / rate)) * Math.sin(part.phase);
    }
    return Math.round((sum * millivolts * 1000) / (3 * MICROVOLTS));
  });
}

const beats = (rate: number, bpm: number, seconds: number, waves = () => standardBeat(1, 0.08, 0.2)) =>
  drawEcg({ rate, seconds, microvoltsPerCount: MICROVOLTS, beats: beatTimes(seconds, bpm), waves });

interface Seen {
  readonly time: number;
  readonly uncountable: boolean;
  readonly waveRate: number;
  readonly admitted: boolean;
  readonly restlessness: number;
}

/** What the guard says after every half second, and whether it would let `bpm` through. */
function watch(counts: Int32Array, rate: number, bpm = 80, microvolts = MICROVOLTS): Seen[] {
  const guard = createFlutterGuard(rate, microvolts);
  const seen: Seen[] = [];
  const block = rate >> 1;
  for (let from = 0; from + block <= counts.length; from += block) {
    guard.push(counts.subarray(from, from + block), block);
    if (guard.ready())
      seen.push({
        time: (from + block) / rate,
        uncountable: guard.uncountable(),
        waveRate: guard.waveRate(),
        admitted: guard.admits(bpm),
        restlessness: guard.restlessness(),
      });
  }
  return seen;
}

test.each(RATES)("at %i hz fibrillation of 0.1 to 1 mV cannot be counted, but where it fades for seconds", (rate) => {
  for (const millivolts of [0.1, 0.3, 1]) {
    for (const seed of [1, 2, 3]) {
      const seen = watch(fibrillation(rate, 60, seed, millivolts), rate, 110);
      expect(seen.length).toBeGreaterThan(110);
      expect(seen.filter(({ admitted }) => admitted).length / seen.length).toBeLessThan(0.08);
      expect(seen.filter(({ uncountable }) => uncountable).length / seen.length).toBeGreaterThan(0.9);
    }
  }
});

test.each(RATES)("at %i hz 310 to 600 beats a minute admit no rate, however narrow", (rate) => {
  for (const bpm of [310, 350, 450, 600]) {
    for (const width of [0.04, 0.08]) {
      const seen = watch(
        beats(rate, bpm, 20, () => standardBeat(1, width)),
        rate,
        bpm / 2,
      );
      expect(seen.filter(({ admitted }) => admitted)).toEqual([]);
      expect(seen.at(-1)!.uncountable).toBe(true);
      expect(seen.at(-1)!.waveRate / bpm).toBeCloseTo(1, 1);
    }
  }
});

test.each(RATES)("at %i hz beats of 20 to 300 a minute are admitted, and fast ones not as half of that", (rate) => {
  for (const bpm of [20, 40, 80, 150, 200, 250, 298]) {
    for (const waves of [
      () => standardBeat(1, 0.08),
      (_: number, a: number, b: number) => gaussianBeat(1, 0.3, a, b),
    ]) {
      const counts = drawEcg({ rate, seconds: 30, microvoltsPerCount: MICROVOLTS, beats: beatTimes(30, bpm), waves });
      expect(watch(counts, rate, bpm).every(({ admitted, uncountable }) => admitted && !uncountable)).toBe(true);
      if (bpm > 270)
        expect(
          watch(counts, rate, bpm / 2)
            .slice(4)
            .some(({ admitted }) => admitted),
        ).toBe(false);
    }
  }
});

test("a regular tachycardia near a sine is restless and has the rate of its waves, no other", () => {
  const counts = Int32Array.from({ length: 30 * 128 }, (_, i) =>
    Math.round(1000 * Math.sin((2 * Math.PI * 3.5 * i) / 128)),
  );
  const seen = watch(counts, 128, 210);
  expect(seen.every(({ restlessness }) => restlessness > 0.5)).toBe(true);
  expect(seen.every(({ admitted, uncountable }) => admitted && !uncountable)).toBe(true);
  for (const bpm of [105, 185, 235]) expect(watch(counts, 128, bpm).some(({ admitted }) => admitted)).toBe(false);
});

test("a T wave as tall as the QRS is taken for no fibrillation", () => {
  for (const height of [0.6, 0.9, 1.2]) {
    const seen = watch(
      beats(128, 80, 60, () => standardBeat(1, 0.1, height)),
      128,
      80,
    );
    expect(seen.every(({ admitted }) => admitted)).toBe(true);
  }
});

test("after 20 s of sinus rhythm fibrillation is noticed within 8 s, and its end within 8 s", () => {
  for (const seed of [1, 2, 3, 4]) {
    const signal = new Int32Array(80 * 128);
    signal.set(beats(128, 80, 20), 0);
    signal.set(fibrillation(128, 30, seed, 0.5), 20 * 128);
    signal.set(beats(128, 80, 30), 50 * 128);
    const seen = watch(signal, 128);
    const uncountable = (from: number, to: number) =>
      seen.filter(({ time }) => time > from && time <= to).map((one) => one.uncountable);
    expect(uncountable(0, 20)).not.toContain(true);
    expect(uncountable(28, 50)).not.toContain(false);
    expect(uncountable(58, 80)).not.toContain(true);
  }
});

test("a flat line and a little noise are rest; drift is none, admits no rate, but can be told from fibrillation", () => {
  const random = createRandom(3);
  const signal = (at: (i: number) => number) => Int32Array.from({ length: 20 * 128 }, (_, i) => Math.round(at(i)));
  const flat = watch(
    signal(() => 0),
    128,
  );
  const noise = watch(
    signal(() => 20 * random.normal()),
    128,
  );
  const drift = watch(
    signal((i) => 4000 * Math.sin(i / 60)),
    128,
  );
  for (const { restlessness } of [...flat, ...noise]) expect(restlessness).toBeLessThan(0.2);
  for (const { uncountable } of [...flat, ...noise, ...drift]) expect(uncountable).toBe(false);
  for (const { admitted } of drift.slice(2)) expect(admitted).toBe(false);
});

test("the split into blocks makes no difference, and after a reset it is as new", () => {
  const signal = new Int32Array(24 * 256);
  signal.set(fibrillation(256, 12, 5, 0.4), 0);
  signal.set(beats(256, 200, 12), 12 * 256);
  const say = (guard: ReturnType<typeof createFlutterGuard>) =>
    [guard.uncountable(), guard.waveRate(), guard.restlessness(), guard.admits(200)].join();
  const whole = createFlutterGuard(256, MICROVOLTS);
  whole.push(signal, signal.length);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 }), (cuts) => {
      const guard = createFlutterGuard(256, MICROVOLTS);
      guard.push(signal.subarray(1000), 3000);
      guard.reset();
      for (let at = 0, k = 0; at < signal.length; k++) {
        const count = Math.min(cuts[k % cuts.length]!, signal.length - at);
        guard.push(signal.subarray(at, at + count), count);
        at += count;
      }
      expect(say(guard)).toBe(say(whole));
    }),
    { numRuns: 30 },
  );
});

test("refuses a rate and a scale that it cannot work with, and says which", () => {
  expect(() => createFlutterGuard(50, 1)).toThrow("rate 50 hz");
  expect(() => createFlutterGuard(Number.NaN, 1)).toThrow("rate NaN hz");
  expect(() => createFlutterGuard(128, 0)).toThrow("0 uV a count");
});

describe.skipIf(lacks("recordings"))("on recordings", () => {
  const wrongly = (record: string) => {
    const { flutter } = readRecordBeats(record);
    const { counts, microvoltsPerCount } = readLead(record, 128);
    const near = (time: number) => flutter.some(([from, to]) => time > from - 1 && time < to + 8);
    const seen = watch(counts, 128, 80, microvoltsPerCount).filter(({ time }) => !near(time));
    return seen.filter(({ uncountable }) => uncountable).length / seen.length;
  };

  test("rhythms with ectopy, fibrillation of the atria, pacing, noise: uncountable for less than 0.7 % of the time", () => {
    for (const record of ["104", "106", "119", "201", "203", "205", "207", "208"]) {
      expect(wrongly(record)).toBeLessThan(0.007);
    }
  });

  test("ventricular flutter of record 207: from 8 s after its onset, no rate below 150 is admitted", () => {
    const { flutter } = readRecordBeats("207");
    const { counts, microvoltsPerCount } = readLead("207", 128);
    const late = (seen: readonly Seen[]) =>
      seen.filter(({ time }) => flutter.some(([from, to]) => time > from + 8 && time < to));
    expect(flutter.length).toBe(6);
    for (const bpm of [60, 80, 100, 120, 140]) {
      const seen = late(watch(counts, 128, bpm, microvoltsPerCount));
      expect(seen.length).toBeGreaterThan(180);
      expect(seen.filter(({ admitted }) => admitted).length / seen.length).toBeLessThan(0.03);
    }
  });
});
