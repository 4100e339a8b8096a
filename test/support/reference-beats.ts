/** What the annotators of a recorded ECG said, in seconds. */
import { annotationRate, isBeat, readAnnotationsSync, readHeaderSync } from "../../formats/index.ts";
import { dataFolder } from "./needs.ts";

export interface RecordBeats {
  /** Times of the beats, s. */
  readonly beats: readonly number[];
  /** What kind of beat each of them is: "N" normal, "V" premature ventricular, and so on. */
  readonly symbols: readonly string[];
  /** Ventricular flutter, from "[" to "]", s. */
  readonly flutter: readonly (readonly [number, number])[];
  /** Changes of rhythm: when, s, and its label, as "(AFIB". */
  readonly rhythms: readonly (readonly [number, string])[];
}

/** Of a record of the MIT-BIH Arrhythmia Database. */
export function readRecordBeats(record: string): RecordBeats {
  const path = `${dataFolder}/mitdb/${record}`;
  const annotations = readAnnotationsSync(`${path}.atr`);
  const rate = annotationRate(annotations) ?? readHeaderSync(path).rate;
  const of = (symbol: string) => annotations.filter((one) => one.symbol === symbol).map(({ sample }) => sample / rate);
  const ends = of("]");
  return {
    beats: annotations.filter(({ symbol }) => isBeat(symbol)).map(({ sample }) => sample / rate),
    symbols: annotations.filter(({ symbol }) => isBeat(symbol)).map(({ symbol }) => symbol),
    flutter: of("[").map((start, k) => [start, ends[k]!]),
    rhythms: annotations
      .filter(({ symbol }) => symbol === "+")
      .map(({ sample, aux }) => [sample / rate, aux.replace(/\0+$/, "")]),
  };
}
