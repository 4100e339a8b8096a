import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEcg, createRandom } from "../../simulator/index.ts";

/** Time and height of the highest value between two times, s, to a tenth of a millisecond. */
function peak(at: (time: number) => number, from: number, to: number): { time: number; height: number } {
  let best = { time: from, height: -Infinity };
  for (let time = from; time < to; time += 1e-4) {
    const height = at(time);
    if (height > best.height) best = { time, height };
  }
  return best;
}

/**
 * Equations (1) of McSharry 2003 as they stand, three of them, with Table I, by Runge-Kutta at 4096 Hz from an R at a time
 * off the limit cycle: z at 512 Hz from then on.
 */
function paperModel(beats: number[], seconds: number): number[] {
  const theta = [-Math.PI / 3, -Math.PI / 12, 0, Math.PI / 12, Math.PI / 2];
  const a = [1.2, -5, 30, -7.5, 0.75];
  const b = [0.25, 0.1, 0.1, 0.1, 0.4];
  let beat = 0;
  const derivative = (time: number, [x, y, z]: number[]): number[] => {
    while (time >= beats[beat + 1]!) beat++;
    const omega = (2 * Math.PI) / (beats[beat + 1]! - beats[beat]!);
    const alpha = 1 - Math.sqrt(x! * x! + y! * y!);
    const angle = Math.atan2(y!, x!);
    let dz = -z!;
    for (let i = 0; i < 5; i++) {
      const d = Math.atan2(Math.sin(angle - theta[i]!), Math.cos(angle - theta[i]!));
      dz -= a[i]! * d * Math.exp((-d * d) / (2 * b[i]! * b[i]!));
    }
    return [alpha * x! - omega * y!, alpha * y! + omega * x!, dz];
  };
  const h = 1 / 4096;
  const plus = (u: number[], v: number[], by: number) => u.map((value, i) => value + by * v[i]!);
  let state = [1, 0, 0];
  const z: number[] = [];
  for (let k = 0; k < seconds * 4096; k++) {
    if (k % 8 === 0) z.push(state[2]!);
    const time = beats[0]! + k * h;
    const k1 = derivative(time, state);
    const k2 = derivative(time + h / 2, plus(state, k1, h / 2));
    const k3 = derivative(time + h / 2, plus(state, k2, h / 2));
    const k4 = derivative(time + h, plus(state, k3, h));
    state = state.map((value, i) => value + (h / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!));
  }
  return z;
}

