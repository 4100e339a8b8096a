/**
 * The recordings of the BIDMC PPG and Respiration Dataset (Pimentel et al., IEEE Trans. Biomed. Eng. 64:1914, 2017; PhysioNet
 * bidmc/1.0.0) as comma-separated values: PLETH and ECG lead II at 125 hz, and beside them what the bedside monitor showed
 * once a second.
 *
 * Taken are NAME.csv, NAME.csv.gz and NAME_Signals.csv, with NAME_Numerics.csv where there is one. Columns are found by
 * their names, in any order; of others nothing is read. With a column `Time [s]` the rate is taken from it.
 *
 * PLETH has no unit and no DC: the monitor scaled it, and it RISES with blood. A chip's light falls. So a light is made of it
 * that falls by COUNTS_PER_PLETH where PLETH rises by 1, from DC_COUNTS on: a swing of 0.5 is a perfusion of 1 %.
 * II is in mV by its name, but its QRS is 0.15 mV high in some: a unit is taken for 4 mV, so that detectors with a floor in
 * microvolts work (at 3 to 6 they agree on the same beats).
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Counts } from "./detections.ts";

/** Light without blood, and less of it for a PLETH of 1, counts. */
export const DC_COUNTS = 100_000;
export const COUNTS_PER_PLETH = 2000;
/** What a column without times is sampled at, hz. */
const BIDMC_RATE = 125;
/** Of lead II. */
const COUNTS_PER_UNIT = 1000;
const MICROVOLTS_PER_COUNT = 4;

/** What the monitor showed. */
export interface MonitorSecond {
  /** s */
  readonly time: number;
  /** Beats a minute by its oximeter; null: nothing. */
  readonly pulse: number | null;
  /** Breaths a minute, by the impedance of the chest; null: nothing. */
  readonly respiration: number | null;
}

export interface PulseRecording {
  readonly name: string;
  /** hz */
  readonly rate: number;
  /** Counts of light, which blood makes less. */
  readonly light: Int32Array;
  /** Lead II. */
  readonly ecg: Counts;
  /** null: there is no such file. */
  readonly monitor: readonly MonitorSecond[] | null;
}

interface Found {
  readonly name: string;
  readonly path: string;
}

const SIGNALS = /^(.+?)(?:_Signals)?\.csv(?:\.gz)?$/i;
const NUMERICS = /_Numerics\.csv(?:\.gz)?$/i;
const OTHERS = /_(?:Breaths|Fix|Numerics)\b/i;

/** Recordings of a folder, by name. Throws Error where there is no such folder, and where it holds none. */
export function recordingsOf(folder: string): Found[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${folder}: no such folder; --data is a folder of BIDMC recordings (bidmc_01.csv.gz, ...)`);
  const found = new Map<string, Found>();
  for (const file of readdirSync(folder).sort()) {
    const name = SIGNALS.exec(file)?.[1];
    if (name !== undefined && !OTHERS.test(file) && !found.has(name))
      found.set(name, { name, path: join(folder, file) });
  }
  if (found.size === 0)
    throw new Error(
      `${folder}: no recording to evaluate (NAME.csv, NAME.csv.gz or NAME_Signals.csv with columns PLETH and II)`,
    );
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Columns by name, upper case, without quotes and units. */
interface Table {
  readonly columns: ReadonlyMap<string, number>;
  readonly rows: readonly string[];
}

function readTable(path: string): Table {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1");
  const [head = "", ...rows] = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const names = head.split(",").map((name) =>
    name
      .replace(/["']|\[.*\]|^\uFEFF/g, "")
      .trim()
      .toUpperCase(),
  );
  return { columns: new Map(names.map((name, at) => [name, at])), rows };
}

/**
 * One recording. A value that is missing or no number repeats the one before it, 0 at the start.
 * Throws Error (path, what is there, what is needed) where a column is missing, where there is not one row, and for a rate
 * that is not 25 to 1000 hz.
 */
export function readPulseRecording(folder: string, { name, path }: Found): PulseRecording {
  const { columns, rows } = readTable(path);
  const column = (wanted: string): Float64Array => {
    const at = columns.get(wanted);
    if (at === undefined)
      throw new Error(
        `${path}: no column ${wanted}; there are ${[...columns.keys()].join(", ")}, and PLETH and II are needed`,
      );
    const values = new Float64Array(rows.length);
    let before = 0;
    for (const [k, row] of rows.entries()) {
      const text = row.split(",", at + 1)[at]?.trim() ?? "";
      const value = text === "" ? Number.NaN : Number(text);
      if (Number.isFinite(value)) before = value;
      values[k] = before;
    }
    return values;
  };
  const pleth = column("PLETH");
  const lead = column("II");
  if (rows.length < 2) throw new Error(`${path}: ${rows.length} rows of samples are no recording`);
  const times = columns.has("TIME") ? column("TIME") : null;
  const span = times === null ? (rows.length - 1) / BIDMC_RATE : times.at(-1)! - times[0]!;
  const rate = Math.round(((rows.length - 1) / span) * 1000) / 1000;
  if (!(rate >= 25 && rate <= 1000))
    throw new Error(`${path}: ${rows.length} rows in ${span} s are ${rate} hz; 25 to 1000 hz are needed`);
  return {
    name,
    rate,
    light: Int32Array.from(pleth, (value) => Math.round(DC_COUNTS - COUNTS_PER_PLETH * value)),
    ecg: {
      name,
      rate,
      microvoltsPerCount: MICROVOLTS_PER_COUNT,
      samples: Int32Array.from(lead, (value) => Math.round(value * COUNTS_PER_UNIT)),
    },
    monitor: readMonitor(folder, name),
  };
}

function readMonitor(folder: string, name: string): MonitorSecond[] | null {
  const file = readdirSync(folder).find(
    (other) => NUMERICS.test(other) && other.replace(NUMERICS, "").toLowerCase() === name.toLowerCase(),
  );
  if (file === undefined) return null;
  const path = join(folder, file);
  const { columns, rows } = readTable(path);
  const [pulse, time] = [columns.get("PULSE"), columns.get("TIME")];
  if (pulse === undefined || time === undefined) throw new Error(`${path}: no columns Time and PULSE`);
  return rows.map((row) => {
    const values = row.split(",");
    const above = (at: number | undefined) => {
      const value = Number((at === undefined ? "" : values[at])?.trim() || Number.NaN);
      return Number.isFinite(value) && value > 0 ? value : null;
    };
    return { time: Number(values[time]), pulse: above(pulse), respiration: above(columns.get("RESP")) };
  });
}
