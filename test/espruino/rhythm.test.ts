import { describe, expect, test } from "vitest";
import { beatTimes, drawEcg, standardBeat } from "../../simulator/evaluate/synthetic-ecg.ts";
import { createRandom } from "../../simulator/random.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/rhythm.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

const random = createRandom(11);

/** 420 s of a steady rhythm with ectopic beats, a pause, a slow and a fast stretch, then 130 s of fibrillation. */
function beats(): number[] {
  const times: number[] = [];
  for (let at = 500, k = 0; at < 550_000; k++) {
    times.push(at);
    const usual = at < 300_000 ? 830 : at < 360_000 ? 1400 : at < 420_000 ? 500 : 400 + 600 * random.uniform();
    at += Math.round(k === 100 ? 3300 : k % 37 === 36 ? usual * 0.6 : usual + 20 * random.normal());
  }
  return times;
}

/** 12 s of sinus rhythm, 12 s of fibrillation, 12 s at 340 a minute. */
function ecg(): number[] {
  const draw = (bpm: number) =>
    drawEcg({
      rate: 128,
      seconds: 12,
      microvoltsPerCount: 4,
      beats: beatTimes(12, bpm),
      waves: () => standardBeat(1, 0.08),
    });
  const chaos = Array.from({ length: 12 * 128 }, (_, i) => {
    const t = i / 128;
    return Math.round(80 * (Math.sin(29 * t + 2 * Math.sin(2 * t)) + Math.sin(39 * t + Math.sin(3 * t))));
  });
  return [...draw(80), ...chaos, ...draw(340)];
}

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("rate, rhythm, variability, fibrillation, quality, flutter say the same, to the last bit", () => {
    const signals = { beats: beats(), ecg: ecg() };
    const told = runOnNode(program, signals);
    for (const state of [1, 4, 8, 16, 32]) expect(told.some((line) => line.startsWith(`state ${state} `))).toBe(true);
    expect(told.some((line) => /^hrv (?!null)/.test(line))).toBe(true);
    expect(told.some((line) => /^true true false/.test(line))).toBe(true);
    expect(told.some((line) => /^true false true/.test(line))).toBe(true);
    expect(runOnEspruino("rhythm", signals)).toEqual(told);
  });
});