describe("the synthetic ECG", () => {
  test("solves the three equations of McSharry 2003 with its Table I, within 0.2 percent of R", () => {
    const ecg = createEcg({ heartRate: 60, sdRate: 3, amplitude: 1, baseline: 0, random: createRandom(1) });
    const beats = ecg.rhythm.between(0, 40);
    const z = paperModel(beats, 30).slice(15 * 512); // by then what z began from has gone, e^-15
    const ours = z.map((_, i) => ecg.at(beats[0]! + 15 + i / 512));
    // the model's unit and zero are free: the straight line that fits best
    const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [mz, mo] = [average(z), average(ours)];
    const slope =
      z.reduce((sum, value, i) => sum + (value - mz) * (ours[i]! - mo), 0) /
      z.reduce((sum, value) => sum + (value - mz) ** 2, 0);
    const errors = z.map((value, i) => Math.abs(mo + slope * (value - mz) - ours[i]!));
    expect(Math.max(...errors)).toBeLessThan(0.002);
  });

  test("has its R peaks within 5 ms of the beats it states, at 20 to 250 beats/min", () => {
    for (const heartRate of [20, 45, 60, 75, 95, 140, 250]) {
      const { at, rhythm } = createEcg({ heartRate, amplitude: 1, random: createRandom(heartRate) });
      const half = 20 / heartRate;
      for (const beat of rhythm.between(1, 12))
        expect(Math.abs(peak(at, beat - half, beat + half).time - beat)).toBeLessThan(0.005);
    }
  });

  test("has the set R amplitude over its isoelectric line when the beats are even, in mV", () => {
    for (const [heartRate, amplitude] of [
      [55, 0.5],
      [60, 1],
      [95, 2.5],
    ] as const) {
      const { at, rhythm } = createEcg({ heartRate, sdRate: 0, amplitude, baseline: 0, random: createRandom(3) });
      const beat = rhythm.between(5, 10)[0]!;
      expect(at(beat + (0.62 * 60) / heartRate)).toBeCloseTo(0, 3);
      expect(peak(at, beat + (0.7 * 60) / heartRate, beat + (1.3 * 60) / heartRate).height / amplitude).toBeCloseTo(
        1,
        3,
      );
    }
  });

  test("has P before R, and Q and S below the line, and T after, each where Table I puts it", () => {
    const { at, rhythm } = createEcg({ heartRate: 60, sdRate: 0, amplitude: 1, baseline: 0, random: createRandom(5) });
    const beat = rhythm.between(5, 10)[0]!;
    const trough = peak((time) => -at(time), beat + 0.02, beat + 0.12);
    const [t, p] = [peak(at, beat + 0.12, beat + 0.5), peak(at, beat + 0.62, beat + 0.9)];
    expect(trough.height).toBeGreaterThan(0.05);
    expect(trough.time - beat).toBeCloseTo(1 / 24 + 0.007, 2);
    expect(t.time - beat).toBeCloseTo(0.25, 2);
    expect(p.time - beat).toBeCloseTo(5 / 6, 2);
    expect(t.height).toBeGreaterThan(0.2);
    expect(p.height).toBeGreaterThan(0.1);
    expect(p.height).toBeLessThan(t.height);
  });

  test("at faster rates widens the angles of Q and S by the root of the rate, of P and T by its fourth root", () => {
    /** Where T, P and the trough of S stand, degrees after R. */
    const angles = (heartRate: number) => {
      const ecg = createEcg({ heartRate, sdRate: 0, amplitude: 1, baseline: 0, random: createRandom(5) });
      const beat = ecg.rhythm.between(5, 10)[0]!;
      const degrees = (at: (time: number) => number, from: number, to: number) => {
        const turn = 60 / heartRate / 360;
        return (peak(at, beat + from * turn, beat + to * turn).time - beat) / turn;
      };
      return [degrees(ecg.at, 50, 180), degrees(ecg.at, 230, 330) - 360, degrees((time) => -ecg.at(time), 8, 45)];
    };
    const [t, p, s] = angles(60) as [number, number, number];
    const [fastT, fastP, fastS] = angles(100) as [number, number, number];
    const root = Math.sqrt(100 / 60);
    expect(Math.abs(fastT - t * Math.sqrt(root))).toBeLessThan(1);
    expect(Math.abs(fastP - p * Math.sqrt(root))).toBeLessThan(1);
    expect(Math.abs(fastS - s * root)).toBeLessThan(0.5);
  });

  test("wanders with the breath: equation (2), of which the one-second relaxation of z leaves 1 / sqrt(1 + (2 pi f)^2)", () => {
    const options = { heartRate: 60, amplitude: 1, respirationRate: 15 };
    const still = createEcg({ ...options, baseline: 0, random: createRandom(6) });
    const moved = createEcg({ ...options, baseline: 0.15, random: createRandom(6) });
    const wander = Array.from({ length: 60 * 50 }, (_, i) => moved.at(20 + i / 50) - still.at(20 + i / 50));
    const expected = 0.15 / Math.sqrt(1 + (2 * Math.PI * 0.25) ** 2);
    expect(Math.max(...wander)).toBeCloseTo(expected, 3);
    expect(Math.min(...wander)).toBeCloseTo(-expected, 3);
    for (let i = 0; i < wander.length - 200; i++) expect(wander[i + 200]! - wander[i]!).toBeCloseTo(0, 6); // 4 s a breath
  });

  test("is the same world for readers in any steps: a value depends on its time alone", () => {
    const make = () => createEcg({ heartRate: 72, sdRate: 3, amplitude: 1, random: createRandom(7) });
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1.5, noNaN: true }), { maxLength: 40 }), (steps) => {
        const shared = make();
        const alone = make();
        let time = 0;
        for (const step of steps) {
          time += step;
          for (let k = Math.ceil(Math.max(0, time - 0.3) * 128); k / 128 < time + 1; k++) shared.at(k / 128);
          expect(shared.at(time)).toBe(alone.at(time));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("lists the R times so far, no more than 64 of them, and they are the rhythm's", () => {
    const ecg = createEcg({ heartRate: 75, amplitude: 1, random: createRandom(8) });
    ecg.at(10);
    expect(ecg.beats).toEqual(ecg.rhythm.between(0, 10.002));
    ecg.at(300);
    expect(ecg.beats).toHaveLength(64);
    expect(ecg.beats).toEqual(ecg.rhythm.between(0, 300.002).slice(-64));
  });

  test("looks back 3 s; beyond that, before 0, a day ahead and at no time it throws, and goes on working", () => {
    const ecg = createEcg({ heartRate: 75, amplitude: 1, random: createRandom(8) });
    const early = ecg.at(97);
    ecg.at(100);
    expect(ecg.at(97)).toBe(early);
    expect(() => ecg.at(96.99)).toThrow("ecg asked for 96.99 s after 100 s");
    expect(() => ecg.at(-0.001)).toThrow("begins at 0 s");
    expect(() => ecg.at(1e9)).toThrow("86400 s at most");
    expect(() => ecg.at(Number.NaN)).toThrow("NaN");
    expect(ecg.at(97)).toBe(early);
  });

  test("an option outside its range is named with its value", () => {
    const random = createRandom(1);
    expect(() => createEcg({ heartRate: 60, amplitude: 0, random })).toThrow("amplitude 0 is outside 0.01..20 mV");
    expect(() => createEcg({ heartRate: 60, amplitude: 1, baseline: -1, random })).toThrow("baseline -1");
    expect(() => createEcg({ heartRate: 10, amplitude: 1, random })).toThrow("heartRate 10");
  });
});
