/** CSV files of pairs and of a reference: every fault is told with its file, line, column and value. */
import { existsSync, readFileSync } from "node:fs";
import { LEAST_RATIO, MOST_RATIO } from "../../firmware/dsp/calibration.ts";
import type { Pair } from "../../simulator/evaluate/calibrate.ts";
import { UsageError } from "../usage.ts";

/** What a reference oximeter said. */
export interface Reference {
  /** ms since the epoch. */
  readonly time: number;
  /** Percent. */
  readonly spo2: number;
  readonly subject?: string;
}

/** R of blood, and SpO2 that somebody may have had; percent. */
const RATIO = [LEAST_RATIO, MOST_RATIO] as const;
const SPO2 = [50, 100] as const;

/** A line with its fields by column. */
interface Row {
  readonly line: number;
  /** undefined where it is empty or there is no such column. */
  field(column: string): string | undefined;
}

/** Reads a file whose first line names its columns; "#" begins a comment. Throws UsageError. */
function readRows(file: string, needed: readonly string[]): Row[] {
  if (!existsSync(file)) throw new UsageError(`${file}: no such file`);
  const lines = readFileSync(file, "utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((text, at) => ({ text, line: at + 1 }))
    .filter(({ text }) => text.trim() !== "" && !text.startsWith("#"));
  const fieldsOf = (text: string) => text.split(",").map((field) => field.trim().replace(/^"(.*)"$/, "$1"));
  const [head, ...body] = lines;
  const columns = head === undefined ? [] : fieldsOf(head.text).map((name) => name.toLowerCase());
  for (const name of needed) {
    if (!columns.includes(name))
      throw new UsageError(
        `${file}:${head?.line ?? 1}: no column "${name}" in "${columns.join(",")}"; name it in the first line`,
      );
  }
  return body.map(({ text, line }) => {
    const fields = fieldsOf(text);
    if (fields.length !== columns.length)
      throw new UsageError(`${file}:${line}: ${fields.length} fields, the first line names ${columns.length}`);
    return { line, field: (column) => fields[columns.indexOf(column)] || undefined };
  });
}

function numberIn(
  file: string,
  { line, field }: Row,
  column: string,
  range: readonly [number, number],
  what: string,
): number {
  const text = field(column);
  const value = Number(text ?? Number.NaN);
  if (!(value >= range[0] && value <= range[1]))
    throw new UsageError(
      `${file}:${line}: ${column} "${text ?? ""}" is not ${range[0]} to ${range[1]}, ${what}; correct it or leave the line out`,
    );
  return value;
}

const spo2In = (file: string, row: Row) => numberIn(file, row, "spo2", SPO2, "SpO2 in percent");
/** Whose: the column subject, else recording. */
const subjectIn = (row: Row) => {
  const subject = row.field("subject") ?? row.field("recording");
  return subject === undefined ? {} : { subject };
};

/** Pairs of R and SpO2: columns ratio, spo2 and, where there are, subject or recording. Throws UsageError. */
export function readPairs(file: string): Pair[] {
  return readRows(file, ["ratio", "spo2"]).map((row) => ({
    ratio: numberIn(file, row, "ratio", RATIO, "R that blood has"),
    spo2: spo2In(file, row),
    ...subjectIn(row),
  }));
}

/** What a reference oximeter said: columns time (RFC 3339 or ms since the epoch), spo2, and subject or recording. Throws UsageError. */
export function readReference(file: string): Reference[] {
  return readRows(file, ["time", "spo2"]).map((row) => {
    const text = row.field("time") ?? "";
    // a time without a zone would be read as this machine's
    const zoned = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text);
    const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) : zoned ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(time))
      throw new UsageError(
        `${file}:${row.line}: time "${text}" is neither RFC 3339 with a zone (2026-01-01T00:00:00Z) nor ms since the epoch`,
      );
    return { time, spo2: spo2In(file, row), ...subjectIn(row) };
  });
}
