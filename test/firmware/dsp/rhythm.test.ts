import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHeartRateMeter, type Rate } from "../../../firmware/dsp/heart-rate.ts";
import {
  createRhythmMonitor,
  RHYTHM_ASYSTOLE,
  RHYTHM_BRADYCARDIA,
  RHYTHM_FIBRILLATION,
  RHYTHM_PAUSE,
  RHYTHM_TACHYCARDIA,
  RHYTHM_UNCOUNTABLE,
} from "../../../firmware/dsp/rhythm.ts";
import { lacks } from "../../support/needs.ts";
import { readRecordBeats } from "../../support/reference-beats.ts";

type Told = [state: number, onset: number, end: number | null];

/** Beats (s), known `delay` s later, with the rate that the meter makes of them; looked at four times a second until `until`. */
function follow(beats: readonly number[], until: number, delay = 0): { told: Told[]; states: number[] } {
  const told: Told[] = [];
  const monitor = createRhythmMonitor(1, (...one) => told.push(one));
  const meter = createHeartRateMeter(1);
  const rate: Rate = { value: null, flags: 0 };
  const states: number[] = [];
  let next = 0;
  monitor.begin(0);
  for (let now = 0; now <= until; now += 0.25) {
    for (; next < beats.length && beats[next]! + delay <= now; next++) {
      meter.beat(beats[next]!);
      monitor.beat(beats[next]!);
    }
    meter.read(now, rate);
    monitor.update(now, rate.value, null, false);
    states.push(monitor.state());
  }
  return { told, states };
}
const steady = (interval: number, from: number, to: number) =>
  Array.from({ length: Math.floor((to - from) / interval) + 1 }, (_, k) => from + k * interval);
const of = (told: readonly Told[], state: number) => told.filter((one) => one[0] === state);

test("60 a minute is no state", () => {
  expect(follow(steady(1, 0.5, 60), 60).told).toEqual([]);
});

test("a pause of 3 s and more is told with the beats around it, one of less is not", () => {
  for (const [pause, is] of [
    [2.9, false],
    [3, true],
    [3.4, true],
    [3.9, true],
  ] as const) {
    const { told } = follow([...steady(1, 1, 20), ...steady(1, 20 + pause, 40)], 40, 0.25);
    const expected = is
      ? [
          [RHYTHM_PAUSE, 20, null],
          [RHYTHM_PAUSE, 20, 20 + pause],
        ]
      : [];
    expect(of(told, RHYTHM_PAUSE)).toEqual(expected);
  }
});

test("asystole is told within 4 s of the last beat, counts from it, and ends with the next one", () => {
  for (const interval of [0.25, 0.5, 1, 1.5, 2.2]) {
    const beats = steady(interval, 1, 30);
    const last = beats.at(-1)!;
    const { told, states } = follow([...beats, ...steady(1, 50.125, 60)], 60, 0.25);
    expect(of(told, RHYTHM_ASYSTOLE)).toEqual([
      [RHYTHM_ASYSTOLE, last, null],
      [RHYTHM_ASYSTOLE, last, 50.125],
    ]);
    expect(states[Math.ceil((last + 3.75) * 4)]! & RHYTHM_ASYSTOLE).not.toBe(0);
  }
});

test("intervals of 4 s are slow, not asystole", () => {
  const { told } = follow(steady(4, 1, 80), 80);
  expect(of(told, RHYTHM_ASYSTOLE).filter(([, onset]) => onset > 12)).toEqual([]);
  expect(of(told, RHYTHM_BRADYCARDIA)).toHaveLength(1);
});

test("after intervals of 3 s the next beat is waited for 4.5 s", () => {
  const beats = steady(3, 1, 31);
  const { states } = follow(beats, 40);
  const from = states.findIndex((state, k) => k > 31 * 4 && (state & RHYTHM_ASYSTOLE) !== 0);
  expect(from / 4).toBe(31 + 4.5);
});

test("exactly 50 and exactly 100 a minute are neither slow nor fast", () => {
  const told: Told[] = [];
  const monitor = createRhythmMonitor(1, (...one) => told.push(one));
  monitor.begin(0);
  for (const rate of [50, 100, 75]) {
    monitor.beat(1);
    monitor.update(1, rate, 0.639, false);
  }
  expect(told).toEqual([]);
});

test("a signal without any beat is asystole after 8 s", () => {
  const { told, states } = follow([], 20);
  expect(told).toEqual([[RHYTHM_ASYSTOLE, 0, null]]);
  expect(states.indexOf(RHYTHM_ASYSTOLE)).toBe(8 * 4);
});

test.each([
  [RHYTHM_BRADYCARDIA, 60, 45, 51, 53],
  [RHYTHM_TACHYCARDIA, 80, 110, 99, 97],
])("state %i begins beyond its limit and ends only 2 a minute inside it", (state, normal, beyond, near, inside) => {
  const stretch = (bpm: number, from: number) => steady(60 / bpm, from + 60 / bpm, from + 30);
  const beats = [normal, near, beyond, near, inside].flatMap((bpm, k) => stretch(bpm, 30 * k));
  const { told } = follow(beats, 150);
  const [begin, end, ...rest] = told;
  expect(rest).toEqual([]);
  expect(begin).toEqual([state, expect.any(Number), null]);
  expect(begin![1]).toBeGreaterThan(60);
  expect(begin![1]).toBeLessThan(71);
  expect(end).toEqual([state, begin![1], expect.any(Number)]);
  expect(end![2]).toBeGreaterThan(120);
});

