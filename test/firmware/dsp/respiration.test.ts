import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_SETTLING } from "../../../drivers/driver.ts";
import type { Rate } from "../../../firmware/dsp/heart-rate.ts";
import { createRespirationMeter } from "../../../firmware/dsp/respiration.ts";
import { createRandom } from "../../../simulator/random.ts";
import { countStatements } from "../../../tools/count-statements.ts";

interface Breathing {
  /** Breaths a minute. */
  readonly rate: number;
  /** Beats a minute. */
  readonly pulse?: number;
  /** How strong breathing is in light, height and interval: 1 is 0.5 %, 10 %, 4 %. */
  readonly strength?: readonly [number, number, number];
  /** How strong noise is, likewise. */
  readonly noise?: number;
  readonly perSecond?: number;
  readonly seed?: number;
}

interface Beat {
  readonly at: number;
  readonly height: number;
  readonly light: number;
}

function beatsOf({ rate, pulse = 75, strength = [1, 1, 1], noise = 0.1, seed = 1 }: Breathing, until: number): Beat[] {
  const random = createRandom(seed);
  const beats: Beat[] = [];
  for (let at = 0.3; at < until; ) {
    const breath = (shift: number) => Math.sin((2 * Math.PI * rate * at) / 60 + shift);
    const of = (share: number, kind: number, shift: number) =>
      1 + share * (strength[kind]! * breath(shift) + noise * random.normal());
    beats.push({ at, height: 1000 * of(0.1, 1, 2), light: 100_000 * of(0.005, 0, 0) });
    at += (60 / pulse) * of(0.04, 2, 4);
  }
  return beats;
}

/** What is shown second by second, from 1 s on. */
function follow(breathing: Breathing, seconds: number, beats = beatsOf(breathing, seconds)): Rate[] {
  const { perSecond = 1 } = breathing;
  const meter = createRespirationMeter(perSecond);
  const shown: Rate[] = [];
  let next = 0;
  for (let now = 1; now <= seconds; now++) {
    for (; next < beats.length && beats[next]!.at <= now; next++) {
      const { at, height, light } = beats[next]!;
      meter.beat(at * perSecond, height, light);
    }
    const rate: Rate = { value: null, flags: 0 };
    meter.read(now * perSecond, rate);
    shown.push(rate);
  }
  return shown;
}
const values = (shown: readonly Rate[]) => shown.flatMap(({ value }) => (value === null ? [] : [value]));

describe("breaths that move light, height and interval", () => {
  test.each([7.5, 8, 10, 12.6, 15.5, 18, 22.7, 27, 31, 33])("of %d a minute are counted within 0.3", (rate) => {
    const shown = values(follow({ rate }, 200));
    expect(shown.length).toBeGreaterThan(115);
    for (const value of shown) expect(Math.abs(value - rate)).toBeLessThan(0.3);
  });

  test("are counted at pulses of 50 to 140, up to 45 % of the pulse", () => {
    for (const pulse of [50, 60, 90, 120, 140]) {
      for (const rate of [9, 16, 22, 39]) {
        if (rate > 0.44 * pulse) continue;
        const shown = values(follow({ rate, pulse }, 120));
        expect(shown.length).toBeGreaterThan(40);
        for (const value of shown) expect(Math.abs(value - rate)).toBeLessThan(0.6);
      }
    }
  });

  test("give the same in microseconds as in seconds", () => {
    const seconds = values(follow({ rate: 14 }, 100));
    const micros = values(follow({ rate: 14, perSecond: 1_000_000 }, 100));
    expect(micros.length).toBe(seconds.length);
    for (const [k, value] of micros.entries()) expect(value).toBeCloseTo(seconds[k]!, 6);
  });

  test("are seen with two of the three, whichever they are", () => {
    for (const strength of [
      [1, 1, 0],
      [1, 0, 1],
      [0, 1, 1],
    ] as const) {
      const shown = values(follow({ rate: 16, strength }, 150));
      expect(shown.length).toBeGreaterThan(50);
      for (const value of shown) expect(Math.abs(value - 16)).toBeLessThan(0.6);
    }
  });

  test("are seen where the third does not move at all", () => {
    const meter = createRespirationMeter(1);
    const rate: Rate = { value: null, flags: 0 };
    for (let at = 1; at < 100; at += 0.75) {
      const breath = Math.sin((2 * Math.PI * 15 * at) / 60);
      meter.beat(at, 900 + 90 * breath, 80_000 + 400 * breath);
      meter.read(at, rate);
    }
    expect(rate.value).toBeCloseTo(15, 0);
  });

  test("are found under a drift of the light that is ten times as strong", () => {
    const drift = (at: number) => 1 + 0.05 * Math.sin((2 * Math.PI * at) / 45);
    const beats = beatsOf({ rate: 15 }, 160).map((beat) => ({ ...beat, light: beat.light * drift(beat.at) }));
    const shown = values(follow({ rate: 15 }, 160, beats));
    expect(shown.length).toBeGreaterThan(70);
    for (const value of shown) expect(Math.abs(value - 15)).toBeLessThan(0.5);
  });

  test("are found though a beat now and then is five times as high, and the light jumps with it", () => {
    const beats = beatsOf({ rate: 15 }, 160).map((beat, k) =>
      k % 23 === 22 ? { ...beat, height: 5 * beat.height, light: 1.2 * beat.light } : beat,
    );
    const shown = values(follow({ rate: 15 }, 160, beats));
    expect(shown.length).toBeGreaterThan(70);
    for (const value of shown) expect(Math.abs(value - 15)).toBeLessThan(0.5);
  });

  test("whose rate changes are followed within 90 s", () => {
    const before = beatsOf({ rate: 12 }, 120);
    const after = beatsOf({ rate: 24 }, 120).map((beat) => ({ ...beat, at: beat.at + 120 }));
    const shown = follow({ rate: 0 }, 240, [...before, ...after]);
    expect(shown[119]!.value).toBeCloseTo(12, 0);
    for (const { value } of shown.slice(210)) expect(Math.abs(value! - 24)).toBeLessThan(0.6);
  });
});

