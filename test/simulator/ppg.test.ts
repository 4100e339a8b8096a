import { describe, expect, test } from "vitest";
import {
  an6845Curve,
  createPpg,
  createRandom,
  createRhythm,
  type PpgOptions,
  ratioOf,
  referenceDesignCurve,
  spo2Of,
} from "../../simulator/index.ts";

const still = { respiration: { height: 0, arrival: 0, light: 0 }, drift: 0 };
const rhythmOf = (sdRate: number) =>
  createRhythm({ heartRate: 60, sdRate, respirationRate: 15, random: createRandom(1) });
const make = (options: Partial<PpgOptions>) =>
  createPpg({ rhythm: rhythmOf(0), spo2: 97, perfusionIndex: 2, random: createRandom(2), ...options });

/** What an oximeter sees from 10 s on, over whole beats of 1 s: mean and peak to peak. */
function measure(signal: (time: number, sinceStart: number) => number, rate = 1000) {
  const values = Array.from({ length: 10 * rate }, (_, i) => signal(10 + i / rate, 0));
  const dc = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { dc, ac: Math.max(...values) - Math.min(...values) };
}

describe("SpO2 curves", () => {
  test("turn about: R for an SpO2 gives that SpO2 again, on the branch that falls", () => {
    for (const curve of [referenceDesignCurve, an6845Curve, { name: "line", square: 0, linear: -25, constant: 110 }]) {
      for (let spo2 = 50; spo2 < 99.9; spo2 += 0.25) {
        const ratio = ratioOf(spo2, curve);
        expect(spo2Of(ratio, curve)).toBeCloseTo(spo2, 9);
        expect(spo2Of(ratio + 0.001, curve)).toBeLessThan(spo2);
      }
    }
  });

  test("the reference design's curve is clamped where it turns, at R 0.337 and 99.957 percent", () => {
    expect(ratioOf(100, referenceDesignCurve)).toBeCloseTo(30.354 / (2 * 45.06), 9);
    expect(spo2Of(ratioOf(100, referenceDesignCurve), referenceDesignCurve)).toBeCloseTo(99.957, 3);
    expect(ratioOf(99.95, referenceDesignCurve)).toBeGreaterThan(0.34);
  });

  test("an SpO2 that is none is refused by value", () => {
    for (const spo2 of [-1, 100.5, Number.NaN])
      expect(() => ratioOf(spo2, referenceDesignCurve)).toThrow(`spo2 ${spo2}`);
    const rising = { name: "rising", square: 0, linear: 20, constant: 70 };
    expect(() => ratioOf(90, rising)).toThrow("curve rising does not fall");
  });
});

