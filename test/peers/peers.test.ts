import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluateQrs, type Peer, type QrsResult, scoreBeats } from "../../simulator/evaluate/index.ts";
import { beatTimes, drawEcg, gaussianBeat } from "../../simulator/evaluate/synthetic-ecg.ts";
import { dataFolder, lacks } from "../support/needs.ts";
import { createBandPass } from "./band-pass.ts";
import { peers } from "./index.ts";

const STEP = 2; // uV a count
const RATES = [125, 128, 250, 256, 360, 500, 512];

interface Beat {
  readonly index: number;
  readonly emittedAt: number;
}

function detect(peer: Peer, rate: number, samples: Int32Array, blocks: readonly number[] = [samples.length]): Beat[] {
  const found: Beat[] = [];
  const detector = peer.factory(rate, STEP, (index, emittedAt) => found.push({ index, emittedAt }));
  for (let at = 0, k = 0; at < samples.length; k++) {
    // a length of 0 is pushed as such, but not for ever
    const count = Math.min(blocks[k % blocks.length]! || k % 2, samples.length - at);
    detector.push(samples.subarray(at), count);
    at += count;
  }
  return found;
}

function draw(rate: number, beats: readonly number[], seconds: number, height: (time: number) => number = () => 1) {
  const waves = (time: number, before: number, after: number) => gaussianBeat(height(time), 0.25, before, after);
  return drawEcg({ rate, seconds, microvoltsPerCount: STEP, beats, waves });
}

const named = peers.map((peer) => [peer.name, peer] as const);
const of = (name: string) => peers.find((peer) => peer.name === name)!;

