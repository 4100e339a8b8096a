/** An ECG converter at its end: soak findings of the fault catalogue's "saturation" and of short "lead-off". */
import { expect, test } from "vitest";
import { FLAG_SATURATED, FLAG_SETTLING } from "../../drivers/driver.ts";
import { RHYTHM_ASYSTOLE } from "../../firmware/dsp/rhythm.ts";
import { disturb, isFalseInterval, isFalseRate, type Person } from "./disturbed.ts";

/** An input out of range, V. */
const FAR = 0.1;
/** From the end of it to a rate, s: four of signal, then a reading. */
const BACK = 6;

const people: Person[] = [128, 256].flatMap((rate) => [3, 4, 5].map((seed) => ({ seed, rate, seconds: 70 })));

test.each([
  ["for 0.4 s", 30, 30.4, () => true],
  ["for 1.6 s", 30, 31.6, () => true],
  ["for 8 s", 30, 38, () => true],
  [
    "for 50 ms ten times a second, too short for a comparator of electrodes",
    20,
    40,
    (time: number) => (time * 10) % 1 < 0.5,
  ],
  ["for 20 ms four times a second", 20, 40, (time: number) => (time * 4) % 1 < 0.08],
])("%s: null meanwhile, no asystole, and a true rate within 6 s of its end", (_what, from, to, on) => {
  for (const person of people) {
    const { beats, rates, intervals, states } = disturb(person, (time, volts) =>
      time >= from && time < to && on(time) ? FAR : volts,
    );
    const meanwhile = rates.filter(({ at }) => at > from && at <= to);
    for (const { value, flags } of meanwhile) {
      expect(value).toBeNull();
      expect([FLAG_SETTLING, FLAG_SATURATED]).toContain(flags);
    }
    expect(states).not.toContain(RHYTHM_ASYSTOLE);
    expect(rates.filter((one) => isFalseRate(one, beats))).toEqual([]);
    expect(intervals.filter(({ at }) => at > 5).filter((one) => isFalseInterval(one, beats))).toEqual([]);
    const later = rates.filter(({ at }) => at > to + BACK);
    expect(later.length).toBeGreaterThan(20);
    for (const { value, flags } of later) expect([value === null, flags]).toEqual([false, 0]);
  }
});

test("a QRS whose top is beyond a narrow range is a beat as any: gain 160, 6.25 mV", () => {
  const { beats, rates, intervals } = disturb({ seed: 3, seconds: 40, gain: 160 }, (_, volts) => volts + 5.4e-3);
  expect(rates.filter(({ at }) => at > BACK).every(({ value, flags }) => value !== null && flags === 0)).toBe(true);
  expect(rates.filter((one) => isFalseRate(one, beats))).toEqual([]);
  expect(intervals.length).toBeGreaterThan(beats.length - 8);
});
