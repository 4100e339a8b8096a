/** The heart as the board tells it: rate, flags, rhythm, quality, out of an ECG whose truth is known. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Block,
  type Channel,
  FLAG_BUS_FAULT,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_SETTLING,
} from "../../drivers/driver.ts";
import type { Rate } from "../../firmware/dsp/heart-rate.ts";
import {
  RHYTHM_ASYSTOLE,
  RHYTHM_BRADYCARDIA,
  RHYTHM_FIBRILLATION,
  RHYTHM_TACHYCARDIA,
  RHYTHM_UNCOUNTABLE,
} from "../../firmware/dsp/rhythm.ts";
import { createHeart, HEART_RATES } from "../../firmware/heart.ts";
import { beatTimes, drawEcg, standardBeat } from "../../simulator/evaluate/synthetic-ecg.ts";
import { createRandom } from "../../simulator/random.ts";
import { lacks } from "../support/needs.ts";
import { readLead } from "../support/recorded-lead.ts";
import { readRecordBeats } from "../support/reference-beats.ts";

const channelOf = (rate: number, microvolts: number): Channel => ({
  name: "ecg",
  mdc: 131328,
  rate,
  waveform: true,
  bits: 18,
  offset: 0,
  mul: microvolts * 1000,
  exp10: -9,
  unit: "V",
  minimum: -131072,
  maximum: 131071,
  accuracy: "",
  processing: 0,
});

type Told = [state: number, onset: number, end: number | null];
interface Shown extends Rate {
  readonly time: number;
  readonly quality: number | null;
}

interface Run {
  readonly told: Told[];
  readonly shown: Shown[];
}

/** Feeds counts of 1 uV, 32 at a time, and reads four times a second; `flags` and `lost` by time, s. */
function follow(
  counts: Int32Array,
  rate: number,
  options: { flags?: (time: number) => number; lost?: (time: number) => number; microvolts?: number } = {},
): Run {
  const { flags = () => 0, lost = () => 0, microvolts = 1 } = options;
  const told: Told[] = [];
  const heart = createHeart(channelOf(rate, microvolts), (state, onset, end) => {
    told.push([state, onset / 1e6, end === null ? null : end / 1e6]);
  });
  const shown: Shown[] = [];
  for (let from = 0; from < counts.length; from += 32) {
    const samples = counts.slice(from, from + 32);
    const time = from / rate;
    const block: Block = {
      samples,
      count: samples.length,
      index: from,
      time: Math.round(time * 1e6),
      uncertainty: 0,
      lost: lost(time),
      flags: flags(time),
    };
    heart.take(block);
    const now = (from + samples.length) / rate;
    if (Math.floor(now * 4) === Math.floor(time * 4)) continue;
    const one: Rate = { value: -1, flags: -1 };
    heart.read(Math.round(now * 1e6), one);
    shown.push({ ...one, time: now, quality: heart.quality() });
  }
  return { told, shown };
}

const beat = () => standardBeat(1, 0.08, 0.2);
const draw = (rate: number, seconds: number, beats: readonly number[], background?: (time: number) => number) =>
  drawEcg({ rate, seconds, microvoltsPerCount: 1, beats, waves: beat, ...(background ? { background } : {}) });
const between = ({ shown }: Run, from: number, to: number) => shown.filter(({ time }) => time >= from && time <= to);
const states = ({ told }: Run) => told.map(([state]) => state);

test.each(HEART_RATES)("at %i hz the rate is shown, nothing is said of the rhythm, and the quality is high", (rate) => {
  const run = follow(draw(rate, 40, beatTimes(40, 75)), rate);
  for (const { value, flags } of between(run, 0, 3)) expect([value, flags]).toEqual([null, FLAG_SETTLING]);
  for (const { value, flags } of between(run, 8, 40)) {
    expect(value!).toBeCloseTo(75, 0);
    expect(flags).toBe(0);
  }
  expect(run.told).toEqual([]);
  expect(between(run, 0, 9.5).every(({ quality }) => quality === null)).toBe(true);
  expect(between(run, 21, 40).every(({ quality }) => quality! > 80)).toBe(true);
});

test.each([310, 350, 400, 500])("%i beats a minute are never a number, but null and saturated", (bpm) => {
  for (const rate of [128, 256]) {
    const run = follow(draw(rate, 30, beatTimes(30, bpm)), rate);
    expect(run.shown.filter(({ value }) => value !== null)).toEqual([]);
    expect(between(run, 8, 30).every(({ flags }) => flags === FLAG_SATURATED)).toBe(true);
    expect(states(run)).toContain(RHYTHM_UNCOUNTABLE);
  }
});

