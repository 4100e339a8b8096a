import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RHYTHM_BRADYCARDIA, RHYTHM_PAUSE, RHYTHM_TACHYCARDIA } from "../../firmware/dsp/rhythm.ts";
import { type AnnotationInput, writeRecordSync } from "../../formats/index.ts";
import { fibrillationFigures, fibrillationReadings, stretchesOf } from "../../simulator/evaluate/fibrillation.ts";
import { observeHeart } from "../../simulator/evaluate/heart.ts";
import { rateFigures, rateSeconds } from "../../simulator/evaluate/heart-rate.ts";
import { qualityFigures, qualityWindows } from "../../simulator/evaluate/quality.ts";
import { evaluateRhythm } from "../../simulator/evaluate/rhythm.ts";
import { eventFigures, scoreEvents } from "../../simulator/evaluate/rhythm-events.ts";
import { areaUnderCurve } from "../../simulator/evaluate/roc.ts";
import { createRandom } from "../../simulator/random.ts";
import { beats, ecg, every, silent, threshold } from "./evaluate-support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-rhythm-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Beats of a regular rhythm of 0.8 s, with 0.4 to 1.2 s at random within stretches. */
function rhythm(seconds: number, irregular: readonly (readonly [number, number])[]): number[] {
  const random = createRandom("rhythm");
  const times: number[] = [];
  for (let time = 0.5; time < seconds - 1; ) {
    times.push(time);
    const at = time;
    time += irregular.some(([from, to]) => at >= from && at < to) ? 0.4 + 0.8 * random.uniform() : 0.8;
  }
  return times;
}
const change = (time: number, rate: number, aux: string): AnnotationInput => ({
  sample: Math.round(time * rate),
  symbol: "+",
  aux: `${aux}\0`,
});
const truth = (beats: readonly number[], excluded: readonly (readonly [number, number])[] = []) => ({
  beats,
  excluded,
});
/** A rate, or null, shown every second. */
const showing = (seconds: number, rate: (time: number) => number | null) =>
  every(1, 1, seconds).map((time) => ({ time, rate: rate(time), quality: null }));

test("the area under the ROC curve is the share of pairs in the right order, ties half", () => {
  const value = fc.integer({ min: 0, max: 9 });
  const values = fc.array(value, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(values, values, (above, below) => {
      let pairs = 0;
      for (const a of above) for (const b of below) pairs += a > b ? 1 : a === b ? 0.5 : 0;
      expect(areaUnderCurve(above, below)).toBeCloseTo(pairs / (above.length * below.length), 12);
    }),
  );
  expect(areaUnderCurve([0.9, 1], [0.1])).toBe(1);
  expect([areaUnderCurve([], [1]), areaUnderCurve([1], [])]).toEqual([null, null]);
});

describe("atrial fibrillation, window by window", () => {
  test("a rhythm lasts from its annotation to the next one, the last to the end", () => {
    const notes = [
      { time: 1, symbol: "+", aux: "(N\0" },
      { time: 5, symbol: "+", aux: "(AFIB\0" },
      { time: 6, symbol: "N", aux: "" },
      { time: 9, symbol: "+", aux: "(AFL" },
      { time: 12, symbol: "+", aux: "(AFIB" },
      { time: 40, symbol: "+", aux: "(AFIB" },
    ];
    expect(stretchesOf(notes, "(AFIB", 30)).toEqual([
      [5, 9],
      [12, 30],
    ]);
  });

  test("a window counts as fibrillation where more than half of its time is", () => {
    const times = every(0, 1, 400);
    const readings = fibrillationReadings(times, [[200, 400]]);
    expect(readings.other.length + readings.fibrillation.length).toBe(400 - 129);
    // the window that ends at beat k spans k - 129 to k
    expect(readings.fibrillation.length).toBe(399 - 264);
    const figures = fibrillationFigures([readings]);
    expect(figures).toEqual({ auc: 0.5, se: 0, sp: 100, windows: 271, fibrillation: 135 });
  });

  test("figures are null where there is nothing to count", () => {
    expect(fibrillationFigures([])).toEqual({ auc: null, se: null, sp: null, windows: 0, fibrillation: 0 });
  });
});

