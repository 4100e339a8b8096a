import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createLightArtefacts,
  createPpg,
  createRandom,
  createRhythm,
  drawMotionBursts,
  type LightArtefact,
} from "../../simulator/index.ts";

const still = { respiration: { height: 0, arrival: 0, light: 0 }, drift: 0 };
const make = (artefacts: readonly LightArtefact[], seed = 2) =>
  createPpg({
    rhythm: createRhythm({ heartRate: 60, sdRate: 0, random: createRandom(1) }),
    spo2: 90,
    perfusionIndex: 2,
    random: createRandom(seed),
    ...still,
    artefacts,
  });
const alone = (artefacts: readonly LightArtefact[], perfusionIndex = 2) =>
  createLightArtefacts(artefacts, { perfusionIndex, open: 2, random: createRandom(3) });

const times = (from: number, to: number, step = 0.01) =>
  Array.from({ length: Math.round((to - from) / step) }, (_, k) => from + k * step);
const deviation = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
};
/** Amplitude of one frequency in values 0.01 s apart. */
const spectrum = (values: readonly number[], frequency: number) => {
  let [x, y] = [0, 0];
  for (const [k, value] of values.entries()) {
    const window = 1 - Math.cos((2 * Math.PI * k) / values.length);
    x += window * value * Math.cos(2 * Math.PI * frequency * k * 0.01);
    y += window * value * Math.sin(2 * Math.PI * frequency * k * 0.01);
  }
  return (2 * Math.hypot(x, y)) / values.length;
};

const kinds: readonly LightArtefact[] = [
  { kind: "motion", from: 10, to: 20, amplitude: 3, difference: 0.3 },
  { kind: "ambient", from: 12, to: 22, constant: 10, drift: 3, flicker: 1 },
  { kind: "clipping", from: 14, to: 16, light: 900 },
  { kind: "finger off", from: 11, to: 15 },
  { kind: "perfusion", from: 9, to: 24, factor: 0.2 },
  { kind: "probe shift", from: 18, to: 25, red: 0.7, infrared: 0.8 },
];

