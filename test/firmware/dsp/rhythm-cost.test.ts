/** What the rhythm side costs an interpreter, as tools/count-statements.ts counts. Limits are for a fast and irregular heart. */
import { expect, test } from "vitest";
import { drawEcg, standardBeat } from "../../../simulator/evaluate/synthetic-ecg.ts";
import { countStatements } from "../../../tools/count-statements.ts";

/** Times of 600 beats, ms, 85 a minute on the average and all at different distances. */
const beats = Array.from({ length: 600 }, (_, k) => 700 * k + ((k * k * 7919) % 320));

type Beats<M> = (exports: M) => (at: number, k: number) => void;

const perBeat = <M>(file: string, open: Beats<M>) =>
  countStatements<M, void>({
    entry: `firmware/dsp/${file}.ts`,
    run: (exports) => beats.forEach(open(exports)),
  }).statements / beats.length;

test("fibrillation: 50 statements a beat", () => {
  const cost = perBeat<typeof import("../../../firmware/dsp/fibrillation.ts")>(
    "fibrillation",
    ({ createFibrillationMeter }) => {
      const meter = createFibrillationMeter(1000);
      return (at) => {
        meter.beat(at);
        meter.read();
      };
    },
  );
  expect(cost).toBeLessThan(50);
});

test("which intervals are normal: 18 statements a beat; their variability: 25", () => {
  const series = perBeat<typeof import("../../../firmware/dsp/rr.ts")>("rr", ({ createRrSeries }) => {
    const one = createRrSeries(1000);
    return (at) => one.beat(at);
  });
  const variability = perBeat<typeof import("../../../firmware/dsp/hrv.ts")>("hrv", ({ createHrvMeter }) => {
    const meter = createHrvMeter(1000);
    return (at, k) => meter.add(at, 700, 1 + (k & 1));
  });
  expect(series).toBeLessThan(18);
  expect(variability).toBeLessThan(25);
});

test("heart rate: 10 statements a beat, 150 a reading", () => {
  const cost = (readings: boolean) =>
    perBeat<typeof import("../../../firmware/dsp/heart-rate.ts")>("heart-rate", ({ createHeartRateMeter }) => {
      const meter = createHeartRateMeter(1000);
      const rate = { value: null, flags: 0 };
      return (at) => {
        meter.beat(at);
        if (readings) meter.read(at, rate);
      };
    });
  const beat = cost(false);
  expect(beat).toBeLessThan(10);
  expect(cost(true) - beat).toBeLessThan(150);
});

test.each([
  [128, 10],
  [256, 6],
])("flutter guard at %i hz: %i statements a sample", (rate, limit) => {
  const times = beats.slice(0, 80).map((at) => at / 1000);
  const counts = drawEcg({
    rate,
    seconds: 50,
    microvoltsPerCount: 1,
    beats: times,
    waves: () => standardBeat(1, 0.1, 0.3),
  });
  const { statements } = countStatements<typeof import("../../../firmware/dsp/flutter.ts"), void>({
    entry: "firmware/dsp/flutter.ts",
    run: ({ createFlutterGuard }) => {
      const guard = createFlutterGuard(rate, 1);
      for (let from = 0; from < counts.length; from += 32) {
        const block = counts.subarray(from, from + 32);
        guard.push(block, block.length);
      }
    },
  });
  expect(statements / counts.length).toBeLessThan(limit);
});
