/**
 * WFDB records: header and signal files to samples and back. Pure over text and bytes.
 * Source: WFDB Applications Guide, header(5) and signal(5).
 */
import { formatHeader, short, type WfdbFormat, type WfdbHeader, type WfdbSignalSpec } from "./wfdb-header.ts";
import {
  bytesFor,
  checksumOf,
  INVALID_SAMPLE,
  misfit,
  pack,
  SAMPLE_BITS,
  sampleAt,
  samplesIn,
} from "./wfdb-signals.ts";

/** One signal with its samples, in converter steps, as stored: the format's invalid code stays what it is. */
export interface WfdbSignal extends WfdbSignalSpec {
  /** From sample 0 on: `frames x samplesPerFrame - skew` of them. */
  readonly samples: Int32Array;
  /** The `skew` samples that the file holds before sample 0. */
  readonly before: Int32Array;
}

export interface WfdbRecord extends Omit<WfdbHeader, "signals" | "sampleCount"> {
  /** Frames in the signal files. */
  readonly sampleCount: number;
  readonly signals: readonly WfdbSignal[];
}

/** What the writer needs of a signal; the rest has defaults. Any WfdbSignal will do. */
export interface WfdbSignalInput {
  readonly samples: Int32Array;
  readonly before?: Int32Array;
  /** 16 where absent. */
  readonly format?: WfdbFormat;
  /** Sample steps per unit, 200 where absent; 0: uncalibrated. */
  readonly gain?: number;
  /** Sample value of 0 units; `adcZero` where absent. */
  readonly baseline?: number;
  /** "mV" where absent; no white space. */
  readonly units?: string;
  readonly resolution?: number;
  readonly adcZero?: number;
  readonly samplesPerFrame?: number;
  /** "NAME.dat" where absent. Signals that share a file share its format and stand next to one another. */
  readonly file?: string;
  readonly description?: string;
}

/** What the writer needs of a record. Any WfdbRecord will do. */
export interface WfdbRecordInput {
  /** Letters, digits, "_" and "-". */
  readonly name: string;
  /** Frames a second, hz. */
  readonly rate: number;
  readonly signals: readonly WfdbSignalInput[];
  readonly counterRate?: number | null;
  readonly baseCounter?: number | null;
  readonly baseTime?: string | null;
  readonly baseDate?: string | null;
  readonly comments?: readonly string[];
}

/** Signals that share a file: consecutive in the header, one format, one byte offset (header(5), "file name"). */
function groups<S extends { file: string; format: WfdbFormat; byteOffset: number }>(signals: readonly S[]): S[][] {
  const found: S[][] = [];
  const seen = new Set<string>();
  for (const signal of signals) {
    const last = found.at(-1);
    if (last?.[0]?.file !== signal.file) {
      if (seen.has(signal.file)) {
        throw new Error(`signals in ${short(signal.file)} do not stand next to one another in the header`);
      }
      seen.add(signal.file);
      found.push([signal]);
      continue;
    }
    const first = last[0];
    if (first.format !== signal.format || first.byteOffset !== signal.byteOffset) {
      throw new Error(
        `signals in ${short(signal.file)} differ: format ${first.format}+${first.byteOffset} and ` +
          `${signal.format}+${signal.byteOffset}; one file has one format and one byte offset`,
      );
    }
    last.push(signal);
  }
  return found;
}

const frameOf = (group: readonly { samplesPerFrame: number }[]) =>
  group.reduce((sum, signal) => sum + signal.samplesPerFrame, 0);

