import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createQrsDetector } from "../../../firmware/dsp/qrs.ts";
import { isBeat, millivolts, readAnnotationsSync, readRecordSync } from "../../../formats/index.ts";
import { evaluateQrs, resampleLinear, scoreBeats, statistics } from "../../../simulator/evaluate/index.ts";
import { drawEcg, gaussianWave } from "../../../simulator/evaluate/synthetic-ecg.ts";
import { countStatements } from "../../../tools/count-statements.ts";
import { dataFolder, lacks } from "../../support/needs.ts";
import { ecg, every } from "./beats.ts";
import { gaussianNoise } from "./pulses.ts";

interface Beat {
  readonly index: number;
  readonly emittedAt: number;
}

const RATES = [125, 128, 250, 256, 360, 500, 512] as const;
/** MAX30003 at a gain of 20: 1 V / (2^17 x 20). */
const STEP = 0.38;

function detect(rate: number, samples: Int32Array, microvoltsPerCount = STEP): Beat[] {
  const found: Beat[] = [];
  const detector = createQrsDetector(rate, microvoltsPerCount, (index, emittedAt) => found.push({ index, emittedAt }));
  detector.push(samples, samples.length);
  return found;
}

const times = (rate: number, found: readonly Beat[]) => found.map(({ index }) => index / rate);

function make(rate: number, beats: readonly number[], seconds: number, more: object = {}): Int32Array {
  return ecg({ rate, seconds, beats, microvoltsPerCount: STEP, ...more });
}

/** 30 s of 1 mV at 128 hz whose height comes and goes. */
function sine(hz: number): Int32Array {
  const height = (k: number) => (1000 / STEP) * (1 + 0.3 * Math.sin(k / 70));
  return Int32Array.from({ length: 30 * 128 }, (_, k) =>
    Math.round(height(k) * Math.sin((2 * Math.PI * hz * k) / 128)),
  );
}