describe("artefacts of light", () => {
  test.each(kinds)("$kind: before and after it the light is what it would be, to the last bit", (artefact) => {
    const [disturbed, clean] = [make([artefact]), make([])];
    let changed = 0;
    for (const time of times(0, 30)) {
      const [red, infrared] = [disturbed.red(time, 0), disturbed.infrared(time, 0)];
      const same = red === clean.red(time, 0) && infrared === clean.infrared(time, 0);
      if (time < artefact.from || time >= artefact.to) expect(same).toBe(true);
      else if (!same) changed++;
    }
    expect(changed).toBeGreaterThan((artefact.to - artefact.from) * 95);
  });

  test("the truth says what acts when, by its begin", () => {
    const { truth, at } = make(kinds).artefacts;
    expect(truth.map(({ from }) => from)).toEqual([9, 10, 11, 12, 14, 18]);
    expect(new Set(truth)).toEqual(new Set(kinds));
    expect(at(8.99)).toEqual([]);
    expect(at(14).map(({ kind }) => kind)).toEqual(["perfusion", "motion", "finger off", "ambient", "clipping"]);
    expect(at(24).map(({ kind }) => kind)).toEqual(["probe shift"]);
    expect(at(25)).toEqual([]);
  });

  test("are pure functions of time: values asked in any order, and others asked between, make no difference", () => {
    const artefacts = alone(kinds);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { minLength: 1 }), (asked) => {
        for (const time of asked) {
          const other = alone(kinds);
          expect(artefacts.red(time, 600)).toBe(other.red(time, 600));
          expect(artefacts.infrared(time, 700)).toBe(other.infrared(time, 700));
          expect(artefacts.pulse(time)).toBe(other.pulse(time));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("one more of another kind, or one later, leaves what was there as it was", () => {
    const motion: LightArtefact = { kind: "motion", from: 1, to: 9, amplitude: 2 };
    const later: LightArtefact = { kind: "motion", from: 20, to: 22, amplitude: 9 };
    for (const time of times(1, 9)) {
      expect(alone([later, ...kinds, motion]).red(time, 600)).toBe(alone([motion]).red(time, 600));
    }
    expect(alone([motion]).red(5, 600)).not.toBe(
      createLightArtefacts([motion], { perfusionIndex: 2, open: 2, random: createRandom(4) }).red(5, 600),
    );
  });

  describe("motion", () => {
    const motion = (difference: number, amplitude = 4): LightArtefact[] => [
      { kind: "motion", from: 0, to: 1000, amplitude, difference },
    ];
    const values = (light: (time: number, light: number) => number) => times(1, 999).map((t) => light(t, 1) - 1);

    test("is as strong as a sine of `amplitude` times the pulse's height", () => {
      for (const [amplitude, perfusionIndex] of [
        [4, 2],
        [1, 0.1],
      ] as const) {
        const { infrared, red } = alone(motion(0.5, amplitude), perfusionIndex);
        for (const light of [red, infrared]) {
          const sine = ((amplitude * perfusionIndex) / 100 / 2) * Math.SQRT1_2;
          expect(deviation(values(light)) / sine).toBeGreaterThan(0.95);
          expect(deviation(values(light)) / sine).toBeLessThan(1.05);
        }
      }
    });

    test("moves both lights by the same part where it has no difference: its ratio of ratios is 1", () => {
      const { infrared, red } = alone(motion(0));
      for (const time of times(0, 20)) expect(red(time, 600) / 600).toBeCloseTo(infrared(time, 700) / 700, 12);
    });

    test("with a difference d is correlated by 1 - d^2", () => {
      for (const difference of [0.2, 0.6, 1]) {
        const { infrared, red } = alone(motion(difference));
        const [a, b] = [values(red), values(infrared)];
        const product = a.reduce((sum, value, k) => sum + value * b[k]!, 0) / a.length;
        expect(product / deviation(a) / deviation(b)).toBeCloseTo(1 - difference ** 2, 1);
      }
    });

    test("lies in its band", () => {
      const { infrared } = alone([{ kind: "motion", from: 0, to: 1000, amplitude: 4, band: [1, 2] }]);
      const all = times(1, 301).map((time) => infrared(time, 1) - 1);
      const within = Math.max(...times(1.01, 1.99, 0.002).map((hz) => spectrum(all, hz)));
      for (const hz of [0.5, 0.9, 0.98, 2.02, 2.1, 3, 6]) expect(spectrum(all, hz)).toBeLessThan(within / 1000);
    });

    test("comes and goes within a quarter of a second, without a jump", () => {
      const { infrared } = alone([{ kind: "motion", from: 10, to: 14, amplitude: 5 }]);
      const seen = times(9.9, 14.1, 0.001).map((time) => infrared(time, 1));
      for (let k = 1; k < seen.length; k++) expect(Math.abs(seen[k]! - seen[k - 1]!)).toBeLessThan(0.004);
    });
  });

  test("ambient light is added to both alike, whatever the LEDs give", () => {
    const { red, infrared } = alone([{ kind: "ambient", from: 0, to: 900, constant: 10, drift: 3, flicker: 1 }]);
    const seen = times(0, 900, 0.097).map((time) => {
      expect(red(time, 600) - 600).toBeCloseTo(infrared(time, 700) - 700, 9);
      return infrared(time, 0);
    });
    expect(seen.reduce((sum, value) => sum + value, 0) / seen.length).toBeCloseTo(10, 0);
    expect(deviation(seen)).toBeCloseTo(Math.hypot(3, Math.SQRT1_2), 0);
  });

  test("flicker of 50.02 hz mains shows as 0.04 hz at 100 samples a second", () => {
    const { infrared } = alone([{ kind: "ambient", from: 0, to: 200, flicker: 1, mains: 50.02 }]);
    const seen = times(0, 200).map((time) => infrared(time, 0));
    expect(spectrum(seen, 0.04)).toBeCloseTo(1, 2);
    expect(spectrum(seen, 0.2)).toBeLessThan(0.01);
  });

  test("clipping light of the given height lies on both", () => {
    const { red, infrared } = alone([{ kind: "clipping", from: 5, to: 6, light: 900 }]);
    expect([red(5, 600), infrared(5.999, 700), red(6, 600)]).toEqual([1500, 1600, 600]);
  });

  test("a finger off leaves the open light within 0.1 s, and is back within 0.1 s", () => {
    const { red, infrared } = alone([{ kind: "finger off", from: 5, to: 8 }]);
    expect([red(5, 600), red(5.11, 600), infrared(6, 700), red(7.89, 600), red(8, 600)]).toEqual([600, 2, 2, 2, 600]);
    expect(red(5.05, 600)).toBeCloseTo(301, 9);
  });

  test("a change of perfusion leaves R and the light as they are", () => {
    const [stepped, clean] = [make([{ kind: "perfusion", from: 10, to: 20, factor: 0.1 }]), make([])];
    for (const time of times(0, 30)) {
      const [red, infrared] = [1 - stepped.red(time, 0) / 600, 1 - stepped.infrared(time, 0) / 700];
      const factor = stepped.artefacts.pulse(time);
      expect(red).toBeCloseTo(infrared * stepped.ratio(time), 12);
      expect(infrared).toBeCloseTo(factor * (1 - clean.infrared(time, 0) / 700), 12);
      if (time > 11 && time < 19) expect(factor).toBeCloseTo(0.1, 12);
      clean.red(time, 0);
    }
  });

  test("a probe shift is a step of each light by its own factor", () => {
    const { red, infrared } = alone([{ kind: "probe shift", from: 5, to: 9, red: 0.5, infrared: 0.25 }]);
    expect([red(4.99, 600), red(5, 600), infrared(5, 700), red(9, 600)]).toEqual([600, 300, 175, 600]);
  });

  test("act in the order of the way of light: none of another one changes what a lamp adds, and a lamp shines without a finger", () => {
    const span = { from: 0, to: 10 };
    const lamp: LightArtefact = { kind: "ambient", ...span, constant: 50 };
    const shift: LightArtefact = { kind: "probe shift", ...span, red: 0.5, infrared: 0.5 };
    expect(alone([lamp, shift]).red(5, 600)).toBe(350);
    expect(alone([lamp, { kind: "finger off", ...span }, shift]).red(5, 600)).toBe(52);
    const motion: LightArtefact = { kind: "motion", ...span, amplitude: 4 };
    expect(alone([lamp, motion]).red(5, 600) - 50).toBeCloseTo(alone([motion]).red(5, 600), 9);
  });

  test.each<[LightArtefact, string]>([
    [{ kind: "finger off", from: 5, to: 5 }, "finger off from 5 s to 5 s: it must end after it begins"],
    [{ kind: "clipping", from: -1, to: 5, light: 1 }, "clipping from -1 is outside"],
    [{ kind: "motion", from: 1, to: 5, amplitude: -1 }, "motion amplitude -1"],
    [{ kind: "motion", from: 1, to: 5, amplitude: 1, band: [3, 2] }, "motion band 2 is outside 3..20 hz"],
    [{ kind: "motion", from: 1, to: 5, amplitude: 1, difference: 2 }, "motion difference 2"],
    [{ kind: "perfusion", from: 1, to: 5, factor: Number.NaN }, "perfusion factor NaN"],
    [{ kind: "ambient", from: 1, to: 5, mains: 400 }, "ambient mains 400 is outside 45..65 hz"],
    [{ kind: "probe shift", from: 1, to: 5, red: 11, infrared: 1 }, "probe shift red 11"],
  ])("%j is refused: %s", (artefact, message) => expect(() => alone([artefact])).toThrow(message));
});

describe("bursts of motion", () => {
  const draw = (seed: number) =>
    drawMotionBursts({
      from: 20,
      to: 320,
      lasting: [2, 4],
      pause: [5, 10],
      amplitude: [1, 3],
      random: createRandom(seed),
    });

  test("have lengths, pauses and amplitudes within their ranges, the same ones from a seed", () => {
    const bursts = draw(1);
    expect(bursts).toEqual(draw(1));
    expect(bursts).not.toEqual(draw(2));
    expect(bursts.length).toBeGreaterThan(300 / 14 - 1);
    let end = 20;
    for (const { from, to, amplitude } of bursts) {
      expect(from - end).toBeGreaterThanOrEqual(5);
      expect(from - end).toBeLessThan(10);
      if (to < 320) expect(to - from).toBeGreaterThanOrEqual(2);
      expect(to - from).toBeLessThan(4);
      expect(amplitude).toBeGreaterThanOrEqual(1);
      expect(amplitude).toBeLessThan(3);
      end = to;
    }
    expect(end).toBeLessThanOrEqual(320);
    expect(end).toBeGreaterThan(306);
  });

  test("without any length there would be no end: refused", () => {
    const options = { from: 0, to: 10, lasting: [0, 0], pause: [0, 0], random: createRandom(1) } as const;
    expect(() => drawMotionBursts(options)).toThrow("pause and lasting are 0");
  });
});
