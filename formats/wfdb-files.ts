/** WFDB records, annotations and exports on disk. The formats themselves are pure: wfdb.ts, wfdb-annotations.ts, csv.ts. */
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { csvOfRecording } from "./csv.ts";
import { type Recording, recordingName } from "./recording.ts";
import { decodeRecord, encodeRecord, type WfdbRecord, type WfdbRecordInput } from "./wfdb.ts";
import { type Annotation, type AnnotationInput, readAnnotations, writeAnnotations } from "./wfdb-annotations.ts";
import { wfdbOfRecording } from "./wfdb-export.ts";
import { parseHeader, type WfdbHeader } from "./wfdb-header.ts";

const MIB = 1024 * 1024;

/** Bytes of a regular file of bounded size: a header may name anything, a pipe or a device would never end. */
function readBounded(path: string, mebibytes: number): Uint8Array {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new Error(`${path}: no such file`);
  if (!status.isFile()) throw new Error(`${path}: not a regular file`);
  if (status.size > mebibytes * MIB) throw new Error(`${path}: ${status.size} bytes, the most is ${mebibytes} MiB`);
  return readFileSync(path);
}

/** Header of the record at `path` (without extension). Throws Error (path, line, field, value). */
export function readHeaderSync(path: string): WfdbHeader {
  return parseHeader(new TextDecoder().decode(readBounded(`${path}.hea`, 1)), `${path}.hea`);
}

/**
 * The record at `path` (without extension), its signal files read from the same folder.
 * Throws Error (path, what, value): see parseHeader and decodeRecord; also for a signal file in another folder.
 */
export function readRecordSync(path: string): WfdbRecord {
  const header = readHeaderSync(path);
  const files = new Map<string, Uint8Array>();
  for (const { file } of header.signals) {
    if (files.has(file)) continue;
    if (basename(file) !== file || file.includes("\\") || file.startsWith("-") || /^\.*$/.test(file)) {
      throw new Error(
        `${path}.hea: signal file "${file.slice(0, 40)}" is not a plain file name; put the file beside the header`,
      );
    }
    files.set(file, readBounded(join(dirname(path), file), 512));
  }
  return decodeRecord(header, files);
}

/** Annotations of a file with its extension ("mitdb/101.atr"). Throws Error (path, byte, value). */
export function readAnnotationsSync(path: string): Annotation[] {
  return readAnnotations(readBounded(path, 64), path);
}

/**
 * Writes NAME.hea, the signal files and, where given, NAME.atr; the header last, so that no half-written record has one.
 * Makes the folder. Returns the paths. Throws Error: see encodeRecord and writeAnnotations, before anything is written.
 */
export function writeRecordSync(
  folder: string,
  record: WfdbRecordInput,
  annotations?: readonly AnnotationInput[],
): string[] {
  const { header, files } = encodeRecord(record);
  for (const name of files.keys()) {
    if (basename(name) !== name || /^\.*$/.test(name))
      throw new Error(`signal file "${name.slice(0, 40)}" is not a plain file name`);
  }
  if (annotations !== undefined) files.set(`${record.name}.atr`, writeAnnotations(annotations));
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, `${record.name}.hea`), header);
  return [...files.keys(), `${record.name}.hea`].map((name) => join(folder, name));
}

/** Exports a recording of ours as KID_BOOT_RATE.hea, .dat and, where it has beats, .atr. Returns the paths. */
export function exportWfdbSync(folder: string, recording: Recording): string[] {
  const { record, annotations } = wfdbOfRecording(recording);
  return writeRecordSync(folder, record, annotations ?? undefined);
}

/** Exports a recording of ours as KID_BOOT_RATE.csv. Returns the path. */
export function exportCsvSync(folder: string, recording: Recording): string {
  const path = join(folder, `${recordingName(recording)}.csv`);
  mkdirSync(folder, { recursive: true });
  const file = openSync(path, "w");
  try {
    for (const text of csvOfRecording(recording)) writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
  return path;
}
