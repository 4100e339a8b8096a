/** A converter that gives one code again and again, and what is none. */
import { expect, test } from "vitest";
import {
  type Block,
  createBlock,
  FLAG_BUS_FAULT,
  FLAG_LEAD_OFF,
  FLAG_SATURATED,
  FLAG_TEST_SIGNAL,
} from "../../../drivers/driver.ts";
import { ad8232, max30003, max30102 } from "../../../drivers/index.ts";
import { createStuckCodes } from "../../../firmware/dsp/stuck.ts";

const ecg = max30003.create({ sampleRate: 256 }, {}).channels();
const light = max30102.create({ sampleRate: 100 }, {}).channels();

const filled = (samples: readonly number[], flags = 0): Block => {
  const block = createBlock(samples.length);
  block.samples.set(samples);
  return Object.assign(block, { count: samples.length, flags });
};
const same = (code: number, count = 16, flags = 0) => filled(new Array(count).fill(code), flags);
/** What `mark` says of block after block of the first channel, and what flags the blocks have then. */
const marked = (channels: typeof ecg, blocks: readonly Block[]) => {
  const codes = createStuckCodes(channels);
  const places = blocks.map((block) => codes.mark(channels.map((_, i) => (i === 0 ? block : createBlock(0)))));
  return { places, flags: blocks.map(({ flags }) => flags) };
};
const many = (count: number, block: () => Block) => Array.from({ length: count }, block);

test("a code is stuck once it has been the same for a second, and until another one comes", () => {
  const { places, flags } = marked(ecg, [
    filled([...new Array(15).fill(7), 1234]),
    ...many(17, () => same(1234)),
    filled([1234, 1234, 1235, 1234]),
    same(1234),
  ]);
  expect(places).toEqual([...new Array(16).fill(-1), 0, 0, 0, -1]);
  expect(flags).toEqual(places.map((place) => (place === 0 ? FLAG_BUS_FAULT : 0)));
});

test("one sample in a second that differs by one is enough for a signal", () => {
  for (const at of [0, 3, 15]) {
    const blocks = many(64, () => same(1234));
    for (let i = 7; i < 64; i += 8) blocks[i]!.samples[at] = 1235;
    expect(marked(ecg, blocks).places).toEqual(new Array(64).fill(-1));
  }
});

test("the blocks of a poll may be of any size, and empty", () => {
  for (const size of [1, 7, 256, 1000]) {
    const count = Math.ceil(256 / size);
    const blocks = many(count, () => same(-5, size)).flatMap((block) => [createBlock(0), block]);
    expect(marked(ecg, blocks).places.indexOf(0)).toBe(2 * count - 1);
  }
});

test("each of a chip's channels is looked at for itself, and the first that is stuck is told", () => {
  const codes = createStuckCodes(light);
  let place = -1;
  for (let i = 0; i < 100; i++) {
    const red = filled([100_000 + (i % 3)]);
    const infrared = same(120_000, 1);
    place = codes.mark([red, infrared, createBlock(0)]);
    expect(red.flags).toBe(0);
    expect(infrared.flags).toBe(i < 99 ? 0 : FLAG_BUS_FAULT);
  }
  expect(place).toBe(1);
});

test("a converter at its end, electrodes that are off, a test signal and the dark may give one code for ever", () => {
  const constant = (channels: typeof ecg, code: number, flags = 0) =>
    marked(
      channels,
      many(200, () => same(code, 16, flags)),
    ).places.every((place) => place === -1);
  for (const flag of [FLAG_SATURATED, FLAG_LEAD_OFF, FLAG_TEST_SIGNAL]) expect(constant(ecg, 99, flag)).toBe(true);
  expect(constant(light, 300)).toBe(true);
  expect(constant(light, 20_000)).toBe(false);
  expect(constant(ecg, -(2 ** 17))).toBe(true);
  expect(constant(ecg, 0)).toBe(false);
});

test("a converter of 12 bits may give one code while nothing happens: its steps are above its noise", () => {
  const coarse = ad8232.create({}, { converter: { bits: 12, reference: 3.3 } }).channels();
  expect(
    marked(
      coarse,
      many(200, () => same(2048)),
    ).places.every((place) => place === -1),
  ).toBe(true);
});
