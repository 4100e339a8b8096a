import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createQrsDetector } from "../../firmware/dsp/qrs.ts";
import { type AnnotationInput, writeRecordSync } from "../../formats/index.ts";
import { fibrillationFigures, fibrillationReadings, stretchesOf } from "../../simulator/evaluate/fibrillation.ts";
import { rateFigures, rateSeconds } from "../../simulator/evaluate/heart-rate.ts";
import { evaluateRhythm } from "../../simulator/evaluate/rhythm.ts";
import { areaUnderCurve } from "../../simulator/evaluate/roc.ts";
import { createRandom } from "../../simulator/random.ts";
import { dataFolder, lacks } from "../support/needs.ts";
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
const reference = (times: readonly number[], excluded: readonly (readonly [number, number])[] = []) => ({
  path: "",
  beats: times,
  annotations: [],
  excluded,
  until: Number.POSITIVE_INFINITY,
});
const promptly = (times: readonly number[], delay = 0) => ({ times: [...times], delays: times.map(() => delay) });

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
    const seconds = rateSeconds(promptly(times), reference(times), 60);
    expect(seconds.map(({ time }) => time)).toEqual(every(10, 1, 51));
    const beats = rateFigures(seconds, "own");
    expect(beats).toEqual({ mae: 0, coverage: 100, seconds: 51 });
    expect(seconds[20]!.reference).toBeCloseTo(120, 9);
    expect(seconds[20]!.shown).toBeCloseTo(120, 9);
  });

  test("a missed beat is an error in the ten seconds around it, and nowhere else", () => {
    const times = every(0.5, 1, 60);
    const seconds = rateSeconds(promptly(times.filter((time) => time !== 30.5)), reference(times), 59);
    const wrong = seconds.filter(({ own, reference }) => Math.abs(own! - reference) > 1e-9);
    expect(wrong.map(({ time }) => time)).toEqual(every(32, 1, 8));
    expect(wrong[5]!.own).toBeCloseTo((60 * 8) / 9, 9);
  });

  test("the meter shows what was emitted by then, no earlier", () => {
    const times = every(0.5, 1, 60);
    const [prompt, late] = [0, 5000].map((delay) => rateSeconds(promptly(times, delay), reference(times), 60));
    expect(prompt!.every(({ shown }) => shown !== null)).toBe(true);
    expect(late!.every(({ shown }) => shown === null)).toBe(true);
    expect(late!.every(({ own }) => own === 60)).toBe(true);
  });

  test("seconds in ventricular flutter, and ten after it, do not count; without own beats there is no coverage", () => {
    const times = every(0.5, 1, 60);
    const seconds = rateSeconds(promptly([]), reference(times, [[20.2, 25.7]]), 60);
    expect(seconds.map(({ time }) => time)).toEqual([...every(10, 1, 11), ...every(36, 1, 25)]);
    const shown = rateFigures(seconds, "shown");
    expect(shown).toEqual({ mae: null, coverage: 0, seconds: 36 });
  });
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
    const document = await evaluateRhythm({ dataFolder: folder, detectorFactory: threshold });
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
    expect(document.heartRate.shown).toMatchObject({ mae: null, coverage: 0 });
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

describe.skipIf(lacks("recordings"))("rhythm on the MIT-BIH records", () => {
  test("fibrillation by own beats: AUC at least 0.95 over the two records that have it; heart rate within 0.25 a minute", async () => {
    const document = await evaluateRhythm({ dataFolder: `${dataFolder}/mitdb`, detectorFactory: createQrsDetector });
    expect(document.annotated).toEqual({ records: 2, episodes: 24, seconds: 2061 });
    expect(document.auc).toBeGreaterThanOrEqual(0.95);
    expect(document.reference.auc).toBeGreaterThanOrEqual(0.96);
    expect(document.se).toBeGreaterThanOrEqual(94);
    expect(document.sp).toBeGreaterThanOrEqual(88);
    expect(document.heartRate.beats.mae).toBeLessThan(0.25);
  });
});
