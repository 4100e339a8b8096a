import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLAG_OFF_BODY, FLAG_SATURATED, FLAG_SETTLING } from "../../../drivers/driver.ts";
import { BLOCK, createBand, frameOf } from "../../../firmware/dsp/band.ts";
import { createContact } from "../../../firmware/dsp/contact.ts";
import { type BeatShape, createMotionGate } from "../../../firmware/dsp/motion.ts";
import { vectorsOrPlain } from "../../../firmware/dsp/plain-vectors.ts";
import { createRatioMeter, type RatioReading } from "../../../firmware/dsp/ratio.ts";
import { withVectors } from "./filters.ts";

describe("plain vectors", () => {
  test("add as the interpreter does, to the last bit, whatever the length", () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 0, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 9 }), (list, offset) => {
        const a = Float64Array.from(list);
        const b = Float64Array.from({ length: a.length + offset }, (_, i) => Math.sin(i) / 3);
        const native = withVectors(() => vectorsOrPlain().convolve(a, b, offset));
        expect(vectorsOrPlain().convolve(a, b, offset)).toBe(native);
      }),
    );
  });
});

/** Lights and waves of a signal. */
function bandOf(rate: number, signal: (sample: number) => number) {
  const frame = frameOf(rate, 4);
  const band = createBand(frame);
  const lights: number[] = [];
  const waves: number[] = [];
  let end = frame.kept;
  for (let block = 0; block < 20; block++) {
    for (let i = 0; i < BLOCK * frame.step; i++) band.fresh[i] = signal(block * BLOCK * frame.step + i);
    if (block === 0) band.begin();
    if (end + BLOCK > frame.length) {
      band.move(end);
      end = frame.kept;
    }
    band.take(end);
    end += BLOCK;
    lights.push(...band.lights.subarray(end - BLOCK, end));
    waves.push(...band.waves.subarray(end - BLOCK, end));
  }
  return { frame, lights, waves };
}

describe("the band of a light", () => {
  test.each([25, 30, 49, 50, 100, 125, 400])(
    "at %i hz is thinned out to 25 to 50 a second, and a sum keeps its place",
    (rate) => {
      const { frame, lights } = bandOf(rate, (i) => 1000 + 8 * i);
      expect(frame.frequency).toBeGreaterThanOrEqual(25);
      expect(frame.frequency).toBeLessThan(50);
      // the triangle of internal sample k lies about sample k x step
      for (let k = 2; k < lights.length; k++) expect(lights[k]).toBe((1000 + 8 * k * frame.step) * frame.step ** 2);
    },
  );

  test.each<[string, (i: number) => number]>([
    ["what does not move", () => 70_000],
    ["a line", (i) => 70_000 + 11 * i],
    ["a parabola", (i) => 70_000 + 11 * i - (i * i) / 4],
  ])("has no wave of %s", (_, signal) => {
    const { waves } = bandOf(100, (i) => signal(2 * i));
    for (const wave of waves.slice(40)) expect(wave).toBe(0);
  });

  test("is the same to the last bit through native vector functions", () => {
    for (const rate of [30, 100, 128, 400]) {
      const signal = (i: number) => Math.round(100_000 + 900 * Math.sin(i / 9) + 500 * Math.sin(i * i));
      const plain = bandOf(rate, signal);
      expect(withVectors(() => bandOf(rate, signal))).toEqual(plain);
      expect(Math.max(...plain.waves)).toBeGreaterThan(1000);
    }
  });
});

describe("contact", () => {
  const light = (value: number, one = value) => Int32Array.from([value, one, value, value]);
  const make = () => createContact({ offBodyBelow: 1000, saturatedAbove: 9000, landing: 2 });

  test("is there after two blocks of good light, and gone with one dark or bright sample of either", () => {
    const contact = make();
    const flags = (red: number, infrared: number) =>
      contact.land(contact.look(light(5000, red), light(5000, infrared)));
    expect([flags(5000, 5000), flags(5000, 5000), flags(200, 5000)]).toEqual([FLAG_SETTLING, 0, 0]);
    expect([flags(5000, 999), flags(5000, 5000), flags(5000, 1000)]).toEqual([FLAG_OFF_BODY, FLAG_SETTLING, 0]);
    expect([flags(9000, 5000), flags(5000, 5000), flags(8999, 5000)]).toEqual([FLAG_SATURATED, FLAG_SATURATED, 0]);
    expect([flags(5000, 9000), flags(5000, 5000), flags(5000, 5000)]).toEqual([FLAG_SATURATED, FLAG_SATURATED, 0]);
  });

  test("a look changes nothing", () => {
    const contact = make();
    expect(contact.look(null, light(5000))).toBe(0);
    expect(contact.look(null, light(5000, 10))).toBe(FLAG_OFF_BODY);
    expect(contact.look(light(9999), light(5000))).toBe(FLAG_SATURATED);
    expect(contact.look(null, new Int32Array(0))).toBe(0);
    expect([contact.land(0), contact.land(0)]).toEqual([FLAG_SETTLING, 0]);
  });
});