describe("the QRS detector", () => {
  test.each(RATES.flatMap((rate) => [15, 20, 30, 60, 120, 200, 250, 280, 300].map((bpm) => [rate, bpm] as const)))(
    "at %i hz finds every beat of %i a minute once, in order",
    (rate, bpm) => {
      const beats = every(60 / bpm, 40);
      const found = times(rate, detect(rate, make(rate, beats, 40)));
      const { fn, fp } = scoreBeats(beats, found, { from: 5, until: 39 });
      expect([fn, fp]).toEqual([0, 0]);
      expect(found).toEqual(found.toSorted((a, b) => a - b));
    },
  );

  test("the beats of the first seconds are not lost to learning", () => {
    const beats = every(0.8, 20);
    const { fn, fp } = scoreBeats(beats, times(256, detect(256, make(256, beats, 20))), { until: 19 });
    expect([fn, fp]).toEqual([0, 0]);
  });

  test.each([
    [125, 0.6],
    [128, 0.6],
    [250, 0.3],
    [256, 0.3],
  ])("at %i hz intervals between R peaks are within %f ms RMS, peaks between samples or not", (rate, limit) => {
    // an interval that is no multiple of the sampling interval goes through all places between two samples
    const beats = every(0.7137, 120);
    const found = times(rate, detect(rate, make(rate, beats, 120)));
    expect(found.length).toBeGreaterThan(160);
    const errors = found.slice(1).map((time, k) => (time - found[k]! - 0.7137) * 1000);
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)).toBeLessThan(limit);
    expect(Math.max(...found.map((time) => Math.min(...beats.map((beat) => Math.abs(beat - time)))))).toBeLessThan(
      0.002,
    );
  });

  test("a beat is emitted after it was seen, 250 ms later on average and never more than 350", () => {
    const found = detect(256, make(256, every(0.8, 60), 60)).slice(4);
    const delays = found.map(({ index, emittedAt }) => ((emittedAt - index) / 256) * 1000);
    expect(Math.min(...delays)).toBeGreaterThan(0);
    expect(delays.reduce((sum, delay) => sum + delay) / delays.length).toBeLessThan(250);
    expect(Math.max(...delays)).toBeLessThan(350);
  });

  test.each([0.5, 0.8, 1])("a T wave of %f of the R peak is no beat", (tWave) => {
    const beats = every(0.9, 60);
    const { fn, fp } = scoreBeats(beats, times(128, detect(128, make(128, beats, 60, { tWave }))), { until: 59 });
    expect([fn, fp]).toEqual([0, 0]);
  });

  test("an inverted QRS is found where it is deepest", () => {
    const beats = every(0.8, 30);
    const found = times(256, detect(256, make(256, beats, 30, { amplitude: () => -1 })));
    expect(found.length).toBeGreaterThan(34);
    for (const time of found) expect(Math.min(...beats.map((beat) => Math.abs(beat - time)))).toBeLessThan(0.002);
  });

  test.each([
    [1, 0.2],
    [0.3, 2],
  ])("after a change of amplitude from %f to %f mV beats are found again within 6 s", (before, after) => {
    const beats = every(0.8, 60);
    const amplitude = (time: number) => (time < 30 ? before : after);
    const found = times(128, detect(128, make(128, beats, 60, { amplitude })));
    const { fn, fp } = scoreBeats(beats, found, { from: 36, until: 59 });
    expect([fn, fp]).toEqual([0, 0]);
  });

  test("a missing beat is a gap, not an invented beat, and does not cost the next ones", () => {
    const beats = every(0.8, 60).filter((_, k) => k % 10 !== 9);
    const { fn, fp } = scoreBeats(beats, times(128, detect(128, make(128, beats, 60))), { from: 3, until: 59 });
    expect([fn, fp]).toEqual([0, 0]);
  });

  test("a small early beat that the threshold passed over is looked back for", () => {
    const beats = every(0.8, 60).map((at, k) => (k % 8 === 7 ? at - 0.3 : at));
    const small = new Set(beats.filter((_, k) => k % 8 === 7));
    const amplitude = (time: number) => (small.has(time) ? 0.4 : 1);
    const found = detect(128, make(128, beats, 60, { amplitude, tWave: 0.1 }));
    const { fn, fp } = scoreBeats(beats, times(128, found), { from: 3, until: 59 });
    expect([fn, fp]).toEqual([0, 0]);
    expect(Math.max(...found.slice(4).map(({ index, emittedAt }) => emittedAt - index))).toBeGreaterThan(128 * 0.4);
  });

  test("what is below its floor of 80 uV is no beat, at whatever scale the counts are", () => {
    for (const microvoltsPerCount of [0.05, STEP, 5]) {
      const wave = (height: number) =>
        ecg({ rate: 128, seconds: 30, beats: every(0.8, 30), amplitude: () => height, microvoltsPerCount });
      expect(detect(128, wave(0.05), microvoltsPerCount)).toEqual([]);
      expect(detect(128, wave(0.5), microvoltsPerCount).length).toBeGreaterThan(34);
    }
    expect(detect(128, new Int32Array(3000).fill(-70000))).toEqual([]);
  });

  test("when beats cease, what is below the floor is not taken for them however long it lasts", () => {
    const amplitude = (time: number) => (time < 20 ? 1 : 0.05);
    const found = times(128, detect(128, make(128, every(0.8, 90), 90, { amplitude })));
    expect(Math.max(...found)).toBeLessThan(20);
  });

  test.each([0.14, 0.17])("a second, lower peak of a QRS %f s after the first is no beat", (delay) => {
    const beats = every(1, 60);
    const after = new Set(beats.map((at) => at + delay));
    const both = [...beats, ...after].toSorted((a, b) => a - b);
    const amplitude = (time: number) => (after.has(time) ? 0.7 : 1);
    const samples = make(128, both, 60, { tWave: 0, amplitude });
    expect(scoreBeats(beats, times(128, detect(128, samples)), { until: 59 })).toMatchObject({ fn: 0, fp: 0 });
  });

  test("no two beats lie within 130 ms, whatever the signal", () => {
    for (const hz of [4, 4.5, 5, 5.5, 7, 8]) {
      const found = times(128, detect(128, sine(hz)));
      for (let k = 1; k < found.length; k++) expect(found[k]! - found[k - 1]!).toBeGreaterThan(0.125);
    }
  });

  test("a tremor of 10 hz is no rhythm: a few false beats in 30 s", () => {
    expect(detect(128, sine(10)).length).toBeLessThan(10);
  });

  test("a wave of half the height is a beat at once where one was due", () => {
    const beats = every(0.9, 60);
    const small = new Set(beats.filter((_, k) => k % 5 === 4));
    const amplitude = (time: number) => (small.has(time) ? 0.5 : 1);
    const all = detect(128, make(128, beats, 60, { amplitude, tWave: 0 }));
    expect(scoreBeats(beats, times(128, all), { until: 59 })).toMatchObject({ fn: 0, fp: 0 });
    for (const { index, emittedAt } of all.slice(4)) expect(emittedAt - index).toBeLessThan(0.35 * 128);
  });

  test.each([0.17, 0.2, 0.23])("a P wave of 0.4 of R, %f s before it, is no beat", (before) => {
    const beats = every(0.9, 60);
    const samples = make(128, beats, 60, { amplitude: () => -0.6 });
    const waves = drawEcg({
      ...{ rate: 128, seconds: 60, microvoltsPerCount: STEP, beats },
      waves: () => [gaussianWave(-before, 0.022, 0.24)],
    });
    const both = samples.map((value, i) => value + waves[i]!);
    expect(scoreBeats(beats, times(128, detect(128, both)), { until: 59 })).toMatchObject({ fn: 0, fp: 0 });
  });

  test("one artefact twenty times as high costs no beat but the next", () => {
    const beats = every(0.8, 60);
    const samples = make(128, beats, 60);
    make(128, [30.1], 60, { amplitude: () => 20 }).forEach((value, i) => {
      samples[i]! += value;
    });
    const found = times(128, detect(128, samples));
    expect(scoreBeats(beats, found, { from: 31.5, until: 59 })).toMatchObject({ fn: 0, fp: 0 });
  });

  test("a burst of artefacts twenty times as high does not cost the beats after it", () => {
    const beats = every(0.8, 60);
    const bursts = [0, 1, 2, 3, 4, 5].map((k) => 29.9 + k * 0.4);
    const samples = make(128, beats, 60);
    make(128, bursts, 60, { amplitude: () => 20 }).forEach((value, i) => {
      samples[i]! += value;
    });
    const { fn } = scoreBeats(beats, times(128, detect(128, samples)), { from: 37, until: 59 });
    expect(fn).toBe(0);
  });

  test.each([320, 340, 360])("waves of %i a minute are not taken for a slower heart", (bpm) => {
    const found = times(128, detect(128, make(128, every(60 / bpm, 30), 30, { tWave: 0 })));
    const intervals = found.slice(1).map((time, k) => time - found[k]!);
    const middle = intervals.toSorted((a, b) => a - b)[intervals.length >> 1];
    if (middle !== undefined) expect(60 / middle).toBeGreaterThan(0.95 * bpm);
  });

  test("an offset of the converter does not move R", () => {
    for (const height of [1, -1]) {
      const plain = make(256, every(0.8, 20), 20, { amplitude: () => height });
      expect(
        detect(
          256,
          plain.map((value) => value - 20_000),
        ),
      ).toEqual(detect(256, plain));
      expect(
        detect(
          256,
          plain.map((value) => value + 20_000),
        ),
      ).toEqual(detect(256, plain));
    }
  });

  test("a step of the baseline is no beat", () => {
    const samples = make(128, every(0.8, 60), 60);
    for (let i = 30 * 128 + 60; i < samples.length; i++) samples[i]! += 4000;
    const { fn, fp } = scoreBeats(every(0.8, 60), times(128, detect(128, samples)), { until: 59 });
    expect(fp).toBe(0);
    expect(fn).toBeLessThan(3);
  });

  test("any split into blocks gives the same beats at the same samples", () => {
    const cases = RATES.map((rate) => {
      const samples = make(rate, every(0.63, 12), 12);
      return { rate, samples, whole: detect(rate, samples) };
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 60 }),
        ({ rate, samples, whole }, lengths) => {
          const found: Beat[] = [];
          const detector = createQrsDetector(rate, STEP, (index, emittedAt) => found.push({ index, emittedAt }));
          for (let at = 0, k = 0; at < samples.length; k++) {
            const count = Math.min(lengths[k % lengths.length]! || k % 2, samples.length - at);
            detector.push(samples.subarray(at), count);
            at += count;
          }
          expect(found).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
    expect(cases.every(({ whole }) => whole.length > 15)).toBe(true);
  });

  test("after a reset it is as new, whatever it saw before", () => {
    const amplitude = (time: number) => (Math.round(time / 0.8) % 2 === 0 ? 1 : 0.55);
    const noise = gaussianNoise(7);
    const samples = make(250, every(0.8, 15), 15, { amplitude }).map((value) => value + Math.round(50 * noise()));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: samples.length }), (seen) => {
        const found: Beat[] = [];
        const detector = createQrsDetector(250, STEP, (index, emittedAt) => found.push({ index, emittedAt }));
        detector.push(make(250, every(0.7, 15), 15, { amplitude: () => 30 }), seen);
        found.length = 0;
        detector.reset();
        detector.push(samples, samples.length);
        expect(found).toEqual(detect(250, samples));
      }),
      { numRuns: 40 },
    );
  });

  test.each([0, 100, 127, 200, 1000, Number.NaN])("refuses %f hz and says which rates there are", (rate) => {
    expect(() => createQrsDetector(rate, STEP, () => {})).toThrow(
      `rate ${rate} hz is none of 125, 128, 250, 256, 360, 500, 512`,
    );
  });

  test.each([0, -1, Number.NaN])("refuses a scale of %f uV a count", (scale) => {
    expect(() => createQrsDetector(128, scale, () => {})).toThrow(`${scale} uV a count`);
  });

  test.each([
    [128, 50],
    [256, 32],
  ])("at %i hz costs no more than %i statements a sample", (rate, limit) => {
    const samples = make(rate, every(0.8, 60), 60);
    const { statements } = countStatements({
      entry: "firmware/dsp/qrs.ts",
      run: (dsp: { createQrsDetector: typeof createQrsDetector }) => {
        const detector = dsp.createQrsDetector(rate, STEP, () => {});
        for (let at = 0; at < samples.length; at += 32) detector.push(samples.subarray(at), 32);
      },
    });
    expect(statements / samples.length).toBeLessThan(limit);
  });
});