describe("null, with the flag settling", () => {
  test("until there are 64 s of beats and the work is done", () => {
    const shown = follow({ rate: 15 }, 90);
    const first = shown.findIndex(({ value }) => value !== null);
    expect(first).toBeGreaterThanOrEqual(64);
    expect(first).toBeLessThan(82);
    for (const rate of shown.slice(0, first)) expect(rate).toEqual({ value: null, flags: FLAG_SETTLING });
    for (const rate of shown.slice(first)) expect(rate.flags).toBe(0);
  });

  test("where nothing breathes: noise is shown in at most 3 % of the seconds", () => {
    let shown = 0;
    for (let seed = 1; seed <= 40; seed++) shown += values(follow({ rate: 0, noise: 1, seed }, 164)).length;
    expect(shown / (40 * 100)).toBeLessThan(0.03);
  });

  test("where only steps of a converter and a clock breathe", () => {
    const beats = Array.from({ length: 250 }, (_, k) => {
      const step = Math.round(Math.sin((2 * Math.PI * k) / 5));
      return { at: 0.8 * k + step / 2000, height: 1000 + step, light: 100_000 + step };
    });
    expect(values(follow({ rate: 0 }, 190, beats))).toEqual([]);
  });

  test("where the three say different things", () => {
    const parts = [11, 17, 26].map((rate) => beatsOf({ rate, noise: 0.02 }, 200));
    let at = 0;
    const mixed = parts[0]!.map(({ light }, k) => {
      at += 0.8 * (1 + 0.04 * Math.sin((2 * Math.PI * 26 * at) / 60));
      return { at, light, height: parts[1]![k]?.height ?? 1000 };
    });
    expect(values(follow({ rate: 0 }, 190, mixed))).toEqual([]);
  });

  test("4 s after the last beat, and until another 64 s of beats", () => {
    const beats = beatsOf({ rate: 15 }, 200).filter(({ at }) => at < 120 || at > 126);
    const shown = follow({ rate: 15 }, 200, beats);
    expect(shown[119]!.value).not.toBeNull();
    expect(shown[124]!.value).toBeNull();
    expect(values(shown.slice(124, 189))).toEqual([]);
  });

  test("20 s after it was computed, where nobody has asked since", () => {
    const meter = createRespirationMeter(1);
    const rate: Rate = { value: null, flags: 0 };
    for (const { at, height, light } of beatsOf({ rate: 15 }, 200)) {
      meter.beat(at, height, light);
      if (at < 120) meter.read(at, rate);
    }
    expect(rate.value).not.toBeNull();
    meter.read(200, rate);
    expect(rate.value).toBeNull();
  });

  test("after a reset", () => {
    const meter = createRespirationMeter(1);
    const rate: Rate = { value: null, flags: 0 };
    const beats = beatsOf({ rate: 15 }, 160);
    for (const { at, height, light } of beats) {
      meter.beat(at, height, light);
      meter.read(at, rate);
    }
    expect(rate.value).not.toBeNull();
    meter.reset();
    meter.read(161, rate);
    expect(rate).toEqual({ value: null, flags: FLAG_SETTLING });
  });

  test("never a value that is not 6 to 41, or without beats, whatever comes", () => {
    const beat = fc.tuple(fc.double({ min: 0, max: 6, noNaN: true }), fc.integer(), fc.integer());
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (steps, usual) => {
        const meter = createRespirationMeter(1);
        const rate: Rate = { value: null, flags: 0 };
        let now = 0;
        for (const [k, [step, height, light]] of steps.entries()) {
          now += k % usual === 0 ? step : 0.7;
          meter.beat(now, height, light);
          meter.read(now, rate);
          if (rate.value === null) expect(rate.flags).toBe(FLAG_SETTLING);
          else expect(rate.value > 6 && rate.value < 41).toBe(true);
        }
        meter.read(now + 4.1, rate);
        expect(rate.value).toBeNull();
      }),
      { numRuns: 100 },
    );
  });
});

test("units that are none are refused", () => {
  for (const perSecond of [0, -1, Number.NaN])
    expect(() => createRespirationMeter(perSecond)).toThrow(`respiration: ${perSecond} units a second`);
});

test("it costs 55 statements a beat at most", () => {
  const beats = beatsOf({ rate: 15, pulse: 60 }, 400);
  const cost = (count: number) =>
    countStatements<typeof import("../../../firmware/dsp/respiration.ts"), void>({
      entry: "firmware/dsp/respiration.ts",
      run: ({ createRespirationMeter: create }) => {
        const meter = create(1);
        for (const { at, height, light } of beats.slice(0, count)) meter.beat(at, height, light);
      },
    }).statements;
  // the tables that are made once are left out
  expect((cost(300) - cost(100)) / 200).toBeLessThan(55);
});