test("ventricular fibrillation is never a number: from its onset on null within 10 s, and no asystole", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = createRandom(seed);
    const parts = [0, 1, 2].map(() => [4 + 3 * random.uniform(), 6 * random.uniform(), 0.1 + 0.3 * random.uniform()]);
    const wave = (time: number) =>
      parts.reduce(
        (sum, [hz = 0, phase = 0, slow = 0]) =>
          sum +
          0.3 *
            (0.7 + 0.3 * Math.sin(slow * 6 * time)) *
            Math.sin(2 * Math.PI * hz * time + phase + 3 * Math.sin(slow * time * 4)),
        0,
      );
    const whole = follow(draw(128, 60, [], wave), 128);
    expect(whole.shown.filter(({ value }) => value !== null)).toEqual([]);
    expect(states(whole)).toContain(RHYTHM_UNCOUNTABLE);
    expect(states(whole)).not.toContain(RHYTHM_ASYSTOLE);
    const later = follow(
      draw(128, 60, beatTimes(20, 80), (time) => (time < 20 ? 0 : wave(time))),
      128,
    );
    expect(between(later, 30, 60).filter(({ value }) => value !== null)).toEqual([]);
  }
});

test("asystole: null within 4 s, saturated then, and told with the time of the last beat", () => {
  const beats = beatTimes(30, 80);
  const run = follow(draw(128, 60, beats), 128);
  const last = beats.at(-1)!;
  expect(between(run, last + 4, 60).every(({ value, flags }) => value === null && flags === FLAG_SATURATED)).toBe(true);
  const asystole = run.told.filter(([state]) => state === RHYTHM_ASYSTOLE);
  expect(asystole).toHaveLength(1);
  expect(asystole[0]![1]).toBeCloseTo(last, 1);
});

test("bradycardia and tachycardia are told when they begin and when they end", () => {
  const beats = beatTimes(120, (time) => (time < 30 ? 70 : time < 60 ? 40 : time < 90 ? 130 : 70));
  const { told } = follow(draw(128, 120, beats), 128);
  expect(told.map(([state, , end]) => [state, end === null])).toEqual([
    [RHYTHM_BRADYCARDIA, true],
    [RHYTHM_BRADYCARDIA, false],
    [RHYTHM_TACHYCARDIA, true],
    [RHYTHM_TACHYCARDIA, false],
  ]);
});

test("lead off: null with its flag at once, every state ends; on again it settles anew, with nothing of before", () => {
  const beats = beatTimes(90, (time) => (time < 45 ? 130 : 60));
  const run = follow(draw(128, 90, beats), 128, { flags: (time) => (time >= 40 && time < 45 ? FLAG_LEAD_OFF : 0) });
  for (const { value, flags } of between(run, 40.5, 45)) expect([value, flags]).toEqual([null, FLAG_LEAD_OFF]);
  expect(run.told.map(([state, , end]) => [state, end])).toEqual([
    [RHYTHM_TACHYCARDIA, null],
    [RHYTHM_TACHYCARDIA, 40],
  ]);
  for (const { value, flags } of between(run, 45.5, 48.5)) expect([value, flags]).toEqual([null, FLAG_SETTLING]);
  for (const { value } of between(run, 48.5, 53)) if (value !== null) expect(value).toBeCloseTo(60, 0);
  expect(between(run, 53, 90).every(({ value }) => Math.abs(value! - 60) < 1)).toBe(true);
});

test("after a loss of samples nothing from before it counts", () => {
  const beats = beatTimes(60, (time) => (time < 30 ? 130 : 60));
  const run = follow(draw(128, 60, beats), 128, { lost: (time) => (Math.abs(time - 30) < 0.1 ? 500 : 0) });
  expect(between(run, 30.5, 33).every(({ value, flags }) => value === null && flags === FLAG_SETTLING)).toBe(true);
  for (const { value } of between(run, 33, 60)) if (value !== null) expect(value).toBeCloseTo(60, 0);
});

test("a chip that has given nothing for 3 s is no asystole, but a bus fault", () => {
  const told: Told[] = [];
  const heart = createHeart(channelOf(128, 1), (...one) => told.push(one));
  const counts = draw(128, 20, beatTimes(20, 80));
  for (let from = 0; from < counts.length; from += 128) {
    const samples = counts.slice(from, from + 128);
    const time = (from / 128) * 1e6;
    heart.take({ samples, count: 128, index: from, time, uncertainty: 0, lost: 0, flags: 0 });
  }
  const rate: Rate = { value: -1, flags: -1 };
  heart.read(20e6, rate);
  expect(rate.value).toBeCloseTo(80, 0);
  heart.read(23.1e6, rate);
  expect(rate).toEqual({ value: null, flags: FLAG_BUS_FAULT });
  expect(told).toEqual([]);
});

