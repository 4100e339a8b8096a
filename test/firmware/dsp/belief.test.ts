/** When the beats of a light that has just begun are believed. */
import { describe, expect, test } from "vitest";
import { type Belief, createBelief } from "../../../firmware/dsp/belief.ts";
import type { BeatShape } from "../../../firmware/dsp/motion.ts";

const FREQUENCY = 50;
const beat = (rest: number): BeatShape => ({
  span: 40,
  power: 1,
  rest,
  ratio: 1,
  alike: true,
  sure: true,
  model: true,
});
const CLEAR = beat(1 / 4096);
const UNCLEAR = beat(1 / 256);

/** `count` good beats, one a second from `second` on; what each said. */
const feed = (belief: Belief, shape: BeatShape, count: number, second = 0) =>
  Array.from({ length: count }, (_, i) => belief.good(shape, (second + i) * FREQUENCY));

describe("beats of a light that begins", () => {
  test("that stand clear are believed after three, and none is forgotten", () => {
    const belief = createBelief(FREQUENCY);
    expect([belief.doubts(), feed(belief, CLEAR, 2), belief.doubts()]).toEqual([true, [false, false], true]);
    expect([feed(belief, CLEAR, 1, 2), belief.doubts()]).toEqual([[false], false]);
  });

  test("that do not are doubted, then forgotten when eight in a row are clear, once", () => {
    const belief = createBelief(FREQUENCY);
    feed(belief, UNCLEAR, 5);
    expect(feed(belief, CLEAR, 7, 5)).not.toContain(true);
    expect(belief.doubts()).toBe(true);
    expect([feed(belief, CLEAR, 3, 12), belief.doubts()]).toEqual([[true, false, false], false]);
  });

  test("that never are, of a weak pulse, are believed 30 s after the first", () => {
    const belief = createBelief(FREQUENCY);
    feed(belief, UNCLEAR, 20);
    belief.bad();
    feed(belief, UNCLEAR, 10, 20);
    expect(belief.doubts()).toBe(true);
    expect([feed(belief, UNCLEAR, 1, 30), belief.doubts()]).toEqual([[false], false]);
  });

  test("begin anew with the light, and once believed stay so", () => {
    const belief = createBelief(FREQUENCY);
    feed(belief, CLEAR, 3);
    belief.bad();
    feed(belief, UNCLEAR, 3, 4);
    expect(belief.doubts()).toBe(false);
    belief.reset();
    expect(belief.doubts()).toBe(true);
  });
});