describe.each(named)("%s", (_, peer) => {
  test.each(RATES.flatMap((rate) => [40, 75, 150].map((bpm) => [rate, bpm] as const)))(
    "at %i hz finds every beat of %i a minute within 40 ms and nothing else",
    (rate, bpm) => {
      const beats = beatTimes(40, bpm);
      const found = detect(peer, rate, draw(rate, beats, 40)).map(({ index }) => index / rate);
      expect(scoreBeats(beats, found, { window: 0.04, from: 4, until: 39 })).toMatchObject({ fn: 0, fp: 0 });
    },
  );

  test("finds beats of a height that comes and goes, and inverted ones", () => {
    const beats = beatTimes(60, 80);
    for (const sign of [1, -1]) {
      const samples = draw(128, beats, 60, (time) => sign * (1 + 0.3 * Math.sin(time / 2)));
      const found = detect(peer, 128, samples).map(({ index }) => index / 128);
      expect(scoreBeats(beats, found, { from: 4, until: 59 })).toMatchObject({ fn: 0, fp: 0 });
    }
  });

  test("emits a beat after its R peak and never one that lies ahead", () => {
    const found = detect(peer, 128, draw(128, beatTimes(30, 70), 30));
    expect(found.length).toBeGreaterThan(30);
    for (const { index, emittedAt } of found) {
      expect(index).toBeGreaterThanOrEqual(0);
      expect(emittedAt).toBeGreaterThan(index);
      expect(emittedAt).toBeLessThan(30 * 128);
    }
  });

  test("what comes after a beat was emitted does not change it", () => {
    const whole = draw(128, beatTimes(30, 70), 30);
    const all = detect(peer, 128, whole);
    const part = detect(peer, 128, whole.subarray(0, 20 * 128));
    expect(part).toEqual(all.filter(({ emittedAt }) => emittedAt < 20 * 128));
  });

  test("any split into blocks gives the same beats at the same samples", () => {
    const samples = draw(256, beatTimes(15, 90), 15);
    const whole = detect(peer, 256, samples);
    expect(whole.length).toBeGreaterThan(15);
    const lengths = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(lengths, (blocks) => {
        expect(detect(peer, 256, samples, blocks)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  test("an offset of the converter changes nothing", () => {
    const samples = draw(128, beatTimes(30, 70), 30);
    const shifted = detect(
      peer,
      128,
      samples.map((value) => value + 30_000),
    ).map(({ index }) => Math.round(index));
    expect(shifted).toEqual(detect(peer, 128, samples).map(({ index }) => Math.round(index)));
  });

  test("a flat line has no beats", () => {
    expect(detect(peer, 128, new Int32Array(30 * 128).fill(-700))).toEqual([]);
  });

  test.each([0, 99, Number.NaN])("refuses %f hz", (rate) => {
    expect(() => peer.factory(rate, STEP, () => {})).toThrow(`rate ${rate} hz is not 100 to 1000`);
  });
});

test("the band-pass is 3 dB down at its corners, lets its middle through, and says how late that is", () => {
  for (const rate of RATES) {
    // amplitude and delay of a sine once the filter has settled, by correlation over whole seconds
    const measure = (hz: number) => {
      const filter = createBandPass(8, 20, rate);
      const w = (2 * Math.PI * hz) / rate;
      let re = 0;
      let im = 0;
      for (let k = 0; k < 4 * rate; k++) {
        const y = filter.push(Math.sin(w * k));
        if (k < 2 * rate) continue;
        re += (y * Math.sin(w * k)) / rate;
        im += (y * Math.cos(w * k)) / rate;
      }
      return { size: Math.hypot(re, im), phase: Math.atan2(im, re) };
    };
    for (const corner of [8, 20]) expect(measure(corner).size).toBeCloseTo(Math.SQRT1_2, 3);
    expect(measure(12.5).size).toBeCloseTo(1, 2);
    expect(measure(1).size).toBeLessThan(0.001);
    // group delay: how fast the phase falls around the middle (12.65 hz)
    const seconds = (measure(12.5).phase - measure(13).phase) / (2 * Math.PI * 0.5);
    expect(createBandPass(8, 20, rate).delay / rate).toBeCloseTo(seconds, 2);
  }
});

test("Hamilton looks back for a beat that the threshold passed over", () => {
  const beats = beatTimes(60, 75);
  const small = new Set(beats.filter((_, k) => k % 10 === 9));
  const found = detect(
    of("Hamilton"),
    128,
    draw(128, beats, 60, (time) => (small.has(time) ? 0.75 : 3)),
  );
  const times = found.map(({ index }) => index / 128);
  expect(scoreBeats(beats, times, { from: 2, until: 59 })).toMatchObject({ fn: 0, fp: 0 });
  // 1.5 intervals after the beat before, where others are out after 0.4 s
  const late = found.slice(15).filter(({ index, emittedAt }) => emittedAt - index > 0.5 * 128);
  expect(late).toHaveLength(beats.filter((time) => small.has(time) && time > 12).length);
});

test("Hamilton takes a step of the baseline for no beat", () => {
  const samples = draw(128, beatTimes(60, 75), 60);
  for (let i = 30 * 128 + 60; i < samples.length; i++) samples[i]! += 500;
  const times = detect(of("Hamilton"), 128, samples).map(({ index }) => index / 128);
  expect(scoreBeats(beatTimes(60, 75), times, { until: 59 }).fp).toBe(0);
});

test("the RTOR block is deaf for 256 ms after a beat", () => {
  const beats = beatTimes(60, 60);
  const both = (gap: number) => beats.flatMap((time) => [time, time + gap]);
  const count = (gap: number) => detect(of("MAX30003 RTOR principle"), 128, draw(128, both(gap), 60)).length;
  expect(count(0.22)).toBeLessThan(62);
  expect(count(0.32)).toBeGreaterThan(110);
});

describe.skipIf(lacks("recordings"))("on 24 MIT-BIH records, lead 0, at 128 hz", () => {
  // least Se, least +P, largest DER of the whole records, a little beside what each has
  const held: Record<string, [number, number, number]> = {
    Hamilton: [99.75, 99.78, 0.46],
    Elgendi: [99.83, 99.62, 0.54],
    "Elgendi, 200 ms refractory": [99.8, 99.77, 0.41],
    "MAX30003 RTOR principle": [98.4, 98.9, 2.7],
  };

  test("each keeps what its method can do", async () => {
    expect(Object.keys(held)).toEqual(peers.map(({ name }) => name));
    const [first, ...others] = peers;
    const document = await evaluateQrs({
      dataFolder: `${dataFolder}/mitdb`,
      rate: 128,
      detectorFactory: first!.factory,
      peers: others,
    });
    expect(document.records).toHaveLength(24);
    const results: QrsResult[] = [document, ...document.peers!];
    for (const [k, { gross }] of results.entries()) {
      const { name } = peers[k]!;
      const [se, ppv, der] = held[name]!;
      expect(gross.whole.se, name).toBeGreaterThanOrEqual(se);
      expect(gross.whole.ppv, name).toBeGreaterThanOrEqual(ppv);
      expect(gross.whole.der, name).toBeLessThanOrEqual(der);
    }
  });
});
