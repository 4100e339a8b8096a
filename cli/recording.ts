/** A recorded ECG for virtual boards to play. */
import { readRecordSync, millivolts as toMillivolts } from "../formats/index.ts";
import type { Recording } from "../simulator/node.ts";
import { UsageError } from "./usage.ts";

/** What boards may need to stop after the last second, s. */
const STOPPING = 10;

/**
 * Signal 0 of a WFDB record (path without extension), mV; without `seconds` it begins again at its end. Throws UsageError
 * where it is shorter than `seconds`; `option` names it.
 */
export function loadRecording(option: string, path: string, seconds: number | undefined): Recording {
  const record = readRecordSync(path);
  const { rate } = record;
  const millivolts = toMillivolts(record.signals[0]);
  const extended = (count: number, value: number) => {
    const longer = new Float64Array(millivolts.length + count).fill(value);
    longer.set(millivolts);
    return longer;
  };
  if (seconds === undefined) return { millivolts: extended(1, millivolts[0]), rate, period: millivolts.length / rate };
  const length = (millivolts.length - 1) / rate;
  if (length < seconds) {
    throw new UsageError(`${option} ${path}: it is ${length.toFixed(1)} s long, --seconds is ${seconds}; ask for less`);
  }
  // The boards need some milliseconds to stop: they see the last sample until then.
  return { millivolts: extended(Math.ceil(STOPPING * rate), millivolts[millivolts.length - 1]), rate };
}
