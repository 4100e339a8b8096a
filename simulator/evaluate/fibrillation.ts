/**
 * Atrial fibrillation from beats, window by window, held against rhythm annotations.
 *
 * Every beat with a reading ends one window: the beats that the reading was made of. It is one of fibrillation where more
 * than half of its time is annotated "(AFIB"; flutter, "(AFL", is not. Windows overlap, so they are far fewer than they
 * seem: what they show, they show of as many people as there are records.
 */
import { createFibrillationMeter, FIBRILLATION_THRESHOLD } from "../../firmware/dsp/fibrillation.ts";
import type { ReferenceBeats } from "./reference.ts";
import { areaUnderCurve } from "./roc.ts";

export const AFIB = "(AFIB";
/** Beats that a reading is made of: 127 words of three intervals. */
const WINDOW = 130;

type Stretch = readonly [number, number];

/** Readings of one record by class. */
export interface Readings {
  readonly fibrillation: number[];
  readonly other: number[];
}

export interface FibrillationFigures {
  /** 0..1, 4 decimals. */
  readonly auc: number | null;
  /** Percent, at the threshold that ships: of fibrillation windows above it, of others not above it. */
  readonly se: number | null;
  readonly sp: number | null;
  readonly windows: number;
  /** Of these, with fibrillation. */
  readonly fibrillation: number;
}

/** Stretches of a rhythm, [from, to], s: from its annotation to the next one, the last until `end`. */
export function stretchesOf(
  annotations: ReferenceBeats["annotations"],
  label: string,
  end: number,
): [number, number][] {
  const changes = annotations.filter(({ symbol }) => symbol === "+");
  return changes.flatMap(({ time, aux }, k): [number, number][] =>
    aux.replace(/\0+$/, "") === label && time < end ? [[time, Math.min(changes[k + 1]?.time ?? end, end)]] : [],
  );
}

/** How much of [from, to] lies in stretches, s. */
function overlap(from: number, to: number, stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)), 0);
}

/** Runs the meter that ships over beats at `times`, s. */
export function fibrillationReadings(times: readonly number[], stretches: readonly Stretch[]): Readings {
  const meter = createFibrillationMeter(1);
  const found: Readings = { fibrillation: [], other: [] };
  for (const [at, time] of times.entries()) {
    meter.beat(time);
    const value = meter.read();
    if (value === null) continue;
    const from = times[Math.max(0, at + 1 - WINDOW)]!;
    const share = overlap(from, time, stretches) / (time - from);
    (share > 0.5 ? found.fibrillation : found.other).push(value);
  }
  return found;
}

const percent = (part: number, whole: number) => (whole === 0 ? null : Math.round((part / whole) * 1e5) / 1e3);

/** Figures over all records together. */
export function fibrillationFigures(records: readonly Readings[]): FibrillationFigures {
  const fibrillation = records.flatMap((one) => one.fibrillation);
  const other = records.flatMap((one) => one.other);
  const auc = areaUnderCurve(fibrillation, other);
  const isAbove = (value: number) => value > FIBRILLATION_THRESHOLD;
  return {
    auc: auc === null ? null : Math.round(auc * 1e4) / 1e4,
    se: percent(fibrillation.filter(isAbove).length, fibrillation.length),
    sp: percent(other.filter((value) => !isAbove(value)).length, other.length),
    windows: fibrillation.length + other.length,
    fibrillation: fibrillation.length,
  };
}
