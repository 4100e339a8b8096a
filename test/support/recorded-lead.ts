/** A recorded ECG as a front end of another rate would give it. */
import { readRecordSync } from "../../formats/index.ts";
import { countsOf } from "../../simulator/evaluate/detections.ts";
import { createLinearResampler } from "../../simulator/evaluate/resample.ts";
import { dataFolder } from "./needs.ts";

/** Lead 0 of a record of the MIT-BIH Arrhythmia Database at `rate` hz, by linear interpolation, 0 at its baseline. */
export function readLead(record: string, rate: number): { counts: Int32Array; microvoltsPerCount: number } {
  const file = readRecordSync(`${dataFolder}/mitdb/${record}`);
  const signal = countsOf(file, file.signals[0]!);
  const values = new Float64Array(Math.ceil((signal.samples.length * rate) / signal.rate) + 1);
  const count = createLinearResampler(signal.rate, rate).push(signal.samples, signal.samples.length, values);
  return {
    counts: Int32Array.from(values.subarray(0, count), Math.round),
    microvoltsPerCount: signal.microvoltsPerCount,
  };
}
