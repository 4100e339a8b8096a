import { describe, expect, test } from "vitest";
import { type SyntheticFamily, syntheticChecks } from "../../../simulator/evaluate/synthetic.ts";

/**
 * Required, and not shown today: condition and reason. A check that begins to pass must leave this table, and only the
 * reason why the chain cannot do it lets one in.
 */
const known: Partial<Record<SyntheticFamily, Record<string, string>>> = {
  rates: {
    "300/min, QRS 1 mV, 40 to 100 ms":
      "70 ms: humps run into each other, and every second or third is a beat: shown as 126 to 160",
    "400/min, QRS 1 mV, 40 to 100 ms": "70 and 100 ms: the same, shown as 178 to 267",
  },
  sizes: {
    "70 ms to 120 ms, 0.15 to 0.3 mV; 30 to 250/min": "0.15 mV of 120 ms at 250/min is below the detector's floor",
    "40 ms to 60 ms, 0.15 to 0.3 mV; 30 to 250/min": "0.15 mV of 40 ms is below the detector's floor",
    "20 ms to 30 ms, 0.15 to 0.3 mV; 30 to 250/min":
      "below the detector's floor once the converter's filter is through with it",
    "150 ms, 0.15 to 5 mV; 250/min": "near a sine: some beats seen, some not, shown as 166 to 222",
  },
  tallT: {
    "Gaussians: R 1 mV with Q and S, T 1.2 mV; 80/min": "T's slope against R's is above the detector's half",
  },
  disturbances: {
    "sine of 4 mVpp, 0.5 hz, no beat": "a slope of 6 mV/s gets above the floor",
    "triangle of 4 mVpp, 0.5 hz; QRS 0.5 mV, 70 to 120 ms, 80/min":
      "its corners and slope cost beats: shown as 53 at times",
    "sawtooth of 4 mVpp, 0.5 hz; QRS 0.5 mV, 70 to 120 ms, 80/min":
      "some of its steps are taken for beats: shown as 89 at times",
    "sawtooth of 4 mVpp, 0.3 hz, no beat": "without any beat its steps are taken for beats",
    "sawtooth of 4 mVpp, 0.5 hz, no beat": "without any beat its steps are taken for beats",
  },
  tachycardias: {
    "near a sine, 206/min, 1 mVpp, half and double of it":
      "waves without a level between them: some missed, shown as 103 at times",
    "near a sine, 195/min, 2 mVpp, half and double of it": "at times half waves are counted: shown as 224",
    "near a sine, 270/min, 1 mVpp, half and double of it": "as at 206, shown as 60 to 270",
  },
  fibrillations: Object.fromEntries(
    [
      "3.5 hz (+-0.8 hz), 0.5",
      "4 hz (+-0.6 hz), 0.4",
      "5 hz (+-1 hz), 0.3",
      "6 hz (+-1 hz), 0.2",
      "5 hz (+-1 hz), 0.1",
    ].flatMap((noise) =>
      ["", ", after 20 s of 80/min"].map((after) => [
        `noise about ${noise} mV RMS${after}`,
        "some waves are taken for beats, others not: nothing tells it from a rhythm",
      ]),
    ),
  ),
  pacemakers: Object.fromEntries(
    [
      ...[2, 5, 20, 100, 700].flatMap((height) =>
        ["no beat", "over a rhythm of 30/min"].map((over) => `+-${height} mV, 0.1 to 2 ms, 70.3/min, ${over}`),
      ),
      "+-2 and +-700 mV, 0.5 and 2 ms, 150 ms apart, 70.3/min, no beat",
      "+-2 and +-700 mV, 0.5 and 2 ms, 250 ms apart, 70.3/min, no beat",
      "+-2 and +-700 mV, 0.5 and 2 ms, 250 ms apart, 70.3/min, the second 60 ms before the R of every beat, QRS 1 mV 100 ms",
    ].map((condition) => [
      condition,
      "the converter's filter makes a wave of the pulse, and the detector a beat of that",
    ]),
  ),
};

const all: SyntheticFamily[] = [
  "rates",
  "sizes",
  "tallT",
  "disturbances",
  "changes",
  "irregular",
  "tachycardias",
  "fibrillations",
  "pacemakers",
];

describe("synthetic checks of the heart rate, after EC13 and IEC 60601-2-27", () => {
  test.each(all)("%s: all that is required is shown, but for what is known and said", (family) => {
    const failing = syntheticChecks({ only: [family] }).filter(({ pass }) => pass === false);
    const shown = Object.fromEntries(failing.map((row) => [row.condition, row.shown]));
    expect(Object.keys(shown).toSorted(), JSON.stringify(shown, null, 2)).toEqual(
      Object.keys(known[family] ?? {}).toSorted(),
    );
  });

  test("no row shows null without a flag, or a number beside what is required of it", () => {
    const rows = syntheticChecks({ only: ["rates", "irregular", "changes"], rates: [128] });
    expect(rows.length).toBeGreaterThan(20);
    for (const { check, condition, required, shown } of rows) {
      expect([check, condition, required, shown].every((text) => text !== "")).toBe(true);
      expect(shown).not.toContain("no flag");
    }
  });

  test("the table is the same at every call", () => {
    const options = { only: ["tachycardias", "disturbances"], rates: [128] } as const;
    expect(syntheticChecks(options)).toEqual(syntheticChecks(options));
  });

  test("a rate of sampling that the chain does not take is refused", () => {
    expect(() => syntheticChecks({ only: ["tallT"], rates: [100] })).toThrow("of 100 hz");
  });
});