/** Frames of one signal file, checked against what the header announces before anything is allocated. */
function countFrames(group: readonly WfdbSignalSpec[], bytes: Uint8Array, announced: number | null): number {
  const { file, format, byteOffset, blockSize } = group[0]!;
  const size = bytes.length - byteOffset;
  const frame = frameOf(group);
  if (size < 0) throw new Error(`${file}: ${bytes.length} bytes, byte offset ${byteOffset} is beyond its end`);
  if (announced === null) {
    const count = samplesIn(format, size);
    const left = count % frame;
    // Format 212 packs pairs: the last of an odd number may come with a partner that means nothing.
    const padded = format === 212 && left === 1 && size % 3 === 0;
    if ((left !== 0 && !padded) || bytesFor(format, count) !== size) {
      throw new Error(
        `${file}: ${size} bytes end inside a frame of ${frame} samples in format ${format}; it is truncated`,
      );
    }
    return Math.floor(count / frame);
  }
  const need = bytesFor(format, announced * frame);
  if (size < need) {
    throw new Error(
      `${file}: ${size} bytes, but ${announced} frames in format ${format} need ${need}; it is truncated`,
    );
  }
  const padding = Math.max(format === 212 ? 1 : 0, Math.abs(blockSize) - 1);
  if (size > need + padding) {
    throw new Error(
      `${file}: ${size} bytes, but ${announced} frames in format ${format} take ${need}; header and file differ`,
    );
  }
  return announced;
}

/**
 * Joins a header with the bytes of its signal files (by the names it uses).
 * Throws Error (file, numbers) where a file is missing, too short, too long, or does not sum up to the header's checksum.
 * As header(5) says, checksums are not checked where the header gives no number of samples.
 */
export function decodeRecord(header: WfdbHeader, files: ReadonlyMap<string, Uint8Array>): WfdbRecord {
  const signals: WfdbSignal[] = [];
  let frames = header.sampleCount;
  for (const group of groups(header.signals)) {
    const { file, format, byteOffset } = group[0]!;
    const bytes = files.get(file);
    if (bytes === undefined) throw new Error(`record ${short(header.name)}: signal file ${short(file)} is missing`);
    const found = countFrames(group, bytes, header.sampleCount);
    frames ??= found;
    if (frames !== found) throw new Error(`${file}: ${found} frames, the other signal files have ${frames}`);
    const frame = frameOf(group);
    const view = new DataView(bytes.buffer, bytes.byteOffset + byteOffset, bytes.byteLength - byteOffset);
    let start = 0;
    for (const signal of group) {
      const width = signal.samplesPerFrame;
      const stored = new Int32Array(frames * width);
      for (let i = 0; i < frames; i++) {
        for (let k = 0; k < width; k++) stored[i * width + k] = sampleAt(format, view, i * frame + start + k);
      }
      start += width;
      signals.push(withSamples(signal, stored, header));
    }
  }
  return { ...header, sampleCount: frames ?? 0, signals };
}

function withSamples(signal: WfdbSignalSpec, stored: Int32Array, header: WfdbHeader): WfdbSignal {
  const where = `record ${short(header.name)}, signal ${short(signal.description)} in ${short(signal.file)}`;
  if (signal.skew > stored.length)
    throw new Error(`${where}: skew ${signal.skew} is above its ${stored.length} samples`);
  const sum = checksumOf(stored);
  if (header.sampleCount !== null && signal.checksum !== null && ((sum - signal.checksum) & 0xffff) !== 0) {
    throw new Error(`${where}: checksum is ${sum}, the header says ${signal.checksum}; the file is damaged`);
  }
  return { ...signal, before: stored.subarray(0, signal.skew), samples: stored.subarray(signal.skew) };
}

/** Samples in the signal's physical unit; NaN where the sample is the format's invalid code. Gain 0 counts as 200 (header(5)). */
export function physical(signal: WfdbSignal): Float64Array {
  const { samples, baseline } = signal;
  const gain = signal.gain === 0 ? 200 : signal.gain;
  const invalid = INVALID_SAMPLE[signal.format];
  const values = new Float64Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    values[i] = sample === invalid ? Number.NaN : (sample - baseline) / gain;
  }
  return values;
}

const MICROVOLTS = new Map([
  ["V", 1e6],
  ["mV", 1e3],
  ["uV", 1],
  ["\u00b5V", 1],
  ["\u03bcV", 1],
  ["nV", 1e-3],
]);

