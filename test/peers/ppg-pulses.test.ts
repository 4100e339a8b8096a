import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawPulse, pulseTimes } from "../../simulator/evaluate/synthetic-pulse.ts";
import { createRandom } from "../../simulator/random.ts";
import { pulsePeers } from "./ppg-pulses.ts";

const SECONDS = 40;
const draw = (rate: number, bpm: number, percent = 1) =>
  drawPulse({
    rate,
    seconds: SECONDS,
    beats: pulseTimes(SECONDS, () => bpm),
    perfusionIndex: () => percent,
    random: createRandom(1),
  });

describe.each(pulsePeers)("$name", ({ factory }) => {
  function beatsOf(light: Int32Array, rate: number, lengths: readonly number[] = [rate]) {
    const found: { index: number; emittedAt: number }[] = [];
    const detector = factory(rate, (index, emittedAt) => found.push({ index, emittedAt }));
    for (let at = 0, k = 0; at < light.length; k++) {
      const count = Math.min(lengths[k % lengths.length]! || k % 2, light.length - at);
      detector.push(light.subarray(at), count);
      at += count;
    }
    return found;
  }

  test.each([50, 100, 125, 200].flatMap((rate) => [50, 75, 110].map((bpm) => [rate, bpm] as const)))(
    "at %i hz finds every pulse of %i a minute and nothing else",
    (rate, bpm) => {
      const times = beatsOf(draw(rate, bpm), rate).map(({ index }) => index / rate);
      const late = times.filter((time) => time > 6);
      expect(late.length).toBeGreaterThan((32 * bpm) / 60);
      for (const [k, time] of late.entries())
        if (k > 0) expect(Math.abs(60 / (time - late[k - 1]!) / bpm - 1)).toBeLessThan(0.05);
    },
  );

  test("tells of a beat after it was, and the same whatever the blocks are", () => {
    const light = draw(125, 80);
    const whole = beatsOf(light, 125);
    for (const { index, emittedAt } of whole) expect(emittedAt).toBeGreaterThanOrEqual(index);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 30 }), (lengths) => {
        expect(beatsOf(light, 125, lengths)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test.each([20, 1001, Number.NaN])("refuses %f hz", (rate) => {
    expect(() => factory(rate, () => {})).toThrow(`rate ${rate} hz is not 25 to 1000`);
  });
});

test("fixed limits know no pulse below and none above them", () => {
  const { factory } = pulsePeers.find(({ name }) => name.startsWith("zero crossing"))!;
  const count = (percent: number) => {
    let beats = 0;
    const light = draw(100, 75, percent);
    factory(100, () => beats++).push(light, light.length);
    return beats;
  };
  expect([count(0.05), count(1) > 45, count(20)]).toEqual([0, true, 0]);
});
