/** What the doctor measures with: rates with their bounds, noise without drift, whose clock is off. */
import { expect, test } from "vitest";
import { type Block, createBlock } from "../../drivers/driver.ts";
import { judgeClock, type Witness } from "../../firmware/doctor/clock.ts";
import { partsOf, withUncertainty } from "../../firmware/doctor/finding.ts";
import { createNoiseMeter } from "../../firmware/doctor/noise.ts";
import { createRateMeter } from "../../firmware/rate.ts";
import { createRandom } from "../../simulator/random.ts";

const block = (samples: readonly number[], more: Partial<Block> = {}): Block => {
  const made = createBlock(samples.length);
  made.samples.set(samples);
  return Object.assign(made, { count: samples.length }, more);
};

/** 100 samples a second in blocks of ten, each stamp off by up to its uncertainty. */
const stamped = (from: number, to: number, more: (index: number) => Partial<Block> = () => ({})) => {
  const random = createRandom("stamps");
  const blocks: Block[] = [];
  for (let index = from; index < to; index += 10) {
    const off = (2 * random.uniform() - 1) * 4000;
    blocks.push(block(Array(10).fill(0), { index, time: index * 10_000 + off, uncertainty: 4000, ...more(index) }));
  }
  return blocks;
};

test("a rate lies within its bounds, and they are narrower than those of the first and the last stamp alone", () => {
  const meter = createRateMeter(8);
  for (const one of stamped(0, 1000)) meter.push(one);
  const { low, high } = meter.rate()!;
  expect(low).toBeLessThanOrEqual(100);
  expect(high).toBeGreaterThanOrEqual(100);
  expect(high - low).toBeLessThan(2 * ((100 * 8000) / 9_900_000));
  expect(high - low).toBeGreaterThan(0);
  expect([meter.samples, meter.lost, meter.gaps]).toEqual([1000, 0, 0]);
});

test("samples whose loss is counted belong to the rate, a loss of unknown size begins it anew", () => {
  const counting = createRateMeter(8);
  for (const one of stamped(0, 200)) counting.push(one);
  for (const one of stamped(300, 500, (index) => (index === 300 ? { lost: 100 } : {}))) counting.push(one);
  expect(counting.rate()!.low).toBeGreaterThan(99);
  expect([counting.lost, counting.gaps]).toEqual([100, 0]);

  const broken = createRateMeter(8);
  for (const one of stamped(0, 200)) broken.push(one);
  // The index goes on as if nothing were lost: across it the rate would be wrong.
  for (const one of stamped(200, 400)) broken.push({ ...one, time: one.time + 9e6, lost: one.index === 200 ? -1 : 0 });
  const { low, high } = broken.rate()!;
  expect(low).toBeLessThanOrEqual(100);
  expect(high).toBeGreaterThanOrEqual(100);
  expect(broken.gaps).toBe(1);
});

test("one block is no rate, and what ends the gap of a start is no loss", () => {
  const meter = createRateMeter(8);
  meter.push(block([1, 2], { lost: -1, time: 5, uncertainty: 1 }));
  expect(meter.rate()).toBe(null);
  expect(meter.gaps).toBe(0);
});

test("noise is what deviates from a straight line, so that a drift is none", () => {
  const random = createRandom("noise");
  const meter = createNoiseMeter(64);
  for (let from = 0; from < 6400; from += 10)
    meter.push(block(Array.from({ length: 10 }, (_, i) => Math.round(50 * random.normal() + 30 * (from + i) + 1e5))));
  expect(meter.rms()).toBeGreaterThan(50 * 0.97);
  expect(meter.rms()).toBeLessThan(50 * 1.03);
});

test("a line without noise has none, and a step behind a loss is none either", () => {
  const meter = createNoiseMeter(4);
  expect(meter.rms()).toBe(null);
  meter.push(block([1, 2, 3]));
  meter.push(block([901, 903, 905, 907], { lost: -1 }));
  expect(meter.rms()).toBeCloseTo(0, 9);
});

const witness = (model: string, ratio: number, tolerance: number): Witness => ({
  model,
  ratio: { low: ratio - 1e-4, high: ratio + 1e-4 },
  oscillator: { low: 1 - tolerance, high: 1 + tolerance },
});

test.each([
  ["all agree with it: by the most exact", [witness("A", 1, 0.01), witness("B", 1.0003, 0.001)], "good", / by B$/],
  ["one is off, another contradicts it", [witness("A", 0.95, 0.01), witness("B", 1, 0.001)], "good", / by B$/],
  ["two agree that it is slow", [witness("A", 1.05, 0.01), witness("B", 1.05, 0.001)], "bad", /^-\d.* % by A and B$/],
  ["one alone says so, the other cannot know", [witness("A", 0.95, 0.01), witness("B", 1, 0.2)], "look", / % by A$/],
  ["two contradict each other and it", [witness("A", 0.95, 0.01), witness("B", 1.05, 0.01)], "look", /contradict/],
])("the board's clock: %s", (_name, witnesses, verdict, measured) => {
  const { finding, speed } = judgeClock(witnesses);
  expect(finding).toMatchObject({ verdict, measured: expect.stringMatching(measured) });
  if (verdict === "bad") expect(speed).toBeCloseTo(1 / 1.05, 3);
  else expect(speed).toBe(1);
});

test("without a rate there is nothing to be said of the clock", () => {
  expect(judgeClock([])).toEqual({ finding: null, speed: 1 });
});

test("a number has the decimals that its uncertainty leaves it, and the bound is rounded up", () => {
  expect(withUncertainty(99.9812, 0.0123, "Hz")).toBe("99.98 +- 0.02 Hz");
  expect(withUncertainty(1.04, 0.5, "Hz")).toBe("1.0 +- 0.5 Hz");
  expect(withUncertainty(100, 2.1, "Hz")).toBe("100 +- 3 Hz");
  expect(withUncertainty(1, 0, "Hz")).toBe("1.0000 +- 0.0000 Hz");
});

test("a fault's message is parted into what is wrong and what to do", () => {
  expect(partsOf("MAX30102 at 0x57: register 0x09 reads 0x00; not 0x03; check the supply")).toEqual({
    what: "register 0x09 reads 0x00; not 0x03",
    words: "check the supply",
  });
  expect(partsOf("it fell off").what).toBe("it fell off");
});
