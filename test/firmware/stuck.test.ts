/** A chip whose converter hangs, from its registers to what the board sends: FAULTS.md, lines 4, 13 and 14. */
import { describe, expect, test } from "vitest";
import { FLAG_BUS_FAULT } from "../../drivers/driver.ts";
import type { FaultEntry } from "../../simulator/faults.ts";
import { ECG, INFRARED, RED } from "./commanded.ts";
import { judge } from "./judged.ts";

const BEGAN = 20;
const LASTS = 12;
const stuck = (chip: string): FaultEntry => ({ kind: "stuck-value", chip, at: BEGAN, for: LASTS });

describe.each([
  { chip: "max30102", ids: [RED, INFRARED], names: ["pulseRate", "spo2"], others: ["heartRate"] },
  { chip: "max30003", ids: [ECG], names: ["heartRate"], others: ["pulseRate", "spo2"] },
])("a stuck $chip", ({ chip, ids, names, others }) => {
  const { values, waves, faults } = judge(1, 0, 50, [stuck(chip)]);
  const during = (name: string) => values.filter((one) => one.name === name && one.at > 22.4 && one.at < 32);

  test("a naive reader counts on: its last beats are 10 s old before it notices. Ours gives null within 2 s, and says why", () => {
    for (const name of names) {
      const told = during(name);
      expect(told.length).toBeGreaterThan(8);
      for (const { value, flags } of told) expect([value, flags]).toEqual([null, FLAG_BUS_FAULT]);
    }
  });

  test("the samples carry the flag from a second on until the last one that is stuck, and no sample before or after does", () => {
    for (const id of ids) {
      const own = waves.filter((wave) => wave.id === id && wave.from > 5);
      for (const { from, to, flags } of own) {
        if (from > BEGAN + 1.3 && to < BEGAN + LASTS) expect(flags & FLAG_BUS_FAULT, `${from} s`).toBe(FLAG_BUS_FAULT);
        else if (to < BEGAN + 1 || from > BEGAN + LASTS) expect(flags & FLAG_BUS_FAULT, `${from} s`).toBe(0);
      }
    }
  });

  test("one event tells it, in words that fit, and the chip is opened anew once", () => {
    expect(faults).toHaveLength(1);
    expect(faults[0]!.words).toMatch(/^MAX30\d+: (red|infrared|ecg) stuck at \d+; opened anew, else cut power$/);
    expect(faults[0]!.words.length).toBeLessThanOrEqual(64);
    expect(faults[0]!.at).toBeGreaterThan(BEGAN + 1);
    expect(faults[0]!.at).toBeLessThan(BEGAN + 1.5);
    for (const id of ids) {
      const own = waves.filter((wave) => wave.id === id);
      expect(new Set(own.map(({ seg }) => seg)).size).toBe(2);
    }
  });

  test("what the other chips give is as good as ever, and this one's is again within 6 s", () => {
    for (const name of others) for (const { good, wrong } of during(name)) expect([good, wrong]).toEqual([true, false]);
    for (const name of names) {
      const back = values.filter((one) => one.name === name && one.at > BEGAN + LASTS + 6);
      for (const { good, wrong } of back) expect([good, wrong]).toEqual([true, false]);
    }
  });
});

test("without noise nobody is taken for stuck", () => {
  for (let index = 0; index < 6; index++) {
    const { faults, waves } = judge(7, index, 30, [], { noise: false });
    expect(faults).toEqual([]);
    for (const { flags } of waves) expect(flags & FLAG_BUS_FAULT).toBe(0);
  }
});
