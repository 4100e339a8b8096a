import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSpikeFilter } from "../../../firmware/dsp/spikes.ts";
import { isBeat, millivolts, readAnnotationsSync, readRecordSync } from "../../../formats/index.ts";
import { resampleLinear } from "../../../simulator/evaluate/index.ts";
import { pacing } from "../../../simulator/evaluate/synthetic-signals.ts";
import { beatTimes, drawEcg, type Pulse, standardBeat } from "../../../simulator/index.ts";
import { countStatements } from "../../../tools/count-statements.ts";
import { dataFolder, lacks } from "../../support/needs.ts";
import { signal, withVectors } from "./filters.ts";

const STEP = 0.381;
const RATES = [125, 128, 250, 256, 360, 500, 512];
const nothing = { seconds: 30, microvoltsPerCount: STEP, beats: [], waves: () => [] };

/** What comes out, without its delay. */
function filtered(rate: number, samples: Int32Array, microvoltsPerCount = STEP): Int32Array {
  const filter = createSpikeFilter(rate, microvoltsPerCount);
  const out = new Int32Array(samples.length);
  expect(filter.push(samples, samples.length, out)).toBe(samples.length);
  return out.slice(filter.delay);
}

/** What comes out of blocks of these lengths, in turn, each filtered in place. */
function inBlocks(rate: number, samples: Int32Array, lengths: readonly number[]): number[] {
  const filter = createSpikeFilter(rate, STEP);
  const found: number[] = [];
  for (let at = 0, k = 0; at < samples.length; k++) {
    const block = samples.slice(at, at + lengths[k % lengths.length]!);
    filter.push(block, block.length, block);
    found.push(...block);
    at += block.length;
  }
  return found;
}

/** The same from the whole signal at once, place by place: 100 uV, a 16th of twice the height, and a line over it. */
function byDefinition(rate: number, samples: Int32Array): number[] {
  const reach = rate < 500 ? 2 : 3;
  const last = 2 * reach - 1;
  const lead = last + reach - 1;
  const x = [...Array<number>(2 * last).fill(samples[0]!), ...samples];
  for (let c = last; c + last < x.length; c++) {
    if (Math.abs(x[c]! - x[c - reach]!) <= 100 / STEP) continue;
    const level = x[c - last]! + x[c + last]!;
    const limit = Math.abs(2 * x[c]! - level) / 16;
    const beside = Array.from({ length: last - reach }, (_, j) => [x[c - reach - j]!, x[c + reach + j]!]).flat();
    if (Math.abs(x[c - last]! - x[c + last]!) > limit) continue;
    if (beside.some((value) => Math.abs(2 * value - level) > limit)) continue;
    const [from, to] = [x[c - reach]!, x[c + reach + 1]!];
    for (let j = 1; j <= 2 * reach; j++) x[c - reach + j] = from + Math.round(((to - from) * j) / (2 * reach + 1));
  }
  return x.slice(2 * last - lead, x.length - lead);
}

const highest = (samples: Int32Array) => samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * STEP;

/** No multiple of a sampling interval: they come at all places between two samples. */
const pulses = (pulse: Omit<Pulse, "at">) => pacing(30, 70.3, pulse, 0.06);

/** How many places of a signal come out otherwise. */
const touched = (samples: Int32Array, out: Int32Array) => out.filter((value, i) => value !== samples[i]).length;

