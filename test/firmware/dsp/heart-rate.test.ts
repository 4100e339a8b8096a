import fc from "fast-check";
import { expect, test } from "vitest";
import { FLAG_MOTION, FLAG_SATURATED, FLAG_SETTLING } from "../../../drivers/driver.ts";
import { createHeartRateMeter, type Rate } from "../../../firmware/dsp/heart-rate.ts";

/** The rate at `now` after beats, all in ms. */
function rateOf(beats: readonly number[], now = beats.at(-1) ?? 0): Rate {
  const meter = createHeartRateMeter(1000);
  for (const beat of beats) meter.beat(beat);
  const rate: Rate = { value: -1, flags: -1 };
  meter.read(now, rate);
  return rate;
}

const steady = (interval: number, count: number) => Array.from({ length: count }, (_, k) => 5000 + k * interval);
const settling = { value: null, flags: FLAG_SETTLING };

test("before three intervals there is no rate", () => {
  for (const count of [0, 1, 2, 3]) expect(rateOf(steady(800, count))).toEqual(settling);
  expect(rateOf(steady(800, 4))).toEqual({ value: 75, flags: 0 });
});

test("every steady rate from 15 to 300 a minute is shown as it is, in any unit of time", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 15.001, max: 299.999, noNaN: true }),
      fc.constantFrom(1, 50, 128, 1000, 1e6),
      (bpm, perSecond) => {
        const meter = createHeartRateMeter(perSecond);
        const rate: Rate = { value: null, flags: -1 };
        for (let k = 0; k < 12; k++) {
          meter.beat((k * 60 * perSecond) / bpm);
          meter.read(((k + 0.9) * 60 * perSecond) / bpm, rate);
          if (k >= 3) expect(rate.value).toBeCloseTo(bpm, 6);
          else expect(rate).toEqual(settling);
        }
      },
    ),
  );
});

test("a rate outside 15 to 300 is null and flagged, never a lower or a clamped number", () => {
  for (const interval of [199, 150, 100, 20])
    expect(rateOf(steady(interval, 20))).toEqual({ value: null, flags: FLAG_SATURATED });
  for (const interval of [4010, 5000])
    expect(rateOf(steady(interval, 20))).toEqual({ value: null, flags: FLAG_SATURATED });
  expect(rateOf(steady(200, 20)).value).toBe(300);
  expect(rateOf(steady(4000, 20)).value).toBe(15);
});

test("a missed beat does not move it; a false one makes it higher, by less than an eighth", () => {
  const beats = steady(800, 9);
  expect(rateOf(beats.filter((_, k) => k !== 5)).value).toBeCloseTo(75, 9);
  for (let after = 100; after <= 700; after += 20) {
    const { value } = rateOf([...beats.slice(0, 5), beats[4]! + after, ...beats.slice(5)]);
    expect(value!).toBeGreaterThan(74.9);
    expect(value!).toBeLessThan(after > 300 && after < 500 ? 84.5 : 80);
  }
});

test("it is the rate of the mean interval, without those far from the mean of the middle half", () => {
  expect(rateOf([0, 900, 1900, 3000, 4200]).value).toBeCloseTo(60 / 1.05, 9);
  expect(rateOf([0, 1000, 2100, 3300]).value).toBeCloseTo(60 / 1.1, 9);
  // the middle half of 5 intervals: 0.75 x 0.9, 1.0, 0.75 x 1.1 s; 1.85 is too long, 1.75 is not
  expect(rateOf([0, 800, 1700, 2700, 3800, 5650]).value).toBeCloseTo(60 / 0.95, 9);
  expect(rateOf([0, 800, 1700, 2700, 3800, 5550]).value).toBeCloseTo(60 / 1.11, 9);
  expect(rateOf([0, 390, 1290, 2290, 3390, 4590]).value).toBeCloseTo(60 / 1.05, 9);
  expect(rateOf([0, 410, 1310, 2310, 3410, 4610]).value).toBeCloseTo(60 / 0.922, 9);
});

test("short and long intervals in turns (bigeminy) are shown as the rate that they have, not as that of either", () => {
  for (let count = 8; count < 20; count++) {
    const beats = Array.from({ length: count }, (_, k) => k * 800 - (k % 2) * 150);
    const { value } = rateOf(beats);
    expect(Math.abs(value! - 75)).toBeLessThan(7.5);
  }
});

test("missed beats, as many as one in six, do not make it lower than it is by more than a tenth", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 400, max: 1100 }),
      fc.integer({ min: 6, max: 9 }),
      fc.nat(20),
      (interval, every, from) => {
        const beats = steady(interval, 60).filter((_, k) => (k + from) % every !== 0);
        expect(rateOf(beats).value! * interval).toBeGreaterThan(54_000);
      },
    ),
  );
});