describe.skipIf(lacks("recordings"))("on MIT-BIH recordings", () => {
  /** Signal 0 as a MAX30003 would give it, and the reference beats, s. */
  function recording(name: string, rate: number): { samples: Int32Array; beats: number[] } {
    const record = readRecordSync(`${dataFolder}/mitdb/${name}`);
    const voltage = resampleLinear(millivolts(record.signals[0]!), record.rate, rate);
    const notes = readAnnotationsSync(`${dataFolder}/mitdb/${name}.atr`).filter(({ symbol }) => isBeat(symbol));
    return {
      samples: Int32Array.from(voltage, (value) => Math.round((value * 1000) / STEP)),
      beats: notes.map(({ sample }) => sample / record.rate),
    };
  }

  test.each(RATES)("all of 101 at %i hz and 0.38 uV a count: Se and +P at least 99.8 %%", (rate) => {
    const { samples, beats } = recording("101", rate);
    const { se, ppv } = statistics(scoreBeats(beats, times(rate, detect(rate, samples))));
    expect(beats).toHaveLength(1865);
    expect(se).toBeGreaterThanOrEqual(99.8);
    expect(ppv).toBeGreaterThanOrEqual(99.8);
  });

  test("all 24 records, lead 0: Se at least 99.8 and +P at least 99.88 % gross, latency under 250 ms on average", async () => {
    const document = await evaluateQrs({ dataFolder: `${dataFolder}/mitdb`, detectorFactory: createQrsDetector });
    expect(document.records).toHaveLength(24);
    expect(document.gross.whole.se).toBeGreaterThanOrEqual(99.8);
    expect(document.gross.whole.ppv).toBeGreaterThanOrEqual(99.88);
    expect(document.latency.mean).toBeLessThan(250);
    expect(document.latency.p99).toBeLessThan(600);
  });
});