describe("heart rate over ten seconds", () => {
  test("is right from own beats that are right, and counts every second from the tenth on", () => {
    const times = every(0.1, 0.5, 119);
    const shown = showing(60, (time) => (time < 20 ? null : 121));
    const seconds = rateSeconds(times, shown, truth(times), 60);
    expect(seconds.map(({ time }) => time)).toEqual(every(10, 1, 51));
    expect(seconds[20]!.reference).toBeCloseTo(120, 9);
    expect(rateFigures(seconds, "own")).toEqual({ mae: 0, coverage: 100, seconds: 51 });
    expect(rateFigures(seconds, "shown")).toEqual({ mae: 1, coverage: 80.392, seconds: 51 });
  });

  test("a missed beat is an error in the ten seconds around it, and nowhere else", () => {
    const times = every(0.5, 1, 60);
    const own = times.filter((time) => time !== 30.5);
    const seconds = rateSeconds(
      own,
      showing(59, () => null),
      truth(times),
      59,
    );
    const wrong = seconds.filter(({ own, reference }) => Math.abs(own! - reference) > 1e-9);
    expect(wrong.map(({ time }) => time)).toEqual(every(32, 1, 8));
    expect(wrong[5]!.own).toBeCloseTo((60 * 8) / 9, 9);
  });

  test("seconds in ventricular flutter, and ten after it, do not count; without own beats there is no coverage", () => {
    const times = every(0.5, 1, 60);
    const shown = showing(60, () => null);
    const seconds = rateSeconds([], shown, truth(times, [[20.2, 25.7]]), 60);
    expect(seconds.map(({ time }) => time)).toEqual([...every(10, 1, 11), ...every(36, 1, 25)]);
    expect(rateFigures(seconds, "own")).toEqual({ mae: null, coverage: 0, seconds: 36 });
    expect(rateFigures([], "shown")).toEqual({ mae: null, coverage: null, seconds: 0 });
  });
});

describe("pauses, bradycardia and tachycardia", () => {
  const second = (time: number, reference: number, own: number | null) => ({ time, reference, own, shown: null });

  test("a pause is the reference's where they share more than half of the longer one", () => {
    const beats = [0, 1, 4, 5, 9, 10, 20, 23, 24];
    const pause = (onset: number, end: number) => ({ state: RHYTHM_PAUSE, onset, end });
    const episodes = [
      pause(1.1, 4),
      pause(5, 7),
      pause(5, 9),
      pause(12, 17),
      { state: RHYTHM_BRADYCARDIA, onset: 20, end: 23 },
    ];
    const flutter = [[11, 18]] as const;
    // of 1..4, 5..9, 20..23 the third is missed; 5..7 is false; what touches flutter does not count
    expect(scoreEvents([], episodes, { beats, excluded: flutter }, 100).pause).toEqual({
      beats: 3,
      tp: 2,
      fn: 1,
      fp: 1,
    });
    expect(scoreEvents([], episodes, { beats, excluded: flutter }, 22).pause).toEqual({
      beats: 2,
      tp: 2,
      fn: 0,
      fp: 1,
    });
  });

  test("seconds are scored by own beats and by the state that is on, which may last a little beyond its limit", () => {
    const seconds = [
      second(10, 49, 51),
      second(11, 49, 49),
      second(12, 51, 49),
      second(13, 53, null),
      second(14, 100, 101),
      second(15, 101, 102),
    ];
    const episodes = [
      { state: RHYTHM_BRADYCARDIA, onset: 10.5, end: 13.5 },
      { state: RHYTHM_TACHYCARDIA, onset: 12.5, end: 14.5 },
    ];
    const { bradycardia, tachycardia } = scoreEvents(seconds, episodes, truth([]), 100);
    expect(bradycardia.beats).toEqual({ beats: 2, tp: 1, fn: 1, fp: 1 });
    expect(bradycardia.shown).toEqual({ beats: 2, tp: 1, fn: 1, fp: 1 });
    expect(tachycardia.beats).toEqual({ beats: 1, tp: 1, fn: 0, fp: 1 });
    expect(tachycardia.shown).toEqual({ beats: 1, tp: 0, fn: 1, fp: 1 });
    expect(eventFigures([scoreEvents(seconds, episodes, truth([]), 100)])).toMatchObject({
      pause: { se: null, ppv: null, reference: 0 },
      bradycardia: { beats: { se: 50, ppv: 50, reference: 2 } },
    });
  });
});

