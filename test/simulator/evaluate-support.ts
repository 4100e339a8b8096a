/** Small recordings and detectors, whose scores can be counted by hand. */
import type { AnnotationInput, WfdbSignalInput } from "../../formats/index.ts";
import type { DetectorFactory } from "../../simulator/evaluate/index.ts";

/** Triangles of 1 mV and 60 ms, one at each time; 1000 steps a mV around 100. */
export function ecg(times: readonly number[], rate: number, seconds: number): WfdbSignalInput {
  const samples = new Int32Array(Math.round(seconds * rate)).fill(100);
  for (const time of times) {
    for (let k = Math.ceil((time - 0.03) * rate); k <= (time + 0.03) * rate; k++) {
      const height = 1000 * (1 - Math.abs(k / rate - time) / 0.03);
      if (k >= 0 && k < samples.length) samples[k] = 100 + Math.max(0, Math.round(height));
    }
  }
  return { samples, gain: 1000, baseline: 100, description: "II" };
}

export const every = (from: number, step: number, count: number) =>
  Array.from({ length: count }, (_, k) => from + step * k);
export const beats = (times: readonly number[], rate: number): AnnotationInput[] =>
  times.map((time) => ({ sample: Math.round(time * rate), symbol: "N" }));

/** Finds triangles: a beat where the signal rises above 0.5 mV and falls again, emitted 100 ms later. */
export const threshold: DetectorFactory = (rate, microvoltsPerCount, onBeat) => {
  let at = 0;
  let rise = -1;
  const due: [number, number][] = [];
  return {
    push(samples, count) {
      for (let i = 0; i < count; i++, at++) {
        const high = samples[i]! * microvoltsPerCount > 500;
        if (high && rise < 0) rise = at;
        if (!high && rise >= 0) {
          due.push([(rise + at - 1) / 2, at + rate / 10]);
          rise = -1;
        }
        if (due[0] !== undefined && at >= due[0][1]) onBeat(due.shift()![0], at);
      }
    },
  };
};
export const silent: DetectorFactory = () => ({ push() {} });