test("interrupted at any time, it then tells what a new one would", () => {
  const counts = draw(128, 30, beatTimes(30, 90));
  const say = (heart: ReturnType<typeof createHeart>, start: number) => {
    const lines: string[] = [];
    const rate: Rate = { value: -1, flags: -1 };
    for (let from = 0; from < counts.length; from += 64) {
      const time = start + Math.round((from / 128) * 1e6);
      const samples = counts.slice(from, from + 64);
      heart.take({ samples, count: samples.length, index: from, time, uncertainty: 0, lost: 0, flags: 0 });
      heart.read(time + 500_000, rate);
      lines.push(`${rate.value?.toFixed(6)} ${rate.flags} ${heart.quality()}`);
    }
    return lines;
  };
  const fresh = say(
    createHeart(channelOf(128, 1), () => {}),
    0,
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), (count) => {
      const heart = createHeart(channelOf(128, 1), () => {});
      const samples = counts.slice(count, count + count);
      heart.take({ samples, count: samples.length, index: 0, time: 5e6, uncertainty: 0, lost: 0, flags: 0 });
      heart.interrupted(0);
      expect(say(heart, 50_000_000)).toEqual(fresh);
    }),
    { numRuns: 10 },
  );
});

test("every interval from beat to beat is handed over once, with the time of its end; none across a loss of samples", () => {
  const beats = beatTimes(60, (time) => 70 + 20 * Math.sin(time / 5));
  const counts = draw(256, 60, beats);
  const heart = createHeart(channelOf(256, 1), () => {});
  const told: [at: number, milliseconds: number][] = [];
  const lost = 30 * 256;
  for (let from = 0; from < counts.length; from += 32) {
    const samples = counts.slice(from, from + 32);
    const time = (from / 256) * 1e6;
    heart.take({ samples, count: 32, index: from, time, uncertainty: 0, lost: from === lost ? 7 : 0, flags: 0 });
    if (from % 640 === 0) heart.takeIntervals((at, milliseconds) => told.push([at / 1e6, milliseconds]));
  }
  expect(told.length).toBeGreaterThan(beats.length - 8);
  for (const [at, milliseconds] of told) {
    const end = beats.findIndex((time) => Math.abs(time - at) < 0.01);
    expect(end).toBeGreaterThan(0);
    expect(Math.abs(milliseconds - 1000 * (beats[end]! - beats[end - 1]!))).toBeLessThan(2);
    expect(at < 30 || at - milliseconds / 1000 > 30).toBe(true);
  }
  expect(new Set(told.map(([at]) => Math.round(at * 20))).size).toBe(told.length);
});

test("of more intervals than can wait the newest are kept", () => {
  const heart = createHeart(channelOf(128, 1), () => {});
  const samples = draw(128, 60, beatTimes(60, 100));
  heart.take({ samples, count: samples.length, index: 0, time: 0, uncertainty: 0, lost: 0, flags: 0 });
  const told: number[] = [];
  heart.takeIntervals((at) => told.push(at));
  expect(told).toHaveLength(32);
  expect(told.at(-1)!).toBeGreaterThan(58e6);
  heart.takeIntervals(() => expect.unreachable());
});

describe.skipIf(lacks("recordings"))("on recordings", () => {
  const run = (record: string) => {
    const { counts, microvoltsPerCount } = readLead(record, 128);
    return follow(counts, 128, { microvolts: microvoltsPerCount });
  };

  test("ventricular flutter of record 207 is null from 10 s after its onset on", () => {
    const whole = run("207");
    for (const [from, to] of readRecordBeats("207").flutter) {
      const values = between(whole, from + 10, to).filter(({ value }) => value !== null);
      for (const { value } of values) expect(value!).toBeGreaterThan(150);
    }
    expect(whole.shown.filter(({ value, time }) => time > 300 && time < 1500 && value === null)).toEqual([]);
  });

  test("record 203 is in atrial fibrillation by its beats, and not without a rate; 122 is in none", () => {
    const irregular = run("203");
    expect(states(irregular)).toContain(RHYTHM_FIBRILLATION);
    const missing = between(irregular, 10, 1800).filter(({ value }) => value === null);
    expect(missing.length / irregular.shown.length).toBeLessThan(0.02);
    expect(states(run("122"))).toEqual([]);
  });
});