describe("signal quality", () => {
  test("a beat that is found on the other side of a window's edge is no error on either side", () => {
    const times = every(1.02, 1, 60);
    const own = times.map((time) => time - 0.04);
    const shown = showing(60, () => null).map((one) => ({ ...one, quality: 50 }));
    const windows = qualityWindows(own, shown, truth(times), 60);
    expect(windows.map(({ score }) => [score.fn, score.fp])).toEqual(windows.map(() => [0, 0]));
    expect(windows).toHaveLength(5);
  });

  test("windows of 10 s are held against whether a beat in them is wrong", () => {
    const times = every(0.5, 1, 60);
    const own = times.filter((time) => time !== 15.5);
    // told a second after the window: bad for the second one, middling for the fourth
    const shown = showing(60, () => null).map((one) => ({
      ...one,
      quality: one.time < 11 ? null : one.time < 21 ? 95 : one.time < 31 ? 10 : one.time < 41 ? 80 : 49,
    }));
    const windows = qualityWindows(own, shown, truth(times), 60);
    expect(windows.map(({ quality, score }) => [quality, score.fn])).toEqual([
      [95, 0],
      [10, 1],
      [80, 0],
      [49, 0],
      [49, 0],
    ]);
    expect(qualityFigures(windows)).toEqual({
      auc: 1,
      windows: 5,
      wrong: 1,
      good: 40,
      der: 2,
      derWhereGood: 0,
    });
    expect(qualityWindows(own, shown, truth(times, [[12, 13]]), 60)).toHaveLength(4);
    expect(qualityFigures([])).toEqual({ auc: null, windows: 0, wrong: 0, good: null, der: null, derWhereGood: null });
  });
});

test("the heart that ships shows the rate every second, and tells the states of a rhythm", async () => {
  const times = [...every(0.5, 0.8, 50), ...every(46, 0.8, 30)];
  const { samples } = ecg(times, 250, 70);
  const ours = { name: "a", rate: 250, microvoltsPerCount: 1, samples: samples.map((value) => value - 100) };
  const log = await observeHeart(ours, 250);
  expect(log.seconds.map(({ time }) => time)).toEqual(every(1, 1, 70));
  expect(log.seconds[30]!.rate).toBeCloseTo(75, 0);
  expect(log.seconds[30]!.quality).toBeGreaterThan(50);
  const pauses = log.episodes.filter(({ state }) => state === RHYTHM_PAUSE);
  expect(pauses).toHaveLength(1);
  expect(pauses[0]!.onset).toBeCloseTo(39.7, 1);
  expect(pauses[0]!.end).toBeCloseTo(46, 1);
});

describe("evaluate rhythm", () => {
  const seconds = 600;
  const write = (name: string, irregular: readonly (readonly [number, number])[]) => {
    const times = rhythm(seconds, irregular);
    const notes = [
      change(0, 250, "(N"),
      ...irregular.flatMap(([from, to]) => [change(from, 250, "(AFIB"), change(to, 250, "(N")]),
    ];
    const all = [...beats(times, 250), ...notes].toSorted((a, b) => a.sample - b.sample);
    writeRecordSync(folder, { name, rate: 250, signals: [ecg(times, 250, seconds)] }, all);
  };

  test("tells irregular from regular by own beats and by the reference's, and says on how much", async () => {
    write("a", []);
    write("b", [[200, 450]]);
    const peers = [{ name: "same", source: "ours", factory: threshold }];
    const document = await evaluateRhythm({ dataFolder: folder, detectorFactory: threshold, peers });
    const { auc, se, sp, windows, fibrillation } = document;
    expect(document.peers).toEqual([{ name: "same", source: "ours", auc, se, sp, windows, fibrillation }]);
    expect(document.auc).toBeGreaterThan(0.99);
    expect(document.se).toBeGreaterThan(60);
    expect(document.sp).toBeGreaterThan(90);
    expect(document.windows).toBeGreaterThan(1000);
    expect(document.reference.windows).toBe(document.windows);
    expect(document.annotated).toEqual({ records: 1, episodes: 1, seconds: 250 });
    expect(document.records.map(({ record, episodes }) => [record, episodes])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
    expect(document.records[0]?.fibrillation).toMatchObject({ auc: null, se: null, sp: 100 });
    expect(document.heartRate.beats).toMatchObject({ mae: expect.closeTo(0, 1), coverage: 100 });
  });

  test("a detector that finds nothing has no windows, while the reference has", async () => {
    write("a", []);
    const document = await evaluateRhythm({ dataFolder: folder, detectorFactory: silent });
    expect(document).toMatchObject({ auc: null, se: null, sp: null, windows: 0 });
    expect(document.reference.windows).toBeGreaterThan(500);
    expect(document).not.toHaveProperty("peers");
    expect(document.heartRate.beats).toMatchObject({ mae: null, coverage: 0 });
  });

  test("records are left out as they are for beats", async () => {
    write("a", []);
    write("b", []);
    writeRecordSync(folder, { name: "bare", rate: 250, signals: [ecg([], 250, 5)] });
    const { skipped } = await evaluateRhythm({ dataFolder: folder, detectorFactory: silent });
    expect(skipped).toEqual([{ record: "bare", reason: "no reference beats (bare.atr)" }]);
    await expect(evaluateRhythm({ dataFolder: folder, lead: 2, detectorFactory: silent })).rejects.toThrow(
      "no signal 2",
    );
  });
});
