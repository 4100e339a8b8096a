/** Bursts of noise on an ECG's electrodes: what is told as good during and after them is true. Found by the soak and in the field tests. */
import { describe, expect, test } from "vitest";
import { FLAG_MOTION } from "../../drivers/driver.ts";
import { RHYTHM_ASYSTOLE, RHYTHM_PAUSE } from "../../firmware/dsp/rhythm.ts";
import { createRandom } from "../../simulator/random.ts";
import { type Disturbed, disturb, isFalseInterval, isFalseRate } from "./disturbed.ts";

const PEOPLE = 24;
const BEGIN = 20.3;

/** `amplitude`: V RMS. */
const play = (seed: number, seconds: number, amplitude: number, on: (time: number) => boolean): Disturbed => {
  const random = createRandom(seed).fork("noise");
  const rate = seed % 2 === 0 ? 128 : 256;
  return disturb({ seed, rate, seconds }, (time, volts) => volts + (on(time) ? amplitude * random.normal() : 0));
};

const sum = (runs: readonly Disturbed[], count: (run: Disturbed) => number) =>
  runs.reduce((total, run) => total + count(run), 0);
const falseRates = ({ rates, beats }: Disturbed) => rates.filter((one) => isFalseRate(one, beats)).length;
const falseIntervals = ({ intervals, beats }: Disturbed) =>
  intervals.filter((one) => isFalseInterval(one, beats)).length;

describe.each([
  { lasts: 0.2, amplitude: 0.5e-3, settled: 10 },
  { lasts: 0.2, amplitude: 3e-3, settled: 10 },
  { lasts: 0.2, amplitude: 6e-3, settled: 10 },
  { lasts: 0.5, amplitude: 1e-3, settled: 10 },
  { lasts: 2, amplitude: 0.3e-3, settled: 10 },
  { lasts: 2, amplitude: 3e-3, settled: 16 },
  { lasts: 10, amplitude: 0.5e-3, settled: 10 },
])("$lasts s of noise of $amplitude V RMS", ({ lasts, amplitude, settled }) => {
  const runs = Array.from({ length: PEOPLE }, (_, i) =>
    play(300 + i, 50, amplitude, (time) => time >= BEGIN && time < BEGIN + lasts),
  );
  test("no rate is told as good that is off by more than 5 a minute or 10 %", () => {
    expect(sum(runs, falseRates)).toBe(0);
  });
  test("hardly an interval is told as good that is off by more than 30 ms: 2 in 24 people at most", () => {
    expect(sum(runs, falseIntervals)).toBeLessThanOrEqual(2);
  });
  test("its end is no asystole, and a good rate is back", () => {
    for (const { states } of runs) {
      expect(states).not.toContain(RHYTHM_ASYSTOLE);
      expect(states).not.toContain(RHYTHM_PAUSE);
    }
    const later = runs.flatMap(({ rates }) => rates.filter(({ at }) => at > BEGIN + lasts + settled));
    const bad = later.filter(({ value, flags }) => value === null || flags !== 0);
    expect(bad.length / later.length).toBeLessThan(0.03);
  });
});

test.each([
  [0.4, 7, 1e-3],
  [0.2, 5, 0.5e-3],
  [0.3, 4, 0.3e-3],
])(
  "a burst of %s s every %s s, %s V RMS: each was a beat more. The rate is true but for one value in a thousand, and mostly there",
  (lasts, every, amplitude) => {
    const runs = Array.from({ length: PEOPLE }, (_, i) =>
      play(400 + i, 50, amplitude, (time) => time > 10 && time % every < lasts),
    );
    expect(sum(runs, falseRates)).toBeLessThanOrEqual(1);
    const told = sum(runs, ({ intervals }) => intervals.filter(({ flags }) => flags === 0).length);
    expect(sum(runs, falseIntervals) / told).toBeLessThan(0.005);
    const good = sum(
      runs,
      ({ rates }) => rates.filter(({ at, value, flags }) => at > 10 && value !== null && flags === 0).length,
    );
    expect(good / (PEOPLE * 40)).toBeGreaterThan(0.8);
  },
);

test("an undisturbed heart has no interval in doubt, and each but the newest is told, from half a second on", () => {
  for (let seed = 500; seed < 500 + PEOPLE; seed++) {
    const { beats, intervals, rates } = play(seed, 40, 0, () => false);
    expect(intervals.filter((one) => isFalseInterval(one, beats))).toEqual([]);
    const inTime = beats.filter((beat) => beat > 2.5 && beat < 37);
    const missing = inTime.filter((beat) => !intervals.some(({ at }) => Math.abs(at - beat) < 0.02));
    expect(missing).toEqual([]);
    expect(intervals.filter(({ at, flags }) => at > 10 && flags !== 0)).toEqual([]);
    expect(rates.filter(({ at, flags }) => at > 10 && flags !== 0)).toEqual([]);
  }
});

test("what a short burst made is told with the flag motion, not left out", () => {
  const { intervals } = play(310, 50, 0.5e-3, (time) => time >= BEGIN && time < BEGIN + 0.3);
  const during = intervals.filter(({ at }) => at > BEGIN && at < BEGIN + 2.5);
  expect(during.length).toBeGreaterThan(1);
  expect(during.some(({ flags }) => flags === FLAG_MOTION)).toBe(true);
  expect(intervals.filter(({ at }) => at > BEGIN + 4).every(({ flags }) => flags === 0)).toBe(true);
});
