import fc from "fast-check";
import { expect, test } from "vitest";
import { createBlock } from "../../drivers/driver.ts";
import { createPacker } from "../../firmware/packer.ts";
import { encodeMessage, type Wave } from "../../protocol/messages.ts";
import { decodeSamples } from "../../protocol/samples.ts";

const INTERVAL = 4000;
const block = (samples: readonly number[], parts: { time?: number; lost?: number; flags?: number } = {}) => {
  const made = createBlock(Math.max(1, samples.length));
  made.samples.set(samples);
  made.count = samples.length;
  return Object.assign(made, { time: 0, lost: 0, flags: 0 }, parts);
};
const waves = (packer: ReturnType<typeof createPacker>, tick = 0) => {
  const all: (Wave & { samples: number[] })[] = [];
  while (!packer.empty) {
    const channels = packer.take(tick);
    // Every message that comes out of it is one that the CDDL allows.
    encodeMessage({ type: "data", boot: 1, seq: 1, tick, cfg: 1, channels });
    for (const wave of channels) {
      if (wave.kind === "wave") all.push({ ...wave, samples: [...decodeSamples(wave.codec, wave.bytes, wave.n)] });
    }
  }
  return all;
};

test("whatever the bursts, codec and flags: every sample comes out once, in order, at its index (CDDL)", () => {
  const burst = fc.record({
    samples: fc.array(fc.integer({ min: -131072, max: 131071 }), { maxLength: 400 }),
    lost: fc.constantFrom(0, 0, 0, 7, -1),
    flags: fc.constantFrom(0, 0, 1, 36),
    take: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(burst, { maxLength: 12 }), fc.constantFrom("raw24", "delta", "rice"), (bursts, codec) => {
      const packer = createPacker(codec as "raw24", false);
      const expected: { seg: number; idx: number; value: number; flags: number }[] = [];
      const got: typeof expected = [];
      const collect = () => {
        for (const wave of waves(packer)) {
          const flags = wave.qual === null ? 0 : wave.qual >> 7;
          for (const [i, value] of wave.samples.entries()) got.push({ seg: wave.seg, idx: wave.idx + i, value, flags });
        }
      };
      let seg = 0;
      let idx = 0;
      for (const { samples, lost, flags, take } of bursts) {
        expect(packer.addBlock(3, block(samples, { lost, flags }), INTERVAL, flags, null)).toBe(lost < 0 ? null : lost);
        if (lost < 0) {
          seg++;
          idx = 0;
        } else idx += lost;
        for (const value of samples) expected.push({ seg, idx: idx++, value, flags });
        if (take || packer.full) collect();
      }
      collect();
      expect(got).toEqual(expected);
    }),
  );
});

test("dt is the time of a block's first sample relative to the tick, in us; a block cut at 1024 goes on by its interval", () => {
  const packer = createPacker("rice", false);
  packer.addBlock(0, block(new Array(1500).fill(1), { time: 2_000_500 }), INTERVAL, 0, null);
  const [first, second] = waves(packer, 3000);
  expect(first).toMatchObject({ n: 1024, idx: 0, dt: -999_500 });
  expect(second).toMatchObject({ n: 476, idx: 1024, dt: -999_500 + 1024 * INTERVAL });
});

test("values keep their order and their null, and more than 16 blocks make more than one message", () => {
  const packer = createPacker("delta", false);
  for (let i = 0; i < 20; i++) packer.addValue(i, 1000 * i, i === 4 ? null : i, i === 4 ? 1 : 0);
  expect(packer.full).toBe(true);
  const first = packer.take(0);
  const rest = packer.take(0);
  expect([first.length, rest.length, packer.empty]).toEqual([16, 4, true]);
  expect(first[4]).toEqual({ kind: "num", id: 4, dt: 4000, value: null, qual: 127 + 128 });
  expect([...first, ...rest].map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test("a value carries the quality of its signal where it is known, and no qual where there is nothing to say", () => {
  const packer = createPacker("delta", false);
  packer.addValue(1, 0, 720, 0, 93);
  packer.addValue(1, 0, null, 32, 0);
  packer.addValue(1, 0, 720, 0, null);
  packer.addValue(1, 0, 720, 0);
  expect(packer.take(0).map(({ qual }) => qual)).toEqual([93, 32 * 128, null, null]);
});

test("it asks to be sealed before a message could pass 4096 bytes", () => {
  const packer = createPacker("raw24", false);
  for (let i = 0; i < 3; i++) packer.addBlock(i, block(new Array(1000).fill(-8_000_000)), INTERVAL, 0, null);
  for (let i = 0; i < 3; i++) packer.addBlock(i, block([1]), INTERVAL, 4, null);
  expect(packer.full).toBe(true);
  const sizes: number[] = [];
  while (!packer.empty) {
    sizes.push(encodeMessage({ type: "data", boot: 1, seq: 1, tick: 0, cfg: 1, channels: packer.take(0) }).length);
  }
  for (const size of sizes) expect(size).toBeLessThan(3600);
  expect(sizes).toHaveLength(4);
});
