/** A synthetic fall of SpO2: how late, how well, and how much of it an oximeter shows. */
import type { Spo2Condition } from "./spo2-light.ts";
import { createTally, rounded } from "./spo2-meter.ts";

/** Of every run this does not count, s: the oximeter settles. */
export const SETTLING = 10;
/** A fall of SpO2 and its return: percent over time, s. */
export const RAMP = { from: 30, fall: 60, recovery: 30, high: 97, low: 82, seconds: 160 } as const;

export function rampAt(time: number): number {
  const { from, fall, recovery, high, low } = RAMP;
  const since = time - from;
  if (since <= 0 || since >= fall + recovery) return high;
  const part = since < fall ? since / fall : (fall + recovery - since) / recovery;
  return high - (high - low) * part;
}

export interface DesaturationRow {
  readonly condition: Spo2Condition;
  readonly perfusionIndex: number;
  /** By how much what is shown fits the truth best when the truth is as much later, s (0 to 30 in halves); null: nothing shown. */
  readonly delay: number | null;
  /** Root mean square of the error at that delay, and without one, over all of the curve, SpO2 points. */
  readonly rms: number | null;
  readonly rmsAtOnce: number | null;
  /** Seconds with a value, percent, and the longest time without one, s, from the begin of the fall to the end of the recovery. */
  readonly shown: number;
  readonly longestBlank: number;
  /** From the true SpO2 below 90 until one below 90 is shown, s, the longest of all runs; null: in one it never was. */
  readonly below90: number | null;
}

/** What was shown at the end of each second, run by run. */
export interface Course {
  readonly condition: Spo2Condition;
  readonly perfusionIndex: number;
  readonly runs: (readonly (number | null)[])[];
}

/** Longest delay that is tried, s, in steps of a half. */
const LONGEST_DELAY = 30;

export function desaturationOf({ condition, perfusionIndex, runs }: Course): DesaturationRow {
  const about = { condition, perfusionIndex };
  const rmsAt = (delay: number): number | null => {
    let squares = 0;
    let count = 0;
    for (const run of runs) {
      for (let second = SETTLING; second < run.length; second++) {
        const value = run[second]!;
        if (value === null) continue;
        squares += (value - rampAt(second + 1 - delay)) ** 2;
        count++;
      }
    }
    return count === 0 ? null : Math.sqrt(squares / count);
  };
  let delay = 0;
  let rms = rmsAt(0);
  const rmsAtOnce = rms;
  for (let tried = 0.5; rms !== null && tried <= LONGEST_DELAY; tried += 0.5) {
    const other = rmsAt(tried)!;
    if (other >= rms) continue;
    rms = other;
    delay = tried;
  }
  const tally = createTally();
  const waits = runs.map((run) => {
    tally.cut();
    const during = run.slice(RAMP.from, RAMP.from + RAMP.fall + RAMP.recovery);
    for (const value of during) tally.add(value === null ? null : 0);
    const trulyBelow = RAMP.from + (RAMP.fall * (RAMP.high - 90)) / (RAMP.high - RAMP.low);
    const second = run.findIndex((value, at) => at + 1 > trulyBelow && value !== null && value < 90);
    return second < 0 ? null : second + 1 - trulyBelow;
  });
  const { shown, longestBlank } = tally.figures();
  return {
    ...about,
    delay: rms === null ? null : delay,
    rms: rms === null ? null : rounded(rms),
    rmsAtOnce: rmsAtOnce === null ? null : rounded(rmsAtOnce),
    shown,
    longestBlank,
    below90: waits.some((wait) => wait === null) ? null : rounded(Math.max(...(waits as number[]))),
  };
}