describe("the spike filter", () => {
  test.each(RATES)("at %i hz takes out pulses of 2 to 700 mV, 0.1 to 2 ms, but for what is below 0.1 mV", (rate) => {
    for (const height of [2, -2, 5, 20, -100, 700]) {
      for (const width of [0.0001, 0.0005, 0.001, 0.002]) {
        for (const range of [50, 400]) {
          const samples = drawEcg({ ...nothing, rate, range, pulses: pulses({ height, width }) });
          const before = highest(samples);
          expect(highest(filtered(rate, samples)), `${height} mV, ${width} s`).toBeLessThan(Math.min(100, before + 1));
          if (before > 1000) expect(highest(filtered(rate, samples))).toBe(0);
        }
      }
    }
  });

  test.each(RATES)("at %i hz a QRS of 40 ms and wider comes out as it went in, with pulses before it too", (rate) => {
    for (const duration of [0.04, 0.06, 0.1, 0.15]) {
      for (const height of [0.3, -1, 5]) {
        const beats = beatTimes(30, 80.1);
        const ecg = { ...nothing, rate, beats, waves: () => standardBeat(height, duration, 0.2) };
        const samples = drawEcg(ecg);
        expect(touched(samples, filtered(rate, samples))).toBe(0);
        const pulse = beats.map((at) => ({ at: at - 0.15, height: 20, width: 0.001 }));
        const out = filtered(rate, drawEcg({ ...ecg, pulses: pulse }));
        expect(highest(out.map((value, i) => value - samples[i]!))).toBeLessThan(Math.abs(height) * 60);
      }
    }
  });

  test.each([250, 256, 360, 500, 512])("at %i hz a QRS of 20 ms is no spike either", (rate) => {
    const samples = drawEcg({ ...nothing, rate, beats: beatTimes(30, 80.1), waves: () => standardBeat(1, 0.02) });
    expect(touched(samples, filtered(rate, samples))).toBe(0);
  });

  test("a step of the level is none", () => {
    const samples = Int32Array.from({ length: 200 }, (_, i) => (i < 100 ? -3000 : 5000));
    expect(touched(samples, filtered(128, samples))).toBe(0);
  });

  test("any split into blocks gives the same, in place or not; after a reset it is as new", () => {
    const height = 5;
    const samples = drawEcg({ ...nothing, seconds: 5, rate: 128, pulses: pulses({ height, width: 0.002 }) });
    const whole = filtered(128, samples);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        const filter = createSpikeFilter(128, STEP);
        filter.push(Int32Array.of(9000, -9000, 9000), 3, new Int32Array(3));
        filter.reset();
        const found: number[] = [];
        for (let at = 0, k = 0; at < samples.length; k++) {
          const count = Math.min(lengths[k % lengths.length]! || k % 2, samples.length - at);
          const block = samples.slice(at, at + count);
          filter.push(block, count, block);
          found.push(...block);
          at += count;
        }
        expect(found.slice(filter.delay)).toEqual([...whole]);
      }),
      { numRuns: 40 },
    );
  });

  test.each(RATES)(
    "at %i hz native vector functions and any blocks give the same, and what the definition says",
    (rate) => {
      /** A spike, a step or neither now and then, all of any height up to 24 bits, over a little noise. */
      const event = fc.record({
        at: fc.integer({ min: 0, max: 280 }),
        height: fc.oneof(fc.integer({ min: -1500, max: 1500 }), fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 })),
        width: fc.constantFrom(1, 2, 3, 4, 200),
      });
      fc.assert(
        fc.property(signal, fc.array(event, { maxLength: 12 }), fc.boolean(), ({ samples, blocks }, events, wild) => {
          const given = wild ? Int32Array.from(samples) : new Int32Array(300).map((_, i) => (i * 7919) % 5);
          if (!wild) for (const { at, height, width } of events) given.fill(height, at, at + width);
          const expected = byDefinition(rate, given);
          for (const lengths of [blocks, [given.length], [1, 2, 3, 4, 5, 6, 7]]) {
            expect(inBlocks(rate, given, lengths)).toEqual(expected);
            expect(withVectors(() => inBlocks(rate, given, lengths))).toEqual(expected);
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  test("24-bit counts do no harm", () => {
    const samples = Int32Array.from({ length: 64 }, (_, i) => (i === 30 ? 2 ** 23 - 1 : -(2 ** 23)));
    expect(filtered(128, samples, 0.05).every((value) => value === -(2 ** 23))).toBe(true);
  });

  test("refuses other rates and scales, and a block that has no room", () => {
    expect(() => createSpikeFilter(100, 1)).toThrow("rate 100 hz is none of 125, 128");
    for (const scale of [0, -1, Number.NaN])
      expect(() => createSpikeFilter(128, scale)).toThrow(`${scale} uV a count is not above 0`);
    expect(() => createSpikeFilter(128, 1).push(new Int32Array(4), 4, new Int32Array(3))).toThrow("room for 3 of 4");
  });

  test("costs no more than 8 statements a sample", () => {
    const samples = drawEcg({ ...nothing, rate: 128, beats: beatTimes(30, 80), waves: () => standardBeat(1, 0.1) });
    const { statements } = countStatements({
      entry: "firmware/dsp/spikes.ts",
      run: (dsp: { createSpikeFilter: typeof createSpikeFilter }) => {
        const filter = dsp.createSpikeFilter(128, STEP);
        const out = new Int32Array(32);
        for (let at = 0; at + 32 <= samples.length; at += 32) filter.push(samples.subarray(at, at + 32), 32, out);
      },
    });
    expect(statements / samples.length).toBeLessThan(8);
  });
});

describe.skipIf(lacks("recordings"))("on MIT-BIH recordings", () => {
  test.each(["118", "203", "208"])("of the 2,000 to 3,000 beats of %s no more than 8 are touched", (name) => {
    const record = readRecordSync(`${dataFolder}/mitdb/${name}`);
    const beats = readAnnotationsSync(`${dataFolder}/mitdb/${name}.atr`).filter(({ symbol }) => isBeat(symbol));
    for (const rate of [128, 256]) {
      const voltage = resampleLinear(millivolts(record.signals[0]!), record.rate, rate);
      const samples = Int32Array.from(voltage, (value) => Math.round((value * 1000) / STEP));
      const out = filtered(rate, samples);
      const near = Math.round(rate * 0.05);
      const harmed = beats.filter(({ sample }) => {
        const at = Math.round((sample * rate) / record.rate);
        return touched(samples.subarray(at - near), out.subarray(at - near, at + near)) > 0;
      });
      expect(harmed.length).toBeLessThanOrEqual(8);
    }
  });
});
