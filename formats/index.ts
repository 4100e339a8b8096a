/** Reading and writing what others use. */
export { type CsvField, csvLine, csvOfRecording } from "./csv.ts";
export {
  exactDecimal,
  type Piece,
  type Recording,
  type RecordingChannel,
  recordingName,
  rfc3339,
} from "./recording.ts";
export * from "./wfdb.ts";
export * from "./wfdb-annotations.ts";
export { isOwnExport, wfdbOfRecording } from "./wfdb-export.ts";
export * from "./wfdb-files.ts";
export { formatHeader, parseHeader, type WfdbFormat, type WfdbHeader, type WfdbSignalSpec } from "./wfdb-header.ts";
export { INVALID_SAMPLE } from "./wfdb-signals.ts";
