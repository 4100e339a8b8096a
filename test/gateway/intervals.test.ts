import fc from "fast-check";
import { expect, test } from "vitest";
import { Intervals } from "../../gateway/intervals.ts";

test("intervals behave as a set of numbers, in any order of adding", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(5)), { maxLength: 60 }), (ranges) => {
      const intervals = new Intervals();
      const set = new Set<number>();
      for (const [from, length] of ranges) {
        intervals.add(from, from + length);
        for (let i = from; i <= from + length; i++) set.add(i);
      }
      const highest = Math.max(-1, ...set);
      let next = 0;
      while (set.has(next)) next++;
      expect(intervals.next).toBe(next);
      expect(intervals.highest).toBe(highest);
      expect(intervals.missing).toBe(highest + 1 - set.size);
      for (let i = 0; i < 70; i++) expect(intervals.has(i)).toBe(set.has(i));
      const bitmap = intervals.bitmap();
      for (let i = 0; i < bitmap.length * 8; i++) {
        expect((bitmap[i >> 3] & (0x80 >> (i & 7))) !== 0).toBe(set.has(next + 1 + i));
      }
    }),
  );
});

test("the bitmap has at most 32 bytes (CDDL)", () => {
  const intervals = new Intervals();
  intervals.add(5000);
  expect(intervals.bitmap()).toHaveLength(32);
});

test("a bounded set claims nothing that was not added, and keeps both ends", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(80), { maxLength: 80 }), (values) => {
      const [bounded, whole] = [new Intervals(6), new Intervals()];
      for (const value of values) {
        bounded.add(value);
        whole.add(value);
        expect(bounded.ranges).toBeLessThanOrEqual(6);
        expect(bounded.highest).toBe(whole.highest);
        expect(bounded.next).toBeLessThanOrEqual(whole.next);
      }
      for (let i = 0; i < 81; i++) if (bounded.has(i)) expect(whole.has(i)).toBe(true);
    }),
  );
});
