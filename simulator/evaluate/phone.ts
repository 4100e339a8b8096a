/**
 * Recordings of a finger on a phone's camera while the oxygen of the air was lowered, with clinical oximeters on the other
 * fingers: Hoffman et al., npj Digital Medicine 5:146, 2022 (github.com/ubicomplab/oximetry-phone-cam-data, MIT licence).
 *
 *   SUBJECT.Left.csv, SUBJECT.Right.csv   R,G,B: mean of each frame, 30 frames a second
 *   SUBJECT.gt.csv                        Time, SpO2 1, 2, 4, 5, ...: once a second; its last line may say "Collection Halted"
 *
 * each also as .csv.gz. Files have no common clock: frame 0 is taken for the time of the first line of the oximeters, as the
 * authors' own program does (the lengths differ by 1 to 3 s).
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Frames a second, hz. */
export const FRAME_RATE = 30;
/** Whose median is the reference. */
const OXIMETERS = ["SpO2 1", "SpO2 2", "SpO2 4", "SpO2 5"];
const COLOURS = ["R", "G", "B"] as const;
const HALTED = "Collection Halted";

export type Colour = (typeof COLOURS)[number];

export interface PhoneRecording {
  /** SUBJECT.HAND. */
  readonly name: string;
  /** Mean of each frame, 0..255. */
  readonly frames: Readonly<Record<Colour, Float64Array>>;
  /** SpO2 at 0, 1, 2 ... s, percent; null where no oximeter had one. */
  readonly reference: readonly (number | null)[];
}

interface Found {
  readonly name: string;
  readonly path: string;
  readonly reference: string;
}

/** Recordings of a folder, or of `oximetry-phone` in it, by name. Throws Error where there is none, or one lacks its reference. */
export function phoneRecordingsOf(folder: string): Found[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${folder}: no such folder; --data is a folder of phone recordings (SUBJECT.Left.csv.gz ...)`);
  const inside = join(folder, "oximetry-phone");
  const at = statSync(inside, { throwIfNoEntry: false })?.isDirectory() ? inside : folder;
  const files = readdirSync(at).sort();
  const found = files.flatMap((file) => {
    const [, subject, hand] = /^(.+)\.(Left|Right)\.csv(?:\.gz)?$/.exec(file) ?? [];
    if (subject === undefined) return [];
    const reference = [`${subject}.gt.csv`, `${subject}.gt.csv.gz`].find((name) => files.includes(name));
    if (reference === undefined)
      throw new Error(
        `${join(at, file)}: no ${subject}.gt.csv or ${subject}.gt.csv.gz beside it; it holds the reference SpO2`,
      );
    return [{ name: `${subject}.${hand}`, path: join(at, file), reference: join(at, reference) }];
  });
  if (found.length === 0)
    throw new Error(
      `${at}: no phone recording (SUBJECT.Left.csv or SUBJECT.Right.csv, or .csv.gz, with SUBJECT.gt.csv)`,
    );
  return found;
}

/** Throws Error (file, line, value, what to do) for what is no such file. */
export function readPhoneRecording({ name, path, reference }: Found): PhoneRecording {
  const table = readTable(path, COLOURS);
  const column = (colour: Colour) =>
    Float64Array.from(table, ({ line, cells }) =>
      numberIn(cells[colour]!, 0, 255, `${path}:${line}: ${colour}`, "the mean of a colour in a frame"),
    );
  const frames = { R: column("R"), G: column("G"), B: column("B") };
  return { name, frames, reference: readReference(reference) };
}

function readReference(path: string): (number | null)[] {
  const values: (number | null)[] = [];
  let first = 0;
  let before = -1;
  for (const { line, cells } of readTable(path, ["Time", ...OXIMETERS])) {
    const time = cells.Time!;
    if (time === HALTED) break;
    const [, hours, minutes, seconds] = /^(\d?\d):([0-5]\d):([0-5]\d)$/.exec(time) ?? [];
    if (hours === undefined)
      throw new Error(`${path}:${line}: Time "${time}" is no time HH:MM:SS; only the last line may be "${HALTED}"`);
    const second = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    if (before < 0) first = second;
    if (before >= 0 && second <= before)
      throw new Error(`${path}:${line}: Time "${time}" is not after the one before it; put the lines in order of time`);
    before = second;
    while (values.length < second - first) values.push(null); // seconds that were left out
    const all = OXIMETERS.flatMap((oximeter) => {
      const text = cells[oximeter]!;
      if (text === "" || text.toLowerCase() === "nan") return [];
      return [numberIn(text, 0, 100, `${path}:${line}: ${oximeter}`, "an SpO2 in percent, or empty")];
    }).sort((a, b) => a - b);
    const middle = all.length >> 1;
    if (all.length === 0) values.push(null);
    else values.push(all.length % 2 === 1 ? all[middle]! : (all[middle - 1]! + all[middle]!) / 2);
  }
  if (values.every((value) => value === null)) throw new Error(`${path}: no SpO2 in ${OXIMETERS.join(", ")}`);
  return values;
}

function numberIn(text: string, low: number, high: number, where: string, what: string): number {
  const value = text === "" ? Number.NaN : Number(text);
  if (!(value >= low && value <= high)) throw new Error(`${where} "${text}" is not ${low} to ${high}; give ${what}`);
  return value;
}

interface Line {
  /** From 1. */
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

function readTable(path: string, wanted: readonly string[]): Line[] {
  let text: string;
  try {
    const bytes = readFileSync(path);
    text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (error) {
    throw new Error(
      `${path}: ${(error as Error).message}; it must be a text file, or one packed by gzip with a name in .gz`,
    );
  }
  const lines = text.split(/\r?\n/);
  const names = lines[0]!
    .replace(/^\uFEFF/, "")
    .split(",")
    .map((cell) => cell.trim());
  const places = wanted.map((name) => {
    const at = names.indexOf(name);
    if (at < 0)
      throw new Error(`${path}:1: no column "${name}"; there are ${names.map((one) => `"${one}"`).join(", ")}`);
    return at;
  });
  const rows: Line[] = [];
  for (let k = 1; k < lines.length; k++) {
    if (lines[k]!.trim() === "") continue;
    const cells = lines[k]!.split(",");
    if (cells.length !== names.length)
      throw new Error(
        `${path}:${k + 1}: ${cells.length} values "${lines[k]}", but the first line names ${names.length} columns`,
      );
    rows.push({ line: k + 1, cells: Object.fromEntries(wanted.map((name, at) => [name, cells[places[at]!]!.trim()])) });
  }
  if (rows.length === 0) throw new Error(`${path}: no line after its names`);
  return rows;
}