test.each([
  [750, 500],
  [750, 1500],
  [500, 2000],
])("after a change of the interval from %i to %i ms the new rate is shown within 11 s", (before, after) => {
  const beats = steady(before, 20);
  const change = beats.at(-1)!;
  while (beats.at(-1)! < change + 11_000) beats.push(beats.at(-1)! + after);
  beats.pop();
  expect(rateOf(beats).value).toBeCloseTo(60_000 / after, 9);
});

test("intervals that ended more than 10 s ago do not count while there are three newer ones", () => {
  expect(rateOf([0, 500, 1000, 1500, 2000, 5000, 8000, 11_000], 12_100).value).toBe(20);
});

test("three intervals count however long ago the third one ended", () => {
  const beats = [0, 3200, 6800, 10_800];
  expect(rateOf(beats).value).toBeCloseTo(60 / 3.6, 9);
  expect(rateOf(beats, 15_900).value).toBeCloseTo(60 / 3.6, 9);
});

test("asystole is shown within 4 s at 23 to 300 a minute: null from 3 s on, not the last rate", () => {
  for (const interval of [200, 500, 800, 1500, 2000, 2600]) {
    const beats = steady(interval, 12);
    expect(rateOf(beats, beats.at(-1)! + 2900).value).toBeCloseTo(60_000 / interval, 9);
    expect(rateOf(beats, beats.at(-1)! + 4000)).toEqual(settling);
    if (interval <= 2000) expect(rateOf(beats, beats.at(-1)! + 3001)).toEqual(settling);
  }
  const slow = steady(4000, 12);
  expect(rateOf(slow, slow.at(-1)! + 5900).value).toBe(15);
  expect(rateOf(slow, slow.at(-1)! + 6100)).toEqual(settling);
});

test("a pause of less than 4 s interrupts the rate, no longer than it lasts", () => {
  const beats = steady(800, 12);
  const after = beats.at(-1)! + 3600;
  expect(rateOf(beats, after - 1)).toEqual(settling);
  expect(rateOf([...beats, after]).value).toBe(75);
});

test("after a silence nothing from before it counts", () => {
  const beats = steady(500, 12);
  const again = beats.at(-1)! + 5000;
  expect(rateOf([...beats, again, again + 1000, again + 2000])).toEqual(settling);
  expect(rateOf([...beats, again, again + 1000, again + 2000, again + 3000]).value).toBe(60);
});

test("after a reset it is as new", () => {
  const meter = createHeartRateMeter(1000);
  const rate: Rate = { value: -1, flags: -1 };
  for (const beat of steady(500, 12)) meter.beat(beat);
  meter.reset();
  for (const beat of [11_000, 12_000, 13_000]) meter.beat(beat);
  meter.read(13_000, rate);
  expect(rate).toEqual(settling);
  meter.beat(14_000);
  meter.read(14_000, rate);
  expect(rate).toEqual({ value: 60, flags: 0 });
});

test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
  expect(() => createHeartRateMeter(perSecond)).toThrow(`${perSecond} units a second`);
});

test("intervals in doubt are left out of a steady rhythm; where they are many, or it is not steady, the rate says that it may be wrong", () => {
  const follow = (intervals: readonly (readonly [length: number, isDoubtful: boolean])[]): Rate => {
    const meter = createHeartRateMeter(1000);
    const rate: Rate = { value: -1, flags: -1 };
    let at = 0;
    meter.beat(at);
    for (const [length, isDoubtful] of intervals) {
      at += length;
      meter.beat(at, isDoubtful);
    }
    meter.read(at, rate);
    return rate;
  };
  const sure = (count: number, length = 1000) => Array.from({ length: count }, () => [length, false] as const);
  // two beats of noise between two of the heart
  const noise = [[300, true] as const, [400, true] as const, [300, false] as const];
  expect(follow([...sure(4), ...noise, ...sure(3)])).toEqual({ value: 60, flags: 0 });
  expect(follow([...sure(2), ...noise, ...noise, ...noise, ...sure(2)]).flags).toBe(FLAG_MOTION);
  expect(follow([[700, false], [1100, false], [900, false], [1200, false], ...noise, ...sure(1)]).flags).toBe(
    FLAG_MOTION,
  );
  // what is in doubt says the same
  expect(follow([...sure(3), [1000, true], [1000, true], [1000, true]])).toEqual({ value: 60, flags: 0 });
  // and of nothing sure nothing is good
  expect(
    follow([
      [1000, true],
      [1000, true],
      [1000, true],
      [1000, true],
    ]),
  ).toEqual({ value: 60, flags: FLAG_MOTION });
  expect(follow([...sure(2), [1000, true]]).flags).toBe(FLAG_MOTION);
});