describe("the synthetic photoplethysmogram", () => {
  test("has (AC/DC of red) / (AC/DC of infrared) = R exactly, over SpO2 70 to 100", () => {
    for (let spo2 = 70; spo2 <= 100; spo2++) {
      const ppg = make({ ...still, spo2 });
      const [red, infrared] = [measure(ppg.red, 100), measure(ppg.infrared, 100)];
      const ratio = red.ac / red.dc / (infrared.ac / infrared.dc);
      expect(ratio).toBeCloseTo(ratioOf(spo2, referenceDesignCurve), 9);
      expect(ppg.ratio(0)).toBeCloseTo(ratio, 9);
      expect(ppg.spo2(0)).toBeCloseTo(Math.min(spo2, 99.957), 3);
    }
  });

  test("keeps that R sample by sample through uneven beats and breathing heights", () => {
    const respiration = { height: 0.1, arrival: 0.01, light: 0 };
    const ppg = make({ rhythm: rhythmOf(4), respiration, drift: 0, spo2: 88 });
    for (let time = 0; time < 20; time += 0.01) {
      const [red, infrared] = [1 - ppg.red(time, 0) / 600, 1 - ppg.infrared(time, 0) / 700];
      expect(red - infrared * ppg.ratio(time)).toBeCloseTo(0, 12);
    }
  });

  test("has the set perfusion index as infrared AC over DC, and the set light as its mean", () => {
    for (const perfusionIndex of [0.1, 0.5, 2, 10]) {
      const { ac, dc } = measure(make({ ...still, perfusionIndex }).infrared);
      expect(dc).toBeCloseTo(700, 6);
      expect((100 * ac) / dc / perfusionIndex).toBeCloseTo(1, 4);
    }
    expect(measure(make({ ...still, red: 123, infrared: 456 }).red).dc).toBeCloseTo(123, 6);
    expect(measure(make({ ...still, red: 123, infrared: 456 }).infrared).dc).toBeCloseTo(456, 6);
  });

  test("has the set perfusion index at every heart rate, its pulses as wide as the root of RR", () => {
    for (const heartRate of [30, 96, 120]) {
      const rhythm = createRhythm({ heartRate, sdRate: 0, random: createRandom(1) });
      const ppg = make({ ...still, rhythm });
      const { ac, dc } = measure(ppg.infrared); // 10 s are 5, 16 and 20 whole beats
      expect(dc).toBeCloseTo(700, 6);
      expect((100 * ac) / dc / 2).toBeCloseTo(1, 4);
      const onset = ppg.pulses(5, 10)[0]!;
      const at = Array.from({ length: 400 }, (_, i) => ppg.red(onset + 30 + i / 1000, 0));
      expect(Math.abs(at.indexOf(Math.min(...at)) / 1000 / Math.sqrt(60 / heartRate) - 0.18)).toBeLessThan(0.01);
    }
  });

  test("returns LESS light at the systolic peak than at the onset, as blood absorbs it", () => {
    const ppg = make(still);
    for (const onset of ppg.pulses(5, 10)) {
      expect(ppg.infrared(onset + 0.18, 0)).toBeLessThan(0.985 * ppg.infrared(onset, 0));
      expect(ppg.red(onset + 0.18, 0)).toBeLessThan(ppg.red(onset, 0));
    }
  });

  test("has one systolic peak a beat, the transit time and 0.18 s after R, and a dicrotic shoulder after it", () => {
    const ppg = make({ ...still, transitTime: 0.25 });
    for (const beat of rhythmOf(0).between(5, 10)) {
      const at = Array.from({ length: 1000 }, (_, i) => ppg.infrared(beat + i / 1000, 0));
      expect(at.indexOf(Math.min(...at)) / 1000).toBeCloseTo(0.25 + 0.18, 2);
      // bends up and down again between 0.3 and 0.55 s after the onset: the second difference changes its sign twice
      const bend = [0.3, 0.38, 0.49].map((since) => {
        const i = Math.round((0.25 + since) * 1000);
        return Math.sign(at[i - 20]! - 2 * at[i]! + at[i + 20]!);
      });
      expect(bend).toEqual([-1, -1, 1]);
    }
  });

  test("follows the beats of its rhythm: onsets are R plus the transit time", () => {
    const rhythm = rhythmOf(4);
    const beats = rhythm.between(4.8, 29.8);
    expect(make({ ...still, rhythm, transitTime: 0.2 }).pulses(5, 30)).toEqual(beats.map((beat) => beat + 0.2));
  });

  test("breathes: pulses come higher and later with the breath, and the light moves with it", () => {
    const rhythm = rhythmOf(2);
    const breath = (time: number) => rhythm.respiration(time);
    const respiration = { height: 0.2, arrival: 0.01, light: 0.005 };

    const arrival = make({ rhythm, respiration, drift: 0 }).pulses(5, 65);
    const beats = rhythm.between(4.7, 65).slice(0, arrival.length);
    for (const [i, time] of arrival.entries()) expect(time - beats[i]!).toBeCloseTo(0.2 + 0.01 * breath(beats[i]!), 9);

    const light = make({ rhythm, respiration: { height: 0, arrival: 0, light: 0.005 }, drift: 0, perfusionIndex: 0 });
    for (let time = 0; time < 20; time += 0.1) {
      expect(light.infrared(time, 0)).toBeCloseTo(700 * (1 + 0.005 * breath(time)), 9);
    }

    const high = make({ rhythm, respiration: { height: 0.2, arrival: 0, light: 0 }, drift: 0 });
    for (const beat of rhythm.between(5, 65)) {
      const swing = high.infrared(beat + 0.2, 0) - high.infrared(beat + 0.37, 0);
      expect(swing / 700 / 0.02).toBeGreaterThan(0.75 * (1 + 0.2 * breath(beat)));
      expect(swing / 700 / 0.02).toBeLessThan(1.1 * (1 + 0.2 * breath(beat)));
    }
  });

  test("drifts slowly by the set standard deviation", () => {
    const ppg = make({ ...still, drift: 0.01, perfusionIndex: 0 });
    const values = Array.from({ length: 20_000 }, (_, i) => ppg.infrared(i, 0) / 700 - 1);
    const sd = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(sd).toBeGreaterThan(0.009);
    expect(sd).toBeLessThan(0.011);
    for (let i = 1; i < 1000; i++) expect(Math.abs(values[i]! - values[i - 1]!)).toBeLessThan(0.005);
  });

  test("without a finger returns next to nothing, from the time it is taken away until it is back", () => {
    const ppg = make({});
    ppg.finger = (time) => time < 10 || time >= 12;
    expect(ppg.infrared(9.99, 0)).toBeGreaterThan(600);
    expect([ppg.infrared(10, 0), ppg.red(10, 0), ppg.red(11.9, 0)]).toEqual([2, 2, 2]);
    expect(ppg.red(12, 0)).toBeGreaterThan(500);
    expect(ppg.red(12, 0)).toBe(make({}).red(12, 0));
  });

  test("desaturates along a given course", () => {
    const ppg = make({ spo2: (time) => (time < 60 ? 97 : 97 - Math.min(17, (time - 60) / 2)) });
    expect([ppg.spo2(0), ppg.spo2(70), ppg.spo2(200)].map((spo2) => spo2.toFixed(6))).toEqual([
      "97.000000",
      "92.000000",
      "80.000000",
    ]);
    const [red, infrared] = [ppg.red(200, 0) / 600, ppg.infrared(200, 0) / 700];
    expect(red).not.toBe(infrared);
  });

  test("its two channels may be read apart and in any steps: a value depends on its time alone", () => {
    const [shared, alone] = [make({ rhythm: rhythmOf(4) }), make({ rhythm: rhythmOf(4) })];
    for (let time = 0; time < 300; time += 0.01) shared.red(time, 0);
    for (let time = 0; time < 300; time += 3.37) {
      expect(shared.infrared(time, 0)).toBe(alone.infrared(time, 0));
      if (time > 1) expect(alone.infrared(time - 1, 0)).toBe(shared.infrared(time - 1, 0));
    }
    expect(shared.red(299, 0)).toBe(alone.red(299, 0));
  });

  test("looks back 3 s; beyond that, before 0 and a day ahead it throws", () => {
    const ppg = make({});
    ppg.red(100, 0);
    expect(ppg.red(97, 0)).toBe(make({}).red(97, 0));
    const fast = () => make({ rhythm: createRhythm({ heartRate: 250, sdRate: 25, random: createRandom(4) }) });
    const ahead = fast();
    ahead.red(100, 0);
    expect(ahead.red(97, 0)).toBe(fast().red(97, 0));
    expect(() => ppg.red(96.9, 0)).toThrow("ppg asked for 96.9 s after 100 s");
    expect(() => ppg.infrared(-1, 0)).toThrow("begins at 0 s");
    expect(() => ppg.infrared(1e6, 0)).toThrow("86400 s at most");
  });

  test("is smooth at 20, 60 and 250 beats/min, also where a window of pulses begins and ends", () => {
    for (const heartRate of [20, 60, 250]) {
      const rhythm = createRhythm({ heartRate, sdRate: heartRate / 10, random: createRandom(3) });
      const ppg = make({ ...still, rhythm });
      const values = Array.from({ length: 20_000 }, (_, i) => ppg.infrared(i / 1000, 0));
      const bends = values.slice(2).map((value, i) => Math.abs(value - 2 * values[i + 1]! + values[i]!));
      // a Gaussian of 0.06 s (0.03 s at 250 beats/min) and 2 percent of 700 bends by at most 700 * 0.02 / 0.03^2 / s^2
      expect(Math.max(...bends)).toBeLessThan((700 * 0.02) / 0.025 ** 2 / 1e6);
    }
  });

  test("an option outside its range is named with its value", () => {
    expect(() => make({ perfusionIndex: 25 })).toThrow("perfusionIndex 25 is outside 0..20 percent");
    expect(() => make({ transitTime: -0.1 })).toThrow("transitTime -0.1");
    expect(() => make({ spo2: 101 })).toThrow("spo2 101");
    expect(() => make({ respiration: { height: 1, arrival: 0, light: 0 } })).toThrow("respiration.height 1");
  });
});
