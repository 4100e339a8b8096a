import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PULSE_NUMBERS } from "../../firmware/dsp/pulse.ts";
import { FEATURES, GOOD_PULSE, PULSE_QUALITY_WEIGHTS } from "../../firmware/dsp/pulse-quality.ts";
import { pulseLessons } from "../../tools/pulse-lessons.ts";

const tuned = JSON.parse(readFileSync(new URL("../../tools/tuned-pulse.json", import.meta.url), "utf8"));

test("what ships is what tools/tune-pulse.ts found on all recordings", () => {
  expect(tuned.numbers).toEqual(PULSE_NUMBERS);
  expect(tuned.weights).toEqual(PULSE_QUALITY_WEIGHTS);
  expect(tuned.weights).toHaveLength(FEATURES);
  expect(tuned.gate).toBe(GOOD_PULSE);
});

test("held out by recording: F1 98.8 % and the rate within 0.31/min in 95 % of the time", () => {
  expect(tuned.folds).toHaveLength(4);
  const records = tuned.folds.flatMap((fold: { records: string[] }) => fold.records);
  expect([records.length, new Set(records).size]).toEqual([26, 26]);
  expect(tuned.heldOut.f1).toBeGreaterThan(98.8);
  expect(tuned.heldOut.mae).toBeLessThan(0.31);
  expect(tuned.heldOut.coverage).toBeGreaterThan(95);
});

test("lessons are the same at every run, named apart, and hold their beats", () => {
  const [one, other] = [pulseLessons(), pulseLessons()];
  expect(one).toEqual(other);
  expect(new Set(one.map(({ recording }) => recording.name)).size).toBe(one.length);
  for (const { recording, reference } of one) {
    expect(recording.light.length).toBe(44 * recording.rate);
    expect(reference.beats.length).toBeGreaterThan(10);
    expect(reference.excluded).toHaveLength(1);
  }
});