describe("the ratio meter", () => {
  const reading: RatioReading = { ratio: null, variance: 0, seconds: 0 };
  /** At 25 hz: a beat of 20 samples with this R, and noise of equal power in both lights. */
  const beat = (from: number, ratio: number, noise = 0) => {
    const [xx, yy] = [1 + noise, ratio * ratio + noise];
    return { from, span: 20, xx, xy: ratio, rest: yy - (ratio * ratio) / xx, noise: 1 };
  };
  const read = (meter: ReturnType<typeof createRatioMeter>, now: number) => {
    meter.read(now, reading);
    return reading.ratio;
  };

  test("needs a second and a quarter of beats, and forgets what began more than 8 s ago", () => {
    const meter = createRatioMeter(25);
    meter.add(beat(0, 0.7));
    expect(read(meter, 20)).toBeNull();
    meter.add(beat(20, 0.7));
    expect(read(meter, 40)).toBeCloseTo(0.7, 12);
    expect(reading.seconds).toBeCloseTo(1.6, 12);
    expect(read(meter, 200)).toBeCloseTo(0.7, 12);
    expect(read(meter, 201)).toBeNull();
    expect(reading.seconds).toBeCloseTo(0.8, 12);
    expect(read(meter, 221)).toBeNull();
  });

  test("takes noise that is the same in both lights out of R, where a least-squares line would be too flat", () => {
    for (const ratio of [0.4, 0.7, 1, 1.3]) {
      const meter = createRatioMeter(25);
      for (let i = 0; i < 10; i++) meter.add(beat(20 * i, ratio, 1 / 16));
      expect(Math.abs(read(meter, 200)! - ratio)).toBeLessThan(0.005);
      expect(ratio - ratio / (1 + 1 / 16)).toBeGreaterThan(0.02);
    }
  });

  test("computes nothing across a gap of 2 s: what was before it, then what came after", () => {
    const meter = createRatioMeter(25);
    for (let i = 0; i < 3; i++) meter.add(beat(20 * i, 0.5));
    meter.add(beat(120, 1.1));
    expect(read(meter, 140)).toBeCloseTo(0.5, 12);
    meter.add(beat(140, 1.1));
    expect(read(meter, 160)).toBeCloseTo(1.1, 12);
  });

  test("takes more beats into a mean where noise makes it unsure", () => {
    const meters = [0, 1 / 8].map((noise) => {
      const meter = createRatioMeter(25);
      // R falls from 0.9 to 0.7: the longer the mean, the higher
      for (let i = 0; i < 10; i++) meter.add(beat(20 * i, 0.9 - i / 45, noise));
      return read(meter, 200)!;
    });
    expect(meters[0]).toBeLessThan(0.76);
    expect(meters[1]).toBeGreaterThan(0.78);
  });

  test("has no R where red goes against infrared", () => {
    const meter = createRatioMeter(25);
    for (let i = 0; i < 5; i++) meter.add({ ...beat(20 * i, 0.7), xy: -0.7 });
    expect(read(meter, 100)).toBeNull();
  });
});

describe("the motion gate", () => {
  const usual = { span: 20, power: 1, rest: 0.0001, ratio: 0.6, alike: true, sure: false, model: false };
  /** What it says of beats one after the other: 1 good, 0 not. All of them begin like the one before. */
  const judge = (beats: readonly Partial<BeatShape>[]) => {
    const gate = createMotionGate(() => true);
    const beat = { ...usual };
    return beats.map((one) => (gate.judge(Object.assign(beat, usual, one)) ? 1 : 0)).join("");
  };
  const times = (count: number, one: Partial<BeatShape>) => Array.from({ length: count }, () => one);

  test.each<[string, Partial<BeatShape>]>([
    ["louder than 1.5 times the quieter ones", { power: 2.3, ratio: 1 }],
    ["unlike the last one", { alike: false }],
    ["two things with an R of their own", { rest: 0.002 }],
    ["out of rhythm", { span: 9 }],
  ])("lets no beat through that is %s", (_, one) => {
    expect(judge([...times(10, {}), one, ...times(3, {})])).toBe("1111111111" + "0" + "111");
  });

  test("a pulse twice as high is one with its fourth beat of the R, the rhythm and the shape of before", () => {
    const stronger = { power: 4, rest: 0.0004 };
    expect(judge([...times(10, {}), ...times(5, stronger)])).toBe("1111111111" + "00011");
    for (const other of [{ ratio: 0.9 }, { span: 26 }, { alike: false }, { rest: 0.01 }]) {
      expect(judge([...times(10, {}), ...times(8, { ...stronger, ...other })])).toBe("1111111111" + "00000000");
    }
  });

  test("motion that is steady is not learned while its R is 1; another pulse is, after twelve beats", () => {
    const motion = { power: 4, ratio: 1, span: 15 };
    expect(judge([...times(10, {}), ...times(60, motion), {}])).toBe(`1111111111${"0".repeat(60)}1`);
    expect(judge([...times(10, {}), ...times(24, { power: 4, ratio: 0.8, span: 15 })])).toMatch(/^1{10}0{16}1{8}$/);
  });

  test("a pulse much quieter than what was taken for one is one after six beats, whatever its shape", () => {
    const loud = times(10, { power: 9, rest: 0.0009 });
    expect(judge([...loud, ...times(6, { alike: false }), ...times(3, {})])).toBe(`${"1".repeat(10)}000001111`);
    // with nothing to tell it from motion, twelve must pass
    expect(judge([...times(10, {}), ...times(18, { alike: false, ratio: 0.61 })])).toMatch(/^1{10}0{16}1/);
  });

  test("noise that no longer is as low as it was is learned by and by", () => {
    const said = judge([...times(16, {}), ...times(80, { rest: 0.002 })]);
    expect(said.slice(16, 24)).toBe("00000000");
    expect(said.slice(-10)).toBe("1111111111");
  });

  test("is not sure before three beats agree", () => {
    const gate = createMotionGate(() => true);
    const sure = [usual, usual, { ...usual, alike: false }, usual, usual, usual].map((one) => {
      const beat = { ...one };
      return [gate.judge(beat), beat.sure];
    });
    expect(sure.slice(0, 3)).toEqual([
      [true, false],
      [true, false],
      [false, false],
    ]);
    expect(sure.at(-1)).toEqual([true, true]);
  });
});
