/** Gaps for a listener who comes late, and how fast things come. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlowMeter, RateMeter } from "../../cli/monitor/rates.ts";
import { Sequence } from "../../cli/monitor/sequence.ts";

/** Seq n is sealed at tick 1000 n, and arrives at once unless it is told otherwise. */
const hear = (
  sequence: Sequence,
  seqs: readonly number[],
  arrival: (seq: number) => number | null = (seq) => 1000 * seq,
) => seqs.map((seq) => sequence.add({ seq, tick: 1000 * seq, birth: seq === 0 }, arrival(seq)));

describe("gaps", () => {
  test("joining in the middle is none; what is missing afterwards is one until it comes", () => {
    const sequence = new Sequence();
    hear(sequence, [1000, 1001, 1004]);
    expect(sequence.gaps).toBe(2);
    hear(sequence, [1002], () => 1_005_000);
    expect(sequence.gaps).toBe(1);
    sequence.disown(1003, 1);
    expect(sequence.gaps).toBe(0);
  });

  test("a birth, or all that waits for its ack, sent again to a listener who joins late makes none", () => {
    const live = new Sequence();
    hear(live, [0, 1, 2], () => 1_000_000);
    hear(live, [1000, 1001]);
    hear(live, [3, 4], () => 1_002_000);
    expect(live.gaps).toBe(0);
    const file = new Sequence();
    hear(file, [0, 1000, 1001], () => null);
    expect(file.gaps).toBe(0);
  });

  test("from the boot on every loss counts, also a long one", () => {
    const live = new Sequence();
    hear(live, [0, 1, 30]);
    expect(live.gaps).toBe(28);
    const file = new Sequence();
    hear(file, [0, 1, 30], () => null);
    expect(file.gaps).toBe(28);
  });

  test("what comes twice counts as that, once each time, in any order and with any losses", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 200 }), (rest) => {
        const sequence = new Sequence();
        const seqs = [0, 1, ...rest];
        const again = hear(sequence, seqs, () => null);
        const distinct = new Set(seqs);
        expect(sequence.duplicates).toBe(seqs.length - distinct.size);
        expect(again.filter((one) => one)).toHaveLength(sequence.duplicates);
        expect(sequence.gaps).toBe(Math.max(...seqs) + 1 - distinct.size);
      }),
    );
  });
});

describe("a channel's rate", () => {
  test("is measured by the board's clock within a segment, whatever comes late", () => {
    const meter = new RateMeter();
    for (const second of [0, 1, 2, 3, 1]) meter.take({ seg: 0, idx: 250 * second, dt: -500 }, 1000 * second);
    expect(meter.hz).toBe(250);
    meter.take({ seg: 1, idx: 0, dt: 0 }, 10_000);
    expect(meter.hz).toBe(null);
    meter.take({ seg: 1, idx: 512, dt: 0 }, 12_000);
    expect(meter.hz).toBe(256);
  });
});

describe("a flow", () => {
  test("is the mean of the last five whole seconds, and forgets", () => {
    const meter = new FlowMeter();
    expect(meter.perSecond(0)).toBe(null);
    for (let ms = 0; ms < 20_000; ms += 100) meter.add(ms, 50);
    expect(meter.perSecond(20_000)).toBe(500);
    expect(meter.perSecond(22_000)).toBe(300);
    expect(meter.perSecond(60_000)).toBe(0);
  });
});