test("the irregularity of fibrillation has a hysteresis, and waves that cannot be counted are a state of their own", () => {
  const told: Told[] = [];
  const monitor = createRhythmMonitor(1000, (...one) => told.push(one));
  monitor.begin(0);
  let now = 0;
  for (const [entropy, uncountable] of [
    [null, false],
    [0.63, false],
    [0.65, false],
    [0.6, true],
    [0.57, true],
    [0.63, false],
  ] as const) {
    monitor.beat(now);
    monitor.update(now, 80, entropy, uncountable);
    now += 750;
  }
  expect(told).toEqual([
    [RHYTHM_FIBRILLATION, 1500, null],
    [RHYTHM_UNCOUNTABLE, 2250, null],
    [RHYTHM_FIBRILLATION, 1500, 3000],
    [RHYTHM_UNCOUNTABLE, 2250, 3750],
  ]);
});

test("while waves cannot be counted there is no pause and no asystole; after them a silence counts anew", () => {
  const told: Told[] = [];
  const monitor = createRhythmMonitor(1, (...one) => told.push(one));
  monitor.begin(0);
  monitor.beat(1);
  for (let now = 1; now <= 30; now += 0.25) monitor.update(now, null, null, now >= 6 && now <= 20);
  expect(told).toEqual([
    [RHYTHM_PAUSE, 1, null],
    [RHYTHM_ASYSTOLE, 1, null],
    [RHYTHM_PAUSE, 1, 6],
    [RHYTHM_ASYSTOLE, 1, 6],
    [RHYTHM_UNCOUNTABLE, 6, null],
    [RHYTHM_UNCOUNTABLE, 6, 20.25],
    [RHYTHM_PAUSE, 20, null],
    [RHYTHM_ASYSTOLE, 20, null],
  ]);
});

test("where the signal ends every state ends, and nothing is told until another one begins", () => {
  const told: Told[] = [];
  const monitor = createRhythmMonitor(1, (...one) => told.push(one));
  monitor.begin(0);
  monitor.beat(1);
  monitor.update(1, 120, 0.9, true);
  expect(monitor.state()).toBe(RHYTHM_TACHYCARDIA + RHYTHM_FIBRILLATION + RHYTHM_UNCOUNTABLE);
  told.length = 0;
  monitor.gap(2);
  expect(monitor.state()).toBe(0);
  expect(told.map(([, , end]) => end)).toEqual([2, 2, 2]);
  monitor.update(60, 120, 0.9, true);
  expect(told).toHaveLength(3);
  monitor.begin(60);
  monitor.update(63.9, null, null, false);
  expect(told).toHaveLength(3);
});

test("every state that begins ends once, in turn, with its onset; what is told is what is on", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean(), fc.nat(10), fc.boolean()), { maxLength: 80 }),
      (steps) => {
        const on = new Map<number, number>();
        const monitor = createRhythmMonitor(10, (state, onset, end) => {
          if (end === null) {
            expect(on.has(state)).toBe(false);
            on.set(state, onset);
          } else {
            expect(on.get(state)).toBe(onset);
            expect(end).toBeGreaterThanOrEqual(onset);
            on.delete(state);
          }
        });
        const sum = () => [...on.keys()].reduce((a, b) => a + b, 0);
        let now = 0;
        monitor.begin(0);
        for (const [wait, beat, draw, uncountable] of steps) {
          now += wait;
          if (beat) monitor.beat(now);
          monitor.update(now, draw > 7 ? null : 30 + 15 * draw, draw > 8 ? null : draw / 8, uncountable);
          expect(monitor.state()).toBe(sum());
        }
        monitor.gap(now);
        expect(on.size).toBe(0);
      },
    ),
  );
});

test.each([0, -1, Number.NaN])("refuses %f units of time a second", (perSecond) => {
  expect(() => createRhythmMonitor(perSecond, () => {})).toThrow(`${perSecond} units a second`);
});

describe.skipIf(lacks("recordings"))("on recorded beats", () => {
  test("record 124 is in bradycardia at times, 209 and 215 in tachycardia, 112 and 122 never in any", () => {
    const share = (record: string, state: number) => {
      const { states } = follow(readRecordBeats(record).beats, 1800);
      return states.filter((one) => (one & state) !== 0).length / states.length;
    };
    expect(share("124", RHYTHM_BRADYCARDIA)).toBeGreaterThan(0.1);
    expect(share("215", RHYTHM_TACHYCARDIA)).toBeGreaterThan(0.5);
    for (const record of ["112", "122"]) expect(share(record, 63)).toBeLessThan(0.01);
  });
});
