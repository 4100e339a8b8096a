/** The words of a MAX86150's FIFO: bytes in, codes and flags out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBlock, FLAG_SATURATED } from "../../drivers/driver.ts";
import { decode } from "../../drivers/max86150/fifo.ts";

describe("MAX86150 decoder", () => {
  const one = (bytes: number[], ecg: boolean) => {
    const block = createBlock(4);
    decode([new Uint8Array(3), Uint8Array.from(bytes), new Uint8Array(5)], 0, 1, block, ecg);
    expect(block.count).toBe(1);
    return [block.samples[0], block.flags];
  };

  it.each([
    [[0x00, 0x00, 0x00], 0, 0],
    [[0x00, 0x00, 0x01], 1, 0],
    [[0x03, 0xff, 0xff], -1, 0],
    [[0x02, 0x00, 0x01], -131071, 0],
    [[0x02, 0x00, 0x00], -131072, FLAG_SATURATED],
    [[0x01, 0xff, 0xff], 131071, FLAG_SATURATED],
    [[0x01, 0xff, 0xfe], 131070, 0],
    [[0xff, 0xff, 0xff], -1, 0],
    [[0xfc, 0x80, 0x00], 32768, 0],
    [[0x00, 0x80, 0x00], 32768, 0],
    [[0x03, 0x80, 0x00], -32768, 0],
  ])("reads ECG bytes %j as %d, flags %d: 18 bits, two's complement, garbage above", (bytes, code, flags) => {
    expect(one(bytes, true)).toEqual([code, flags]);
  });

  it.each([
    [[0x00, 0x00, 0x00], 0, 0],
    [[0x07, 0xff, 0xff], 524287, FLAG_SATURATED],
    [[0x07, 0xff, 0xfe], 524286, 0],
    [[0xf8, 0x00, 0x01], 1, 0],
    [[0x04, 0x00, 0x00], 262144, 0],
    [[0x00, 0x80, 0x00], 32768, 0],
  ])("reads light bytes %j as %d, flags %d: 19 bits, garbage above", (bytes, code, flags) => {
    expect(one(bytes, false)).toEqual([code, flags]);
  });

  it("takes any samples out of any pieces, each channel's into its own block, and flags only what is at an end", () => {
    const light = fc.integer({ min: 0, max: 524287 });
    const ecg = fc.integer({ min: -131072, max: 131071 });
    const property = fc.property(
      fc.array(fc.tuple(light, light, ecg), { minLength: 1, maxLength: 31 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 0, max: 31 }),
      (samples, piece, garbage) => {
        const bytes = samples.flatMap((sample) =>
          sample.flatMap((code, e) => {
            const own = e === 2 ? 18 : 19;
            const word = (code & (2 ** own - 1)) | ((garbage << own) & 0xffffff);
            return [(word >> 16) & 255, (word >> 8) & 255, word & 255];
          }),
        );
        const replies = [Uint8Array.of(1, 2, 3)];
        for (let at = 0; at < bytes.length; at += piece * 9)
          replies.push(Uint8Array.from(bytes.slice(at, at + piece * 9)));
        const blocks = [createBlock(40), createBlock(40), createBlock(40)];
        for (const block of blocks) block.count = 2;
        replies.push(Uint8Array.of(9, 9, 9, 9, 9));
        blocks.forEach((block, e) => {
          decode(replies, e, 3, block, e === 2);
        });
        blocks.forEach((block, e) => {
          expect(block.count).toBe(samples.length + 2);
          expect(Array.from(block.samples.subarray(2, block.count))).toEqual(samples.map((sample) => sample[e]));
          const ends = e === 2 ? [-131072, 131071] : [524287];
          expect(block.flags).toBe(samples.some((sample) => ends.includes(sample[e])) ? FLAG_SATURATED : 0);
        });
      },
    );
    fc.assert(property, { seed: 150, numRuns: 200 });
  });
});
