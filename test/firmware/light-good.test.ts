/** What is told of a finger's light as good while or after it cannot be: FAULTS.md, lines 1 and 14. */
import { expect, test } from "vitest";
import { type Judged, judge } from "./judged.ts";

const chip = "max30102";
const LIGHT = ["pulseRate", "spo2", "perfusionIndex"];

/** Of the light: what was told as good and is wrong. */
const falseGood = ({ values }: Judged) =>
  values.filter(({ name, good, wrong }) => LIGHT.includes(name) && good && wrong);

test("of swapped lights there is no perfusion index, for infrared's is not there", () => {
  // R below 0.5: what is red is less than half as high
  for (const person of [1, 6, 10]) {
    const judged = judge(5, person, 34, [{ kind: "swapped-leds", chip, at: 13, for: 100 }]);
    expect(falseGood(judged), `person ${person}`).toEqual([]);
    const later = judged.values.filter(({ name, at }) => name === "perfusionIndex" && at > 20);
    expect(later.length).toBeGreaterThan(10);
    for (const { value } of later) expect(value).toBe(null);
    const rates = judged.values.filter(({ name, at }) => name === "pulseRate" && at > 20);
    for (const { good, wrong } of rates) expect([good, wrong]).toEqual([true, false]);
  }
});

test("nothing is told of a chip whose last samples were stuck once nobody hears it", () => {
  for (const gone of [16, 16.5, 17, 18, 20]) {
    const judged = judge(5, 2, 32, [
      { kind: "stuck-value", chip, at: 14.6, for: 20 },
      { kind: "nack", chip, at: gone, for: 6 },
    ]);
    const told = judged.values.filter(({ name, good, at }) => LIGHT.includes(name) && good && at > 17.6);
    expect(told, `${gone} s`).toEqual([]);
  }
});
