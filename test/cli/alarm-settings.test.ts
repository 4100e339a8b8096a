import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAlarmSettings } from "../../cli/alarm-settings.ts";
import { UsageError } from "../../cli/usage.ts";
import { ADULT_ALARMS } from "../../firmware/alarms.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settingsOf = (yaml: string) => {
  const file = join(folder, "alarms.yaml");
  writeFileSync(file, yaml);
  return readAlarmSettings(file);
};
const faultOf = (yaml: string): string => {
  try {
    settingsOf(yaml);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  throw new Error("it was taken");
};

test("without a word all is as for an adult; an empty file says no more; off is none", () => {
  expect(readAlarmSettings(undefined)).toBe(ADULT_ALARMS);
  expect(settingsOf("")).toEqual(ADULT_ALARMS);
  expect(readAlarmSettings("off")).toBe(undefined);
});

test("what stands in the file stands above what is for an adult, key by key", () => {
  const settings = settingsOf("spo2: { low: 88, delay: 30, priority: high }\nheartRate: { high: null }\n")!;
  expect(settings.spo2).toEqual({ low: 88, delay: 30, priority: 1, latching: true });
  expect(settings.heartRate).toEqual({ ...ADULT_ALARMS.heartRate, high: null });
  expect(settings.temperature).toEqual(ADULT_ALARMS.temperature);
  expect(settings.rhythm).toEqual(ADULT_ALARMS.rhythm);
});

test("a vital, a rhythm or all rhythms are switched off by that word", () => {
  const settings = settingsOf(
    "pulseRate: off\nrespiration: false\nrhythm: { pause: off, asystole: { latching: false } }\n",
  )!;
  expect("pulseRate" in settings || "respiration" in settings).toBe(false);
  expect(settings.rhythm).toEqual({
    asystole: { priority: 1, latching: false },
    uncountable: ADULT_ALARMS.rhythm!.uncountable,
    fibrillation: ADULT_ALARMS.rhythm!.fibrillation,
  });
  expect("rhythm" in settingsOf("rhythm: off\n")!).toBe(false);
});

test.each([
  ["spo2:\n  low: 40\n", "alarms.yaml:2: spo2.low: low 40 is not 50 to 100; choose another"],
  ["heartRate:\n  delay: 10\n  low: 130\n", "alarms.yaml:3: heartRate.low: low 130 must be below high 120"],
  ["spo2: { delay: 90 }\n", "alarms.yaml:1: spo2.delay: delay 90 is not 0 to 60; choose another"],
  ["spo2: { lower: 90 }\n", 'alarms.yaml:1: there is no setting "lower" here'],
  ["oxygen: { low: 90 }\n", 'alarms.yaml:1: there is no setting "oxygen" here'],
  ["spo2: 90\n", "alarms.yaml:1: spo2: off, or a map such as { low: 90, high: 100, delay: 10 }"],
  ["spo2:\n  priority: urgent\n", "alarms.yaml:2: spo2.priority"],
  [
    "rhythm:\n  asystole: yes\n",
    "alarms.yaml:2: rhythm.asystole: off, or a map such as { priority: high, latching: true }",
  ],
  ["spo2:\n  low: ninety\n", "alarms.yaml:2: spo2.low"],
])("a mistake is told with file, line, key and value: %j", (yaml, fault) => {
  expect(faultOf(yaml)).toContain(fault);
});

test("a file that is not there is named", () => {
  expect(() => readAlarmSettings(join(folder, "none.yaml"))).toThrow(/none\.yaml: no such file/);
});
