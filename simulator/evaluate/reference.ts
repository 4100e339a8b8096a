/** Which reference beats belong to a recording. */
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  type Annotation,
  annotationRate,
  isBeat,
  isOwnExport,
  readAnnotationsSync,
  readHeaderSync,
  type WfdbHeader,
} from "../../formats/index.ts";

export interface ReferenceBeats {
  /** The annotation file. */
  readonly path: string;
  /** Beats, those in ventricular flutter too, s. */
  readonly beats: readonly number[];
  /** All annotations in the file's order, with their times, s. */
  readonly annotations: readonly { readonly time: number; readonly symbol: string; readonly aux: string }[];
  /** Ventricular flutter, "[" to "]", both included, s; an open one lasts for ever. */
  readonly excluded: readonly (readonly [number, number])[];
  /** End of the annotated recording, s; infinity where nothing says it. */
  readonly until: number;
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Names of the records of a folder, sorted: those with both NAME.hea and NAME.dat. Throws Error where there is no such folder. */
export function recordsOf(folder: string): string[] {
  if (!isFolder(folder)) throw new Error(`${folder}: no such folder; --data is a folder of WFDB records`);
  const files = new Set(readdirSync(folder));
  const names = [...files].filter((file) => file.endsWith(".hea")).map((file) => file.slice(0, -4));
  return names.filter((name) => files.has(`${name}.dat`)).sort();
}

/**
 * The annotation file for record `name`; null where there is none. `reference` is a folder (NAME.atr in it, else its only
 * .atr) or a record's path without extension, which then serves every record; the data folder where absent.
 * Throws Error where `reference` is neither.
 */
export function findReference(dataFolder: string, name: string, reference: string = dataFolder): string | null {
  if (!isFolder(reference)) {
    if (existsSync(`${reference}.atr`)) return `${reference}.atr`;
    throw new Error(`${reference}: neither a folder nor a record with ${basename(reference)}.atr`);
  }
  const same = join(reference, `${name}.atr`);
  if (existsSync(same)) return same;
  const all = readdirSync(reference).filter((file) => file.endsWith(".atr"));
  return all.length === 1 && all[0] !== undefined ? join(reference, all[0]) : null;
}

/**
 * The reference beats of an annotation file. Its sample numbers count at the rate it states, else that of the .hea
 * beside it, else `data.rate` (hz).
 * Throws Error where the file lies in the data folder and comes from our own exporter: a detector would be held against
 * itself.
 */
export function readReference(path: string, dataFolder: string, data: WfdbHeader): ReferenceBeats {
  const annotations = readAnnotationsSync(path);
  const record = path.slice(0, -".atr".length);
  const header = existsSync(`${record}.hea`) ? readHeaderSync(record) : null;
  const beside = realpathSync(dirname(path)) === realpathSync(dataFolder);
  if (beside && isOwnExport(annotations, header?.comments ?? [])) {
    throw new Error(
      `${path}: these beats were found by the device that made the recording, so comparing with them would be circular; ` +
        "give reference beats of another origin with --reference",
    );
  }
  const rate = annotationRate(annotations) ?? header?.rate ?? data.rate;
  const timed = annotations.map(({ sample, symbol, aux }) => ({ time: sample / rate, symbol, aux }));
  const beats = timed.filter(({ symbol }) => isBeat(symbol)).map(({ time }) => time);
  const until = header?.sampleCount == null ? Number.POSITIVE_INFINITY : header.sampleCount / header.rate;
  return { path, beats, annotations: timed, excluded: flutterOf(annotations, rate), until };
}

function flutterOf(annotations: readonly Annotation[], rate: number): [number, number][] {
  const found: [number, number][] = [];
  let start: number | null = null;
  for (const { symbol, sample } of annotations) {
    if (symbol === "[") start ??= sample / rate;
    if (symbol !== "]" || start === null) continue;
    found.push([start, sample / rate]);
    start = null;
  }
  if (start !== null) found.push([start, Number.POSITIVE_INFINITY]);
  return found;
}