/** Microvolts of one unit ("mV": 1000); null where the unit is no voltage. */
export function microvoltsPerUnit(units: string): number | null {
  return MICROVOLTS.get(units) ?? null;
}

/** A voltage in mV, whatever unit its header names; NaN where a sample is invalid. Throws Error for any other unit. */
export function millivolts(signal: WfdbSignal): Float64Array {
  const scale = microvoltsPerUnit(signal.units);
  if (scale === null)
    throw new Error(`signal "${short(signal.description)}" is in ${short(signal.units)}, not a voltage`);
  const values = physical(signal);
  return scale === 1e3 ? values : values.map((value) => (value * scale) / 1e3);
}

function specOf(record: WfdbRecordInput, signal: WfdbSignalInput, index: number): WfdbSignalSpec {
  const format = signal.format ?? 16;
  const where = `record ${short(record.name)}, signal ${index}`;
  const before = signal.before ?? new Int32Array(0);
  for (const part of [before, signal.samples]) {
    const at = misfit(format, part);
    if (at !== null) {
      const bits = SAMPLE_BITS[format];
      throw new Error(`${where}: sample ${at} is ${part[at]}, which format ${format} (${bits} bits) cannot hold`);
    }
  }
  const { gain = 200, adcZero = 0, description = "", file = `${record.name}.dat` } = signal;
  const baseline = signal.baseline ?? adcZero;
  if (!Number.isFinite(gain)) throw new Error(`${where}: gain ${gain} is not a number`);
  if (!Number.isInteger(baseline) || (baseline | 0) !== baseline) {
    throw new Error(`${where}: baseline ${baseline} is not a 32-bit integer`);
  }
  if (file.length + description.length > 80) {
    throw new Error(
      `${where}: file name and description have more than 80 characters together: "${short(description)}"`,
    );
  }
  return {
    file,
    format,
    samplesPerFrame: signal.samplesPerFrame ?? 1,
    skew: before.length,
    byteOffset: 0,
    gain,
    baseline,
    units: signal.units ?? "mV",
    resolution: signal.resolution ?? SAMPLE_BITS[format],
    adcZero,
    initialValue: before[0] ?? signal.samples[0] ?? adcZero,
    checksum: checksumOf(before, signal.samples),
    blockSize: 0,
    description,
  };
}

/**
 * The header text and the signal files (by name) of a record, checksums and initial values computed.
 * Throws Error (signal, index, value) for a sample that the format cannot hold and for signals of unequal length.
 */
export function encodeRecord(record: WfdbRecordInput): { header: string; files: Map<string, Uint8Array> } {
  const rows = record.signals.map((signal, index) => ({ ...specOf(record, signal, index), input: signal }));
  const files = new Map<string, Uint8Array>();
  let frames: number | null = null;
  for (const [index, row] of rows.entries()) {
    const count = (row.skew + row.input.samples.length) / row.samplesPerFrame;
    frames ??= count;
    if (!Number.isInteger(count) || count !== frames) {
      throw new Error(
        `record ${record.name}, signal ${index}: ${count} frames, signal 0 has ${frames}; pad the shorter one`,
      );
    }
  }
  for (const group of groups(rows)) {
    const frame = frameOf(group);
    const all = new Int32Array((frames ?? 0) * frame);
    let start = 0;
    for (const { input, samplesPerFrame: width, skew } of group) {
      const { samples, before = new Int32Array(0) } = input;
      for (let i = 0; i < skew + samples.length; i++) {
        all[Math.floor(i / width) * frame + start + (i % width)] = i < skew ? before[i]! : samples[i - skew]!;
      }
      start += width;
    }
    files.set(group[0]!.file, pack(group[0]!.format, all));
  }
  const {
    name,
    rate,
    counterRate = null,
    baseCounter = null,
    baseTime = null,
    baseDate = null,
    comments = [],
  } = record;
  const signals = rows.map(({ input, ...spec }) => spec);
  const clock = { counterRate, baseCounter, baseTime, baseDate };
  return { header: formatHeader({ name, rate, ...clock, sampleCount: frames, signals, comments }), files };
}
