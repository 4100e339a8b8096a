/** Noise, motion, LEDs taken for each other: what a board says of a person it cannot measure. FAULTS.md, lines 1, 2, 4, 6 and 7. */
import { describe, expect, test } from "vitest";
import { FLAG_MOTION } from "../../drivers/driver.ts";
import type { FaultEntry } from "../../simulator/faults.ts";
import { createRandom } from "../../simulator/random.ts";
import { ECG, INFRARED, RED } from "./commanded.ts";
import { judge } from "./judged.ts";

const PEOPLE = 6;
const SECONDS = 40;

/** Bursts of 2 to 20 s with pauses, the first at 15 s; `strength` 0.3 to 3. */
function bursts(person: number, make: (at: number, lasts: number, strength: number) => FaultEntry): FaultEntry[] {
  const random = createRandom(`bursts ${person}`);
  const plan: FaultEntry[] = [];
  for (let at = 15; at < SECONDS - 10; ) {
    const lasts = 2 + 18 * random.uniform();
    plan.push(make(at, lasts, 0.3 * 10 ** random.uniform()));
    at += lasts + 12;
  }
  return plan;
}

const troubles: Record<string, (at: number, lasts: number, strength: number) => FaultEntry> = {
  "noise at the electrodes": (at, lasts, strength) => ({
    kind: "noise-burst",
    chip: "max30003",
    at,
    for: lasts,
    amplitude: 0.001 * strength,
  }),
  "noise in the light": (at, lasts, strength) => ({
    kind: "noise-burst",
    chip: "max30102",
    at,
    for: lasts,
    amplitude: 20 * strength,
  }),
  "a finger that moves": (at, lasts, strength) => ({
    kind: "motion",
    chip: "max30102",
    at,
    for: lasts,
    amplitude: 3 * strength,
  }),
  "swapped LEDs": (at, lasts) => ({ kind: "swapped-leds", chip: "max30102", at, for: lasts }),
  "a converter that hangs": (at, lasts) => ({ kind: "stuck-value", chip: "max30003", at, for: lasts }),
  "a noisy thermometer": (at, lasts, strength) => ({
    kind: "noise-burst",
    chip: "tmp117",
    at,
    for: lasts,
    amplitude: 2 * strength,
  }),
};

describe(`of ${PEOPLE} people, no value is good and wrong with`, () => {
  test.each(Object.keys(troubles))("%s, while it lasts and afterwards", { timeout: 120_000 }, (name) => {
    let good = 0;
    for (let person = 0; person < PEOPLE; person++) {
      const { values } = judge(5, person, SECONDS, bursts(person, troubles[name]!));
      const false_ = values.filter((one) => one.good && one.wrong);
      expect(false_, `person ${person}`).toEqual([]);
      good += values.filter((one) => one.good).length;
    }
    // and that is not so because nothing is good
    expect(good).toBeGreaterThan((PEOPLE * SECONDS) / 2);
  });
});

test("a naive reader counts noise as beats; ours flags the rate and the samples within a second and has no intervals of it", () => {
  const { values, waves } = judge(5, 1, 50, [
    { kind: "noise-burst", chip: "max30003", at: 20, for: 10, amplitude: 0.002 },
  ]);
  const rates = values.filter(({ name, at }) => name === "heartRate" && at > 21.5 && at < 30);
  expect(rates.length).toBeGreaterThan(7);
  for (const { value, flags } of rates) if (value !== null) expect(flags & FLAG_MOTION).toBe(FLAG_MOTION);
  const flagged = waves.filter(({ id, flags }) => id === ECG && (flags & FLAG_MOTION) !== 0);
  expect(flagged[0]!.from).toBeGreaterThan(20);
  expect(flagged[0]!.from).toBeLessThan(21);
  expect(flagged.at(-1)!.to).toBeGreaterThan(29.5);
  expect(flagged.at(-1)!.to).toBeLessThan(31);
});

test("motion stands in the blocks of both lights, from the second beat that is no pulse on", () => {
  const { waves } = judge(5, 1, 50, [{ kind: "motion", chip: "max30102", at: 20, for: 10, amplitude: 8 }]);
  for (const id of [RED, INFRARED]) {
    const flagged = waves.filter((wave) => wave.id === id && (wave.flags & FLAG_MOTION) !== 0);
    expect(flagged[0]!.from).toBeGreaterThan(20);
    expect(flagged[0]!.from).toBeLessThan(23);
    expect(flagged.some(({ from, to }) => from < 29 && to > 25)).toBe(true);
  }
});
