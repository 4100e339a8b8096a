/** An oximeter over two lights, as a board would run it, and what is counted of its readings. */
import type { LightCounts } from "./spo2-light.ts";

/** A streaming oximeter, as firmware/dsp makes it. */
export interface Spo2Meter {
  /** Ratio of ratios; null: none is shown. As of the last sample. */
  readonly result: { readonly ratio: number | null };
  /** The next `count` samples of each light, in counts. */
  push(red: Int32Array, infrared: Int32Array, count: number): void;
}

export interface Spo2MeterOptions {
  /** hz */
  readonly rate: number;
  /** Infrared counts below which there is no finger. */
  readonly offBodyBelow: number;
  /** Counts of either light from which on the converter is at its end. */
  readonly saturatedAbove: number;
}

export type Spo2MeterFactory = (options: Spo2MeterOptions) => Spo2Meter;

/** An oximeter to be compared with. */
export interface Spo2Peer {
  readonly name: string;
  /** Whose rules it follows. */
  readonly source: string;
  readonly factory: Spo2MeterFactory;
}

/** R as it is shown at the end of each second; null: none. Blocks of a quarter of a second, as a board would push them. */
export function readMeter(
  factory: Spo2MeterFactory,
  light: LightCounts,
  limits: Omit<Spo2MeterOptions, "rate">,
): (number | null)[] {
  const { rate, red, infrared } = light;
  const meter = factory({ rate, ...limits });
  const shown: (number | null)[] = [];
  let at = 0;
  for (let quarter = 1; ; quarter++) {
    const end = Math.round((quarter * rate) / 4);
    if (end > red.length) return shown;
    meter.push(red.subarray(at, end), infrared.subarray(at, end), end - at);
    at = end;
    if (quarter % 4 === 0) shown.push(meter.result.ratio);
  }
}

/** Of readings, one a second, held against the truth. SpO2 points are percent of saturation. */
export interface Spo2Figures {
  /** Seconds that count. */
  readonly seconds: number;
  /** Root mean square of the error where a value is shown, SpO2 points; null where none is. */
  readonly arms: number | null;
  /** Mean of shown less true, SpO2 points. */
  readonly bias: number | null;
  /** Largest error, SpO2 points. */
  readonly worst: number | null;
  /** Seconds with a value, percent of all. */
  readonly shown: number;
  /** Longest time without a value, s. */
  readonly longestBlank: number;
}

/** Gathers errors of many runs. */
export interface Spo2Tally {
  /** Shown less true, SpO2 points; null: nothing is shown. */
  add(error: number | null): void;
  /** The next reading is not the one after the last: another run begins. */
  cut(): void;
  figures(): Spo2Figures;
}

export function createTally(): Spo2Tally {
  let seconds = 0;
  let shown = 0;
  let sum = 0;
  let squares = 0;
  let worst = 0;
  let blank = 0;
  let longest = 0;
  return {
    add(error) {
      seconds++;
      blank = error === null ? blank + 1 : 0;
      longest = Math.max(longest, blank);
      if (error === null) return;
      shown++;
      sum += error;
      squares += error * error;
      worst = Math.max(worst, Math.abs(error));
    },
    cut: () => {
      blank = 0;
    },
    figures: () => ({
      seconds,
      arms: shown === 0 ? null : rounded(Math.sqrt(squares / shown)),
      bias: shown === 0 ? null : rounded(sum / shown),
      worst: shown === 0 ? null : rounded(worst),
      shown: seconds === 0 ? 0 : rounded((100 * shown) / seconds),
      longestBlank: longest,
    }),
  };
}

/** To three decimals. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000 + 0;
