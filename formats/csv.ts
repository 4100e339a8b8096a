/** CSV (RFC 4180): lines, and recordings with units in the header and a time column from the sample clock. Pure. */
import { exactDecimal, lengthOf, type Piece, type Recording, rfc3339, utcOf } from "./recording.ts";

/** A field: null is empty; numbers are printed so that reading them back gives the same number. */
export type CsvField = string | number | null;

/**
 * One line with its CRLF (RFC 4180 section 2): fields with comma, quote or line break stand in quotes, quotes are doubled.
 * Throws Error (field) for NaN and infinities: what is unknown is null.
 */
export function csvLine(fields: readonly CsvField[]): string {
  return `${fields.map(field).join(",")}\r\n`;
}

function field(value: CsvField, at: number): string {
  if (value === null) return "";
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error(`field ${at}: ${value} cannot stand in a CSV file; use null`);
    return String(value);
  }
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const LINES = 512; // lines handed over at once

/**
 * A recording as CSV text, some lines at a time: `time_s` (index / rate in seconds), or `time_utc` (RFC 3339 with
 * microseconds) where the recording has an epoch; then one column a channel, "name [unit]", as exact decimals. A sample
 * that is missing leaves its field empty; every index has a line, so no two lines share a time.
 * Throws Error (channel, value) for pieces out of order or a scale that is not of integers, and where two lines would
 * have the same time.
 */
export function* csvOfRecording(recording: Recording): Generator<string> {
  const length = lengthOf(recording);
  const { channels, rate } = recording;
  if (!(rate > 0 && rate <= 1e6)) throw new Error(`rate ${rate} is not above 0 and at most 1000000 hz`);
  const names = channels.map(({ name, unit }) => `${name} [${unit}]`);
  let text = csvLine([recording.epoch === undefined ? "time_s" : "time_utc", ...names]);
  const next = channels.map(() => 0); // of each channel: the piece that is not yet past
  const fields: CsvField[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < length; index++) {
    const utc = utcOf(recording, index);
    if (utc !== null && utc <= before)
      throw new Error(`sample ${index}: its time ${rfc3339(utc)} is not after the one before`);
    before = utc ?? before;
    fields[0] = utc === null ? index / rate : rfc3339(utc);
    for (let c = 0; c < channels.length; c++) {
      const { pieces, offset, mul, exp10 } = channels[c]!;
      while (ends(pieces[next[c]!]) <= index) next[c]!++;
      const piece = pieces[next[c]!];
      const known = piece !== undefined && piece.at <= index;
      fields[c + 1] = known ? exactDecimal(piece.samples[index - piece.at]!, offset, mul, exp10) : null;
    }
    text += csvLine(fields);
    if (index % LINES === LINES - 1) {
      yield text;
      text = "";
    }
  }
  if (text !== "") yield text;
}

const ends = (piece: Piece | undefined) =>
  piece === undefined ? Number.POSITIVE_INFINITY : piece.at + piece.samples.length;
