import { describe, expect, test } from "vitest";
import { createRandom } from "../../simulator/random.ts";
import { lacks } from "../support/needs.ts";
import { program } from "./programs/alarms.ts";
import { runOnEspruino, runOnNode } from "./run.ts";

/** 600 s of values that stay beyond limits, inside them, or away for a while. */
function readings(): number[][] {
  const random = createRandom(5);
  const runs = (values: readonly number[]) => {
    const all: number[] = [];
    while (all.length < 600) {
      const value = values[Math.floor(random.uniform() * values.length)]!;
      for (let left = 1 + Math.floor(random.uniform() * 25); left > 0; left--) all.push(value);
    }
    return all;
  };
  const spo2 = runs([970, 899, 850, -1]);
  const rate = runs([700, 1230, 450, -1]);
  return spo2.slice(0, 600).map((value, i) => [value, rate[i]!]);
}

describe.skipIf(lacks("espruino"))("in the interpreter, as on Node", () => {
  test("the same values make the same alarms", () => {
    const values = readings();
    const told = runOnNode(program, values);
    for (const words of [
      "SpO2 low",
      "heart rate high",
      "heart rate low",
      "asystole",
      "SpO2 not measured",
      "all alarms",
    ])
      expect(told.some((line) => line.includes(words))).toBe(true);
    expect(told.length).toBeGreaterThan(40);
    expect(runOnEspruino("alarms", values)).toEqual(told);
  });
});
